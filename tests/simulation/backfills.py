"""The judge of backfills: each moment that was asked for gets one run, in order, or a fact that says it gets none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eventjobs.events.recorded import Recorded
from tests.simulation.rules import Address, Rules, instant


@dataclass(slots=True)
class Backfill:
    """What is left of one."""

    id: str
    moments: list[str]


class Backfills:
    """Those of all schedules."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.left: dict[Address, Backfill] = {}
        self._known: set[tuple[Address, str]] = set()

    def asked(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        """Somebody wants runs for moments of the past."""
        moments = list(data["moments"])
        self.rules.hold(address not in self.left, fact, "although another one is not over")
        self.rules.hold((address, data["backfill"]) not in self._known, fact, "the same backfill again")
        self.rules.hold(moments and moments == sorted(set(moments)), fact, "its moments are none, or not in order")
        self.rules.in_time(fact, instant(moments[-1]), "a moment that has not passed")
        self._known.add((address, data["backfill"]))
        self.left[address] = Backfill(data["backfill"], moments)
        self.rules.seen.note("backfill_asked")

    def opened(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any], *, alone: bool) -> None:
        """A run of it opened, beside none of the schedule."""
        backfill = self.left.get(address)
        moments = [] if backfill is None else backfill.moments
        self.rules.hold(moments[:1] == [data["stands_for"]], fact, "not the next moment that was asked for")
        self.rules.hold(alone, fact, "although the schedule has an open run")
        self.rules.seen.note("ran_backfill")
        del moments[:1]
        if not moments:
            del self.left[address]
            self.rules.seen.note("backfill_done")

    def stopped(self, fact: Recorded[Any], address: Address, data: Mapping[str, Any]) -> None:
        """The rest of it is let go."""
        backfill = self.left.pop(address, None)
        self.rules.hold(backfill is not None and backfill.id == data["backfill"], fact, "there is no such backfill")
        self.rules.hold(backfill is not None and len(backfill.moments) == data["left"], fact, "another number is left")
        self.rules.seen.note(f"backfill_stopped_{data['reason']}")

    def left_behind(self, address: Address, *, is_deleted: bool) -> None:
        """Its schedule is off, or gone, and the rest of it with that."""
        if is_deleted and self.left.pop(address, None) is not None:
            self.rules.seen.note("backfill_deleted")
