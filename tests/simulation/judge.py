"""
The judge: what must hold, read from the log's bytes alone as each commit becomes true, and from the handlers' calls.

It shares no code with the product: it reads the stored JSON and the canonical form as documented, and remembers what
each schedule, run and job may do next. The first thing that does not hold ends the simulation.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from eventjobs.events.recorded import Recorded
from tests.simulation.backfills import Backfills
from tests.simulation.figures import Seen
from tests.simulation.message_judge import MessageJudge
from tests.simulation.options import Options
from tests.simulation.owner_judge import OwnerJudge
from tests.simulation.report_judge import ReportJudge
from tests.simulation.rules import Address, Rules
from tests.simulation.run_judge import RunJudge


class Judge:
    """Takes every commit, in order, and every call of a handler."""

    def __init__(self, seen: Seen, options: Options) -> None:
        self.rules = Rules(seen, options)
        self.owners = OwnerJudge(self.rules)
        self.slots = self.owners.slots
        self.work = RunJudge(self.rules)
        self.messages = MessageJudge(self.rules)
        self.reports = ReportJudge(self.rules, self.slots)
        self.position = 0
        self.chain = bytes(32)
        self.at: datetime | None = None
        self.versions: dict[Address, int] = {}
        self.commands: dict[str, str] = {}
        self.actors: dict[str, set[str]] = {}

    # -- commits ------------------------------------------------------------------------------------------------------

    def commit(self, facts: Sequence[Recorded[Any]]) -> None:
        """Take what was committed; raises `Violation`."""
        for fact in facts:
            self._place(fact)
            if fact.actor.startswith("client:"):
                self.actors.setdefault(fact.actor, set()).add(fact.command_id)
            self._take(fact, orjson.loads(fact.data))
        self.owners.in_order()
        self.slots.complete(facts[-1])
        self.work.complete(facts[-1])

    def _take(self, fact: Recorded[Any], data: Mapping[str, Any]) -> None:
        kind, _, thing = fact.stream.name.partition(":")
        address = (fact.workspace, thing)
        match kind:
            case "schedule":
                self.owners.take(fact, address, data)
                self.messages.schedule(fact, address, data)
            case "group" | "job":
                self.owners.take(fact, (fact.workspace, fact.stream.name), data)
                self.reports.take(fact, data)
            case "groups":
                self.slots.named(fact, data)
            case "alert" | "notification" | "mailbox":
                self._take_message(fact, kind, address, data)
            case "workspace":
                self._take_hold(fact, thing, data)
            case "calendar":
                self.owners.calendars.save(fact.workspace, thing, data)
                self.rules.seen.note(fact.type)
            case "run":
                self.slots.runs.take(fact, address, data)
                self.work.take(fact, address, data)
            case "flow":
                self.work.flow(fact, thing, data)
            case _:
                pass

    def _take_message(self, fact: Recorded[Any], kind: str, address: Address, data: Mapping[str, Any]) -> None:
        match kind:
            case "alert":
                self.messages.incident(fact, address, data)
            case "mailbox":
                self.messages.mailbox(fact, address)
            case _:
                self.messages.take(fact, address, data)
                if fact.type == "notification.requested":
                    self.reports.told(fact, data)

    def _take_hold(self, fact: Recorded[Any], workspace: str, data: Mapping[str, Any]) -> None:
        if fact.type == "workspace.starts_held" and data["until"] is None:
            self.owners.held.add(workspace)
            self.rules.seen.note("starts_held")
        elif fact.type in ("workspace.starts_held", "workspace.starts_released"):
            self.owners.held.discard(workspace)  # a hold with an end takes the place of one without

    def _place(self, fact: Recorded[Any]) -> None:
        """Positions 1..n without a gap, the chain, versions of streams, and time that does not go back."""
        by = (fact.workspace, fact.stream.name, str(fact.stream_version), fact.type, str(fact.schema), fact.actor)
        links = (fact.command_id, fact.causation or "", fact.correlation or "", fact.data.decode())
        at = fact.at.isoformat(timespec="microseconds").replace("+00:00", "Z")
        leaf = sha256("\n".join(("eventjobs/event/1", *by, *links, at)).encode()).digest()
        position = self.position + 1
        chain = sha256(self.chain + position.to_bytes(8, "big") + leaf).digest()
        address = (fact.workspace, fact.stream.name)
        version = self.versions.get(address, 0) + 1
        self.rules.hold(fact.position == position, fact, f"a gap: {fact.position} after {self.position}")
        self.rules.hold((fact.leaf, fact.chain) == (leaf, chain), fact, "the chain does not hold")
        self.rules.hold(fact.stream_version == version, fact, "not the stream's next version")
        self.rules.hold(self.at is None or fact.at >= self.at, fact, "earlier than the fact before it")
        self.position, self.chain, self.at = position, chain, fact.at
        self.versions[address] = version

    # -- what is left -------------------------------------------------------------------------------------------------

    @property
    def outcomes(self) -> int:
        """How many due moments have one."""
        return self.owners.outcomes

    @property
    def backfills(self) -> Backfills:
        """The backfills of all schedules."""
        return self.owners.backfills

    def next_due(self) -> datetime | None:
        """When the next moment is due."""
        return self.owners.next_due()

    def unanswered(self, now: datetime) -> list[str]:
        """Those whose due moment, or end, has passed."""
        return self.owners.unanswered(now)

    def waiting(self) -> list[str]:
        """The moments that wait in a queue."""
        return self.owners.waiting()

    def digest(self) -> str:
        """One value for the log and all calls."""
        return sha256(self.chain + self.work.journal.digest()).hexdigest()[:16]
