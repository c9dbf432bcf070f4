"""Which cadences and policies may be saved, and how an instant becomes a recorded due moment."""

import re
from datetime import date, datetime
from typing import Final

from eventjobs.domain import zones
from eventjobs.errors import FieldError
from eventjobs.events.cadence import Cadence, NextDue, Timing, TimingPolicies, Unit

EVERY_MAX: Final = 10_000
YEARS: Final = range(1970, 2201)

_SECONDS: Final = {"minute": 60, "hour": 3_600, "day": 86_400, "month": 28 * 86_400}
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


def as_due(instant: zones.Instant) -> NextDue:
    """Record an instant as a due moment, with the present version of the zone data."""
    return NextDue(
        due=instant.utc,
        local=zones.wall_text(instant.local),
        fold=instant.fold,
        zone_data=zones.zone_data(),
        asked=None if instant.asked is None else zones.wall_text(instant.asked),
    )


def due_at(cadence: Cadence, at: datetime) -> NextDue:
    """Record an instant in the cadence's zone."""
    return as_due(zones.shown_in(cadence.time_zone, at))


def start_label(cadence: Cadence) -> datetime:
    """Return the start's local time as written, without a zone; raises `ValueError` for a cron, which has none."""
    return datetime.fromisoformat(f"{cadence.start_date}T{cadence.start_time}")


def timing_with(cadence: Cadence, before: Cadence, timing: Timing) -> Timing:
    """Return the timing that a schedule has with another cadence: its own, unless a cron comes or goes."""
    if cadence.unit is Unit.CRON:
        return Timing.WALL_CLOCK
    if before.unit is Unit.CRON and cadence.unit not in (Unit.DAY, Unit.MONTH):
        return Timing.ELAPSED
    return timing


def goes_with(timing: Timing, unit: Unit) -> bool:
    """Tell whether a cadence of that unit can be read so (SPEC 3.1)."""
    match unit:
        case Unit.ONCE:
            return timing is Timing.ELAPSED
        case Unit.CRON:
            return timing is Timing.WALL_CLOCK
        case Unit.MINUTE | Unit.HOUR:
            return timing is not Timing.WALL_CLOCK
        case Unit.DAY | Unit.MONTH:
            return True


def check_cadence(cadence: Cadence, policies: TimingPolicies, *, min_period_s: int) -> list[FieldError]:
    """
    Return every wrong field of a cadence and its policies (R4 to R6, SPEC 3.1); empty when it may be saved.

    How near the moments of a cron lie is for `cron_days.check_floor`.
    """
    if cadence.unit is Unit.CRON:
        return [*_check_zone(cadence), *_check_policies(cadence, policies)]
    return [
        *_check_start(cadence),
        *_check_interval(cadence, min_period_s),
        *_check_policies(cadence, policies),
    ]


def _check_start(cadence: Cadence) -> list[FieldError]:
    errors = []
    start_date, start_time = cadence.start_date or "", cadence.start_time or ""
    if not is_date(start_date):
        errors.append(FieldError("cadence.start_date", "date_invalid", "A date of the calendar, as YYYY-MM-DD."))
    elif int(start_date[:4]) not in YEARS:
        errors.append(FieldError("cadence.start_date", "date_out_of_range", "The year is from 1970 to 2200."))
    if not _TIME.fullmatch(start_time):
        errors.append(FieldError("cadence.start_time", "time_invalid", "A time of day from 00:00 to 23:59, as HH:MM."))
    return errors + _check_zone(cadence)


def _check_zone(cadence: Cadence) -> list[FieldError]:
    if zones.is_zone(cadence.time_zone):
        return []
    detail = f"{cadence.time_zone!r:.80} is no name of the zone database {zones.zone_data()}; names are exact."
    return [FieldError("cadence.time_zone", "time_zone_unknown", detail)]


def is_date(text: str) -> bool:
    """Tell whether a text is a day of the calendar, as `YYYY-MM-DD`."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _check_interval(cadence: Cadence, min_period_s: int) -> list[FieldError]:
    path = "cadence.every"
    if cadence.unit is Unit.ONCE:
        return []
    if not 1 <= cadence.every <= EVERY_MAX:
        return [FieldError(path, "interval_out_of_range", f"A whole number from 1 to {EVERY_MAX}.")]
    if cadence.every * _SECONDS[cadence.unit] < min_period_s:
        detail = f"A schedule runs at most once in {min_period_s / 60:g} minutes."
        return [FieldError(path, "interval_too_short", detail)]
    return []


def _check_policies(cadence: Cadence, policies: TimingPolicies) -> list[FieldError]:
    errors = []
    timing, unit = policies.timing, cadence.unit
    if unit is Unit.ONCE and timing is not Timing.ELAPSED:
        errors.append(FieldError("policies.timing", "timing_not_possible", "A schedule that runs once is `elapsed`."))
    if unit is Unit.CRON and timing is not Timing.WALL_CLOCK:
        errors.append(FieldError("policies.timing", "timing_not_possible", "A cron schedule is `wall_clock`."))
    if timing is Timing.WALL_CLOCK and unit in (Unit.MINUTE, Unit.HOUR):
        detail = "`wall_clock` goes with days and months; minutes and hours are `elapsed` or `grid`."
        errors.append(FieldError("policies.timing", "timing_not_possible", detail))
    window = policies.catch_up_window_s
    if window is not None and window < 0:
        detail = "The catch-up window is not negative."
        errors.append(FieldError("policies.catch_up_window", "catch_up_window_invalid", detail))
    return errors
