"""Facts in batches, with what they write; the batch after a full one is made while the database writes that one."""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from eventjobs.log.port import EventLog
from eventjobs.projections.advance import Gathered
from eventjobs.projections.temporal import Projection
from eventjobs.telemetry.tasks import Tasks

AT_ONCE: Final = 50
"""How many facts are projected before others get their turn on the event loop."""


class Wanted(NamedTuple):
    """The facts in `(after, before)` for these projections."""

    projections: tuple[Projection, ...]
    after: int
    before: int | None = None


class Batches:
    """Reads ahead by one batch of at most `size` facts."""

    def __init__(self, log: EventLog, tasks: Tasks, size: int) -> None:
        self._log = log
        self._tasks = tasks
        self._size = size
        self._ahead: tuple[Wanted, asyncio.Task[Gathered]] | None = None

    async def next(self, projections: Sequence[Projection], after: int, before: int | None = None) -> Gathered:
        """Return the facts in `(after, before)`, at most one batch."""
        wanted = Wanted(tuple(projections), after, before)
        gathered = await self._take(wanted)
        if len(gathered.facts) == self._size:
            following = wanted._replace(after=gathered.facts[-1].position)
            task = self._tasks.start(self._make(following), name="facts ahead", joined=True)
            task.add_done_callback(_take_note)
            self._ahead = (following, task)
        return gathered

    def forget(self) -> None:
        """Drop what was made ahead."""
        if self._ahead is not None:
            self._ahead[1].cancel()
            self._ahead = None

    async def _take(self, wanted: Wanted) -> Gathered:
        if self._ahead is not None and self._ahead[0] == wanted:
            task, self._ahead = self._ahead[1], None
            return await task
        self.forget()
        return await self._make(wanted)

    async def _make(self, wanted: Wanted) -> Gathered:
        gathered = Gathered(wanted.projections)
        for place, fact in enumerate(await self._log.read(wanted.after, self._size, before=wanted.before), 1):
            gathered.add(fact)
            if not place % AT_ONCE:
                await asyncio.sleep(0)
        return gathered


def _take_note(task: asyncio.Task[Gathered]) -> None:
    """What went wrong ahead matters only to who asks for the batch; asyncio need not report it as lost."""
    if not task.cancelled():
        _ = task.exception()
