"""
The due moments of a cron expression in a zone.

Each local time that the expression names is resolved by itself, with the same policies as a daily cadence's. Around a
change of the clock their order is not that of the instants: a time that a gap shifts falls on or behind later ones, and
of times that occur twice the second passes follow the first passes of all. Such days are put in order together.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Final

from eventjobs.domain import zones
from eventjobs.domain.cadence import as_due
from eventjobs.domain.cron import Expression, read
from eventjobs.domain.moments import Answered, Passed, counted, resolved
from eventjobs.domain.zones import Instant
from eventjobs.errors import FieldError
from eventjobs.events.cadence import Cadence, Gap, NextDue, Repeat, TimingPolicies

_YEAR: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The local days that count, from one midnight to another, both included, and the instant at which all is over."""

    first: datetime | None = None
    last: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class CronDays:
    """
    The local times of a cron expression, through daylight saving.

    Two that resolve to one instant are one moment: the one that the clock really shows, if there is one.
    """

    cadence: Cadence
    gap: Gap
    repeat: Repeat
    answered: Answered | None = None
    bounds: Bounds = Bounds()

    def after(self, at: datetime) -> NextDue | None:
        """Return the first of them strictly after an instant."""
        found = next(self.instants_after(at), None)
        return None if found is None else as_due(found)

    def passed(self, after: datetime, through: datetime) -> Passed | None:
        """Return those in `(after, through]`; this visits each."""
        return counted(self.instants_after(after), through)

    def nearest(self, begin: datetime, enough: timedelta) -> tuple[NextDue, NextDue] | None:
        """
        Return two moments in a row of the year from `begin` that are less than `enough` apart, if there are such.

        Days without a change of the clock are alike: of all but the first only both ends are looked at.
        """
        for one, other in pairwise(self._merged(begin, ends_only=True)):
            if one.utc > begin + _YEAR:
                break
            if other.utc - one.utc < enough:
                return as_due(one), as_due(other)
        return None

    def instants_after(self, at: datetime) -> Iterator[Instant]:
        """Yield all of them strictly after an instant, in their order."""
        zone, answered = self.cadence.time_zone, self.answered
        if answered is None:
            return self._merged(at)
        instants = self._merged(max(at, answered.at))
        if answered.is_shown_in(zone):
            return instants
        return (instant for instant in instants if answered.precedes(zone, instant))

    def _merged(self, at: datetime, *, ends_only: bool = False) -> Iterator[Instant]:
        """Yield the instants after one in their order, of equal ones that which was asked for as it is shown."""
        end = self.bounds.end
        for block in self._blocks(at, ends_only=ends_only):
            for instant in block:
                if end is not None and instant.utc >= end:
                    return
                if instant.utc > at:
                    yield instant
                    at = instant.utc

    def _blocks(self, at: datetime, *, ends_only: bool) -> Iterator[Iterable[Instant]]:
        """Yield the instants of each quiet day, and in one those of the days between two of them."""
        zone = self.cadence.time_zone
        times, unrest = _expression(self.cadence).times, list[Instant]()
        for day in self._days(_begin(at)):
            offset = zones.quiet_offset(zone, day)
            if offset is None:
                unrest += _resolved(self.cadence, day, self.gap, self.repeat, zones.zone_data())
                continue
            yield _in_order(unrest)
            unrest = []
            midnight = (day - offset).replace(tzinfo=UTC)
            ahead = times[bisect_right(times, at - midnight) :]
            yield (Instant(midnight + time, day + time, 0) for time in ahead)
            if ends_only and midnight > at:
                times = (times[0], times[-1])
        yield _in_order(unrest)

    def _days(self, begin: datetime) -> Iterator[datetime]:
        """Yield its days from a midnight on, as far as they count."""
        first, last = self.bounds.first or begin, self.bounds.last
        days = _expression(self.cadence).days(max(begin, first))
        return days if last is None else takewhile(lambda day: day <= last, days)


@lru_cache(maxsize=64)  # around a change of the clock each look begins with the same days
def _resolved(cadence: Cadence, day: datetime, gap: Gap, repeat: Repeat, _version: str) -> tuple[Instant, ...]:
    zone, times = cadence.time_zone, _expression(cadence).times
    return tuple(one for time in times for one in resolved(zone, day + time, gap, repeat))


def _expression(cadence: Cadence) -> Expression:
    return read(cadence.cron or "")


def check_floor(cadence: Cadence, policies: TimingPolicies, *, min_period_s: int, now: datetime) -> list[FieldError]:
    """Say which two moments of a cron's coming year are nearer to each other than the shortest period (R6), if any."""
    enough = timedelta(seconds=min_period_s)
    found = CronDays(cadence, policies.gap, policies.repeat).nearest(now, enough)
    if found is None:
        return []
    one, other = (f"{due.local} ({due.due:%Y-%m-%dT%H:%M:%SZ})" for due in found)
    detail = f"A schedule runs at most once in {min_period_s / 60:g} minutes; {one} and {other} are nearer."
    return [FieldError("cadence.cron", "interval_too_short", detail)]


def _begin(at: datetime) -> datetime:
    # Three days earlier: a gap may shift a local time by a whole day, and a zone may be 14 hours ahead of UTC.
    return at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None) - timedelta(days=3)


def _in_order(instants: Sequence[Instant]) -> Sequence[Instant]:
    return sorted(instants, key=lambda instant: (instant.utc, instant.asked is not None))
