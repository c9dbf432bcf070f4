"""
Save a blackout calendar: times in which the schedules that name it start nothing.

It counts from its commit on: what fell due before is answered by what the calendar said then. There is no deletion;
one without entries lets everything start.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.fields import FIRST_YEAR, LAST_YEAR, no_such
from eventjobs.commands.spec import CommandFields, CommandSpec, Id, Name, Text
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.streams import calendar_stream, workspace_stream
from eventjobs.domain.zones import is_zone
from eventjobs.errors import FieldError, Invalid
from eventjobs.events.calendar import (
    BlackoutDate,
    BlackoutRange,
    BlackoutWeekly,
    BlackoutYearly,
    CalendarSaved,
)

ENTRIES_MAX: Final = 1_000
RECURRING_MAX: Final = 100
A_LEAP_YEAR: Final = "2028"

Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
LocalTime = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]$")]
DayOfYear = Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{2}$")]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class DateFields(CommandFields):
    """A whole local day."""

    date: Day
    note: Text = ""


class RangeFields(CommandFields):
    """From one local time to another; the end is not in it."""

    start: LocalTime
    end: LocalTime
    note: Text = ""


class WeeklyFields(CommandFields):
    """
    From `start` to `end` on days of the week, of those that begin from `first` to `last` if they are given.

    An end that is not later than the start is on the next day: 22:00 to 06:00, or 00:00 to 00:00 for the whole day.
    """

    days: Annotated[tuple[Weekday, ...], Field(min_length=1, max_length=7)]
    start: TimeOfDay
    end: TimeOfDay
    first: Day | None = None
    last: Day | None = None
    note: Text = ""


class YearlyFields(CommandFields):
    """
    Whole days of every year, the first and the last included; `12-24` to `01-02` goes over New Year.

    The 29th of February is the 28th in a year that has none.
    """

    start: DayOfYear
    end: DayOfYear
    note: Text = ""


class SaveCalendar(CommandFields):
    """The calendar's whole content, local to its zone."""

    id: Id
    name: Name
    time_zone: Annotated[str, Field(max_length=64)]
    dates: Annotated[tuple[DateFields, ...], Field(max_length=ENTRIES_MAX)] = ()
    ranges: Annotated[tuple[RangeFields, ...], Field(max_length=ENTRIES_MAX)] = ()
    weekly: Annotated[tuple[WeeklyFields, ...], Field(max_length=RECURRING_MAX)] = ()
    yearly: Annotated[tuple[YearlyFields, ...], Field(max_length=RECURRING_MAX)] = ()


def decide(command: SaveCalendar, world: World, context: Context) -> None:
    """Make or replace it; the same again decides nothing."""
    if not world.workspace().exists:
        raise no_such("workspace", context.workspace)
    errors = list(_errors(command))
    if errors:
        raise Invalid.fields(errors)
    present, wanted = world.calendar(command.id), _content(command, context.now)
    if present.exists and replace(present.saved[-1], since=context.now) == wanted:
        return
    world.emit(calendar_stream(context.workspace, command.id), wanted)


def _content(command: SaveCalendar, now: datetime) -> CalendarSaved:
    return CalendarSaved(
        name=command.name,
        time_zone=command.time_zone,
        since=now,
        dates=tuple(BlackoutDate(date=one.date, note=one.note) for one in command.dates),
        ranges=tuple(BlackoutRange(start=one.start, end=one.end, note=one.note) for one in command.ranges),
        weekly=tuple(_weekly(one) for one in command.weekly),
        yearly=tuple(BlackoutYearly(start=one.start, end=one.end, note=one.note) for one in command.yearly),
    )


def _weekly(fields: WeeklyFields) -> BlackoutWeekly:
    return BlackoutWeekly(
        days=fields.days,
        start=fields.start,
        end=fields.end,
        first=fields.first,
        last=fields.last,
        note=fields.note,
    )


def _errors(command: SaveCalendar) -> Iterator[FieldError]:
    if not is_zone(command.time_zone):
        yield FieldError("time_zone", "time_zone_unknown", f"there is no time zone {command.time_zone!r}")
    number = len(command.dates) + len(command.ranges) + len(command.weekly) + len(command.yearly)
    if number > ENTRIES_MAX:
        yield FieldError("", "too_many", f"a calendar has at most {ENTRIES_MAX:,} entries, and these are {number:,}")
    for place, day in enumerate(command.dates):
        yield from _days(f"dates.{place}", [("date", day.date)])
    yield from _errors_of_ranges(command.ranges)
    yield from _errors_of_weekly(command.weekly)
    yield from _errors_of_yearly(command.yearly)


def _errors_of_ranges(ranges: Sequence[RangeFields]) -> Iterator[FieldError]:
    for place, span in enumerate(ranges):
        yield from _days(f"ranges.{place}", [("start", span.start[:10]), ("end", span.end[:10])])
        if span.end <= span.start:
            yield FieldError(f"ranges.{place}.end", "ends_before", "it ends after it begins")


def _errors_of_weekly(entries: Sequence[WeeklyFields]) -> Iterator[FieldError]:
    for place, weekly in enumerate(entries):
        yield from _days(f"weekly.{place}", [("first", weekly.first), ("last", weekly.last)])
        if weekly.first and weekly.last and weekly.last < weekly.first:
            yield FieldError(f"weekly.{place}.last", "ends_before", "the last day is not before the first")


def _errors_of_yearly(entries: Sequence[YearlyFields]) -> Iterator[FieldError]:
    for place, yearly in enumerate(entries):
        for name, text in (("start", yearly.start), ("end", yearly.end)):
            if not _is_day(f"{A_LEAP_YEAR}-{text}"):
                yield FieldError(f"yearly.{place}.{name}", "day_invalid", "A day of the year, as MM-DD.")


def _days(path: str, days: Sequence[tuple[str, str | None]]) -> Iterator[FieldError]:
    for name, text in days:
        if text is None:
            continue
        if not _is_day(text):
            yield FieldError(f"{path}.{name}", "date_invalid", "A date of the calendar, as YYYY-MM-DD.")
        elif not FIRST_YEAR <= int(text[:4]) <= LAST_YEAR:
            detail = f"The year is from {FIRST_YEAR} to {LAST_YEAR}."
            yield FieldError(f"{path}.{name}", "date_out_of_range", detail)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


SPEC: Final = CommandSpec(
    name="SaveCalendar",
    command=SaveCalendar,
    streams=lambda command, context: [
        calendar_stream(context.workspace, command.id),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    roles=OPERATORS | {INTEGRATION_AUTHOR},
    summary="Make or replace a blackout calendar",
    example={
        "id": "holidays",
        "name": "Holidays in Berlin",
        "time_zone": "Europe/Berlin",
        "dates": [{"date": "2027-03-26", "note": "Good Friday"}],
        "ranges": [{"start": "2027-01-08T18:00", "end": "2027-01-11T06:00", "note": "move to the new database"}],
        "weekly": [{"days": ["sat", "sun"], "start": "00:00", "end": "00:00", "note": "weekend"}],
        "yearly": [{"start": "12-24", "end": "12-26", "note": "Christmas"}],
    },
)
