"""The log in Postgres: one appender, the newest part in memory, everything else read from the table."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

import structlog

from eventjobs.clock import Clock
from eventjobs.errors import LogFault, LogUnavailable, NotFound, Rejected
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.ids import Random
from eventjobs.log.appender import Appender
from eventjobs.log.codec import Codec
from eventjobs.log.follower import Follower
from eventjobs.log.port import EVERYTHING, Append, Appended, Filter, Head, StoredReceipt
from eventjobs.log.postgres_storage import Dial, PostgresStorage
from eventjobs.log.prepared import prepare
from eventjobs.log.tail import Tail
from eventjobs.log.versions import GENERATION
from eventjobs.postgres.pool import TimedPool
from eventjobs.telemetry.tasks import Tasks

PARTITIONS_CHECKED_EVERY_S: Final = 60.0
STOP_S: Final = 10.0

_log: Final = structlog.get_logger("eventjobs.log")


class PostgresEventLog:
    """
    `EventLog` on one database, shared with any number of other processes.

    `dial` opens the appender's connection, `listen_dial` the one that listens (`None`: the server cannot, and the poll
    must do); that one has to lead to the server itself, not to a pooler. `pool` is for reading and should have been
    opened with `postgres_storage.SESSION`.
    """

    def __init__(
        self,
        *,
        pool: TimedPool,
        dial: Dial,
        listen_dial: Dial | None,
        codec: Codec,
        clock: Clock,
        random: Random,
        tasks: Tasks,
        copy: bool = True,
        generation: int = GENERATION,
    ) -> None:
        self._storage = PostgresStorage(pool, dial, codec, copy=copy)
        self._listen_dial = listen_dial
        self._codec = codec
        self._clock = clock
        self._random = random
        self._tasks = tasks
        self._generation = generation
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Read the head and begin to write and to follow; raises `LogUnavailable` if there is no log to begin with."""
        head = await self._storage.head()
        if head is None:
            raise LogUnavailable("the log has no first position; run 'eventjobs migrate'")
        self._tail = Tail(head)
        self._appender = Appender(
            storage=self._storage,
            tail=self._tail,
            codec=self._codec,
            clock=self._clock,
            random=self._random,
            tasks=self._tasks,
            generation=self._generation,
        )
        follower = Follower(reads=self._storage, tail=self._tail, appender=self._appender, clock=self._clock)
        self._writing = self._tasks.start(self._appender.run(), name="log-appender")
        self._running = [
            self._tasks.keep(follower.follow, name="log-follower", sleep=self._clock.sleep),
            self._tasks.keep(self._keep_partitions, name="log-partitions", sleep=self._clock.sleep),
        ]
        if self._listen_dial is not None:
            listen = partial(follower.listen, self._listen_dial)
            self._running.append(self._tasks.keep(listen, name="log-listener", sleep=self._clock.sleep))

    async def stop(self) -> None:
        """Write what is queued, take no more, and let go of the database."""
        self._appender.close()
        await asyncio.wait([self._writing], timeout=STOP_S)
        for task in (self._writing, *self._running):
            task.cancel()
        await asyncio.wait([self._writing, *self._running])
        await self._storage.close()

    async def append(self, append: Append) -> Appended:
        """Write the facts, or answer with the receipt that already carries a key of the append."""
        prepared = prepare(self._codec, append)
        self._appender.put(prepared)
        return await prepared.done

    async def append_each(self, appends: Sequence[Append]) -> Sequence[Appended | Rejected | LogFault]:
        """Write appends, each by itself; they are queued at once, and so share a commit."""
        return [await _outcome(one) for one in [self._queued(append) for append in appends]]

    def _queued(self, append: Append) -> "asyncio.Future[Appended] | Rejected":
        try:
            prepared = prepare(self._codec, append)
        except Rejected as refusal:
            return refusal
        self._appender.put(prepared)
        return prepared.done

    async def read_streams(self, wanted: Sequence[tuple[StreamId, int]]) -> Mapping[StreamId, Sequence[Recorded[Any]]]:
        """Return the facts of each stream after the given version, in order, from one snapshot."""
        return await self._storage.read_streams(wanted)

    async def read(
        self,
        after: int,
        limit: int,
        *,
        before: int | None = None,
        matching: Filter = EVERYTHING,
    ) -> Sequence[Recorded[Any]]:
        """
        Return up to `limit` facts with `after < position < before`, ascending.

        What follows a position that this process still remembers comes from memory, up to the known head.
        """
        known = self._tail.between(after, before) if after < self._tail.head.position else None
        if known is None:
            return await self._storage.read(after, limit, before, matching)
        if matching == EVERYTHING:
            return known[:limit]
        return _matching(known, matching, limit)

    async def read_back(
        self, before: int, limit: int, *, stream: StreamId, types: Sequence[str]
    ) -> Sequence[Recorded[Any]]:
        """Return up to `limit` facts of these types in a stream with `position < before`, the last one first."""
        return await self._storage.read_back(before, limit, stream, types)

    async def read_stored(self, after: int, limit: int) -> Sequence[Recorded[Any]]:
        """Return up to `limit` facts after a position as storage holds them now, nothing from memory."""
        return await self._storage.read(after, limit, None, EVERYTHING)

    async def head(self) -> Head:
        """Return the newest head, from storage."""
        head = await self._storage.head()
        if head is None:
            raise LogUnavailable("the log is empty")
        return head

    @property
    def known_head(self) -> Head:
        """The head as this process knows it, without asking."""
        return self._tail.head

    @property
    def lost_races(self) -> int:
        """How often another process wrote first, since the start."""
        return self._appender.lost_races

    async def wait_beyond(self, position: int, timeout_s: float) -> int:
        """Wait until the known head is above `position` or the time is over; return the known head's position."""
        return await self._tail.wait_beyond(position, timeout_s)

    async def find_receipt(self, key: str) -> StoredReceipt | None:
        """Return the receipt under `key`."""
        recent = self._appender.replays.find_recent(key)
        return recent if recent is not None else (await self._storage.find_receipts([key])).get(key)

    async def position_at(self, instant: datetime) -> int:
        """Return the last position whose time is at or before `instant` (0: none)."""
        return await self._storage.position_at(instant)

    async def at_of(self, position: int) -> datetime:
        """Return the time of a position; raises `NotFound` if it does not exist."""
        fact = self._tail.find(position)
        at = fact.at if fact is not None else await self._storage.at_of(position)
        if at is None:
            raise NotFound("position_unknown", f"there is no position {position}")
        return at

    async def _keep_partitions(self) -> None:
        while True:
            try:
                await self._storage.extend_log()
            except LogFault as fault:
                _log.warning("log_not_extended", detail=str(fault))
            await self._clock.sleep(PARTITIONS_CHECKED_EVERY_S)


async def _outcome(done: "asyncio.Future[Appended] | Rejected") -> Appended | Rejected | LogFault:
    try:
        return done if isinstance(done, Rejected) else await done
    except LogFault as fault:
        return fault


def _matching(facts: Sequence[Recorded[Any]], wanted: Filter, limit: int) -> Sequence[Recorded[Any]]:
    if wanted is EVERYTHING:
        return facts[:limit]
    found: list[Recorded[Any]] = []
    for fact in facts:
        if wanted.matches(fact):
            found.append(fact)
            if len(found) == limit:
                break
    return found
