"""The table of folded states: a cache, never the truth."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import asyncpg
import structlog

from eventjobs.events.recorded import StreamId
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.postgres.statements import statement

FIND: Final = statement("snapshots/find")
SAVE: Final = statement("snapshots/save")
DROP_OLD: Final = statement("snapshots/drop_old")
LIST: Final = statement("snapshots/list")
ACQUIRE_TIMEOUT_S: Final = 2.0

_log: Final = structlog.get_logger("eventjobs.snapshots")


class PostgresSnapshots:
    """Snapshots that this version of the code made."""

    def __init__(self, pool: "asyncpg.Pool[Any]", code_version: str) -> None:
        self._pool = pool
        self._code_version = code_version
        self._there: set[StreamId] = set()

    async def start(self) -> None:
        """
        Learn which streams have one, and remove what other versions of the code left.

        Streams are many and snapshots few: who has none is not asked for. One that another instance makes later is not
        known here, and its stream is folded from the start.
        """
        async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            await connection.execute(DROP_OLD, self._code_version)
            rows = await connection.fetch(LIST, self._code_version)
        self._there = {StreamId(row["workspace"], row["stream"]) for row in rows}

    async def find(self, streams: Sequence[StreamId]) -> Mapping[StreamId, tuple[int, bytes]]:
        """Return version and state of those streams that have one; none where that cannot be read now."""
        streams = [stream for stream in streams if stream in self._there]
        if not streams:
            return {}
        try:
            rows = await self._find(streams)
        except DATABASE_FAULTS as fault:
            # The log tells everything that they do; whether it can be read is for the log to say.
            _log.info("snapshots_not_read", fault=type(fault).__name__)
            return {}
        return {StreamId(row["workspace"], row["stream"]): (row["version"], row["state"].encode()) for row in rows}

    async def _find(self, streams: Sequence[StreamId]) -> Sequence[Any]:
        async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            found: Sequence[Any] = await connection.fetch(
                FIND,
                [stream.workspace for stream in streams],
                [stream.name for stream in streams],
                self._code_version,
            )
        return found

    async def save(self, stream: StreamId, version: int, state: bytes) -> None:
        """Keep a state, unless a newer one is there."""
        async with self._pool.acquire(timeout=ACQUIRE_TIMEOUT_S) as connection:
            await connection.execute(SAVE, stream.workspace, stream.name, version, self._code_version, state.decode())
        self._there.add(stream)
