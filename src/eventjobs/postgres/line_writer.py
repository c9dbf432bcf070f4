"""
Log lines of many attempts, one statement at a time.

What comes while one is under way is the next one, so no timer is needed. In a storm thousands of attempts end within
seconds: a statement for each would take connections and time from what begins.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from eventjobs.postgres.lines import NumberedLine, PostgresLines, StoredLine, stored
from eventjobs.telemetry.tasks import Tasks

ENOUGH: Final = 1_000_000
"""How many characters one statement writes at most, unless one attempt alone has more."""
LINE: Final = 100
"""What a line counts beside its text and fields."""

_OF_THE_LINES: Final = (
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,
)
"""What says that lines cannot be kept, and nothing of the database."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    lines: Sequence[StoredLine]
    size: int
    written: "asyncio.Future[None]"

    def fail(self, fault: BaseException) -> None:
        if not self.written.done():
            self.written.set_exception(fault)


class LineWriter:
    """`LineStore` on the table; one per process."""

    def __init__(self, table: PostgresLines, tasks: Tasks) -> None:
        self._table = table
        self._tasks = tasks
        self._queue: deque[_Waiting] = deque()
        self._is_writing = False

    async def write(self, workspace: str, run: str, row: int, attempt: int, lines: Sequence[NumberedLine]) -> None:
        """Keep these lines; again has no effect. Raises what asyncpg does; who is cancelled may have written them."""
        rows = stored(workspace, run, row, attempt, lines)
        size = sum(LINE + len(line.text) + len(line.fields) for line in rows)
        waiting = _Waiting(rows, size, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if not self._is_writing:
            self._is_writing = True
            _ = self._tasks.start(self._write_queue(), name="log lines")
        await waiting.written

    async def _write_queue(self) -> None:
        taken: Sequence[_Waiting] = ()
        try:
            while self._queue:
                taken = self._take()
                await self._write(taken)
        except BaseException:
            for waiting in (*taken, *self._queue):  # each would wait for ever
                waiting.fail(ConnectionError("the writer of log lines was stopped"))
            self._queue.clear()
            raise
        finally:
            self._is_writing = False

    def _take(self) -> Sequence[_Waiting]:
        taken = [self._queue.popleft()]
        size = taken[0].size
        while self._queue and (size := size + self._queue[0].size) <= ENOUGH:
            taken.append(self._queue.popleft())
        return taken

    async def _write(self, together: Sequence[_Waiting]) -> None:
        """Write the lines of several attempts; where some cannot be kept, those of each by itself."""
        try:
            await self._table.write_all([line for waiting in together for line in waiting.lines])
        except _OF_THE_LINES as refusal:
            if len(together) == 1:
                together[0].fail(refusal)
                return
            for waiting in together:
                await self._write([waiting])
        except Exception as fault:  # noqa: BLE001 it is who waits that knows what to do about it
            # All are told at once, and not after one attempt to connect for each of their statements.
            for waiting in (*together, *self._queue):
                waiting.fail(fault)
            self._queue.clear()
        else:
            for waiting in together:
                if not waiting.written.done():
                    waiting.written.set_result(None)
