"""Reading the log from Postgres, over a pool; nothing is remembered here."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.log.codec import Codec
from eventjobs.log.faults import after_read, is_stale_link
from eventjobs.log.port import BEYOND, Filter, Head, StoredReceipt
from eventjobs.log.rows import recorded
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.postgres.pool import Connection, TimedPool
from eventjobs.postgres.statements import statement

T = TypeVar("T")

AT_OF: Final = statement("log/at_of")
EXTEND_LOG: Final = statement("log/extend_log")
FIND_RECEIPTS: Final = statement("log/find_receipts")
FIND_VERSIONS: Final = statement("log/find_versions")
HEAD: Final = statement("log/head")
HOLDS: Final = statement("log/holds")
POSITION_AT: Final = statement("log/position_at")
READ_ALL: Final = statement("log/read_all")
READ_BACK: Final = statement("log/read_back")
READ_STREAM: Final = statement("log/read_stream")
READ_STREAMS: Final = statement("log/read_streams")
READ_WORKSPACE: Final = statement("log/read_workspace")

BATCH: Final = 2_000


class PostgresReads:
    """
    The log's statements that read, and the one that makes partitions.

    Raises `LogUnavailable` while the database cannot be reached; connections to a server that went away are given up.
    """

    def __init__(self, pool: TimedPool, codec: Codec) -> None:
        self._pool = pool
        self._codec = codec

    async def head(self) -> Head | None:
        """Return the newest head; nothing for a log without its first position."""
        row = await self.query(lambda connection: connection.fetchrow(HEAD))
        return Head(row[0], row[1], row[2]) if row is not None else None

    async def holds(self, head: Head) -> bool:
        """Tell whether this position is in the log with this chain value."""
        return bool(await self.query(lambda connection: connection.fetchval(HOLDS, head.position, head.chain)))

    async def find_versions(self, streams: Sequence[StreamId]) -> Mapping[StreamId, int]:
        """Return the version of every stream named (0: does not exist)."""
        workspaces, names = [stream.workspace for stream in streams], [stream.name for stream in streams]
        rows = await self.query(lambda connection: connection.fetch(FIND_VERSIONS, workspaces, names))
        return {StreamId(workspace, name): version for workspace, name, version in rows}

    async def find_receipts(self, keys: Sequence[str]) -> Mapping[str, StoredReceipt]:
        """Return the receipts that exist under these keys."""
        rows = await self.query(lambda connection: connection.fetch(FIND_RECEIPTS, keys))
        return {row["key"]: StoredReceipt(**row) for row in rows}

    async def read_after(self, position: int) -> Sequence[Recorded[Any]]:
        """Return up to `BATCH` facts after `position`."""
        return await self.read(position, BATCH, None, Filter())

    async def read(self, after: int, limit: int, before: int | None, matching: Filter) -> Sequence[Recorded[Any]]:
        """Return up to `limit` matching facts with `after < position < before`, ascending."""
        limits = (after, BEYOND if before is None else before, limit)
        by = (matching.types, matching.actor)
        where = matching.workspace, matching.stream
        if where[0] is None:
            rows = await self.query(lambda connection: connection.fetch(READ_ALL, *limits, where[1], *by))
        elif where[1] is None:
            rows = await self.query(lambda connection: connection.fetch(READ_WORKSPACE, *limits, where[0], *by))
        else:
            rows = await self.query(lambda connection: connection.fetch(READ_STREAM, *limits, *where, *by))
        return recorded(self._codec, rows)

    async def read_streams(self, wanted: Sequence[tuple[StreamId, int]]) -> Mapping[StreamId, Sequence[Recorded[Any]]]:
        """Return the facts of each stream after the given version, in order, from one snapshot."""
        arguments = (
            [stream.workspace for stream, _ in wanted],
            [stream.name for stream, _ in wanted],
            [after for _, after in wanted],
        )
        rows = await self.query(lambda connection: connection.fetch(READ_STREAMS, *arguments))
        found: dict[StreamId, list[Recorded[Any]]] = {stream: [] for stream, _ in wanted}
        for fact in recorded(self._codec, rows):
            found[fact.stream].append(fact)
        return found

    async def read_back(
        self, before: int, limit: int, stream: StreamId, types: Sequence[str]
    ) -> Sequence[Recorded[Any]]:
        """Return up to `limit` facts of these types in a stream with `position < before`, the last one first."""
        where = before, limit, stream.workspace, stream.name, types
        return recorded(self._codec, await self.query(lambda connection: connection.fetch(READ_BACK, *where)))

    async def position_at(self, instant: datetime) -> int:
        """Return the last position whose time is at or before `instant` (0: none)."""
        return int(await self.query(lambda connection: connection.fetchval(POSITION_AT, instant)))

    async def at_of(self, position: int) -> datetime | None:
        """Return the time of a position, if there is one."""
        at: datetime | None = await self.query(lambda connection: connection.fetchval(AT_OF, position))
        return at

    async def extend_log(self) -> int:
        """Make the next partition if it is time; return the first position for which there is none."""
        return int(await self.query(lambda connection: connection.fetchval(EXTEND_LOG)))

    async def give_up_connections(self) -> None:
        """Close the pool's connections as they come back: the server they lead to went away or takes no writes."""
        await self._pool.expire_connections()

    async def query(self, run: Callable[[Connection], Awaitable[T]]) -> T:
        """Run one statement on a connection of the pool; once more on a new one if the link was lost."""
        try:
            try:
                return await self._run(run)
            except DATABASE_FAULTS as error:
                if not is_stale_link(error):
                    raise
                await self.give_up_connections()
                return await self._run(run)
        except DATABASE_FAULTS as error:
            raise after_read(error) from error

    async def _run(self, run: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._pool.acquire() as connection:
            return await run(cast("Connection", connection))
