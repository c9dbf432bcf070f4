"""The load of a day, minute by minute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventjobs.domain.load import MINUTES, Alike, grid, occupied
from eventjobs.domain.slots import cadence_of
from eventjobs.events.cadence import Cadence, Unit
from eventjobs.events.slots import SlotSchedule, SlotType

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


def alike(due: datetime, unit: Unit = Unit.DAY, *, count: int = 1, minutes: int = 1, every: int = 1) -> Alike:
    cadence = Cadence(time_zone="UTC", unit=unit, every=every)
    return Alike(count=count, due=due, cadence=cadence, lasts=timedelta(minutes=minutes))


def busy(*groups: Alike) -> dict[str, int]:
    found = grid(groups, NOON)
    assert len(found) == MINUTES
    return {f"{minute // 60:02}:{minute % 60:02}": runs for minute, runs in enumerate(found) if runs}


def test_runs_that_are_open_at_once_add_up() -> None:
    at = NOON.replace(hour=20)

    assert busy(alike(at, minutes=3), alike(at + timedelta(minutes=1), count=5)) == {
        "20:00": 1,
        "20:01": 6,
        "20:02": 1,
    }


def test_a_run_over_midnight_goes_on_in_the_first_minutes() -> None:
    assert busy(alike(NOON.replace(hour=23, minute=59), minutes=3)) == {"23:59": 1, "00:00": 1, "00:01": 1}


@pytest.mark.parametrize(
    ("group", "minutes"),
    [
        (alike(NOON, Unit.MINUTE, every=15), 96),
        (alike(NOON + timedelta(hours=1), Unit.HOUR, every=7), 4),
        (alike(NOON, Unit.MONTH), 1),
        (alike(NOON + timedelta(days=1)), 0),
        (alike(NOON - timedelta(hours=1)), 0),
        (alike(NOON - timedelta(hours=1), Unit.HOUR), 24),
        (alike(NOON, minutes=9_999), MINUTES),
    ],
)
def test_each_moment_of_the_24_hours_counts(group: Alike, minutes: int) -> None:
    assert len(busy(group)) == minutes


def test_a_cron_counts_its_own_moments_in_its_zone() -> None:
    cadence = Cadence(time_zone="Europe/Berlin", unit=Unit.CRON, cron="0,30 3 * * *")

    assert busy(Alike(count=2, due=NOON.replace(day=2, hour=2), cadence=cadence)) == {"02:00": 2, "02:30": 2}


def test_what_a_cron_was_due_for_before_the_24_hours_does_not_count() -> None:
    cadence = Cadence(time_zone="UTC", unit=Unit.CRON, cron="0 11 * * *")

    assert busy(Alike(count=1, due=NOON.replace(hour=11), cadence=cadence)) == {"11:00": 1}
    assert busy(Alike(count=1, due=NOON.replace(hour=11), cadence=replace(cadence, cron="0 11 1 12 *"))) == {}


def slots(due: datetime, kind: SlotType, **fields: Any) -> Alike:
    schedule = SlotSchedule(type=kind, time_zone="Europe/Berlin", slot=0, minute=7, **fields)
    return Alike(count=2, due=due, cadence=cadence_of(schedule, NOON.replace(day=2, hour=3)))


def test_a_slot_schedule_counts_its_drawn_minute_until_it_expires() -> None:
    first = NOON.replace(hour=17, minute=7)

    assert busy(slots(first, SlotType.HOURLY, every=6)) == {"17:07": 2, "23:07": 2}
    assert busy(slots(first, SlotType.HOURLY, every=6, until_date="2026-12-01")) == {"17:07": 2}
    assert busy(slots(first, SlotType.DAILY, hour=18)) == {"17:07": 2}


def test_a_run_occupies_the_minutes_that_it_lasts() -> None:
    assert list(occupied(NOON.replace(hour=23, minute=59), timedelta(seconds=61))) == [1439, 0]
