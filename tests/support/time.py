"""
Time for tests: standing still, or jumping (see `eventjobs.simulation.loop`).
"""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from eventjobs.simulation.loop import VirtualLoop
from eventjobs.simulation.loop import virtually as run_virtually
from eventjobs.simulation.ports import VirtualClock

__all__ = ["DEADLINE_S", "NOON", "FrozenClock", "LoopClock", "VirtualLoop", "virtually"]

T = TypeVar("T")
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
DEADLINE_S = 86_400.0


class FrozenClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant

    def monotonic(self) -> float:
        return (self.instant - NOON).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class LoopClock(VirtualClock):
    """The running loop's time, as a clock that showed noon when the loop was made."""

    def __init__(self) -> None:
        super().__init__(NOON)


def virtually(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time, within a day of it."""
    return run_virtually(coroutine, within_s=DEADLINE_S)
