"""
A clock that jumps over looks which would find nothing, and a log whose followers sleep until there is news.

The service looks every second for what is due and who is gone. On virtual time a year of such looks costs minutes; here
a loop that was named a poller sleeps until its next look could find something. It wakes on its own beat, as if it had
looked in between.
"""

import asyncio
import math
from datetime import datetime
from typing import Any, Protocol

from eventjobs.log.memory import MemoryEventLog
from eventjobs.simulation.ports import VirtualClock


class Sight(Protocol):
    """What a poller looks for."""

    async def ahead_s(self) -> float:
        """Return in how many seconds a look could find something, if nothing changes (`inf`: never)."""
        ...

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait until that may be another number, or the time is over."""
        ...


class SparseLog(MemoryEventLog):
    """A log in memory whose followers need no polls: nothing but this process writes to it."""

    async def wait_beyond(self, position: int, timeout_s: float) -> int:
        """Wait until the head is above `position`, however long that takes."""
        _ = timeout_s
        return await super().wait_beyond(position, math.inf)


class SparseClock(VirtualClock):
    """A virtual clock for one instance."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._pollers: dict[asyncio.Task[Any], Sight] = {}

    def name_poller(self, task: asyncio.Task[Any], sight: Sight) -> None:
        """Take a task's own sleeps for pauses between looks."""
        self._pollers[task] = sight

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds; a poller, as many times that as there is nothing to see."""
        task = asyncio.current_task()
        sight = None if task is None else self._pollers.get(task)
        if sight is None:
            await super().sleep(seconds)
            return
        began = self.monotonic()
        while (ahead := await sight.ahead_s()) > seconds:
            await sight.wait_for_change(ahead)
        beats = max(1, math.ceil((self.monotonic() - began) / seconds - 1e-6))
        await super().sleep(max(0.0, began + beats * seconds - self.monotonic()))
