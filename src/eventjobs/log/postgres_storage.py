"""
Writing the log to Postgres, over the appender's own connection.

It is opened when it is needed and dropped when it failed. Plans are fixed by settings of the session: a statement that
was planned while the log was short must not read the whole table later.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, Protocol

from eventjobs.errors import LogUnavailable
from eventjobs.log.batch import Batch
from eventjobs.log.codec import Codec
from eventjobs.log.faults import CHECK_VIOLATION, after_write, is_stale_link, sqlstate
from eventjobs.log.port import StoredReceipt
from eventjobs.log.postgres_reads import PostgresReads
from eventjobs.log.prepared import SEPARATOR
from eventjobs.log.storage import Written
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.postgres.pool import Connection, TimedPool
from eventjobs.postgres.statements import statement

APPEND: Final = statement("log/append")
APPEND_EVENTS: Final = statement("log/append_events")
APPEND_COPIED: Final = statement("log/append_copied")
CREATE_COPIED_EVENTS: Final = statement("log/create_copied_events")
TRUNCATE_COPIED_EVENTS: Final = statement("log/truncate_copied_events")

COPY_ABOVE: Final = 1_000
"""Batches of more events go through COPY, if the server has it."""

SESSION: Final[Mapping[str, str]] = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    "jit": "off",
}
"""Settings for the connections of the log, its pool for reading included."""

_CLOSE_S: Final = 2.0


class Dial(Protocol):
    """How a connection is opened: as the application's role, with these settings of the session."""

    def __call__(self, settings: Mapping[str, str]) -> Awaitable[Connection]:
        """Open a connection."""
        ...


class PostgresStorage(PostgresReads):
    """`Storage`: it reads over the pool and writes over one connection, from one task at a time."""

    def __init__(self, pool: TimedPool, dial: Dial, codec: Codec, *, copy: bool = True) -> None:
        super().__init__(pool, codec)
        self._dial = dial
        self._copy = copy
        self._connection: Connection | None = None
        self._is_table_made = False

    async def write(self, batch: Batch) -> Written:
        """Write a batch in one autocommit statement."""
        connection = await self._connected()
        try:
            if self._copy and batch.count > COPY_ABOVE:
                written = await self._write_copied(connection, batch)
            else:
                written = await _write_texts(connection, batch)
        except asyncio.CancelledError:
            self._drop()  # what it was asked may still be under way
            raise
        except DATABASE_FAULTS as error:
            await self._drop_if_stale(error)
            if sqlstate(error) == CHECK_VIOLATION:  # there is no partition for these positions
                await self.extend_log()
                return Written.BEHIND
            return after_write(error)
        return Written.COMMITTED if written else Written.BEHIND

    async def close(self) -> None:
        """Close the connection."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            try:
                await connection.close(timeout=_CLOSE_S)
            except (OSError, TimeoutError):
                connection.terminate()

    async def _connected(self) -> Connection:
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await self._dial(SESSION)
            except DATABASE_FAULTS as error:
                raise LogUnavailable(f"the database cannot be reached: {str(error) or type(error).__name__}") from error
            self._is_table_made = False
        return self._connection

    async def _write_copied(self, connection: Connection, batch: Batch) -> Any:
        if not self._is_table_made:
            await connection.execute(CREATE_COPIED_EVENTS)
            self._is_table_made = True
        await connection.execute(TRUNCATE_COPIED_EVENTS)
        await connection.copy_records_to_table("copied_events", records=batch.rows())
        return await connection.fetchval(APPEND_COPIED, *_batch(batch), *_receipts(batch.stored()))

    async def _drop_if_stale(self, error: Exception) -> None:
        if is_stale_link(error) and self._connection is not None:
            self._drop()
            await self.give_up_connections()

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


async def _write_texts(connection: Connection, batch: Batch) -> Any:
    receipts = batch.stored()
    events = (*_batch(batch), *batch.columns(), b"".join(batch.seals))
    if not receipts:
        return await connection.fetchval(APPEND_EVENTS, *events)
    return await connection.fetchval(APPEND, *events, *_receipts(receipts))


def _batch(batch: Batch) -> tuple[Any, ...]:
    return batch.base.position, batch.base.chain, batch.at


def _receipts(written: Sequence[StoredReceipt]) -> tuple[str, bytes, str, str, str, str]:
    if not written:
        return "", b"", "", "", "", ""
    return (
        SEPARATOR.join([receipt.key for receipt in written]),
        b"".join([receipt.body_hash for receipt in written]),
        SEPARATOR.join([str(receipt.status) for receipt in written]),
        SEPARATOR.join([receipt.answer.decode() for receipt in written]),
        SEPARATOR.join([str(receipt.first) for receipt in written]),
        SEPARATOR.join([str(receipt.last) for receipt in written]),
    )
