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
PARTS: Final = 32
"""Into how many parts a batch is cut at most: after a database was away they are soon whole again."""
WRITTEN: Final = 10
"""After how many batches in a row twice as many facts are tried again."""


class Wanted(NamedTuple):
    """The facts in `(after, before)` for these projections."""

    projections: tuple[Projection, ...]
    after: int
    before: int | None = None


class Batches:
    """Reads ahead by one batch of at most `size` facts; of fewer, after one that took too long."""

    def __init__(self, log: EventLog, tasks: Tasks, size: int) -> None:
        self._log = log
        self._tasks = tasks
        self._whole = self._size = size
        self._written = 0
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

    def halve(self) -> None:
        """Make smaller batches, and drop what was made ahead: this one could not be written."""
        self.forget()
        self._size, self._written = max(1, self._whole // PARTS, self._size // 2), 0

    def note_written(self) -> None:
        """Make larger batches again, up to whole ones, where several in a row were written."""
        self._written += 1
        if self._written >= WRITTEN:
            self._size, self._written = min(self._whole, 2 * self._size), 0

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
