"""
The judge: what must hold, read from the log's bytes alone as each commit becomes true, and from the handlers' calls.

It shares no code with the product: it reads the stored JSON and the canonical form as documented, and remembers what
each schedule, run and job may do next. The first thing that does not hold ends the simulation.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from eventjobs.events.recorded import Recorded
from tests.simulation.figures import Seen
from tests.simulation.options import Options

Address = tuple[str, str]
_ENDED = frozenset({"run.ended", "run.skipped", "run.missed"})


class Violation(AssertionError):
    """Something that must never be."""


def instant(text: str) -> datetime:
    """Read an instant as facts hold it."""
    return datetime.fromisoformat(text)


@dataclass(slots=True)
class Row:
    """One job of a run."""

    seq: int
    skip_wait: bool
    job: tuple[str, str, str]
    once: bool
    attempt: int = 0
    running: bool = False
    ended: bool = False
    reason: str | None = None
    retry_at: str | None = None
    began: dict[int, int] = field(default_factory=dict)
    called: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Run:
    """A run as its stream tells it."""

    owner: Address
    opened_at: datetime
    due: str | None
    term: int
    instance: str
    rows: dict[int, Row]
    ended: bool = False


@dataclass(slots=True)
class Schedule:
    """When a schedule is due, and up to where it was answered."""

    active: bool = False
    overlap: str = "skip"
    next: Mapping[str, Any] | None = None
    answered: datetime | None = None
    answered_by: str = ""
    open: set[str] = field(default_factory=set)
    queue: list[str] = field(default_factory=list)
    is_paused: bool = False
    outcomes: int = 0


class Judge:
    """Takes every commit, in order, and every call of a handler."""

    def __init__(self, seen: Seen, options: Options) -> None:
        self.seen = seen
        self.options = options
        self.position = 0
        self.chain = bytes(32)
        self.at: datetime | None = None
        self.versions: dict[Address, int] = {}
        self.schedules: dict[Address, Schedule] = {}
        self.runs: dict[Address, Run] = {}
        self.answers: dict[Address, str] = {}
        self.open: set[Address] = set()
        self.held: set[str] = set()
        self.busy: dict[tuple[str, str, str], tuple[Address, int]] = {}
        self.commands: dict[str, str] = {}
        self.actors: dict[str, set[str]] = {}
        self.outcomes = 0
        self.calls = 0
        self.journal = sha256()
        self.on_take_over: Any = None
        self.set_back_s: Callable[[], float] = lambda: 0.0

    # -- commits ------------------------------------------------------------------------------------------------------

    def commit(self, facts: Sequence[Recorded[Any]]) -> None:
        """Take what was committed; raises `Violation`."""
        for fact in facts:
            self._place(fact)
            data = orjson.loads(fact.data)
            kind, _, thing = fact.stream.name.partition(":")
            if fact.actor.startswith("client:"):
                self.actors.setdefault(fact.actor, set()).add(fact.command_id)
            match kind:
                case "schedule":
                    self._schedule(fact, (fact.workspace, thing), data)
                case "workspace" if fact.type == "workspace.starts_held" and data["until"] is None:
                    self.held.add(thing)
                    self.seen.note("starts_held")
                case "workspace" if fact.type in ("workspace.starts_held", "workspace.starts_released"):
                    self.held.discard(thing)  # a hold with an end takes the place of one without
                case "run":
                    self._run(fact, (fact.workspace, thing), data)
                case _:
                    pass

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
        self._hold(fact.position == position, fact, f"a gap: {fact.position} after {self.position}")
        self._hold((fact.leaf, fact.chain) == (leaf, chain), fact, "the chain does not hold")
        self._hold(fact.stream_version == version, fact, "not the stream's next version")
        self._hold(self.at is None or fact.at >= self.at, fact, "earlier than the fact before it")
        self.position, self.chain, self.at = position, chain, fact.at
        self.versions[address] = version

    def _hold(self, holds: object, fact: Recorded[Any], otherwise: str) -> None:
        if not holds:
            raise Violation(f"{otherwise}: {fact!r} at {fact.at} by {fact.actor}: {fact.data.decode()[:600]}")

    def _in_time(self, fact: Recorded[Any], due: datetime, otherwise: str) -> None:
        """Not before its instant, but where the clock was set back between a decision and its commit."""
        if 0 < (due - fact.at).total_seconds() <= self.set_back_s():
            self.seen.note("decided_before_the_clock_was_set_back")
            return
        self._hold(fact.at >= due, fact, otherwise)

    # -- schedules ----------------------------------------------------------------------------------------------------

    def _schedule(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        schedule = self.schedules.setdefault(address, Schedule())
        match fact.type:
            case "schedule.run_opened":
                self._schedule_opened(fact, address, schedule, data)
            case "schedule.run_closed":
                schedule.open.discard(data["run"])
            case "schedule.occurrence_queued" | "schedule.occurrence_dropped":
                self._queue(fact, schedule, data)
            case "schedule.paused" | "schedule.unpaused":
                schedule.is_paused = fact.type == "schedule.paused" and data["until"] is None
                self.seen.note(fact.type)
            case "schedule.occurrences_skipped" | "schedule.occurrences_missed":
                first, last = instant(data["first"]), instant(data["last"])
                self._answer(fact, schedule, first, last, data["count"], data["next"])
                self.seen.note(f"{fact.type.rpartition('_')[2]}_{data['reason']}")
                if data["count"] > 1:
                    self.seen.note("several_at_once_without_a_run")
            case _:
                self._define(fact, schedule, data)

    def _schedule_opened(
        self, fact: Recorded[Any], address: Address, schedule: Schedule, data: Mapping[str, Any]
    ) -> None:
        self._hold(schedule.overlap == "allow" or not schedule.open, fact, "a second run at once")
        self._hold(address[0] not in self.held, fact, "although all starts are held")
        self._hold(not schedule.is_paused or data["due"] is None, fact, "although it is paused")
        if schedule.open:
            self.seen.note("several_runs_of_one_schedule")
        schedule.open.add(data["run"])
        self._within(self.options.runs_per_owner, len(schedule.open), fact)
        if data["due"] is None:
            return
        if data["timing"] is None:
            self._hold(schedule.queue[:1] == [data["due"]], fact, "it is not first in the queue")
            schedule.queue.pop(0)
            self.seen.note("ran_from_the_queue")
            return
        self._answer(fact, schedule, instant(data["due"]), instant(data["due"]), 1, data["next"])
        self.seen.note(f"ran_{data['cause']}")
        if data["cause_detail"]:
            self.seen.note(f"behind_{data['cause_detail']}")

    def _queue(self, fact: Recorded[Any], schedule: Schedule, data: Mapping[str, Any]) -> None:
        due = data["due"]
        if fact.type == "schedule.occurrence_queued":
            self._answer(fact, schedule, instant(due), instant(due), 1, data["next"])
            schedule.queue.append(due)
            self.seen.note(f"queued_{data['reason']}")
        else:
            self._hold(due in schedule.queue, fact, "it does not wait")
            schedule.queue.remove(due)
            self.seen.note(f"dropped_{data['reason']}")

    def _define(self, fact: Recorded[Any], schedule: Schedule, data: Mapping[str, Any]) -> None:
        due = None if schedule.next is None else instant(schedule.next["due"])
        moves = "next" in data or fact.type in ("schedule.inactivated", "schedule.deleted")
        if moves and schedule.active and due is not None and due <= fact.at:
            # A command is decided a moment before it is written; what fell due in between is asked for below.
            self.seen.note("moment_fell_due_under_an_edit")
            stays = data.get("next") is not None and instant(data["next"]["due"]) == due
            decided_s = (fact.at - due).total_seconds()
            self._hold(stays or decided_s < 1.0, fact, f"the moment {due} was never answered")
        match fact.type:
            case "schedule.created":
                schedule.active = data["active"]
            case "schedule.activated":
                schedule.active = True
            case "schedule.inactivated" | "schedule.deleted":
                schedule.active, schedule.next = False, None
            case _:
                pass
        if data.get("policies"):
            schedule.overlap = data["policies"]["overlap"]
        if "next" in data:
            schedule.next = data["next"]

    def _answer(
        self,
        fact: Recorded[Any],
        schedule: Schedule,
        first: datetime,
        last: datetime,
        count: int,
        following: Mapping[str, Any] | None,
    ) -> None:
        """One outcome a moment, in order, none before its time, and none but the one that was promised."""
        self._in_time(fact, last, "answered before its time")
        self._hold(schedule.answered is None or first > schedule.answered, fact, f"again, after {schedule.answered}")
        if schedule.answered_by != fact.command_id:
            promised = None if schedule.next is None else instant(schedule.next["due"])
            self._hold(schedule.active and first == promised, fact, f"{promised} was due, not {first}")
            if schedule.next is not None:
                self._sightings(schedule.next)
        self._hold(count >= 1 and last >= first, fact, "no moment at all")
        schedule.answered, schedule.answered_by, schedule.next = last, fact.command_id, following
        schedule.outcomes += count
        self.outcomes += count

    def _sightings(self, answered: Mapping[str, Any]) -> None:
        if answered["fold"]:
            self.seen.note("second_pass_of_an_hour")
        if answered["asked"]:
            self.seen.note("shifted_out_of_a_gap")

    # -- runs ---------------------------------------------------------------------------------------------------------

    def _run(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        if fact.type in ("run.skipped", "run.missed"):
            self._hold(fact.stream_version == 1, fact, "an outcome on top of another one")
            self.answers[address] = fact.type
            return
        if fact.type == "run.opened":
            self._opened(fact, address, data)
            return
        run = self.runs.get(address)
        if run is None:
            self._hold(fact.type == "run.queued" or address in self.answers, fact, "before the run was opened")
            self._hold(address not in self.answers, fact, "after it was said that it does not run")
            return
        self._hold(not run.ended, fact, "after the run ended")
        match fact.type:
            case "attempt.started":
                self._started(fact, address, run, data)
            case "attempt.ended":
                self._attempt_ended(fact, run, data)
            case "attempt.progressed":
                row = run.rows[data["row"]]
                self._hold(row.running and row.attempt == data["attempt"], fact, "progress of what does not run")
                self._authority(fact, run)
            case "job_run.ended":
                self._job_ended(fact, run.rows[data["row"]], data)
            case "run.taken_over":
                self._taken_over(fact, run, data)
            case "run.ended":
                self._hold(all(row.ended for row in run.rows.values()), fact, "over before its jobs are")
                self._authority(fact, run)
                run.ended = True
                self.open.discard(address)
            case _:
                self.seen.note(fact.type)

    def _job_ended(self, fact: Recorded[Any], row: Row, data: Mapping[str, Any]) -> None:
        self._hold(not row.ended and not row.running, fact, "a job ended twice, or while it runs")
        row.ended, row.reason = True, data["reason"]
        self.seen.note(f"job_{data['state']}")
        if data["joined"]:
            self.seen.note("result_shared")

    def _taken_over(self, fact: Recorded[Any], run: Run, data: Mapping[str, Any]) -> None:
        self._hold(data["term"] == run.term + 1, fact, "not the next term")
        if self.on_take_over is not None:
            self.on_take_over(fact, run, data)
        run.term, run.instance = data["term"], data["instance"]
        self.seen.note("taken_over")

    def _opened(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        self._hold(address not in self.runs and address not in self.answers, fact, "a second outcome")
        if data["due"] is not None:
            self._in_time(fact, instant(data["due"]), "started early")
        rows = {
            row["row"]: Row(
                seq=row["seq"],
                skip_wait=row["skip_wait"],
                job=(fact.workspace, row["job"]["kind"], row["job"]["id"]),
                once=row["policy"]["delivery"] == "at_most_once",
            )
            for row in data["jobs"]
        }
        owner = (data["owner"]["kind"], data["owner"]["id"])
        self.runs[address] = Run(owner, fact.at, data["due"], data["term"], data["instance"], rows)
        self.open.add(address)
        self._within(self.options.runs_at_once, len(self.open), fact)

    def _started(self, fact: Recorded[Any], address: Address, run: Run, data: Mapping[str, Any]) -> None:
        row = run.rows[data["row"]]
        self._hold(data["term"] == run.term, fact, f"in a term that is not the run's, {run.term}")
        self._authority(fact, run)
        self._hold(not row.ended and not row.running and data["attempt"] == row.attempt + 1, fact, "not the next try")
        self._hold(not (row.once and row.reason == "interrupted"), fact, "again, what may be once only")
        if row.retry_at is not None:
            self._in_time(fact, instant(row.retry_at), "tried again too early")
        if not row.skip_wait:
            before = [other for other in run.rows.values() if other.seq < row.seq and not other.skip_wait]
            self._hold(all(other.ended for other in before), fact, "before the stage below it ended")
        self._hold(row.job not in self.busy, fact, f"while the job runs in {self.busy.get(row.job)}")
        self.busy[row.job] = (address, data["row"])
        row.running, row.attempt = True, data["attempt"]
        at_work = [self.runs[one] for one in self.open if self.runs[one].instance == run.instance]
        working = sum(any(one.running for one in other.rows.values()) for other in at_work)
        self._within(self.options.runs_per_instance, working, fact)
        row.began[row.attempt] = data["term"]
        if row.attempt > 1:
            self.seen.note("tried_again")

    def _attempt_ended(self, fact: Recorded[Any], run: Run, data: Mapping[str, Any]) -> None:
        row = run.rows[data["row"]]
        self._hold(row.running and data["attempt"] == row.attempt, fact, "the end of what does not run")
        self._hold(data["term"] == row.began[row.attempt], fact, "the end of another term's try")
        self._authority(fact, run)
        self.busy.pop(row.job)
        row.running, row.reason, row.retry_at = False, data["reason"], data["retry_at"]
        self.seen.note(f"attempt_{data['reason'] or data['state']}")

    def _authority(self, fact: Recorded[Any], run: Run) -> None:
        self._hold(fact.actor == f"instance:{run.instance}", fact, f"by another than {run.instance}, whose run it is")

    def _within(self, limit: int | None, number: int, fact: Recorded[Any]) -> None:
        self._hold(limit is None or number <= limit, fact, "one run too many")

    # -- calls --------------------------------------------------------------------------------------------------------

    def called(self, instance: str, address: Address, number: int, attempt: int, term: int, *, trusted: bool) -> None:
        """A handler is called: once for each try, and never without its recorded beginning."""
        what = f"{address} row {number} attempt {attempt} of term {term} on {instance}"
        run = self.runs.get(address)
        row = None if run is None else run.rows.get(number)
        if run is None or row is None or row.began.get(attempt) != term:
            raise Violation(f"called without a recorded beginning: {what}")
        if attempt in row.called:
            raise Violation(f"called twice: {what}")
        if row.once and any(row.reason in ("interrupted", "unknown_end") for _ in row.called):
            raise Violation(f"called again, after nobody knows how it ended: {what}")
        row.called[attempt] = instance
        self.calls += 1
        self.journal.update(what.encode())
        if term != run.term or not row.running:
            self.seen.note("zombie_called_a_handler")
        if not trusted:
            self.seen.note("handler_called_without_trust")

    # -- what is left -------------------------------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        """The earliest recorded due moment."""
        found = [instant(one.next["due"]) for one in self.schedules.values() if one.active and one.next is not None]
        return min(found, default=None)

    def unanswered(self, now: datetime) -> list[str]:
        """The schedules whose due moment has passed."""
        return [
            f"{address} was due {schedule.next['due']}"
            for address, schedule in self.schedules.items()
            if schedule.active and schedule.next is not None and instant(schedule.next["due"]) <= now
        ]

    def waiting(self) -> list[str]:
        """The moments that wait in a queue."""
        return [f"{address}: {schedule.queue}" for address, schedule in self.schedules.items() if schedule.queue]

    def digest(self) -> str:
        """One value for the log and all calls."""
        return sha256(self.chain + self.journal.digest()).hexdigest()[:16]
