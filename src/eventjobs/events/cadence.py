"""
What a schedule's facts say about time: its cadence, its timing policies, a due moment, and what periods count from.

These values are stored inside events: their field names are a storage format.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Unit(StrEnum):
    """The interval types (R4), and `cron`, where an expression says it all."""

    ONCE = "once"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    CRON = "cron"


class Timing(StrEnum):
    """What the next due moment counts from: the last run, the start, or the local calendar."""

    ELAPSED = "elapsed"
    GRID = "grid"
    WALL_CLOCK = "wall_clock"


class Gap(StrEnum):
    """What happens to a local time that does not exist: later by the gap's length, or no occurrence."""

    SHIFT = "shift"
    SKIP = "skip"


class Repeat(StrEnum):
    """Which of the two passes counts where a local time occurs twice."""

    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


class CatchUp(StrEnum):
    """What happens to a schedule that is behind (R23)."""

    DUE = "due"
    ALWAYS_ON_TIGHTEN = "always_on_tighten"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cadence:
    """
    When a schedule starts and how often it comes back (R5: every `every` units).

    `start_date` is `YYYY-MM-DD` and `start_time` `HH:MM`, both local to `time_zone`; with `once`, `every` is 1. A cron
    has no start and counts nothing: `cron` are its five fields, read in `time_zone`.
    """

    start_date: str | None = None
    start_time: str | None = None
    time_zone: str
    every: int = 1
    unit: Unit
    cron: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingPolicies:
    """How a cadence is read; `gap` and `repeat` are for `wall_clock`. A window of `None` has no limit."""

    timing: Timing = Timing.ELAPSED
    gap: Gap = Gap.SHIFT
    repeat: Repeat = Repeat.FIRST
    catch_up: CatchUp = CatchUp.DUE
    catch_up_window_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDue:
    """
    A due moment as a recorded fact.

    `due` is UTC in whole seconds, `local` the zone's wall clock then (`YYYY-MM-DDTHH:MM:SS`) with its `fold`,
    `zone_data` the version that was read, `asked` the local time that a gap shifted to `local`.
    """

    due: datetime
    local: str
    fold: int
    zone_data: str
    asked: str | None = None


class CauseDetail(StrEnum):
    """What put a schedule behind (R22)."""

    FIRST_ACTIVATION = "first_activation"
    INTERVAL_DECREASED = "interval_decreased"
    START_MOVED_EARLIER = "start_moved_earlier"
    ZONE_CHANGED = "zone_changed"
    REACTIVATED = "reactivated"
    DOWNTIME = "downtime"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingState:
    """
    What a schedule remembers about time. The default is that of one that never ran.

    `reference` is the instant from which periods count (R18) and `anchor_day` the day of the month that month counts
    keep (R17). `last_*` name the last answered moment. `completed`: a `once` is spent. `pending` says that the next due
    moment was made due by an edit or activation at `pending_at`; `resume_at` is then a start that is still ahead.
    """

    reference: datetime | None = None
    anchor_day: int | None = None
    last_answered: datetime | None = None
    last_local: str | None = None
    last_fold: int = 0
    completed: bool = False
    pending: CauseDetail | None = None
    pending_at: datetime | None = None
    resume_at: datetime | None = None
