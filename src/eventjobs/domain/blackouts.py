"""
The times in which calendars let nothing start, as halts.

A blackout holds the instants at which the wall clock of the calendar's zone shows a time in it. A beginning that occurs
twice is the first of both and an end the second, so nothing slips through; one that a change of the clocks leaves out
is the change itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from eventjobs.domain import zones
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.halts import Halt
from eventjobs.domain.moments import Moments
from eventjobs.domain.timing import TICK
from eventjobs.events.cadence import NextDue
from eventjobs.events.calendar import BlackoutWeekly, BlackoutYearly, CalendarSaved

BLACKOUT: Final = "blackout"
WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_LOOKED_AT_MAX: Final = 10_000


class _Local(NamedTuple):
    """One blackout by the wall clock."""

    start: datetime
    end: datetime
    note: str


def blackouts(calendars: Mapping[str, Calendar], begin: datetime, end: datetime) -> Sequence[Halt]:
    """
    Return the blackouts of calendars by id that meet `[begin, end]`, in the calendars' order.

    Each content counts from its saving until the next one. `by` is the calendar's id, `note` the entry's.
    """
    found: list[Halt] = []
    for calendar_id, calendar in calendars.items():
        for saved, later in pairwise((*calendar.saved, None)):
            if saved is not None:
                found += _in_force(calendar_id, saved, None if later is None else later.since, begin, end)
    return found


def _in_force(
    calendar_id: str, saved: CalendarSaved, until: datetime | None, begin: datetime, end: datetime
) -> Iterator[Halt]:
    if until is not None and until <= begin:
        return
    for local in _locals(saved, begin, end):
        since = zones.bounds_of(saved.time_zone, local.start)[0]
        ends = zones.bounds_of(saved.time_zone, local.end)[1]
        if since > end or ends <= begin or ends <= saved.since:
            continue
        halt = Halt(reason=BLACKOUT, since=max(since, saved.since), until=ends, note=local.note, by=calendar_id)
        if until is None or halt.since < until:
            yield halt if until is None else halt.cut_at(until)


def _locals(saved: CalendarSaved, begin: datetime, end: datetime) -> Iterator[_Local]:
    """Yield the entries that may meet `[begin, end]`, each time that they do; a few more do no harm."""
    first = zones.shown_in(saved.time_zone, begin).local.date() - _DAY
    last = zones.shown_in(saved.time_zone, end).local.date() + _DAY
    for one in saved.dates:
        if first.isoformat() <= one.date <= last.isoformat():
            day = datetime.fromisoformat(one.date)
            yield _Local(day, day + _DAY, one.note)
    for span in saved.ranges:
        if span.start <= f"{last}T24" and span.end >= f"{first}":
            yield _Local(datetime.fromisoformat(span.start), datetime.fromisoformat(span.end), span.note)
    for weekly in saved.weekly:
        yield from _weekly(weekly, first, last)
    for yearly in saved.yearly:
        yield from _yearly(yearly, first, last)


def _weekly(entry: BlackoutWeekly, first: date, last: date) -> Iterator[_Local]:
    start, end = time.fromisoformat(entry.start), time.fromisoformat(entry.end)
    lasts = _DAY if end <= start else timedelta(0)
    day = max(first - _DAY, date.fromisoformat(entry.first)) if entry.first else first - _DAY
    last = min(last, date.fromisoformat(entry.last)) if entry.last else last
    while day <= last:
        if WEEKDAYS[day.weekday()] in entry.days:
            yield _Local(datetime.combine(day, start), datetime.combine(day, end) + lasts, entry.note)
        day += _DAY


def _yearly(entry: BlackoutYearly, first: date, last: date) -> Iterator[_Local]:
    for year in range(first.year - 1, last.year + 1):
        start, end = _day_of(year, entry.start), _day_of(year + (entry.end < entry.start), entry.end)
        if start <= last and first <= end:
            midnight = datetime.combine(start, time())
            yield _Local(midnight, datetime.combine(end, time()) + _DAY, entry.note)


def _day_of(year: int, text: str) -> date:
    """Return a day of a year; the 29th of February of other years is the 28th."""
    try:
        return date.fromisoformat(f"{year}-{text}")
    except ValueError:
        return date(year, 2, 28)


def is_ever_free(due: NextDue | None, moments: Moments, calendars: Mapping[str, Calendar], until: datetime) -> bool:
    """
    Tell whether a moment before `until` lies outside of all blackouts, from `due` on, or there is none at all.

    Most schedules have a free one in the first week, so it looks week by week; one whose calendars have very many
    blackouts is taken to have one.
    """
    if due is None or due.due >= until:
        return True
    looked_at = 0
    while due is not None and due.due < until and looked_at < _LOOKED_AT_MAX:
        end = due.due + _WEEK
        halts = blackouts(calendars, due.due, end)
        looked_at += len(halts)
        due = _after_all(due, moments, halts)
        if due is not None and due.due < min(end, until):
            return True
    return due is not None and due.due < until


def _after_all(due: NextDue | None, moments: Moments, halts: Sequence[Halt]) -> NextDue | None:
    """Return the first moment from `due` on that lies in none of these blackouts."""
    for halt in sorted(halts, key=lambda one: one.since):
        if due is None or due.due < halt.since:
            return due
        if halt.until is not None and due.due < halt.until:
            due = moments.after(halt.until - TICK)
    return due
