"""The judge of whoever is due: every due moment has one outcome, in order, and none before its time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from eventjobs.events.recorded import Recorded
from tests.simulation.backfills import Backfills
from tests.simulation.blackouts import Calendars
from tests.simulation.rules import CLOCKS_S, DECIDING_S, Address, Rules, instant
from tests.simulation.slot_judge import SlotJudge
from tests.simulation.slot_moments import Answer
from tests.simulation.slot_owner import SlotOwner
from tests.support.zone_data import OLD

_LATELY = timedelta(seconds=1)
"""What may pass between what the clock shows and the reading that a decision goes by."""
_ENDING = frozenset({"inactivated", "deactivated", "deleted", "expired"})
"""After which nothing is due any more."""
_OF_MOMENTS = frozenset(
    {
        "run_opened",
        "run_closed",
        "occurrence_queued",
        "occurrence_dropped",
        "occurrences_skipped",
        "occurrences_missed",
    }
)
"""What may come between two answers of one command."""


def _is_old(data: Mapping[str, Any]) -> bool:
    """Tell whether an answer was given with the older zone data, as the moment after it says."""
    return data["next"] is not None and data["next"]["zone_data"] == OLD


@dataclass(slots=True)
class Owner:
    """When a schedule, a group or a job is due, and up to where it was answered."""

    active: bool = False
    overlap: str = "skip"
    next: Mapping[str, Any] | None = None
    answered: datetime | None = None
    answered_by: str = ""
    under_way: list[tuple[datetime, datetime, int]] = field(default_factory=list)
    due: Mapping[str, Any] | None = None
    open: set[str] = field(default_factory=set)
    queue: list[str] = field(default_factory=list)
    is_paused: bool = False
    calendars: tuple[str, ...] = ()
    slots: SlotOwner | None = None


class OwnerJudge:
    """Takes the facts of schedules, groups and Connect jobs, in order."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.backfills = Backfills(rules)
        self.calendars = Calendars()
        self.slots = SlotJudge(rules)
        self.owners: dict[Address, Owner] = {}
        self._due: dict[Address, Owner] = {}
        """Those of which a moment is due, or waits."""
        self.held: set[str] = set()
        self.outcomes = 0
        self._answering: dict[str, tuple[Owner, Recorded[Any]]] = {}

    def take(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        """Take a fact of an owner's stream; raises `Violation`."""
        owner, what = self.owners.setdefault(address, Owner()), fact.type.partition(".")[2]
        if what not in _OF_MOMENTS:
            self.in_order(owner)
            owner.answered_by = ""  # what a command makes due by an edit, and answers, is another moment
        if fact.stream.kind != "schedule":
            owner.slots = self.slots.take(fact, data)
        match what:
            case "run_opened":
                self._opened(fact, address, owner, data)
            case "run_closed":
                owner.open.discard(data["run"])
            case "backfill_asked" | "backfill_stopped":
                change = self.backfills.asked if what == "backfill_asked" else self.backfills.stopped
                change(fact, address, data)
            case "occurrence_queued" | "occurrence_dropped":
                self._queue(fact, owner, data)
            case "paused" | "unpaused":
                owner.is_paused = what == "paused" and data["until"] is None
                self.rules.seen.note(fact.type)
            case "occurrences_skipped" | "occurrences_missed":
                self._without_a_run(fact, owner, data)
            case _:
                self._define(fact, address, owner, what, data)
        if owner.queue or (owner.active and owner.next is not None):
            self._due[address] = owner
        else:
            self._due.pop(address, None)

    def _without_a_run(self, fact: Recorded[Any], owner: Owner, data: Mapping[str, Any]) -> None:
        first, last = instant(data["first"]), instant(data["last"])
        if data["reason"] == "blackout":
            self._blacked_out(fact, owner, first, last, _is_old(data))
        self._answer(fact, owner, first, last, data["count"], data["next"])
        self.rules.seen.note(f"{fact.type.rpartition('_')[2]}_{data['reason']}")
        if data["count"] > 1:
            self.rules.seen.note("several_at_once_without_a_run")

    def _opened(self, fact: Recorded[Any], address: Address, owner: Owner, data: Mapping[str, Any]) -> None:
        self.rules.hold(owner.overlap == "allow" or not owner.open, fact, "a second run at once")
        self.rules.hold(address[0] not in self.held, fact, "although all starts are held")
        self.rules.hold(not owner.is_paused or data["due"] is None, fact, "although it is paused")
        if owner.open:
            self.rules.seen.note("several_runs_of_one_schedule")
        owner.open.add(data["run"])
        self.rules.within(self.rules.options.runs_per_owner, len(owner.open), fact)
        if data["due"] is None:
            if data["cause_detail"] == "backfill":
                self.backfills.opened(fact, address, data, alone=len(owner.open) == 1)
            return
        if data["timing"] is None:
            self.rules.hold(owner.queue[:1] == [data["due"]], fact, "it is not first in the queue")
            owner.queue.pop(0)
            self.rules.seen.note("ran_from_the_queue")
            return
        self._answer(fact, owner, instant(data["due"]), instant(data["due"]), 1, data["next"])
        if data["cause_detail"] in (None, "downtime"):  # what an edit makes due is due when it is made
            self._not_blacked_out(fact, owner, instant(data["due"]), _is_old(data))
        self.rules.seen.note(f"ran_{data['cause']}")
        if data["cause_detail"]:
            self.rules.seen.note(f"behind_{data['cause_detail']}")

    def _queue(self, fact: Recorded[Any], owner: Owner, data: Mapping[str, Any]) -> None:
        due = data["due"]
        if fact.type.endswith("occurrence_queued"):
            self._answer(fact, owner, instant(due), instant(due), 1, data["next"])
            self._not_blacked_out(fact, owner, instant(due), _is_old(data))
            owner.queue.append(due)
            self.rules.seen.note(f"queued_{data['reason']}")
        else:
            self.rules.hold(due in owner.queue, fact, "it does not wait")
            owner.queue.remove(due)
            self.rules.seen.note(f"dropped_{data['reason']}")

    def _not_blacked_out(self, fact: Recorded[Any], owner: Owner, due: datetime, is_old: bool) -> None:
        covered = self.calendars.covers(fact.workspace, owner.calendars, due, is_old)
        self.rules.hold(not covered, fact, "although its calendars black the moment out")

    def _blacked_out(self, fact: Recorded[Any], owner: Owner, first: datetime, last: datetime, is_old: bool) -> None:
        """Skipped for a blackout at its instant, or when its run would have begun, a little before the commit."""
        if self.rules.is_astray(fact):
            return
        decided = [fact.at - timedelta(seconds=seconds) for seconds in range(-CLOCKS_S, DECIDING_S)]
        names = owner.calendars
        may = [self.calendars.may_cover(fact.workspace, names, at, is_old) for at in (first, last, *decided)]
        self.rules.hold(all(may[:2]) or any(may[2:]), fact, "although no calendar blacks it out")

    def _define(self, fact: Recorded[Any], address: Address, owner: Owner, what: str, data: Mapping[str, Any]) -> None:
        due = None if owner.next is None else instant(owner.next["due"])
        moves = "next" in data or what in _ENDING
        # After a step back the log's time stands still until the clock has caught up; what is due goes by the clock.
        now = fact.at if self.rules.shown is None else min(fact.at, self.rules.shown())
        if moves and owner.active and due is not None and due <= now:
            # A command is decided when it is given, and written when that can be; what fell due in between is asked
            # for below.
            self.rules.seen.note("moment_fell_due_under_an_edit")
            stays = data.get("next") is not None and instant(data["next"]["due"]) == due
            decided = min(now, self.rules.given.get(fact.command_id, now))
            self.rules.hold(stays or decided - due < _LATELY, fact, f"the moment {due} was never answered")
        if what == "created":
            owner.active = data.get("active", False)
        elif what == "activated":
            owner.active = True
        elif what == "zone_data_adopted":
            self.rules.seen.note("looked_again_with_new_zone_data")
        elif what in _ENDING:
            self.rules.hold(what == "inactivated" or not owner.queue, fact, f"these wait: {owner.queue}")
            owner.active, owner.next = False, None
            self.backfills.left_behind(address, is_deleted=what == "deleted")
        else:
            self.rules.seen.note(fact.type)
        if data.get("policies"):
            owner.overlap = data["policies"]["overlap"]
            owner.calendars = tuple(data["policies"]["calendars"])
        if "next" in data:
            owner.next = data["next"]

    def _answer(
        self,
        fact: Recorded[Any],
        owner: Owner,
        first: datetime,
        last: datetime,
        count: int,
        following: Mapping[str, Any] | None,
    ) -> None:
        """One outcome a moment, none before its time; those of one command together are judged by `in_order`."""
        self.rules.in_time(fact, last, "answered before its time")
        self.rules.hold(count >= 1 and last >= first, fact, "no moment at all")
        if owner.answered_by != fact.command_id:
            self.in_order(owner)
            self.rules.hold(owner.active, fact, "although it is not active")
            owner.due = owner.next
            if owner.next is not None:
                self._sightings(owner.next)
        owner.under_way.append((first, last, count))
        owner.answered_by, owner.next = fact.command_id, following
        self.outcomes += count
        self._answering[f"{fact.workspace}/{fact.stream.name}"] = owner, fact

    def in_order(self, only: Owner | None = None) -> None:
        """Judge what commands answered: in order, nothing again, and first the moment that was promised."""
        for name, (owner, fact) in list(self._answering.items()):
            if only not in (None, owner):
                continue
            spans = sorted(owner.under_way)
            due = None if owner.due is None else instant(owner.due["due"])
            self.rules.hold(spans[0][0] == due, fact, f"{due} was due, not {spans[0][0]}")
            for first, last, _ in spans:
                again = owner.answered is not None and first <= owner.answered
                self.rules.hold(not again, fact, f"{first} again, after {owner.answered}")
                owner.answered = last
            if owner.slots is not None and owner.due is not None:
                self.slots.answers(fact, owner.slots, Answer(owner.due, spans, owner.next))
            owner.under_way.clear()
            del self._answering[name]

    def _sightings(self, answered: Mapping[str, Any]) -> None:
        if answered["fold"]:
            self.rules.seen.note("second_pass_of_an_hour")
        if answered["asked"]:
            self.rules.seen.note("shifted_out_of_a_gap")

    # -- what is left -------------------------------------------------------------------------------------------------

    def next_due(self) -> datetime | None:
        """The earliest recorded due moment, or end of a group or a job."""
        found = [instant(one.next["due"]) for one in self._due.values() if one.active and one.next is not None]
        look = self.slots.next_look()
        return min(found if look is None else [*found, look], default=None)

    def due_by(self, at: datetime) -> list[Address]:
        """Those of which a moment is due until an instant."""
        return [one for one, owner in self._due.items() if owner.next and instant(owner.next["due"]) <= at]

    def unanswered(self, now: datetime) -> list[str]:
        """Those whose due moment has passed, or whose end."""
        return [
            f"{address} was due {owner.next['due']}"
            for address, owner in self._due.items()
            if owner.active and owner.next is not None and instant(owner.next["due"]) <= now
        ] + self.slots.not_looked_at(now)

    def waiting(self) -> list[str]:
        """The moments that wait in a queue."""
        return [f"{address}: {owner.queue}" for address, owner in self._due.items() if owner.queue]
