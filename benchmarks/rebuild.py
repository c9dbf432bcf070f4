"""
How fast views are built from the log, against a bare loop that folds and writes the same rows.

Both read the same events from the same server in the same batches and write the same present and past rows, of the
views that the bare loop builds.
"""

import argparse
import contextlib
import gc
import statistics
import time
from collections.abc import AsyncIterator, Sequence

import asyncpg
import orjson

from benchmarks import bare_views
from eventjobs.clock import SystemClock
from eventjobs.events.recorded import StreamId
from eventjobs.ids import SystemRandom
from eventjobs.log.port import Append
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.postgres_storage import SESSION
from eventjobs.log.setup import set_up
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, connect, open_pool
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.temporal import Projection
from eventjobs.runner.projector import BATCH, Projector
from eventjobs.telemetry.garbage import THRESHOLDS
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.tasks import Tasks
from tests.support.facts import Facts
from tests.support.history import History
from tests.support.views import BY, CODEC, view_rows

CHUNK = 2_000


@contextlib.asynccontextmanager
async def opened_log(url: str) -> AsyncIterator[PostgresEventLog]:
    async with await open_pool(url, role=APP_ROLE, min_size=1, max_size=4, json="bytes", settings=SESSION) as pool:
        log = PostgresEventLog(
            pool=pool,
            dial=lambda settings: connect(url, role=APP_ROLE, settings=settings),
            listen_dial=None,
            codec=CODEC,
            clock=SystemClock(),
            random=SystemRandom(),
            tasks=Tasks(),
        )
        await log.start()
        try:
            yield log
        finally:
            await log.stop()


async def fill(log: PostgresEventLog, events: int) -> int:
    """Append a made-up history of about that many events."""
    history = History(1, workspaces=("acme", "beta", "gamma"), schedules=50, jobs=4, edits=0.05)
    versions: dict[StreamId, int] = {}
    chunk: Facts = []
    for facts in history.appends(events):
        chunk += facts
        if len(chunk) >= CHUNK:
            await _append(log, chunk, versions)
            chunk = []
        if log.known_head.position >= events:
            break
    return log.known_head.position


async def _append(log: PostgresEventLog, facts: Facts, versions: dict[StreamId, int]) -> None:
    expected = {stream: versions.get(stream, 0) for stream, _ in facts}
    await log.append(Append(events=facts, expected=expected, provenance=BY))
    for stream, _ in facts:
        versions[stream] = versions.get(stream, 0) + 1


async def ours(log: PostgresEventLog, pool: TimedPool, projections: Sequence[Projection]) -> float:
    """Return the seconds of a rebuild beside the views that answer, the switch included."""
    projector = Projector(log, pool, SystemClock(), Tasks(), Metrics())
    started = time.perf_counter()
    await projector.rebuild(*(projection.name for projection in projections))
    return time.perf_counter() - started


async def bare(pool: TimedPool, head: int) -> float:
    """Return the seconds of the bare loop over the same events."""
    await empty(pool)
    started = time.perf_counter()
    await bare_views.rebuild(pool, head, BATCH)
    return time.perf_counter() - started


async def empty(pool: TimedPool) -> None:
    for projection in PROJECTIONS:
        for table in projection.tables:
            for name in table.names:
                await pool.execute(f"DELETE FROM {name}", timeout=120)
    await pool.execute("DELETE FROM view_checkpoints")


async def storage(pool: TimedPool) -> tuple[int, int]:
    """Return the rows and bytes (indexes included) of all views."""
    rows = size = 0
    for projection in PROJECTIONS:
        for table in projection.tables:
            for name in table.names:
                rows += await pool.fetchval(f"SELECT count(*) FROM {name}")
                size += await pool.fetchval("SELECT pg_total_relation_size($1::regclass)", name)
    return rows, size


async def measure(url: str, events: int, rounds: int) -> dict[str, float]:
    """Return the figures on a fresh database of which `url` is the owner's."""
    await set_up(url)
    settings = {"statement_timeout": "120s"}
    async with (
        opened_log(url) as log,
        await open_pool(url, role=APP_ROLE, min_size=2, max_size=4, settings=settings) as pool,
    ):
        head = await fill(log, events)
        await vacuum(url)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)  # for both, as the service does when it has started
        we, they = [], []
        for _ in range(rounds):
            we.append(await ours(log, pool, bare_views.BUILT))
            await vacuum(url)
            built = await view_rows(pool, bare_views.BUILT)
            they.append(await bare(pool, head))
            await vacuum(url)
            other = await view_rows(pool, bare_views.BUILT)
            if other != built:
                different = sorted(name for name in built if other[name] != built[name])
                raise RuntimeError(f"the bare loop built other rows of {', '.join(different)}")
        await ours(log, pool, PROJECTIONS)
        rows, size = await storage(pool)
        return {
            "events": head,
            "rebuild_events_per_s": head / statistics.median(we),
            "bare_events_per_s": head / statistics.median(they),
            "rebuild_vs_loop": statistics.median(they) / statistics.median(we),
            "view_rows_per_event": rows / head,
            "view_bytes_per_event": size / head,
        }


async def vacuum(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("VACUUM ANALYZE", timeout=300)
    await connection.close()


async def _main(events: int, rounds: int, url: str | None) -> None:
    if url is not None:
        print(orjson.dumps(await measure(url, events, rounds), option=orjson.OPT_INDENT_2).decode())
        return
    from eventjobs.postgres.embedded import EmbeddedPostgres
    from tests.support.database import data_folder

    with data_folder(on_disk=True) as folder:
        server = EmbeddedPostgres(folder)
        try:
            url = await server.start()
            print(orjson.dumps(await measure(url, events, rounds), option=orjson.OPT_INDENT_2).decode())
        finally:
            await server.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--url")
    arguments = parser.parse_args()
    import uvloop

    uvloop.run(_main(arguments.events, arguments.rounds, arguments.url))
