"""What the changes of a zone's clocks do to a cadence in the year that comes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import Final

from eventjobs.domain import zones
from eventjobs.domain.moments import Moments
from eventjobs.domain.reference import following
from eventjobs.domain.timing import CLOCK_PERIODS, TICK
from eventjobs.events.cadence import Cadence, Gap, NextDue, Repeat, Timing, TimingPolicies, TimingState, Unit

YEAR: Final = timedelta(days=365)
_DAY: Final = timedelta(days=1)
_AROUND_MAX: Final = 200
"""How many moments around a change are looked at: more than two days of a quarter of an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockChange:
    """A zone's clocks are set from one offset to another at an instant."""

    at: datetime
    before: timedelta
    after: timedelta


def clock_changes(zone: str, since: datetime, until: datetime) -> Iterator[ClockChange]:
    """Yield the changes of a zone's offset in `(since, until]`, looked for day by day and found to the minute."""
    days = [since + count * _DAY for count in range((until - since).days + 2)]
    for begin, end in pairwise(days):
        before, after = _offset(zone, begin), _offset(zone, end)
        if before != after:
            at = _found(zone, begin, end)
            if at <= until:
                yield ClockChange(at=at, before=before, after=after)


def moves(
    cadence: Cadence, policies: TimingPolicies, state: TimingState, next_due: NextDue | None, now: datetime
) -> list[str]:
    """
    Return what happens at each change of clocks in the year from the next moment on, as `<local date>: …`.

    Moments that stay in UTC have another local time from then on, unless their period divides the change. Those that go
    by the wall clock meet a time that is left out, or that comes twice.
    """
    if next_due is None or cadence.unit is Unit.ONCE:
        return []
    begin = max(now, next_due.due) - _DAY
    by_wall = policies.timing is Timing.WALL_CLOCK
    shifting = replace(policies, gap=Gap.SHIFT, repeat=Repeat.FIRST)
    moments = following(cadence, shifting if by_wall else policies, state, next_due)
    changes = list(clock_changes(cadence.time_zone, begin, begin + YEAR))
    told = [_met(cadence, policies, moments, next_due, change) for change in changes] if by_wall else []
    if not by_wall:
        told = [_moved(cadence, moments, next_due, one) for one in changes if not _divides(cadence, one)]
    return [one for one in told if one is not None]


def _offset(zone: str, at: datetime) -> timedelta:
    shown = zones.shown_in(zone, at)
    return shown.local - shown.utc.replace(tzinfo=None)


def _found(zone: str, begin: datetime, end: datetime) -> datetime:
    before = _offset(zone, begin)
    begin, end = begin.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0)
    while end - begin > timedelta(minutes=1):
        middle = begin + (end - begin) // 2
        middle = middle.replace(second=0, microsecond=0)
        begin, end = (middle, end) if _offset(zone, middle) == before else (begin, middle)
    return end


def _divides(cadence: Cadence, change: ClockChange) -> bool:
    """Whether the local times stay what they are: a quarter of an hour does not mind that an hour is left out."""
    unit = CLOCK_PERIODS.get(cadence.unit)
    return unit is not None and not (change.after - change.before) % (cadence.every * unit)


def _moved(cadence: Cadence, moments: Moments, first: NextDue, change: ClockChange) -> str | None:
    """Say where the first moment after the change went; nothing where none comes before the next change could."""
    due = first if first.due >= change.at else moments.after(change.at - TICK)
    if due is None or due.due < change.at or due.due - change.at > YEAR / 2:
        return None
    if due is first and cadence.unit not in CLOCK_PERIODS:
        return None  # it has never been due at another time
    utc = due.due.replace(tzinfo=None)
    return f"{_date(utc + change.after)}: {_time(utc + change.before)} becomes {_time(utc + change.after)}"


def _met(
    cadence: Cadence, policies: TimingPolicies, moments: Moments, first: NextDue, change: ClockChange
) -> str | None:
    """Say what of the change the wall-clock moments around it meet."""
    for due in _around(moments, first, change):
        local = datetime.fromisoformat(due.local)
        if due.asked is not None:
            asked = datetime.fromisoformat(due.asked)
            instead = "no occurrence" if policies.gap is Gap.SKIP else _time(local)
            return f"{_date(asked)}: {_time(asked)} does not exist, {instead}"
        if zones.is_repeated(cadence.time_zone, local):
            which = "both count" if policies.repeat is Repeat.BOTH else f"the {policies.repeat.value} counts"
            return f"{_date(local)}: {_time(local)} comes twice, {which}"
    return None


def _around(moments: Moments, first: NextDue, change: ClockChange) -> Iterator[NextDue]:
    begin, end = change.at - _DAY, change.at + _DAY
    own = [first] if begin < first.due <= end else []
    return chain(own, _between(moments, max(begin, first.due), end))


def _between(moments: Moments, at: datetime, end: datetime) -> Iterator[NextDue]:
    for _ in range(_AROUND_MAX):
        due = moments.after(at)
        if due is None or due.due > end:
            return
        yield due
        at = due.due


def _date(local: datetime) -> str:
    return local.date().isoformat()


def _time(local: datetime) -> str:
    return local.strftime("%H:%M")
