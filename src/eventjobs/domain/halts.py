"""
Times in which nothing starts: a pause of one owner, a hold of a workspace or of the whole deployment (SPEC decision 7).

A third kind are the blackouts of the calendars that a schedule names. A halt is half-open, `[since, until)`. A due
moment in it is finally skipped; what runs goes on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heappop, heappush
from typing import Final

PAUSED: Final = "paused"
HELD: Final = "held"
KEPT: Final = 1_000
"""How many holds are remembered, the newest; a moment that is still unanswered after so many is answered as free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Halt:
    """
    No start from `since` on, until `until` (`None`: until somebody ends it), for `paused`, `held` or `blackout`.

    `over`: the log says that somebody ended it, at `until`.
    """

    reason: str
    since: datetime
    until: datetime | None = None
    note: str = ""
    by: str = ""
    over: bool = False

    def covers(self, at: datetime) -> bool:
        """Tell whether an instant lies in it."""
        return self.since <= at and (self.until is None or at < self.until)

    def ends_by(self, at: datetime) -> bool:
        """Tell whether it is over at an instant."""
        return self.until is not None and self.until <= at

    def lasts(self, now: datetime) -> bool:
        """
        Tell whether nothing may start now.

        Whoever reads it knows that it began and whether somebody ended it, also where the own clock is a little behind
        that of who did: only an end that was given ahead is compared with the clock.
        """
        return not self.over and not self.ends_by(now)

    def cut_at(self, at: datetime) -> "Halt":
        """Return it ended at an instant, unless it is over before."""
        return self if self.ends_by(at) else replace(self, until=max(at, self.since), over=True)


def in_force(halts: Iterable[Halt], at: datetime) -> Halt | None:
    """Return the first halt that an instant lies in."""
    return next((halt for halt in halts if halt.covers(at)), None)


def in_force_at(halts: Iterable[Halt], instants: Iterable[datetime]) -> Iterator[Halt | None]:
    """Yield the same for each of many instants, which must ascend."""
    coming = sorted(enumerate(halts), key=lambda one: one[1].since, reverse=True)
    begun: list[tuple[int, Halt]] = []
    for at in instants:
        while coming and coming[-1][1].since <= at:
            heappush(begun, coming.pop())
        while begun and begun[0][1].ends_by(at):
            heappop(begun)
        yield begun[0][1] if begun else None


def lasting(halts: Iterable[Halt], now: datetime) -> Halt | None:
    """Return the first halt that lets nothing start now."""
    return next((halt for halt in halts if halt.lasts(now)), None)
