"""The table of log lines."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

import asyncpg
import orjson

from eventjobs.postgres.statements import statement

WRITE: Final = statement("runner/write_lines")
READ: Final = statement("runner/read_lines")
READ_LAST: Final = statement("runner/read_last_lines")
PRUNE: Final = statement("runner/prune_lines")
PRUNED_AT_ONCE: Final = 5_000
ACQUIRE_TIMEOUT_S: Final = 5.0


class NumberedLine(Protocol):
    """What a line is made of."""

    @property
    def line(self) -> int: ...  # noqa: D102
    @property
    def at(self) -> datetime: ...  # noqa: D102
    @property
    def level(self) -> str: ...  # noqa: D102
    @property
    def text(self) -> str: ...  # noqa: D102
    @property
    def fields(self) -> Mapping[str, Any]: ...  # noqa: D102


class StoredLine(NamedTuple):
    """A line as the table has it; `fields` is JSON as text."""

    workspace: str
    run: str
    row: int
    attempt: int
    line: int
    at: datetime
    level: str
    text: str
    fields: str


class PostgresLines:
    """Log lines in Postgres."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def write(self, workspace: str, run: str, row: int, attempt: int, lines: Sequence[NumberedLine]) -> None:
        """Keep these lines; again has no effect."""
        await self.write_all(stored(workspace, run, row, attempt, lines))

    async def write_all(self, lines: Iterable[StoredLine]) -> None:
        """Keep lines of any attempts, all or none."""
        columns = list(zip(*lines, strict=True))
        if columns:
            async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
                await connection.execute(WRITE, *columns)

    async def read(
        self,
        workspace: str,
        run: str,
        row: int | None,
        attempt: int | None,
        after: tuple[int, int, int],
        limit: int,
    ) -> Sequence[Mapping[str, Any]]:
        """Return lines after `(row, attempt, line)`, in order, of one row or attempt or of all."""
        async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            found = await connection.fetch(READ, workspace, run, row, attempt, *after, limit)
        return _lines(found)

    async def read_last(
        self, workspace: str, run: str, row: int | None, attempt: int | None, until: datetime | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        """Return the last lines, by their time, of one row or attempt or of all; `until` leaves out later ones."""
        async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            found = await connection.fetch(READ_LAST, workspace, run, row, attempt, until, limit)
        return _lines(found)

    async def prune(self, before: datetime) -> int:
        """Remove some of the lines written before an instant; returns how many (0: none is left)."""
        async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            done: str = await connection.execute(PRUNE, before, PRUNED_AT_ONCE)
        return int(done.rpartition(" ")[2])


def stored(workspace: str, run: str, row: int, attempt: int, lines: Iterable[NumberedLine]) -> Sequence[StoredLine]:
    """Return the lines of an attempt as the table has them."""
    address = (workspace, run, row, attempt)
    return [StoredLine(*address, line.line, line.at, line.level, line.text, _json(line.fields)) for line in lines]


def _json(fields: Mapping[str, Any]) -> str:
    return orjson.dumps(fields, option=orjson.OPT_NON_STR_KEYS).decode()


def _lines(found: Iterable[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    return [{**dict(line), "fields": orjson.loads(line["fields"])} for line in found]
