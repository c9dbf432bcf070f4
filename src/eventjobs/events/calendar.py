"""
Facts about a blackout calendar: when whatever names it starts nothing.

All times are local to the calendar's zone. These classes are a storage format.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackoutDate:
    """A whole local day, `YYYY-MM-DD`."""

    date: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackoutRange:
    """From one local time to another, `YYYY-MM-DDTHH:MM`; the end is not in it."""

    start: str
    end: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackoutWeekly:
    """
    On each of these days of the week from `start` to `end`, both `HH:MM`.

    An end that is not later than the start is on the next day. `first` and `last` bound the days on which it begins.
    """

    days: tuple[str, ...]
    start: str
    end: str
    first: str | None = None
    last: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackoutYearly:
    """
    The whole days from `start` to `end`, both `MM-DD` and both in it, of every year.

    An end that is before the start is in the next year.
    """

    start: str
    end: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarSaved:
    """The calendar has this content from `since` on, in place of what it had before."""

    TYPE: ClassVar[str] = "calendar.saved"
    SCHEMA: ClassVar[int] = 1

    name: str
    time_zone: str
    since: datetime
    dates: tuple[BlackoutDate, ...] = ()
    ranges: tuple[BlackoutRange, ...] = ()
    weekly: tuple[BlackoutWeekly, ...] = ()
    yearly: tuple[BlackoutYearly, ...] = ()


CalendarEvent: TypeAlias = CalendarSaved
