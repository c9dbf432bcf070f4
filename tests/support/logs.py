"""Logs in memory for tests: plain, slow on request, and faulty by a plan."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from eventjobs.clock import Clock
from eventjobs.events import EVENT_TYPES
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.codec import Codec
from eventjobs.log.memory import Fault, Faults, MemoryEventLog
from eventjobs.log.port import Append


def memory_log(clock: Clock, faults: Faults | None = None) -> MemoryEventLog:
    """Return a new log that knows every event."""
    return MemoryEventLog(Codec(EVENT_TYPES), clock, faults=faults)


class SlowReads(MemoryEventLog):
    """A log whose next reading of streams waits for `go_on`, with what it found already in its hands."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(Codec(EVENT_TYPES), clock)
        self.reading = asyncio.Event()
        self.go_on = asyncio.Event()
        self.slow = False

    async def read_streams(self, wanted: Sequence[tuple[StreamId, int]]) -> Mapping[StreamId, Sequence[Recorded[Any]]]:
        found = await super().read_streams(wanted)
        if self.slow:
            self.slow = False
            self.reading.set()
            await self.go_on.wait()
        return found


class Planned:
    """Faults in an order; when they are used up, or where `matches` says no, nothing happens."""

    def __init__(self, faults: Iterable[Fault | None] = (), matches: Callable[[Append], bool] = lambda _: True) -> None:
        self.left = deque(faults)
        self.matches = matches
        self.seen = 0

    async def next(self, append: Append) -> Fault | None:
        if not self.left or not self.matches(append):
            return None
        self.seen += 1
        return self.left.popleft()


def facts_of(log: MemoryEventLog) -> list[Recorded[Any]]:
    """Return everything that is in a log, in order."""
    return list(log._tail.between(0, None) or ())
