"""Cadences that hardly anyone has (T10): compared with a plain walk through the calendar, and never endless."""

import random
from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from time import thread_time_ns

import pytest

from eventjobs.domain.cadence import check_cadence
from eventjobs.domain.cron_days import CronDays
from eventjobs.domain.reference import next_after
from eventjobs.domain.zones import zone_names
from eventjobs.events.cadence import Cadence, Gap, NextDue, Repeat, Timing, TimingPolicies, TimingState, Unit
from tests.sweep.minutes import DAY, is_month_of

FIVE_MS = 5_000_000
CYCLE = 400  # years after which the calendar repeats
RARE_DATES = ("2024-01-31", "2024-02-29", "2023-02-28", "1972-02-29", "2099-12-31", "2100-02-28", "2199-08-30")
GRID, WALL = TimingPolicies(timing=Timing.GRID), TimingPolicies(timing=Timing.WALL_CLOCK)
STARTED = TimingState()
WITH_START = [unit for unit in Unit if unit is not Unit.CRON]


def timed_next(cadence: Cadence, policies: TimingPolicies, at: datetime) -> NextDue | None:
    """Return the next moment; the time it takes is looked at again if something else may have taken it."""
    for attempt in range(3):
        begin = thread_time_ns()
        found = next_after(cadence, policies, STARTED, at)
        if thread_time_ns() - begin <= FIVE_MS:
            return found
        assert attempt < 2, f"{cadence} {policies} after {at} takes more than 5 ms"
    raise AssertionError


def cadence_of(start: str, unit: Unit, every: int = 1, zone: str = "UTC", time: str = "10:00") -> Cadence:
    return Cadence(start_date=start, start_time=time, time_zone=zone, every=every, unit=unit)


@cache
def days_from(start: date) -> list[date]:
    """Return each day of the 400 years after which the calendar repeats."""
    return [start + number * DAY for number in range(CYCLE * 365 + 97)]


@cache
def days_of_months(start: date) -> list[date]:
    """Return the anchor's day in each month, found by a walk through the days."""
    return [day for day in days_from(start) if is_month_of(1, start, start.day, day)]


@pytest.mark.parametrize("start", RARE_DATES)
def test_R17_every_number_of_months_lands_where_a_walk_through_400_years_does(start: str) -> None:
    months = days_of_months(date.fromisoformat(start))
    chance = random.Random(start)
    for every in [*range(1, 61), *range(61, 1001, 4)]:
        assert_lands_on(months[::every], cadence_of(start, Unit.MONTH, every), chance)


@pytest.mark.parametrize("start", ["2024-02-29", "2199-08-30"])
def test_R16_every_number_of_days_lands_where_a_walk_through_400_years_does(start: str) -> None:
    days, chance = days_from(date.fromisoformat(start)), random.Random(start)
    for every in range(1, 1001, 3):
        assert_lands_on(days[::every], cadence_of(start, Unit.DAY, every), chance)


def assert_lands_on(days: list[date], cadence: Cadence, chance: random.Random) -> None:
    dues = [datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=10) for day in days]
    instants = [
        dues[0] - DAY,
        *dues[:-1][:12],
        *chance.choices(dues[:-1], k=4),
        dues[-2],
        dues[-2] + timedelta(seconds=1),
    ]
    for at in instants:
        for policies in (GRID, WALL, TimingPolicies()):
            found = timed_next(cadence, policies, at)
            assert found is not None
            assert found.due == dues[bisect_right(dues, at)], (cadence, policies, at)


@pytest.mark.parametrize(("unit", "minutes"), [(Unit.MINUTE, 1), (Unit.HOUR, 60)])
def test_R15_every_number_of_minutes_and_hours_is_counted_from_the_start(unit: Unit, minutes: int) -> None:
    start = datetime(2024, 2, 29, 10, tzinfo=UTC)
    for every in range(1, 1001):
        period = timedelta(minutes=every * minutes)
        found = timed_next(cadence_of("2024-02-29", unit, every), GRID, start + 9 * period)
        assert found is not None
        assert found.due == start + period * 10


