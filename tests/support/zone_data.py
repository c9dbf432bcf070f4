"""Two versions of the zone data: the installed one, and an older one in which Berlin keeps winter time all year."""

from zoneinfo import ZoneInfo

import pytest

from eventjobs.domain import zones

OLD = "2020a"
ELSEWHERE = "Africa/Algiers"
"""Where clocks show what Berlin's show in winter, and are never set."""


def use_old_zone_data(patch: pytest.MonkeyPatch) -> None:
    """Let the whole process reckon with the older version until the patch is undone."""
    whole = zones._zone

    def zone(name: str) -> ZoneInfo:
        return whole(ELSEWHERE if name == "Europe/Berlin" else name)

    patch.setattr(zones, "_zone", zone)
    patch.setattr(zones, "zone_data", lambda: OLD)
