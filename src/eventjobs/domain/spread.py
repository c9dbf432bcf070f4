"""
How the starts of a herd are spread: schedules that catch up in the same second begin one after the other (R36).

The place of each follows from its name alone, so it is the same each time, on every instance, and after a crash.
"""

from datetime import datetime, timedelta
from hashlib import sha256

from eventjobs.domain.due import Cause


def not_before(workspace: str, schedule: str, spread_s: int, cause: str, now: datetime) -> datetime | None:
    """Return when the run of a schedule that catches up now may begin, `None` where that is at once."""
    offset = offset_of(workspace, schedule, spread_s)
    return now + offset if cause == Cause.CATCH_UP and offset else None


def offset_of(workspace: str, schedule: str, spread_s: int) -> timedelta:
    """Return a schedule's place in a spread, in whole seconds from none to all of it."""
    digest = sha256(f"{workspace}/{schedule}".encode()).digest()
    return timedelta(seconds=int.from_bytes(digest[:8], "big") % (spread_s + 1))
