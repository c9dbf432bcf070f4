"""Facts in batches for a follower; the batch after a full one is fetched before it is asked for."""

import asyncio
from typing import Any

from eventjobs.log.port import EventLog
from eventjobs.projections.advance import Facts
from eventjobs.telemetry.tasks import Tasks


class Batches:
    """Reads ahead by one batch of at most `size` facts."""

    def __init__(self, log: EventLog, tasks: Tasks, size: int) -> None:
        self._log = log
        self._tasks = tasks
        self._size = size
        self._ahead: tuple[tuple[int, int | None], asyncio.Task[Facts]] | None = None

    async def after(self, position: int, *, before: int | None = None) -> Facts:
        """Return the facts in `(position, before)`, at most one batch."""
        facts = await self._take((position, before))
        if len(facts) == self._size:
            wanted = (facts[-1].position, before)
            self._ahead = (wanted, self._tasks.start(self._read(wanted), name="facts ahead", joined=True))
        return facts

    def forget(self) -> None:
        """Drop what was fetched ahead."""
        if self._ahead is not None:
            self._ahead[1].cancel()
            self._ahead = None

    async def _take(self, wanted: tuple[int, int | None]) -> Facts:
        if self._ahead is not None and self._ahead[0] == wanted:
            task, self._ahead = self._ahead[1], None
            return await task
        self.forget()
        return await self._read(wanted)

    async def _read(self, wanted: tuple[int, int | None]) -> Any:
        return await self._log.read(wanted[0], self._size, before=wanted[1])
