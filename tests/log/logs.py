"""Logs to test with: on Postgres, as the service opens them, or with every speed-up of the server off."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from eventjobs.clock import Clock, SystemClock
from eventjobs.ids import SystemRandom
from eventjobs.log.codec import Codec
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.postgres_storage import SESSION
from eventjobs.log.versions import GENERATION
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import Connection, connect, open_pool
from eventjobs.telemetry.tasks import Tasks
from tests.log.facts import CODEC


@asynccontextmanager
async def postgres_log(
    url: str,
    *,
    codec: Codec = CODEC,
    clock: Clock | None = None,
    listen: bool = True,
    copy: bool = True,
    generation: int = GENERATION,
) -> AsyncIterator[PostgresEventLog]:
    """An instance's log on a database that was set up."""

    async def dial(settings: Mapping[str, str]) -> Connection:
        return await connect(url, role=APP_ROLE, settings=settings)

    tasks = Tasks()
    async with await open_pool(url, role=APP_ROLE, min_size=1, max_size=4, settings=SESSION) as pool:
        log = PostgresEventLog(
            pool=pool,
            dial=dial,
            listen_dial=dial if listen else None,
            codec=codec,
            clock=clock or SystemClock(),
            random=SystemRandom(),
            tasks=tasks,
            copy=copy,
            generation=generation,
        )
        await log.start()
        try:
            yield log
        finally:
            await log.stop()
            assert await tasks.cancel_all() == []
