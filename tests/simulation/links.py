"""One instance's connections to the simulated database, as the ports that the service knows."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from eventjobs.clock import Clock
from eventjobs.errors import LogFull, LogUnavailable
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.ids import Random
from eventjobs.log.batch import Batch
from eventjobs.log.port import EVERYTHING, Filter, Head, StoredReceipt
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.storage import LinkLost, Written
from eventjobs.projections.outbox import DueNotification
from eventjobs.projections.upcoming import DueTimer, OpenRun
from eventjobs.runner.ports import Line
from eventjobs.telemetry.tasks import Tasks
from tests.simulation.database import Database, DiskFull, LinkDown, ReadOnly
from tests.simulation.machines import Machine

T = TypeVar("T")
READ_MAX = 1_000
BEAT_TIMEOUT_S = 2.0
VIEWS_S = 0.25
"""How often it is looked whether the views are as far as is waited for."""
FIRST_PARTITIONS_END = 10_000_001


class Storage:
    """`log.storage.Storage` and the reads beside it."""

    def __init__(self, database: Database, machine: Machine) -> None:
        self._database = database
        self._machine = machine

    async def write(self, batch: Batch) -> Written:
        try:
            return await self._database.call(self._machine, lambda: self._database.commit(batch), writes=True)
        except DiskFull as fault:
            raise LogFull(str(fault)) from fault
        except ReadOnly as fault:
            raise LogUnavailable(str(fault)) from fault
        except LinkDown as fault:
            raise LinkLost(str(fault)) from fault

    async def _read(self, work: Callable[[], T]) -> T:
        try:
            return await self._database.call(self._machine, work)
        except OSError as fault:
            raise LogUnavailable(str(fault)) from fault

    async def holds(self, head: Head) -> bool:
        return await self._read(lambda: self._database.holds(head))

    async def find_versions(self, streams: Sequence[StreamId]) -> Mapping[StreamId, int]:
        return await self._read(lambda: {stream: len(self._database.streams.get(stream, ())) for stream in streams})

    async def find_receipts(self, keys: Sequence[str]) -> Mapping[str, StoredReceipt]:
        found = self._database.receipts
        return await self._read(lambda: {key: found[key] for key in keys if key in found})

    async def read_after(self, position: int) -> Sequence[Recorded[Any]]:
        return await self._read(lambda: self._database.facts[position : position + READ_MAX])

    async def head(self) -> Head:
        return await self._read(lambda: self._database.head)

    async def read(self, after: int, limit: int, before: int | None, matching: Filter) -> Sequence[Recorded[Any]]:
        def work() -> Sequence[Recorded[Any]]:
            facts = self._database.facts[after : None if before is None else max(before - 1, 0)]
            return facts[:limit] if matching == EVERYTHING else [f for f in facts if matching.matches(f)][:limit]

        return await self._read(work)

    async def read_streams(self, wanted: Sequence[tuple[StreamId, int]]) -> Mapping[StreamId, Sequence[Recorded[Any]]]:
        streams = self._database.streams
        return await self._read(lambda: {stream: streams.get(stream, [])[after:] for stream, after in wanted})

    async def read_back(
        self, before: int, limit: int, stream: StreamId | None, types: Sequence[str]
    ) -> Sequence[Recorded[Any]]:
        def work() -> Sequence[Recorded[Any]]:
            facts = self._database.facts if stream is None else self._database.streams.get(stream, [])
            found = (fact for fact in reversed(facts) if fact.position < before and fact.type in types)
            return list(islice(found, limit))

        return await self._read(work)

    async def position_at(self, instant: datetime) -> int:
        return await self._read(lambda: self._database.position_at(instant))

    async def at_of(self, position: int) -> datetime | None:
        facts = self._database.facts
        return await self._read(lambda: facts[position - 1].at if 0 < position <= len(facts) else None)

    async def extend_log(self) -> int:
        return await self._read(lambda: FIRST_PARTITIONS_END)

    async def close(self) -> None:
        """Nothing is held open here."""


class ListeningLink:
    """The connection that hears of others' writes."""

    def __init__(self, database: Database, machine: Machine) -> None:
        self._database = database
        self._machine = machine

    async def add_listener(self, channel: str, hear: Callable[..., None]) -> None:
        def listen() -> None:
            self._database.listeners[self._machine] = lambda payload: hear(self, 0, channel, payload)

        await self._database.call(self._machine, listen)

    async def execute(self, _query: str, *arguments: Any) -> None:
        def work() -> None:
            if arguments:
                self._database.notify(str(arguments[1]))

        await self._database.call(self._machine, work)

    def terminate(self) -> None:
        self._database.listeners.pop(self._machine, None)


