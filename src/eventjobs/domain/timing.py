"""
Where the due moments of a cadence lie.

Four shapes: `Steps` of a fixed period or of UTC months from one instant (`elapsed` and `grid`), `LocalDays` of the
same local time and `CronDays` of a cron expression's (`wall_clock`), and `Nothing` (a `once` has no second moment).
Each finds the moment after an instant directly; nothing here walks from the start to the present.
"""

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from eventjobs.domain import zones
from eventjobs.domain.cadence import as_due, start_label
from eventjobs.domain.cron_days import CronDays
from eventjobs.domain.moments import Answered, Moments, Passed, counted, resolved
from eventjobs.domain.slot_cadence import SlotCadence, slot_days
from eventjobs.domain.zones import HORIZON, Instant
from eventjobs.events.cadence import Cadence, Gap, NextDue, Repeat, Timing, TimingPolicies, Unit

TICK: Final = timedelta(microseconds=1)

CLOCK_PERIODS: Final = {Unit.MINUTE: timedelta(minutes=1), Unit.HOUR: timedelta(hours=1)}
_PERIODS: Final = {**CLOCK_PERIODS, Unit.DAY: timedelta(days=1)}

# Local times in a row that may fall into gaps before we say that nothing comes: more than one a year never does.
_EMPTY_MAX: Final = 400


def step(base: datetime, count: int, unit: Unit, day: int) -> datetime | None:
    """
    Return the instant `count` units after another, `None` beyond the horizon.

    A day is 24 hours (R16). Months are counted in UTC, on `day` or the month's last day if it is shorter (R17).
    """
    try:
        moved = _months_after(base, count, day) if unit is Unit.MONTH else base + count * _PERIODS[unit]
    except (OverflowError, ValueError):
        return None
    return moved if moved < HORIZON else None


def _months_after(base: datetime, count: int, day: int) -> datetime:
    year, month = divmod(base.year * 12 + base.month - 1 + count, 12)
    return base.replace(year=year, month=month + 1, day=min(day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Steps:
    """
    The instants `base` + k periods, for k from `first` on.

    `day` is the anchor's day of the month, which month counts keep (R17). `start` is the cadence's own start where the
    count begins with it: a gap may have shifted it, which its record says.
    """

    cadence: Cadence
    base: datetime
    day: int
    first: int
    start: NextDue | None = None

    def after(self, at: datetime) -> NextDue | None:
        """Return the first of them strictly after an instant."""
        return self._due(self._index_after(at))

    def passed(self, after: datetime, through: datetime) -> Passed | None:
        """Return those in `(after, through]`, however many, without visiting them."""
        begin, end = self._index_after(after), self._index_after(through)
        if end <= begin:
            return None
        first, last = self._due(begin), self._due(end - 1)
        return None if first is None or last is None else Passed(end - begin, first, last)

    def _at(self, index: int) -> datetime | None:
        return step(self.base, index * self.cadence.every, self.cadence.unit, self.day)

    def _due(self, index: int) -> NextDue | None:
        if index == 0 and self.start is not None:
            return self.start
        at = self._at(index)
        return None if at is None else as_due(zones.shown_in(self.cadence.time_zone, at))

    def _index_after(self, at: datetime) -> int:
        if self.cadence.unit is not Unit.MONTH:
            return max(self.first, (at - self.base) // (self.cadence.every * _PERIODS[self.cadence.unit]) + 1)
        months = (at.year - self.base.year) * 12 + at.month - self.base.month
        index = max(self.first, months // self.cadence.every)
        reached = self._at(index)  # the month is right, the day in it may still be ahead
        return index + 1 if reached is not None and reached <= at else index


@dataclass(frozen=True, slots=True)
class LocalDays:
    """
    The same local time every so many days or months of the local calendar, through daylight saving.

    Two local times that resolve to one instant are one moment (Apia, 30 and 31 December 2011).
    """

    cadence: Cadence
    gap: Gap
    repeat: Repeat
    answered: Answered | None = None

    def after(self, at: datetime) -> NextDue | None:
        """Return the first of them strictly after an instant."""
        found = next(self.instants_after(at), None)
        return None if found is None else as_due(found)

    def passed(self, after: datetime, through: datetime) -> Passed | None:
        """Return those in `(after, through]`; this visits each day of the span."""
        return counted(self.instants_after(after), through)

    def instants_after(self, at: datetime) -> Iterator[Instant]:
        """Yield all of them strictly after an instant, in their order."""
        index, empty = self._index_before(at), 0
        while empty < _EMPTY_MAX and (label := self._label(index)) is not None:
            index, empty = index + 1, empty + 1
            for instant in resolved(self.cadence.time_zone, label, self.gap, self.repeat):
                if instant.utc > at and self._is_new(instant):
                    yield instant
                    at, empty = instant.utc, 0

    def _index_before(self, at: datetime) -> int:
        # Two days earlier: a gap may shift a local time by a whole day, and a zone may be 14 hours ahead of UTC.
        start = start_label(self.cadence)
        day = at.astimezone(UTC).replace(tzinfo=None) - timedelta(days=2)
        if self.cadence.unit is Unit.MONTH:
            units = (day.year - start.year) * 12 + day.month - start.month
        else:
            units = (day - start).days
        return max(0, units // self.cadence.every)

    def _label(self, index: int) -> datetime | None:
        start = start_label(self.cadence).replace(tzinfo=UTC)
        label = step(start, index * self.cadence.every, self.cadence.unit, start.day)
        return None if label is None else label.replace(tzinfo=None)

    def _is_new(self, instant: Instant) -> bool:
        return self.answered is None or self.answered.precedes(self.cadence.time_zone, instant)


def start_of(cadence: Cadence, policies: TimingPolicies) -> NextDue:
    """
    Return the first real occurrence of the cadence (R11, R21), which is not a cron's: that one has no start.

    Under `wall_clock` the policies may drop the start's own local time, or take its second pass; the others move it out
    of a gap and take the first pass.
    """
    if policies.timing is Timing.WALL_CLOCK:
        label = start_label(cadence).replace(tzinfo=UTC)
        first = LocalDays(cadence, policies.gap, policies.repeat).after(label - timedelta(days=3))
        if first is not None:
            return first
    return as_due(zones.instants_of(cadence.time_zone, start_label(cadence))[0])


def resolve_start(cadence: Cadence, policies: TimingPolicies) -> datetime:
    """Return the start as an instant: `start_of(...).due`."""
    return start_of(cadence, policies).due


def aligned(cadence: Cadence, policies: TimingPolicies, answered: Answered | None) -> Moments:
    """Return all moments of a `grid` (months in the UTC calendar) or `wall_clock` cadence."""
    if isinstance(cadence, SlotCadence):
        return slot_days(cadence, policies, answered)
    if cadence.unit is Unit.CRON:
        return CronDays(cadence, policies.gap, policies.repeat, answered)
    if policies.timing is Timing.WALL_CLOCK:
        return LocalDays(cadence, policies.gap, policies.repeat, answered)
    start = start_of(cadence, policies)
    return Steps(cadence, start.due, start.due.day, first=0, start=start)
