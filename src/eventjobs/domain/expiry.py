"""
When a group or a Connect job expires: at the end of a day (G54 to G63, SPEC decision 8).

What is stored is the date, the last day on which it may be used, and the instant at which that day ends.
"""

from datetime import date, datetime, time, timedelta
from typing import Final

from eventjobs.domain import zones
from eventjobs.domain.cadence import YEARS
from eventjobs.errors import FieldError

DEFAULT_DAYS: Final = 30
WARNED_DAYS: Final = (7, 1)
"""How many days before its last day the owner is told (G61)."""

_DAY: Final = timedelta(days=1)


def today(zone: str, now: datetime) -> date:
    """Return the local date."""
    return zones.shown_in(zone, now).local.date()


def default_expiry(zone: str, created_at: datetime, max_days: int | None = None) -> date:
    """Return the last day of a group for which none is given: 30 days after its creation, or `max_days` (G55, G58)."""
    days = DEFAULT_DAYS if max_days is None else min(DEFAULT_DAYS, max_days)
    return today(zone, created_at) + days * _DAY


def expiry_instant(zone: str, expires_on: date) -> datetime:
    """Return when the last day is over: the first instant of the day after it (G59)."""
    return _start_of(zone, expires_on + _DAY)


def warning_instants(zone: str, expires_on: date, now: datetime) -> tuple[datetime, ...]:
    """Return when the owner is told, earliest first; what has passed is left out."""
    starts = (_start_of(zone, expires_on - days * _DAY) for days in WARNED_DAYS)
    return tuple(at for at in starts if at > now)


def _start_of(zone: str, day: date) -> datetime:
    return zones.bounds_of(zone, datetime.combine(day, time()))[0]


def days_left(zone: str, expires_on: date, now: datetime) -> int:
    """Return how many days follow the present one, 0 on the last day, below 0 once it is over."""
    return (expires_on - today(zone, now)).days


def extended(expires_on: date, days: int) -> date | None:
    """Return a later last day, counted from the present one; `None` beyond the calendar (G58)."""
    try:
        return expires_on + days * _DAY
    except OverflowError:
        return None


def check_expiry(
    zone: str, expires_on: date | None, now: datetime, *, created_at: datetime, max_days: int | None = None
) -> list[FieldError]:
    """
    Say what is wrong with a last day (`None`: it never expires), empty where nothing is (G58).

    It is later than today, in a year up to 2200, and at most `max_days` after the local day of creation.
    """
    path = "expires_on"
    if expires_on is None:
        if max_days is None:
            return []
        return [FieldError(path, "expiration_over_cap", f"It expires at most {max_days} days after its creation.")]
    if expires_on.year not in YEARS:
        return [FieldError(path, "date_out_of_range", "The year is from 1970 to 2200.")]
    if expires_on <= today(zone, now):
        return [FieldError(path, "expiration_not_in_future", "The last day is later than today.")]
    if max_days is not None and expires_on > today(zone, created_at) + max_days * _DAY:
        return [FieldError(path, "expiration_over_cap", f"It expires at most {max_days} days after its creation.")]
    return []
