"""Which version of the zone data a step was decided with that names none: that by which the log went."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.domain.zones import zone_data
from eventjobs.events.log import ZoneDataAdopted
from eventjobs.events.recorded import Recorded

UNKNOWN: Final = "unknown"
"""What is said of a version before the log has one: the first instance may take commands while it comes up."""
MIXED: Final = timedelta(days=1)
"""How long instances with the version before may still take commands."""


@dataclass(slots=True)
class Versions:
    """The version by which the log goes `since` an instant, and the one before it."""

    now: str = UNKNOWN
    before: str | None = None
    since: datetime | None = None

    def take(self, fact: Recorded[Any]) -> None:
        """Take note of another version."""
        if fact.type == ZoneDataAdopted.TYPE:
            self.now, self.before, self.since = fact.event.version, fact.event.previous, fact.at

    def other(self, at: datetime) -> str | None:
        """Return a version, other than this program's, that a step at an instant may have been decided with."""
        if self.now != zone_data():
            return self.now
        is_mixed = self.since is not None and at - self.since <= MIXED
        return self.before if is_mixed else None
