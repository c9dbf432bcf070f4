"""
How many runs are open at once in each minute of a day, in UTC: a grid of 24 hours of 60 minutes.

It supposes that everything runs on time and takes as long as it took before.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain, takewhile
from math import ceil
from typing import Final

from eventjobs.domain.cron_days import CronDays
from eventjobs.domain.slot_cadence import SlotCadence, slot_days
from eventjobs.domain.slots import TIMING
from eventjobs.domain.timing import CLOCK_PERIODS
from eventjobs.events.cadence import Cadence, Gap, Repeat, Unit

DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
MINUTES: Final = 1_440
USUAL: Final = MINUTE
"""How long a run is taken to last of which none was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """Owners that are due at the same minutes and take equally long: how many, when first, how often, how long."""

    count: int
    due: datetime
    cadence: Cadence
    lasts: timedelta = USUAL


def grid(groups: Iterable[Alike], begin: datetime) -> Sequence[int]:
    """Return for each minute of the day, 00:00 UTC first, how many runs are open in the 24 hours from `begin` on."""
    changes = [0] * (MINUTES + 1)
    for group in groups:
        for due in _dues(group, begin + DAY):
            if due >= begin:
                _add(changes, minute_of(due), _minutes(group.lasts), group.count)
    return list(accumulate(changes))[:MINUTES]


def minute_of(at: datetime) -> int:
    """Return the minute of the day of an instant, in UTC."""
    at = at.astimezone(UTC)
    return at.hour * 60 + at.minute


def occupied(due: datetime, lasts: timedelta) -> Iterator[int]:
    """Yield the minutes of the day in which a run is open."""
    return ((minute_of(due) + place) % MINUTES for place in range(_minutes(lasts)))


def _minutes(lasts: timedelta) -> int:
    return min(MINUTES, max(1, ceil(lasts / MINUTE)))


def _add(changes: list[int], begin: int, length: int, count: int) -> None:
    end = begin + length
    changes[begin] += count
    changes[min(end, MINUTES)] -= count
    if end > MINUTES:  # it goes on into the next day, which is the same row of the grid
        changes[0] += count
        changes[end - MINUTES] -= count


def _dues(group: Alike, end: datetime) -> Iterator[datetime]:
    period = CLOCK_PERIODS.get(group.cadence.unit)
    if group.cadence.unit is Unit.CRON:
        yield from _of_cron(group, end)
        return
    due = group.due
    while due < end:
        yield due
        if period is None:
            return
        due += group.cadence.every * period


def _of_cron(group: Alike, end: datetime) -> Iterator[datetime]:
    onward = chain([group.due], (one.utc for one in _days(group.cadence).instants_after(group.due)))
    return takewhile(lambda due: due < end, onward)


def _days(cadence: Cadence) -> CronDays:
    if isinstance(cadence, SlotCadence):
        return slot_days(cadence, TIMING, None)
    return CronDays(cadence, Gap.SHIFT, Repeat.FIRST, None)
