"""
Two versions of the zone data at once: each machine reckons with the one that it was started with.

The older one is that of `tests/support/zone_data.py`. Who belongs to no machine, the audit for one, has the newer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import pytest

from eventjobs.domain import zones
from tests.simulation.machines import MACHINE
from tests.support.zone_data import ELSEWHERE, OLD


@contextmanager
def by_machine() -> Iterator[None]:
    """Let every machine reckon with its own version."""
    whole, present = zones._zone, zones.zone_data()

    def is_old() -> bool:
        machine = MACHINE.get()
        return machine is not None and machine.has_old_zone_data

    def zone(name: str) -> ZoneInfo:
        return whole(ELSEWHERE if name == "Europe/Berlin" and is_old() else name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zones, "_zone", zone)
        patch.setattr(zones, "zone_data", lambda: OLD if is_old() else present)
        yield
