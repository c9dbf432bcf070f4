"""Commands on a database to which no service is connected, by the system itself."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from eventjobs.clock import Clock
from eventjobs.commands.context import Context, Limits
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.events import EVENT_TYPES
from eventjobs.events.recorded import Recorded
from eventjobs.handlers.registry import Registry
from eventjobs.ids import SystemIds, SystemRandom
from eventjobs.log.clock import DatabaseClock
from eventjobs.log.codec import Codec
from eventjobs.log.port import EVERYTHING, EventLog, Filter
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.postgres_storage import SESSION
from eventjobs.log.upcasts import UPCASTS
from eventjobs.postgres.pool import Connection, connect, open_pool
from eventjobs.runner.catalog import Catalog
from eventjobs.telemetry.tasks import Tasks

ACTOR = "system"


@dataclass(frozen=True, slots=True)
class Offline:
    """A log, and a way to command on it."""

    _log: PostgresEventLog
    _clock: Clock
    _dispatcher: Dispatcher

    @property
    def log(self) -> EventLog:
        """The log itself."""
        return self._log

    @property
    def position(self) -> int:
        """The log's last position."""
        return self._log.known_head.position

    async def read(self, after: int, limit: int) -> Sequence[Recorded[Any]]:
        """Return up to `limit` facts after a position as they are stored."""
        return await self._log.read_stored(after, limit)

    async def facts(self, after: int, limit: int, matching: Filter = EVERYTHING) -> Sequence[Recorded[Any]]:
        """Return up to `limit` facts of these kinds after a position."""
        return await self._log.read(after, limit, matching=matching)

    async def do(self, workspace: str, spec: CommandSpec[Any], command: CommandFields) -> None:
        """Carry a command out; raises `Rejected` when it is refused."""
        ids = SystemIds()
        context = Context(
            workspace=workspace,
            now=self._clock.now(),
            actor=ACTOR,
            command_id=ids.new(),
            ids=ids,
            random=SystemRandom(),
            instance=ACTOR,
            catalog=Catalog(Registry.load({})),
            limits=Limits(),
        )
        await self._dispatcher.dispatch(spec, command, context)


@asynccontextmanager
async def offline(url: str, role: str) -> AsyncIterator[Offline]:
    """Yield the log in a database that is at this version; `role` is the application's."""
    tasks = Tasks()

    async def dial(settings: Mapping[str, str]) -> Connection:
        return await connect(url, role=role, settings=settings)

    async with await open_pool(url, role=role, min_size=1, max_size=2, settings=SESSION) as pool:
        clock = DatabaseClock(pool)
        await clock.start(tasks)
        log = PostgresEventLog(
            pool=pool, dial=dial, listen_dial=None, codec=Codec(EVENT_TYPES, UPCASTS), clock=clock,
            random=SystemRandom(), tasks=tasks,
        )  # fmt: skip
        await log.start()
        try:
            yield Offline(log, clock, Dispatcher(log))
        finally:
            await log.stop()
            await tasks.cancel_all()
