"""
Time for tests: standing still, or jumping.

`virtually` runs a coroutine on an event loop whose time jumps to the next timer as soon as nothing is left to do, so an
hour of waiting takes no time and the order of things is the same in every run.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

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


class LoopClock:
    """The running loop's time, as a clock that showed noon when the loop was made."""

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Jump(selectors.DefaultSelector):  # type: ignore[valid-type,misc]
    """Waits for nothing: what the loop would sleep, time moves on."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise RuntimeError("everybody waits for something that nobody will do")
            self.time += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on jumping time."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)

    def time(self) -> float:
        return self._jump.time

    def block(self, seconds: float) -> None:
        """Let time pass while nothing else can happen, as a handler does that never yields."""
        self._jump.time += seconds


def virtually(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end in virtual time, then end what it left behind."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_with_deadline(coroutine))
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:  # one that ignores it is left to the garbage collector
            loop.run_until_complete(asyncio.wait(left, timeout=1.0))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def _with_deadline(coroutine: Coroutine[Any, Any, T]) -> T:
    async with asyncio.timeout(DEADLINE_S):
        return await coroutine
