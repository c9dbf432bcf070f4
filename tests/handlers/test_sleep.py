import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.workbench import Workbench
from tests.handlers.conftest import REGISTRY, Attempt


class FastClock:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)
        self.at += seconds


@pytest.fixture
def made(bench: Workbench, attempt: Callable[..., Attempt]) -> Attempt:
    return attempt(replace(bench, clock=FastClock()))


@pytest.mark.parametrize("config", [{"seconds": 90}, {"duration": "PT1M30S"}])
async def test_it_waits_as_long_as_it_is_told_and_says_how_far_it_is(made: Attempt, config: dict[str, Any]) -> None:
    result = await made.perform("sleep", config)
    assert result.output == {"slept_s": 90.0}
    fractions = [said.fraction for said in made.progress]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0


async def test_no_time_at_all_is_fine(made: Attempt) -> None:
    assert (await made.perform("sleep", {"seconds": 0})).output == {"slept_s": 0.0}


async def test_it_ends_when_it_is_asked_to_stop(bench: Workbench, attempt: Any) -> None:
    made = attempt(bench)
    running = asyncio.create_task(made.perform("sleep", {"seconds": 600}))
    await asyncio.sleep(0)
    made.context.stop_requested.set()
    async with asyncio.timeout(5):
        with pytest.raises(JobFailed, match="stopped"):
            await running


async def test_it_ends_when_it_is_cancelled(bench: Workbench, attempt: Any) -> None:
    running = asyncio.create_task(attempt(bench).perform("sleep", {"seconds": 600}))
    await asyncio.sleep(0)
    running.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await running


@pytest.mark.parametrize(
    "config",
    [{}, {"seconds": -1}, {"seconds": 1, "duration": "PT1S"}, {"seconds": 1e9}, {"duration": "-PT1S"}, {"second": 1}],
)
def test_a_length_that_makes_no_sense_is_refused(config: dict[str, Any]) -> None:
    assert REGISTRY.problems("sleep", config)
