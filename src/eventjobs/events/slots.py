"""
When a group or a single Connect job runs, as its facts say it: a quarter of an hour, and the minute drawn in it.

The value is stored inside events: its field names are a storage format.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class SlotType(StrEnum):
    """How often it runs (G26); `on_demand` is a type too (G2)."""

    ON_DEMAND = "on_demand"
    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    HOURLY = "hourly"


class Weekday(StrEnum):
    """A day of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class Redraw(StrEnum):
    """How often the minute is drawn (G30): once for the schedule, or anew for each of its occurrences."""

    PER_SCHEDULE = "per_schedule"
    PER_OCCURRENCE = "per_occurrence"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotSchedule:
    """
    A type and what goes with it; a draft may lack any of it (G12).

    `date` is the day of `once`, `days` are those of `weekly`, `day` is that of `monthly`, `every` the hours between
    two runs of `hourly`. `hour` and `slot` (0 to 3, `minute // 15`) are local to `time_zone`; `at` is the
    time as it was entered, if it was. `minute` (of the hour) was drawn in the slot (G30), `None` until it is; by
    `redraw` it is that of the next occurrence alone. Dates are `YYYY-MM-DD`; `from_date` and `until_date` are the first
    and last day, both included.
    """

    type: SlotType = SlotType.ON_DEMAND
    time_zone: str
    date: str | None = None
    days: tuple[Weekday, ...] = ()
    day: int | Literal["last"] | None = None
    every: int | None = None
    hour: int | None = None
    slot: int | None = None
    at: str | None = None
    minute: int | None = None
    from_date: str | None = None
    until_date: str | None = None
    redraw: Redraw = Redraw.PER_SCHEDULE
