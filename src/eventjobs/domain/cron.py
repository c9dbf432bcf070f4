"""
Cron expressions of five fields, in the dialect of `cronsim`, which is Debian's with `L`, `LW` and `#`.

An expression names local times; what they mean in a zone is `cron_days.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from cronsim import CronSim, CronSimError

from eventjobs.domain.zones import HORIZON

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

_FIELDS: Final = 5
_DAY: Final = timedelta(days=1)
_END: Final = HORIZON.replace(day=1, tzinfo=None)  # a whole month more must fit the calendar

# No day comes less often: the same date, leap day and weekday are together again after 40 years at most.
_YEARS_MAX: Final = 50


class BadCron(ValueError):
    """An expression that is none of ours; the message is a sentence that says why."""


def normalised(text: str) -> str:
    """Return an expression's five fields as they are stored; raises `BadCron`."""
    word = text.strip().lower()
    if word == "@reboot":
        raise BadCron("`@reboot` names no time: a schedule does not see the machine start.")
    if word.startswith("@") and word not in ALIASES:
        raise BadCron(f"The short forms are {', '.join(ALIASES)}.")
    fields = ALIASES.get(word, text).upper().split()
    if len(fields) != _FIELDS:
        seconds = " Seconds are not possible." if len(fields) > _FIELDS else ""
        detail = f"It has {len(fields)} fields and needs five: minute, hour, day of month, month, day of week.{seconds}"
        raise BadCron(detail)
    expression = " ".join(fields)
    read(expression)
    return expression


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was read: the times of day that it names, in order, and its days."""

    times: tuple[timedelta, ...]
    _sim: CronSim

    def days(self, begin: datetime) -> Iterator[datetime]:
        """Yield the midnights of its days from `begin`, a midnight, on; it ends where none comes for 50 years."""
        day, until = begin, begin.year + _YEARS_MAX
        while day.year <= until and day < _END:
            if day.month not in self._sim.months:
                day = (day.replace(day=1) + 32 * _DAY).replace(day=1)
                continue
            if self._sim.match_day(day):
                until = day.year + _YEARS_MAX
                yield day
            day += _DAY


@lru_cache(maxsize=1_024)
def read(expression: str) -> Expression:
    """Read five fields; raises `BadCron` with what is wrong."""
    try:
        sim = CronSim(expression, datetime.min)  # noqa: DTZ901 the start of a count that is never asked for
    except CronSimError as error:
        raise BadCron(f"{error}: out of range, or no such form, or none of its months has such a day.") from error
    times = (timedelta(hours=hour, minutes=minute) for hour in sorted(sim.hours) for minute in sorted(sim.minutes))
    return Expression(tuple(times), sim)
