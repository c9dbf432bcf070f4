"""
Keeping the known head near storage's, so that what other processes wrote is known here soon.

A notification is a hint and never more: storage is asked once a second in any case, and the connection that listens is
pinged, because a link that drops packets shows no error. The same connection tells others what was written here, at
most a hundred times a second and outside the appends' way.
"""

import asyncio
from typing import Any, Final

import structlog

from eventjobs.clock import Clock
from eventjobs.errors import ForkedHistory, LogFault
from eventjobs.log.appender import Appender
from eventjobs.log.postgres_reads import PostgresReads
from eventjobs.log.postgres_storage import Dial
from eventjobs.log.tail import Tail
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.postgres.pool import Connection
from eventjobs.postgres.statements import statement

CHANNEL: Final = "eventjobs_log"
POLL_S: Final = 1.0
PING_EVERY_S: Final = 5.0
PING_TIMEOUT_S: Final = 2.0
NOTIFY_EVERY_S: Final = 0.01
RECONNECT_S: Final = 1.0

NOTIFY: Final = statement("log/notify")

_SETTINGS: Final = {"synchronous_commit": "off"}  # a hint need not wait for the disk
_log: Final = structlog.get_logger("eventjobs.log")


class Follower:
    """Reads what others wrote (`follow`), and hears and tells of it (`listen`)."""

    def __init__(self, *, reads: PostgresReads, tail: Tail, appender: Appender, clock: Clock) -> None:
        self._reads = reads
        self._tail = tail
        self._appender = appender
        self._clock = clock
        self._hint = asyncio.Event()

    async def follow(self) -> None:
        """Read on after each hint and each second, until the history turns out to be another one."""
        while self._tail.fault is None:
            try:
                async with asyncio.timeout(POLL_S):
                    await self._hint.wait()
            except TimeoutError:
                pass
            self._hint.clear()
            try:
                await self._catch_up()
            except ForkedHistory as fault:
                _log.critical("log_forked", detail=str(fault))
            except LogFault as fault:
                _log.warning("log_unreadable", detail=str(fault))

    async def listen(self, dial: Dial) -> None:
        """Keep one connection that hears of others' writes and tells of ours."""
        while self._tail.fault is None:
            connection: Connection | None = None
            try:
                connection = await dial(_SETTINGS)
                await connection.add_listener(CHANNEL, self._hear)
                self._hint.set()
                await self._serve(connection)
            except ForkedHistory:
                return
            except DATABASE_FAULTS as error:
                _log.info("log_listener_lost", detail=str(error) or type(error).__name__)
            finally:
                if connection is not None:
                    connection.terminate()
            await self._clock.sleep(RECONNECT_S)

    async def _catch_up(self) -> None:
        while facts := await self._reads.read_after(self._tail.head.position):
            self._appender.take_in(facts)

    async def _serve(self, connection: Connection) -> None:
        seen = said = self._tail.head.position
        while True:
            position = await self._tail.wait_beyond(seen, PING_EVERY_S)
            written = self._appender.written
            async with asyncio.timeout(PING_TIMEOUT_S):
                if written > said:
                    await connection.execute(NOTIFY, CHANNEL, str(written))
                    said = written
                elif position == seen:
                    await connection.execute("SELECT 1")
            seen = position
            await self._clock.sleep(NOTIFY_EVERY_S)

    def _hear(self, _connection: Any, _pid: int, _channel: str, payload: Any) -> None:
        if int(payload) > self._tail.head.position:
            self._hint.set()
