"""
An .ics file as a blackout calendar: what each of its events becomes, and why one cannot be said.

Single events, whole days and times, and those that recur by days of the week or on the same days of every year can be
said. Nothing is dropped without a word: what has no entry has a reason.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from icalendar import Calendar

from eventjobs.domain.blackouts import WEEKDAYS
from eventjobs.domain.zones import is_zone

ENTRIES_MAX: Final = 1_000
KINDS: Final = ("dates", "ranges", "weekly", "yearly")
NOTE_MAX: Final = 2_000
TIMES_MAX: Final = 1_000

_BROKEN: Final = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What the reading of a file raises that is not as it should be."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = 7
_BY_NAME: Final = dict(zip(("MO", "TU", "WE", "TH", "FR", "SA", "SU"), WEEKDAYS, strict=True))
_EXCEPTIONS: Final = ("EXDATE", "RDATE", "EXRULE", "RECURRENCE-ID")
_SAYABLE: Final = {
    "DAILY": {"FREQ", "INTERVAL", "UNTIL", "COUNT", "WKST"},
    "WEEKLY": {"FREQ", "INTERVAL", "UNTIL", "COUNT", "WKST", "BYDAY"},
    "YEARLY": {"FREQ", "INTERVAL", "UNTIL", "COUNT", "WKST", "BYMONTH", "BYMONTHDAY"},
}
_A_COMMON_YEAR: Final = 2027
_A_LEAP_YEAR: Final = 2028

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file's events as entries by kind, those that cannot be said with the reason, and what else is worth a word."""

    name: str | None
    time_zone: str
    entries: Mapping[str, list[Entry]]
    refused: Sequence[tuple[str, str]]
    notes: Sequence[str]


class NoCalendar(ValueError):
    """The text is no calendar, or one that is too long."""


class ZoneUnknown(ValueError):
    """The text names no time zone, or several."""


class _Unsayable(Exception):
    """An event that no entry can say, and why."""


def read_ics(text: str, *, time_zone: str | None = None) -> Found:
    """Read a file; raises `NoCalendar`, or `ZoneUnknown` where neither it nor the caller names one zone."""
    try:
        calendar: Any = Calendar.from_ical(text)  # its values have a type for each property that there may be
        events = calendar.walk("VEVENT")
    except _BROKEN as error:
        raise NoCalendar(f"this is no iCalendar file: {error}") from None
    zone = time_zone or _zone_of(calendar, events)
    entries: dict[str, list[Entry]] = {kind: [] for kind in KINDS}
    refused: list[tuple[str, str]] = []
    notes: list[str] = []
    for event in events:
        what = _summary(event) or str(event.get("UID", "an event without a name"))
        if event.get("STATUS") == "CANCELLED":
            notes.append(f"{what} is cancelled and left out")
            continue
        try:
            for kind, entry in list(_entries(event, zone)):
                entries[kind].append({**entry, "note": _summary(event)})
        except _Unsayable as reason:
            refused.append((what, str(reason)))
        except _BROKEN:
            refused.append((what, "it cannot be read"))
        if sum(map(len, entries.values())) > ENTRIES_MAX:
            raise NoCalendar(f"a calendar has at most {ENTRIES_MAX:,} entries, and these events are more")
    name = str(calendar["X-WR-CALNAME"]) if "X-WR-CALNAME" in calendar else None
    return Found(name=name, time_zone=zone, entries=entries, refused=refused, notes=notes)


def _zone_of(calendar: Any, events: Sequence[Any]) -> str:
    named = {str(calendar["X-WR-TIMEZONE"])} if "X-WR-TIMEZONE" in calendar else set()
    if not named:
        named = {event["DTSTART"].params.get("TZID") for event in events if "DTSTART" in event} - {None}
    if len(named) == 1 and is_zone(zone := named.pop()):
        return zone
    raise ZoneUnknown("which time zone is the calendar in? The file names none or several")


