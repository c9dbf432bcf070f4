"""
Slot schedules: a quarter of an hour is chosen, and the minute in it is drawn, once or for each occurrence (G27 to G30).

The minutes of a slot are `[0, 15) [15, 30) [30, 45) [45, 60)`. What a schedule makes due is read as a cron by the wall
clock (`cadence_of`), so that gaps, times that come twice, catch-up and the audit are those of any other schedule.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from eventjobs.domain.slot_cadence import SlotCadence
from eventjobs.events.cadence import NextDue, Timing, TimingPolicies, Unit
from eventjobs.events.slots import Redraw, SlotSchedule, SlotType

MINUTES: Final = 15
SLOT: Final = timedelta(minutes=MINUTES)
DAY_MAX: Final = 28
"""The last day of the month that each month has (G36)."""
EVERY_MAX: Final = 23

TIMING: Final = TimingPolicies(timing=Timing.WALL_CLOCK, catch_up_window_s=3_600)
"""How a slot schedule is read where nothing else is said: one that is late runs for an hour (G43)."""

SLOTS: Final = ("00-14", "15-29", "30-44", "45-59")
LABELS: Final[Mapping[str, int]] = {
    label: slot for labels in (SLOTS, ("0-15", "16-30", "31-45", "46-60")) for slot, label in enumerate(labels)
}
"""Each way to write a slot, with its index: the canonical ones, and those that people know from elsewhere (G28)."""

_NEEDED: Final = {
    SlotType.ON_DEMAND: (),
    SlotType.ONCE: ("date", "hour", "slot"),
    SlotType.DAILY: ("hour", "slot"),
    SlotType.WEEKLY: ("days", "hour", "slot"),
    SlotType.MONTHLY: ("day", "hour", "slot"),
    SlotType.HOURLY: ("every", "slot"),
}
_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


def missing(schedule: SlotSchedule) -> tuple[str, ...]:
    """Return the fields that a schedule still lacks; one in a draft may lack any."""
    return tuple(name for name in _NEEDED[schedule.type] if getattr(schedule, name) in (None, ()))


def is_ready(schedule: SlotSchedule) -> bool:
    """Tell whether a schedule lacks nothing and names a day that each month has: only then it makes anything due."""
    return not missing(schedule) and not is_late_day(schedule)


def is_late_day(schedule: SlotSchedule) -> bool:
    """Tell whether it names a day of the month that not every month has (G36)."""
    return isinstance(schedule.day, int) and schedule.day > DAY_MAX


def drawn(schedule: SlotSchedule, chance: float) -> SlotSchedule:
    """Return the schedule with a minute drawn in its slot by `chance`, from `[0, 1)`: each as likely (G30)."""
    if schedule.type is SlotType.ON_DEMAND or schedule.slot is None:
        return undrawn(schedule)
    return replace(schedule, minute=schedule.slot * MINUTES + int(chance * MINUTES))


def is_drawn_later(schedule: SlotSchedule, next_due: NextDue | None, due: NextDue) -> bool:
    """Tell whether the minute of a coming moment is still to be drawn: where that is done anew, all but the next's."""
    return schedule.redraw is Redraw.PER_OCCURRENCE and (next_due is None or due.due != next_due.due)


def undrawn(schedule: SlotSchedule) -> SlotSchedule:
    """Return what was asked for alone: two saves of the same differ in the drawn minute."""
    return replace(schedule, minute=None)


def cadence_of(schedule: SlotSchedule, expires_at: datetime | None) -> SlotCadence:
    """
    Return what a schedule makes due, up to and without the instant at which its owner expires (G59).

    On demand that is nothing. Raises `ValueError` for a schedule that is not ready or not drawn.
    """
    if schedule.type is SlotType.ON_DEMAND:
        return SlotCadence(time_zone=schedule.time_zone, unit=Unit.CRON, cron="0 0 1 1 *", end=_NEVER)
    if not is_ready(schedule) or schedule.minute is None:
        raise ValueError(f"{schedule} is not complete")
    once = schedule.type is SlotType.ONCE
    return SlotCadence(
        time_zone=schedule.time_zone,
        unit=Unit.CRON,
        cron=_cron(schedule),
        first=_midnight(schedule.date if once else schedule.from_date),
        last=_midnight(schedule.date if once else schedule.until_date),
        end=expires_at,
        once=once,
    )


def _cron(schedule: SlotSchedule) -> str:
    at = f"{schedule.minute} {schedule.hour}"
    match schedule.type:
        case SlotType.ONCE:
            date = _midnight(schedule.date) or _NEVER
            return f"{at} {date.day} {date.month} *"
        case SlotType.WEEKLY:
            return f"{at} * * {','.join(schedule.days).upper()}"
        case SlotType.MONTHLY:
            return f"{at} {'L' if schedule.day == 'last' else schedule.day} * *"
        case SlotType.HOURLY:
            return f"{schedule.minute} */{schedule.every} * * *"
        case _:
            return f"{at} * * *"


def _midnight(date: str | None) -> datetime | None:
    return None if date is None else datetime.fromisoformat(f"{date}T00:00")


def describe(schedule: SlotSchedule) -> str:
    """
    Write a schedule in one line, such as `monthly last at 03:15-29 from 2026-12-01`; what is missing is a `?`.

    The window is told, not the minute.
    """
    return _type_text(schedule) + _range(schedule)


def _type_text(schedule: SlotSchedule) -> str:
    slot = "?" if schedule.slot is None else SLOTS[schedule.slot]
    start = f"at {'?' if schedule.hour is None else f'{schedule.hour:02}'}:{slot}"
    match schedule.type:
        case SlotType.ON_DEMAND:
            return "on demand"
        case SlotType.ONCE:
            return f"once {schedule.date or '?'} {start}"
        case SlotType.DAILY:
            return f"daily {start}"
        case SlotType.WEEKLY:
            return f"weekly {','.join(schedule.days) or '?'} {start}"
        case SlotType.MONTHLY:
            return f"monthly {schedule.day or '?'} {start}"
        case SlotType.HOURLY:
            return f"hourly every {schedule.every or '?'} in {slot}"


def _range(schedule: SlotSchedule) -> str:
    begin = "" if schedule.from_date is None else f" from {schedule.from_date}"
    return begin + ("" if schedule.until_date is None else f" until {schedule.until_date}")


def window_of(due: NextDue) -> str:
    """Write the window that a due moment lies in, as the clock shows it: `10:15-10:29`, both included (G31)."""
    return window(datetime.fromisoformat(due.local))


def window(at: datetime) -> str:
    """Write the window of a local time."""
    begin = at.minute - at.minute % MINUTES
    return f"{at.hour:02}:{begin:02}-{at.hour:02}:{begin + MINUTES - 1:02}"
