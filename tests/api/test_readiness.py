"""Ready is who can write and whose views keep up."""

from datetime import timedelta

import pytest

from eventjobs.api.readiness import CHECKED_S, LogReadiness
from eventjobs.clock import SystemClock
from eventjobs.errors import LogUnavailable
from eventjobs.log.memory import MemoryEventLog
from eventjobs.log.port import Head
from tests.api.rig import ShiftedClock
from tests.support.logs import memory_log


class SteppedClock(ShiftedClock):
    """A clock whose seconds rise only when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def step(self, seconds: float) -> None:
        self.seconds += seconds
        self.ahead += timedelta(seconds=seconds)


class At:
    """Views that are at a position."""

    def __init__(self, position: int) -> None:
        self.at = position

    def position(self) -> int:
        return self.at

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        raise NotImplementedError


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


async def test_it_is_ready_when_the_views_are_at_the_head(clock: SteppedClock) -> None:
    assert await LogReadiness(memory_log(clock), At(1), clock).problems() == []


async def test_views_may_be_behind_for_a_second(clock: SteppedClock) -> None:
    log, views = memory_log(clock), At(0)
    readiness = LogReadiness(log, views, clock)

    assert await readiness.problems() == []
    clock.step(1.5)
    assert await readiness.problems() == ["views_behind"]
    views.at = 1
    assert await readiness.problems() == []


async def test_others_checks_are_asked_too(clock: SteppedClock) -> None:
    readiness = LogReadiness(memory_log(clock), At(1), clock, [lambda: "lease_untrusted", lambda: None])

    assert await readiness.problems() == ["lease_untrusted"]


async def test_a_log_that_does_not_answer_is_the_problem(clock: SteppedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    readiness = LogReadiness(memory_log(clock), At(1), clock)

    async def away(_: MemoryEventLog) -> Head:
        raise LogUnavailable("away")

    monkeypatch.setattr(MemoryEventLog, "head", away)
    assert await readiness.problems() == ["log_unavailable"]
    monkeypatch.undo()
    assert await readiness.problems() == []


async def test_a_good_answer_is_kept_for_half_a_second(clock: SteppedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = MemoryEventLog.head

    async def counted(log: MemoryEventLog) -> Head:
        asked.append(1)
        return await real(log)

    monkeypatch.setattr(MemoryEventLog, "head", counted)
    readiness = LogReadiness(memory_log(SystemClock()), At(1), clock)
    for _ in range(5):
        await readiness.problems()
    assert len(asked) == 1
    clock.step(CHECKED_S)
    await readiness.problems()
    assert len(asked) == 2