def _summary(event: Any) -> str:
    return " ".join(str(event.get("SUMMARY", "")).split())[:NOTE_MAX]


def _entries(event: Any, zone: str) -> Iterator[tuple[str, Entry]]:
    for name in _EXCEPTIONS:
        if name in event:
            raise _Unsayable(f"it has exceptions or further dates ({name})")
    if event.errors:
        raise _Unsayable(f"{event.errors[0][0]} cannot be read")
    begin, end = _span(event)
    rule = event.get("RRULE")
    if isinstance(rule, list):
        raise _Unsayable("it has several rules")
    if rule is None:
        yield _once(_local(begin, zone), _local(end, zone), whole=not isinstance(begin, datetime))
        return
    frequency = str(rule.get("FREQ", [""])[0])
    _check_rule(frequency, rule)
    if frequency == "YEARLY":
        yield from _yearly(begin, end, rule)
        return
    if isinstance(begin, datetime) and begin.tzinfo is not None and begin.tzinfo != ZoneInfo(zone):
        raise _Unsayable(f"it recurs in {begin.tzinfo}, and the calendar is in {zone}")
    days = _days_of(frequency, rule, begin)
    last = _last(rule, begin, days, zone)
    yield from _weekly(_local(begin, zone), _local(end, zone), days, last, whole=not isinstance(begin, datetime))


def _span(event: Any) -> tuple[date, date]:
    if "DTSTART" not in event:
        raise _Unsayable("it has no DTSTART")
    begin: date = event["DTSTART"].dt
    if "DTEND" in event:
        end: date = event["DTEND"].dt
    elif "DURATION" in event:
        end = begin + event["DURATION"].dt
    else:
        end = begin if isinstance(begin, datetime) else begin + _DAY
    if isinstance(begin, datetime) != isinstance(end, datetime):
        raise _Unsayable("it begins with a day and ends with a time, or the other way round")
    if isinstance(begin, datetime) and isinstance(end, datetime) and (begin.tzinfo is None) != (end.tzinfo is None):
        raise _Unsayable("only one of its ends has a time zone")
    if end <= begin:
        raise _Unsayable("it takes no time")
    return begin, end


def _local(at: date, zone: str) -> datetime:
    """Return it as the calendar's wall clock shows it; a time without a zone is local."""
    if not isinstance(at, datetime):
        return datetime.combine(at, time())
    return (at if at.tzinfo is None else at.astimezone(ZoneInfo(zone))).replace(tzinfo=None, fold=0)


def _once(begin: datetime, end: datetime, *, whole: bool) -> tuple[str, Entry]:
    if whole and end - begin == _DAY:
        return "dates", {"date": f"{begin:%Y-%m-%d}"}
    return "ranges", {"start": f"{begin:%Y-%m-%dT%H:%M}", "end": f"{_whole_minutes(end):%Y-%m-%dT%H:%M}"}


def _whole_minutes(end: datetime) -> datetime:
    """Return an end in whole minutes, not earlier."""
    return end if not end.second else end.replace(second=0) + timedelta(minutes=1)


def _check_rule(frequency: str, rule: Mapping[str, Any]) -> None:
    if frequency not in _SAYABLE:
        raise _Unsayable(f"it recurs {frequency}; days of the week and days of the year can be said")
    beyond = sorted(set(rule) - _SAYABLE[frequency])
    if beyond:
        raise _Unsayable(f"its rule has {', '.join(beyond)}")
    if rule.get("INTERVAL", [1]) != [1]:
        raise _Unsayable(f"it recurs every {rule['INTERVAL'][0]} times")