def test_R7_a_once_in_the_past_never_comes_and_one_ahead_comes_once() -> None:
    start = datetime(2024, 2, 29, 10, tzinfo=UTC)
    cadence = cadence_of("2024-02-29", Unit.ONCE)
    ahead = timed_next(cadence, TimingPolicies(), start - timedelta(seconds=1))

    assert ahead is not None
    assert ahead.due == start
    assert timed_next(cadence, TimingPolicies(), start) is None
    assert timed_next(cadence, TimingPolicies(), start + 9 * DAY) is None


@pytest.mark.parametrize("at", ["2200-12-31", "2999-12-31", "9999-12-01", "9999-12-28", "9999-12-30", "9999-12-31"])
def test_up_to_the_last_day_of_the_calendar_a_moment_comes_or_none_does(at: str) -> None:
    late = datetime.fromisoformat(at).replace(hour=23, minute=59, tzinfo=UTC)
    zones = ("UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Africa/Casablanca", "America/Santiago")
    for zone, unit, policies in product(zones, WITH_START, all_policies()):
        for every in (1, 15, 999, 10_000):
            cadence = cadence_of("2200-12-31", unit, every, zone, "23:59")
            if not check_cadence(cadence, policies, min_period_s=60):
                found = timed_next(cadence, policies, late)
                assert found is None or found.due > late


def test_up_to_the_last_day_of_the_calendar_a_cron_comes_or_none_does() -> None:
    for zone, gap, repeat in product(("UTC", "Pacific/Kiritimati", "Etc/GMT+12", "America/Santiago"), Gap, Repeat):
        days = CronDays(Cadence(time_zone=zone, unit=Unit.CRON, cron="*/20 * * 1,11 *"), gap, repeat)
        for month, day in ((10, 31), (11, 28), (11, 30), (12, 1), (12, 31)):
            late = datetime(9999, month, day, 23, 59, tzinfo=UTC)
            found = days.after(late)
            assert found is None or found.due > late


def all_policies() -> list[TimingPolicies]:
    return [
        TimingPolicies(timing=timing, gap=gap, repeat=repeat)
        for timing, gap, repeat in product(Timing, Gap, Repeat)
        if timing is Timing.WALL_CLOCK or (gap, repeat) == (Gap.SHIFT, Repeat.FIRST)
    ]


def test_thousands_of_random_cadences_go_on_or_end_and_never_take_long() -> None:
    chance, names = random.Random(10), sorted(zone_names())
    ended = 0
    for _ in range(3000):
        cadence, policies = random_rule(chance, names)
        at: datetime | None = datetime(chance.randrange(1970, 2300), 1, 1, tzinfo=UTC) + chance.random() * 365 * DAY
        for _ in range(4):
            if at is not None:
                found = timed_next(cadence, policies, at)
                assert found is None or (found.due > at and not found.due.microsecond)
                assert found is not None or cadence.unit is Unit.ONCE
                ended += found is None
                at = None if found is None else found.due
    assert ended > 100


def random_rule(chance: random.Random, names: list[str]) -> tuple[Cadence, TimingPolicies]:
    while True:
        start = date(chance.randrange(1970, 2201), 1, 1) + chance.randrange(365) * DAY
        cadence = cadence_of(
            chance.choice([start.isoformat(), *RARE_DATES]),
            chance.choice(WITH_START),
            chance.choice([1, 15, chance.randrange(1, 1001), 10_000]),
            chance.choice(names),
            f"{chance.randrange(24):02}:{chance.choice([0, 0, 15, 30, 59]):02}",
        )
        policies = chance.choice(all_policies())
        if not check_cadence(cadence, policies, min_period_s=60):
            return cadence, policies
