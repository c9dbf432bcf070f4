"""
The rule, a second time: look at a clock every minute, and apply the words.

Nothing of the service is used here. It is slow and has no cleverness to be wrong in.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from math import gcd
from zoneinfo import ZoneInfo

from tests.sweep.clocks import offset

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
MINUTES = {"minute": 1, "hour": 60, "day": 1440}


@dataclass(frozen=True, order=True)
class Moment:
    """A due moment: the instant, what the clock shows then and in which pass, and what may be recorded as asked for."""

    due: datetime
    local: str
    fold: int
    asked: frozenset[str | None] = field(compare=False, default=frozenset({None}))


@dataclass(frozen=True)
class Rule:
    """A cadence and its policies in plain words."""

    start: datetime
    every: int
    unit: str
    timing: str
    gap: str = "shift"
    repeat: str = "first"

    @property
    def is_local(self) -> bool:
        return self.timing == "wall_clock"


class Watch:
    """What a zone's clock shows at each minute of a span of time."""

    def __init__(self, zone: ZoneInfo, begin: datetime, end: datetime) -> None:
        self._zone = zone
        self.step = timedelta(seconds=gcd(60, *(abs(offset(zone, at)) for at in hours(begin, end))))
        self.shown = [(utc, utc.astimezone(zone).replace(tzinfo=None, fold=0)) for utc in _ticks(begin, end, self.step)]

    @cached_property
    def passes(self) -> dict[datetime, list[datetime]]:
        """The instants at which the clock shows each local time."""
        found: dict[datetime, list[datetime]] = defaultdict(list)
        for utc, local in self.shown:
            found[local].append(utc)
        return found

    @cached_property
    def jumps(self) -> list[tuple[datetime, datetime, datetime]]:
        """Where the clock leaves local times out: the last instant before, what it shows, what it shows next."""
        return [(utc, now, then) for (utc, now), (_, then) in pairwise(self.shown) if then - now > self.step]

    def at(self, utc: datetime) -> Moment:
        local = utc.astimezone(self._zone).replace(tzinfo=None, fold=0)
        earlier = [other for other in self.passes.get(local, []) if other < utc]
        return Moment(utc, local.isoformat(), len(earlier))

    def moments_of(self, label: datetime, gap: str, repeat: str) -> list[Moment]:
        """Return when a local time comes: once, twice, or, where it does not exist, later by the length of the gap."""
        passes = self.passes.get(label, [])
        if passes:
            chosen = {"first": passes[:1], "second": passes[-1:], "both": passes}[repeat]
            return [self.at(utc) for utc in chosen]
        for utc, now, then in self.jumps:
            if now < label < then:
                if gap == "skip":
                    return []
                length = then - now - self.step
                later = next(other for other in self.passes[label + length] if other > utc)
                shifted = self.at(later)
                return [Moment(shifted.due, shifted.local, shifted.fold, frozenset({label.isoformat()}))]
        raise AssertionError(f"{label} is neither shown nor left out")


def hours(begin: datetime, end: datetime) -> Iterator[datetime]:
    return _ticks(begin, end, timedelta(hours=1))


def _ticks(begin: datetime, end: datetime, step: timedelta) -> Iterator[datetime]:
    at = begin
    while at <= end:
        yield at
        at += step


def dues(rule: Rule, watch: Watch, start: Moment, after: datetime, through: datetime) -> list[Moment]:
    """Return the due moments in `(after, through]`; `start` is the instant that the rule's start stands for."""
    if rule.is_local:
        return [moment for moment in _local(rule, watch) if after < moment.due <= through]
    return _elapsed(rule, watch, start, after, through)


def _local(rule: Rule, watch: Watch) -> list[Moment]:
    """The same local time on each day of the cadence; two labels at one instant are one moment."""
    found: dict[datetime, Moment] = {}
    for day in _days(watch.shown[0][1].date() + DAY, watch.shown[-1][1].date() - DAY):
        if _is_day_of(rule, rule.start.date(), day):
            for moment in watch.moments_of(datetime.combine(day, rule.start.time()), rule.gap, rule.repeat):
                known = found.get(moment.due, moment)
                found[moment.due] = Moment(moment.due, moment.local, moment.fold, moment.asked | known.asked)
    return sorted(found.values())


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += DAY


def _is_day_of(rule: Rule, start: date, day: date) -> bool:
    if day < start:
        return False
    if rule.unit == "month":
        return is_month_of(rule.every, start, start.day, day)
    return (day - start).days % rule.every == 0


def is_month_of(every: int, start: date, anchor: int, day: date) -> bool:
    """Say whether a day is the anchor day, or the last of a month too short for it, every so many months."""
    months = (day.year - start.year) * 12 + day.month - start.month
    is_last = (day + DAY).month != day.month
    return months % every == 0 and (day.day == anchor or (is_last and day.day < anchor))


def _elapsed(rule: Rule, watch: Watch, start: Moment, after: datetime, through: datetime) -> list[Moment]:
    """Every so many minutes since the start, whatever the clocks show; months are those of UTC."""
    if rule.unit == "once":
        return [start] if after < start.due <= through else []
    first = max(start.due, after + (start.due - after) % MINUTE)
    minutes = enumerate(_ticks(first, through, MINUTE), (first - start.due) // MINUTE)
    if rule.unit == "month":
        found = [utc for _, utc in minutes if _is_same_minute(rule, start.due, utc)]
    else:
        period = rule.every * MINUTES[rule.unit]
        found = [utc for number, utc in minutes if number % period == 0]
    return [start if utc == start.due else watch.at(utc) for utc in found if utc > after]


def _is_same_minute(rule: Rule, start: datetime, utc: datetime) -> bool:
    same_time = utc.hour == start.hour and utc.minute == start.minute
    return same_time and is_month_of(rule.every, start.date(), start.day, utc.date())


def start_of(watch: Watch, label: datetime) -> Moment:
    """Return the instant of a start: its first pass, or later by the length of the gap that it falls into."""
    return watch.moments_of(label, "shift", "first")[0]
