"""
The newest part of the log in memory: the known head, the last facts, and who waits for more.

Facts come from this process's own appends and from storage, in order; each is taken once, and each foreign one must
continue the chain, or the history that was read before is gone.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from eventjobs.errors import ForkedHistory, LogFault
from eventjobs.events.recorded import Recorded
from eventjobs.log.chain import link
from eventjobs.log.port import Head

KEPT: Final = 10_000


class Tail:
    """
    The known head and up to twice `kept` facts before it (`None`: all of them).

    `fault`, once set, is raised by every wait: the history was lost, and nobody may go on as if it were not.
    """

    def __init__(self, head: Head, *, kept: int | None = KEPT) -> None:
        self.head = head
        self.fault: LogFault | None = None
        self._recent: list[Recorded[Any]] = []
        self._kept = kept
        self._waiting: dict[asyncio.Future[None], None] = {}  # in the order in which they came, as a set is not

    @property
    def first(self) -> int:
        """The position of the oldest fact that is kept; `head + 1` if there is none."""
        return self.head.position + 1 - len(self._recent)

    def extend(self, facts: Sequence[Recorded[Any]]) -> None:
        """Take the facts that follow the head; those at or below it are known already."""
        if not facts:
            return
        known = self.head.position + 1 - facts[0].position
        if known < 0:
            raise ForkedHistory(f"position {self.head.position + 1} is missing from the log")
        fresh = facts[known:] if known else facts
        if not fresh:
            return
        self._recent.extend(fresh)
        last = fresh[-1]
        self.head = Head(last.position, last.chain, last.at)
        if self._kept is not None and len(self._recent) > 2 * self._kept:
            del self._recent[: -self._kept]
        self._wake()

    def check(self, facts: Sequence[Recorded[Any]]) -> None:
        """Raise `ForkedHistory` unless the facts continue the known head's chain."""
        chain, position = self.head.chain, self.head.position
        for fact in facts:
            if fact.position <= position:
                continue
            chain, position = link(chain, position + 1, fact.leaf), position + 1
            if fact.position != position or fact.chain != chain:
                raise ForkedHistory(f"the chain at position {position} does not follow from what was read before")

    def between(self, after: int, before: int | None) -> Sequence[Recorded[Any]] | None:
        """Return the known facts with `after < position < before`; `None` if the first of them is not kept."""
        first = self.first
        if after + 1 < first:
            return None
        end = None if before is None else max(before - first, 0)
        return self._recent[after + 1 - first : end]

    def find(self, position: int) -> Recorded[Any] | None:
        """Return one fact, if it is kept."""
        index = position - self.first
        return self._recent[index] if 0 <= index < len(self._recent) else None

    def break_off(self, fault: LogFault) -> None:
        """Raise `fault` at everyone who waits, now and later."""
        self.fault = fault
        self._wake()

    async def wait_beyond(self, position: int, timeout_s: float) -> int:
        """Wait until the head is above `position` or the time is over; return the head's position."""
        if self.head.position <= position and self.fault is None:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._wait_beyond(position)
        if self.fault is not None:
            raise self.fault
        return self.head.position

    async def _wait_beyond(self, position: int) -> None:
        while self.head.position <= position and self.fault is None:
            grown = asyncio.get_running_loop().create_future()
            self._waiting[grown] = None
            try:
                await grown
            finally:
                self._waiting.pop(grown, None)

    def _wake(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)
        self._waiting.clear()
