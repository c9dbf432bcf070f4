"""The server over the log and the views in Postgres, with everything that follows them."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from eventjobs.clock import Clock
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.events import EVENT_TYPES
from eventjobs.ids import SystemRandom
from eventjobs.log.codec import Codec
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.postgres_storage import SESSION
from eventjobs.postgres.lines import PostgresLines
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import Connection, connect, open_pool
from eventjobs.projections.counted import ViewedCounts
from eventjobs.projections.views import Views
from eventjobs.runner.projector import Projector
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.tasks import Tasks
from tests.api.rig import Rig, ShiftedClock, started


@asynccontextmanager
async def on_postgres(url: str, *, clock: Clock | None = None, **changed: Any) -> AsyncIterator[Rig]:
    """Start a server on a migrated database."""
    tasks, clock = Tasks(), clock or ShiftedClock()

    async def dial(session: Mapping[str, str]) -> Connection:
        return await connect(url, role=APP_ROLE, settings=session)

    async with (
        await open_pool(url, role=APP_ROLE, min_size=1, max_size=4) as pool,
        await open_pool(url, role=APP_ROLE, min_size=1, max_size=4, settings=SESSION) as reading,
    ):
        log = PostgresEventLog(
            pool=reading,
            dial=dial,
            listen_dial=dial,
            codec=Codec(EVENT_TYPES),
            clock=clock,
            random=SystemRandom(),
            tasks=tasks,
        )
        await log.start()
        projector = Projector(log, pool, clock, tasks, Metrics())
        _ = tasks.start(projector.run(), name="projector")
        parts = {
            "dispatcher": Dispatcher(log, source=ViewedCounts(pool)),
            "views": Views(pool),
            "following": projector,
            "log_lines": PostgresLines(pool),
            "read_stored": log.read_stored,
            "tasks": tasks,
            "clock": clock,
            **changed,
        }
        try:
            async with started(log=log, **parts) as rig:
                yield rig
        finally:
            await log.stop()
            await tasks.cancel_all()
