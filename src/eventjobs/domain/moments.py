"""What due moments are asked, and what holds for all that go by the wall clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from eventjobs.domain import zones
from eventjobs.domain.cadence import as_due
from eventjobs.domain.zones import Instant
from eventjobs.events.cadence import Gap, NextDue, Repeat


@dataclass(frozen=True, slots=True)
class Passed:
    """Moments that lie between two instants: how many, and the first and last of them."""

    count: int
    first: NextDue
    last: NextDue


class Moments(Protocol):
    """An ascending sequence of due moments."""

    def after(self, at: datetime) -> NextDue | None:
        """Return the first moment strictly after an instant, or `None` where none comes before the year 9999 ends."""
        ...

    def passed(self, after: datetime, through: datetime) -> Passed | None:
        """Return the moments in `(after, through]`."""
        ...


@dataclass(frozen=True, slots=True)
class Nothing:
    """No moment at all."""

    def after(self, _at: datetime) -> NextDue | None:
        """Return nothing."""
        return None

    def passed(self, _after: datetime, _through: datetime) -> Passed | None:
        """Return nothing."""
        return None


@dataclass(frozen=True, slots=True)
class Answered:
    """The last answered moment: no later rule may make it, or one before it, due again (SPEC 1)."""

    at: datetime
    local: str
    fold: int

    def is_shown_in(self, zone: str) -> bool:
        """Say whether a zone still shows the moment as it did."""
        then = zones.shown_in(zone, self.at)
        return (zones.wall_text(then.local), then.fold) == (self.local, self.fold)

    def precedes(self, zone: str, candidate: Instant) -> bool:
        """
        Say whether a local time and fold is later than the last answered one.

        While the zone still shows the answered moment as it did, the instants decide. Once it does not (another zone,
        other zone data), the label must be later too: a zone moved west loses the day.
        """
        if candidate.utc <= self.at:
            return False
        if self.is_shown_in(zone):
            return True
        return (zones.wall_text(candidate.local), candidate.fold) > (self.local, self.fold)


def resolved(zone: str, label: datetime, gap: Gap, repeat: Repeat) -> tuple[Instant, ...]:
    """Return the instants at which a local time is due under the policies, earliest first: none, one or two."""
    instants = zones.instants_of(zone, label)
    if gap is Gap.SKIP and instants[0].asked is not None:
        return ()
    match repeat:
        case Repeat.FIRST:
            return instants[:1]
        case Repeat.SECOND:
            return instants[-1:]
        case Repeat.BOTH:
            return instants


def counted(instants: Iterable[Instant], through: datetime) -> Passed | None:
    """Return those of ascending instants that are not later than one; this visits each."""
    first = last = None
    count = 0
    for instant in instants:
        if instant.utc > through:
            break
        first, last, count = first or instant, instant, count + 1
    return None if first is None or last is None else Passed(count, as_due(first), as_due(last))