def _days_of(frequency: str, rule: Mapping[str, Any], begin: date) -> Sequence[str]:
    if frequency == "DAILY":
        return WEEKDAYS
    own = WEEKDAYS[begin.weekday()]
    named = [str(day) for day in rule.get("BYDAY", [])]
    if any(day not in _BY_NAME for day in named):
        raise _Unsayable(f"its rule has BYDAY={','.join(named)}")
    days = [_BY_NAME[day] for day in named] or [own]
    if own not in days:
        raise _Unsayable("it begins on a day that is none of its rule's")
    return [day for day in WEEKDAYS if day in days]


def _last(rule: Mapping[str, Any], begin: date, days: Sequence[str], zone: str) -> date | None:
    """Return the last day on which it begins, if there is one."""
    first = begin.date() if isinstance(begin, datetime) else begin
    if "COUNT" in rule:
        day, left = first, int(rule["COUNT"][0])
        if left > TIMES_MAX:
            raise _Unsayable(f"it recurs more than {TIMES_MAX:,} times")
        while left > 1:
            day += _DAY
            left -= WEEKDAYS[day.weekday()] in days
        return day
    if "UNTIL" not in rule:
        return None
    until: date = rule["UNTIL"][0]
    local = _local(until, zone)
    if isinstance(until, datetime) and isinstance(begin, datetime) and local.time() < _local(begin, zone).time():
        return local.date() - _DAY
    return local.date()


def _weekly(
    begin: datetime, end: datetime, days: Sequence[str], last: date | None, *, whole: bool
) -> Iterator[tuple[str, Entry]]:
    """Yield one entry, or for several whole days one for each of them."""
    end = _whole_minutes(end)
    lasts = end - begin.replace(second=0)
    if lasts > (_WEEK if whole else 1) * _DAY:
        raise _Unsayable(f"each time takes {lasts}, which is too long")
    for offset in range(lasts.days if whole else 1):
        shift = offset * _DAY
        entry: Entry = {
            "days": [WEEKDAYS[(WEEKDAYS.index(day) + offset) % _WEEK] for day in days],
            "start": f"{begin:%H:%M}",
            "end": "00:00" if whole else f"{end:%H:%M}",
            "first": f"{begin + shift:%Y-%m-%d}",
        }
        yield "weekly", entry if last is None else {**entry, "last": f"{last + shift:%Y-%m-%d}"}


def _yearly(begin: date, end: date, rule: Mapping[str, Any]) -> Iterator[tuple[str, Entry]]:
    if isinstance(begin, datetime):
        raise _Unsayable("it recurs every year at a time of day; whole days can be said")
    if rule.get("BYMONTH", [begin.month]) != [begin.month] or rule.get("BYMONTHDAY", [begin.day]) != [begin.day]:
        raise _Unsayable("its rule names other days than it begins on")
    lasts = end - begin
    if (begin.month, begin.day) == (2, 29) or _last_day(begin, lasts, _A_COMMON_YEAR) != _last_day(
        begin, lasts, _A_LEAP_YEAR
    ):
        raise _Unsayable("its days are not the same in leap years")
    if "UNTIL" not in rule and "COUNT" not in rule:
        yield "yearly", {"start": f"{begin:%m-%d}", "end": _last_day(begin, lasts, _A_COMMON_YEAR)}
        return
    for year in _years(begin, rule):
        first = datetime.combine(begin.replace(year=year), time())
        yield _once(first, first + lasts, whole=True)


def _last_day(begin: date, lasts: timedelta, year: int) -> str:
    return f"{begin.replace(year=year) + lasts - _DAY:%m-%d}"


def _years(begin: date, rule: Mapping[str, Any]) -> Sequence[int]:
    if "COUNT" in rule:
        years = range(begin.year, begin.year + int(rule["COUNT"][0]))
    else:
        until: date = rule["UNTIL"][0]
        last = until.date() if isinstance(until, datetime) else until
        years = range(begin.year, last.year + (begin.replace(year=last.year) <= last))
    if len(years) > TIMES_MAX:
        raise _Unsayable(f"it recurs more than {TIMES_MAX:,} times")
    return years
