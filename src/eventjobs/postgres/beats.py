"""
The instances' beats: read by all, raised from a thread of its own.

The thread has its own event loop and its own connection, so neither a busy pool nor a handler that blocks the main loop
makes an instance look dead; it stops beating when the main loop has not answered for too long, for then it is.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

import asyncpg
import structlog

from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.postgres.statements import statement

JOIN: Final = statement("runner/join_instances")
BEAT: Final = statement("runner/beat")
READ: Final = statement("runner/read_beats")
LEAVE: Final = statement("runner/leave_instances")
WITHDRAW: Final = statement("runner/withdraw_instance")
FORGET: Final = statement("runner/forget_instance")
TIMEOUT_S: Final = 2.0
RETRY_S: Final = 0.5
"""How long to wait after a beat that failed."""

_log: Final = structlog.get_logger("eventjobs.beats")


class PostgresBeats:
    """The table of instances."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._withdrawn: frozenset[str] = frozenset()

    @property
    def withdrawn(self) -> Collection[str]:
        """Those that take no more work, as of the last reading."""
        return self._withdrawn

    async def read(self) -> Mapping[str, int]:
        """Return instance → beat."""
        async with self._pool.acquire(timeout=TIMEOUT_S) as connection:
            rows = await connection.fetch(READ, timeout=TIMEOUT_S)
        self._withdrawn = frozenset(row["instance"] for row in rows if row["withdrawn"])
        return {row["instance"]: row["beat"] for row in rows}

    async def withdraw(self, instance: str) -> None:
        """Let all know that an instance takes no more work."""
        async with self._pool.acquire(timeout=TIMEOUT_S) as connection:
            await connection.execute(WITHDRAW, instance, timeout=TIMEOUT_S)

    async def forget(self, instance: str, beat: int) -> None:
        """Remove an instance whose beat still stands there."""
        async with self._pool.acquire(timeout=TIMEOUT_S) as connection:
            await connection.execute(FORGET, instance, beat, timeout=TIMEOUT_S)


class BeatThread:
    """
    Raises one instance's beat until it is stopped.

    `on_beat(started)` hears of each good beat, with the monotonic second at which it began; `on_lost()` that the row
    was removed, because the others saw it standing still for long: it then joins anew. `alive()` tells whether the main
    loop answers; while it does not, there is no beat.
    """

    def __init__(
        self,
        *,
        connect: "Callable[[], Awaitable[asyncpg.Connection[Any]]]",
        instance: str,
        zone_data: str,
        period_s: float,
        monotonic: Callable[[], float],
        alive: Callable[[], bool],
        on_beat: Callable[[float], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._connect = connect
        self._instance = instance
        self._zone_data = zone_data
        self._period_s = period_s
        self._monotonic = monotonic
        self._alive = alive
        self._on_beat = on_beat
        self._on_lost = on_lost
        self._stop = threading.Event()
        self._joined = threading.Event()
        self._thread = threading.Thread(target=self._main, name="beats", daemon=True)

    def start(self) -> None:
        """Begin to beat."""
        self._thread.start()

    def wait_joined(self, timeout_s: float) -> bool:
        """Wait until the first beat was accepted; returns whether it was."""
        return self._joined.wait(timeout_s)

    def stop(self) -> None:
        """Leave in order: the row goes, and others take over at once what is still open."""
        self._stop.set()
        self._thread.join(timeout=TIMEOUT_S)

    def _main(self) -> None:
        asyncio.run(self._beat_for_ever())

    async def _beat_for_ever(self) -> None:
        connection: asyncpg.Connection[Any] | None = None
        while not self._stop.is_set():
            wait_s = self._period_s
            try:
                connection = await self._beat(connection)
            except DATABASE_FAULTS as fault:
                _log.warning("beat_failed", fault=type(fault).__name__)
                _drop(connection)
                connection, wait_s = None, min(RETRY_S, self._period_s)
            await asyncio.to_thread(self._stop.wait, wait_s)
        await self._leave(connection)

    async def _beat(self, connection: "asyncpg.Connection[Any] | None") -> "asyncpg.Connection[Any]":
        started = self._monotonic()
        if connection is None or connection.is_closed():
            connection = await self._connect()
        if not self._joined.is_set():
            await connection.execute(JOIN, self._instance, self._zone_data, timeout=TIMEOUT_S)
            self._joined.set()
            self._on_beat(started)
        elif self._alive():
            if await connection.fetchval(BEAT, self._instance, timeout=TIMEOUT_S) is None:
                _log.warning("instance_was_forgotten", instance=self._instance)
                self._on_lost()
                self._joined.clear()
            else:
                self._on_beat(started)
        return connection

    async def _leave(self, connection: "asyncpg.Connection[Any] | None") -> None:
        try:
            connection = connection or await self._connect()
            await connection.execute(LEAVE, self._instance, timeout=TIMEOUT_S)
        except DATABASE_FAULTS as fault:
            _log.warning("leave_failed", fault=type(fault).__name__)
        _drop(connection)


def _drop(connection: "asyncpg.Connection[Any] | None") -> None:
    if connection is not None:
        connection.terminate()
