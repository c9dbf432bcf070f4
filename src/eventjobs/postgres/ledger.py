"""The tables in which the audit of occurrences keeps how far it is: a cache, never the truth."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eventjobs.events.recorded import StreamId
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

LOCK: Final = statement("audit/lock_ledger")
FIND: Final = statement("audit/find_ledger")
LIST: Final = statement("audit/list_ledger")
CLEAR: Final = statement("audit/clear_ledger")
SAVE_POSITION: Final = statement("audit/save_ledger_position")
SAVE_OWNERS: Final = statement("audit/save_ledger_owners")
AT_ONCE: Final = 1_000
"""How many owners go in one statement, or come in one piece: the event loop is others' too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """An audit up to `position`, where the log's chain value is `chain`: its own state, and that of owners, as JSON."""

    position: int
    chain: bytes
    state: bytes
    owners: Mapping[StreamId, bytes]


class PostgresLedger:
    """What this version of the code kept."""

    def __init__(self, pool: TimedPool, code_version: str) -> None:
        self._pool = pool
        self._code_version = code_version

    async def find(self) -> Kept | None:
        """Return what was kept last, whole."""
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            row = await connection.fetchrow(FIND, self._code_version)
            if row is None:
                return None
            owners = {
                StreamId(owner["workspace"], owner["stream"]): owner["state"].encode()
                async for owner in connection.cursor(LIST, prefetch=AT_ONCE)
            }
        return Kept(position=row["position"], chain=row["chain"], state=row["state"].encode(), owners=owners)

    async def find_state(self) -> bytes | None:
        """Return the state of what was kept last, without its owners."""
        row = await self._pool.fetchrow(FIND, self._code_version)
        return None if row is None else row["state"].encode()

    async def save(self, kept: Kept, *, whole: bool) -> bool:
        """
        Keep it, unless somebody is further; tell whether it was kept.

        `whole` says that it has all owners; else those that changed since this process found or saved the last one.
        What another version of the code kept is replaced by a whole one alone.
        """
        async with self._pool.acquire() as connection, connection.transaction():
            row = await connection.fetchrow(LOCK)
            if row is None or row["code_version"] != self._code_version:
                if not whole:
                    return False
                await connection.execute(CLEAR)
            elif row["position"] >= kept.position:
                return False
            await connection.execute(SAVE_POSITION, kept.position, kept.chain, self._code_version, kept.state.decode())
            owners = list(kept.owners.items())
            for first in range(0, len(owners), AT_ONCE):
                some = owners[first : first + AT_ONCE]
                await connection.execute(
                    SAVE_OWNERS,
                    [stream.workspace for stream, _ in some],
                    [stream.name for stream, _ in some],
                    [state.decode() for _, state in some],
                )
        return True
