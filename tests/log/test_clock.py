"""The database's clock, carried by monotonic time."""

from datetime import UTC, datetime, timedelta

import pytest

from eventjobs.errors import LogUnavailable
from eventjobs.log.clock import ClockStep, DatabaseClock
from eventjobs.postgres.pool import TimedPool
from eventjobs.telemetry.tasks import Tasks
from tests.log.fakes import ManualClock

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


class Case:
    def __init__(self, pool: TimedPool) -> None:
        self.system = ManualClock()
        self.steps: list[ClockStep] = []
        self.clock = DatabaseClock(pool, on_step=self.steps.append, system=self.system)

    def read(self, reading: datetime) -> None:
        self.clock.adopt(reading, self.system.monotonic())


@pytest.fixture
def case(pool: TimedPool) -> Case:
    return Case(pool)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def test_there_is_no_now_before_the_first_reading(case: Case) -> None:
    with pytest.raises(LogUnavailable):
        case.clock.now()


def test_now_is_the_last_reading_and_the_time_since(case: Case) -> None:
    case.read(NOON)
    case.system.passed_s += 7.5
    assert case.clock.now() == NOON + seconds(7.5)


def test_a_reading_a_little_ahead_is_taken_over(case: Case) -> None:
    case.read(NOON)
    case.system.passed_s += 10
    case.read(NOON + seconds(11))
    assert case.clock.now() == NOON + seconds(11)
    assert case.steps == []


def test_a_small_lead_is_waited_for_and_now_never_falls(case: Case) -> None:
    case.read(NOON)
    case.system.passed_s += 10
    case.read(NOON + seconds(9))
    assert case.clock.now() == NOON + seconds(10)
    case.system.passed_s += 0.5
    assert case.clock.now() == NOON + seconds(10)
    case.system.passed_s += 1
    assert case.clock.now() == NOON + seconds(10.5)
    assert case.steps == []


def test_now_does_not_fall_by_the_time_that_a_reading_took_to_arrive(case: Case) -> None:
    """Seed 20: what was decided a moment before the reading was written with an earlier time than its own."""
    case.read(NOON)
    case.system.passed_s += 10.4
    case.clock.adopt(NOON + seconds(9.9), read_at_s=case.system.passed_s - 0.4)
    assert case.clock.now() == NOON + seconds(10.4)
    case.system.passed_s += 0.2
    assert case.clock.now() == NOON + seconds(10.5)


@pytest.mark.parametrize("step_s", [-3600.0, -2.5, 2.5, 7200.0])
def test_a_step_is_taken_over_at_once_and_reported(case: Case, step_s: float) -> None:
    case.read(NOON)
    case.system.passed_s += 10
    reading = NOON + seconds(10 + step_s)
    case.read(reading)
    assert case.clock.now() == reading
    assert case.steps == [ClockStep(expected=NOON + seconds(10), reading=reading, step_s=step_s)]


@pytest.mark.parametrize("step_s", [-2.0, 2.0])
def test_two_seconds_are_no_step_yet(case: Case, step_s: float) -> None:
    case.read(NOON)
    case.read(NOON + seconds(step_s))
    assert case.steps == []


def test_a_step_ends_an_earlier_wait(case: Case) -> None:
    case.read(NOON)
    case.read(NOON - seconds(1))
    case.read(NOON - seconds(3600))
    assert case.clock.now() == NOON - seconds(3600)


async def test_it_starts_with_the_databases_own_time(pool: TimedPool) -> None:
    tasks, clock = Tasks(), DatabaseClock(pool)
    await clock.start(tasks)
    before = await pool.fetchval("SELECT clock_timestamp()")
    now = clock.now()
    after = await pool.fetchval("SELECT clock_timestamp()")
    assert before - seconds(0.2) <= now <= after + seconds(0.2)
    assert tasks.names == ["database-clock"]
    assert await tasks.cancel_all() == []


async def test_it_keeps_in_step_on_its_own(pool: TimedPool) -> None:
    tasks, case = Tasks(), Case(pool)
    await case.clock.start(tasks)
    case.system.ahead = timedelta()
    begun = case.clock.now()
    while len(case.steps) < 2:  # manual time runs much faster than the database's
        await pool.fetchval("SELECT 1")
    assert case.steps[0].step_s < -2
    assert case.clock.now() < begun + seconds(60)
    assert await tasks.cancel_all() == []