class SimulatedLog(PostgresEventLog):
    """The log as the service has it, appender, tail and follower included, on the simulated database."""

    def __init__(
        self, database: Database, machine: Machine, clock: Clock, random: Random, tasks: Tasks, *, kept: int
    ) -> None:
        async def listen_dial(_settings: Mapping[str, str]) -> Any:
            link = ListeningLink(database, machine)
            await database.call(machine, lambda: None)
            return link

        nothing: Any = None
        super().__init__(
            pool=nothing,
            dial=nothing,
            listen_dial=listen_dial,
            codec=database.codec,
            clock=clock,
            random=random,
            tasks=tasks,
            generation=kept,
        )
        self._storage = Storage(database, machine)  # type: ignore[assignment]


class ClockPool:
    """A pool whose connections can read the database's clock, which is all that `DatabaseClock` asks."""

    def __init__(self, database: Database, machine: Machine) -> None:
        self._database = database
        self._machine = machine

    @asynccontextmanager
    async def acquire(self) -> Any:
        yield self

    async def fetchval(self, _query: str, timeout: float) -> datetime:
        return await self._database.call(self._machine, self._database.now, timeout_s=timeout)


class Reads:
    """What ticker and rescuer read of the views, and the beats."""

    def __init__(self, database: Database, machine: Machine) -> None:
        self._database = database
        self._machine = machine

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        return await self._database.call(self._machine, lambda: self._database.due(until, limit))

    async def outdated(self, zone_data: str, limit: int) -> Sequence[StreamId]:
        return await self._database.call(self._machine, lambda: self._database.outdated(zone_data, limit))

    async def open_runs(self) -> Sequence[OpenRun]:
        return await self._database.call(self._machine, lambda: list(self._database.views.runs.values()))


class Outbox:
    """What notifier and alarms read of the views, and where the mark of alarms or reports is kept."""

    def __init__(self, database: Database, machine: Machine, mark: str = "alarms") -> None:
        self._database = database
        self._machine = machine
        self._mark = mark

    async def due(self, until: datetime, each: int, limit: int) -> Sequence[DueNotification]:
        return await self._database.call(self._machine, lambda: self._database.due_messages(until, each, limit))

    async def watched(self) -> Sequence[StreamId]:
        return await self._database.call(self._machine, lambda: sorted(self._database.views.watched))

    async def find(self) -> int | None:
        return await self._database.call(self._machine, lambda: self._database.marks.get(self._mark))

    async def save(self, position: int) -> None:
        def work() -> None:
            self._database.marks[self._mark] = position

        await self._database.call(self._machine, work, writes=True)

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        until = self._database.loop.time() + timeout_s
        while not (are_there := self._database.views.position >= position) and self._database.loop.time() < until:
            await asyncio.sleep(VIEWS_S)
        return are_there


class Roster:
    """The table of instances, with their beats."""

    def __init__(self, database: Database, machine: Machine) -> None:
        self._database = database
        self._machine = machine
        self.withdrawn: Collection[str] = frozenset()

    async def read(self) -> Mapping[str, int]:
        database = self._database
        work = lambda: (dict(database.beats), frozenset(database.withdrawn))  # noqa: E731
        beats, self.withdrawn = await database.call(self._machine, work, timeout_s=BEAT_TIMEOUT_S)
        return beats

    async def withdraw(self, instance: str) -> None:
        database = self._database
        work = lambda: database.withdrawn.add(instance)  # noqa: E731
        await database.call(self._machine, work, writes=True, timeout_s=BEAT_TIMEOUT_S)

    async def forget(self, instance: str, beat: int) -> None:
        def work() -> None:
            if self._database.beats.get(instance) == beat:
                self._database.leave(instance)
                self._database.seen.note("instance_forgotten")

        await self._database.call(self._machine, work, writes=True, timeout_s=BEAT_TIMEOUT_S)


class Kept:
    """Snapshots of streams, and log lines."""

    def __init__(self, database: Database, machine: Machine) -> None:
        self._database = database
        self._machine = machine

    async def find(self, streams: Sequence[StreamId]) -> Mapping[StreamId, tuple[int, bytes]]:
        kept = self._database.snapshots
        wanted = [stream for stream in streams if stream in kept]
        try:
            return await self._database.call(self._machine, lambda: {stream: kept[stream] for stream in wanted})
        except OSError:  # as `PostgresSnapshots` has it: a cache, never the truth
            return {}

    async def save(self, stream: StreamId, version: int, state: bytes) -> None:
        def work() -> None:
            if self._database.snapshots.get(stream, (0, b""))[0] < version:
                self._database.snapshots[stream] = (version, state)
                self._database.seen.note("snapshot_kept")

        await self._database.call(self._machine, work, writes=True)

    async def write(self, workspace: str, run: str, row: int, attempt: int, lines: Sequence[Line]) -> None:
        def work() -> None:
            self._database.lines[workspace, run, row, attempt] = max(line.line for line in lines)

        await self._database.call(self._machine, work, writes=True)
