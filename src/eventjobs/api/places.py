"""Places for work that keeps the event loop busy: whoever wants many waits until so many are free, in order."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Places:
    """So many places, taken several at a time; first come, first served."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = count
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def free(self) -> int:
        """How many nobody has."""
        return self._free

    @asynccontextmanager
    async def take(self, wanted: int, timeout_s: float) -> AsyncIterator[None]:
        """Have `wanted` places, at most all; raises `TimeoutError` when they are not to be had in time."""
        wanted = min(wanted, self._count)
        await self._take(wanted, timeout_s)
        try:
            yield
        finally:
            self._give(wanted)

    async def _take(self, wanted: int, timeout_s: float) -> None:
        if not self._waiting and wanted <= self._free:
            self._free -= wanted
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, turn))
        try:
            async with asyncio.timeout(timeout_s):
                await turn
        except BaseException:
            came_too_late = turn.done() and not turn.cancelled()
            turn.cancel()
            self._give(wanted if came_too_late else 0)
            raise

    def _give(self, places: int) -> None:
        self._free += places
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._free):
            wanted, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= wanted
                turn.set_result(None)
