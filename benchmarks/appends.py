"""
How fast the log appends, beside the database's own ways of taking the same rows.

COPY and the INSERT per event write rows with the log's columns into a table of the log's schema, in a database of their
own on the same server; their rows are made in the clock, but their hashes are constant, so they do less than the log.
All ways take turns, and each ratio is a median of the rounds.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import orjson
import uvloop

from eventjobs.events.log import LogCreated
from eventjobs.events.recorded import Provenance, StreamId
from eventjobs.ids import SystemRandom
from eventjobs.log.clock import DatabaseClock
from eventjobs.log.codec import Codec
from eventjobs.log.port import Append, Receipt
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.postgres_storage import SESSION
from eventjobs.log.setup import set_up
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import Connection, connect, open_pool
from eventjobs.telemetry.garbage import THRESHOLDS
from eventjobs.telemetry.tasks import Tasks

ROUNDS = 5
SECONDS = 1.0
COPY_ROWS = 5_000
BATCH = 256
BATCH_CALLERS = 4
INSERT_POOL = 16

COLUMNS = "position workspace stream version type schema at actor command_id causation correlation data leaf chain"
INSERT = (
    f"INSERT INTO events ({', '.join(COLUMNS.split())}) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
)
BY = Provenance(
    actor="key:bench", command_id="0192f0c1-0000-7000-8000-000000000001", correlation="0192f0c1-0000-7000-8000-2"
)
HASH = bytes(range(32))
AT = datetime(2026, 1, 1, tzinfo=UTC)

Way = Callable[[], Awaitable[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TryEnded:
    """A fact of a usual size: about 310 bytes of JSON."""

    TYPE: ClassVar[str] = "bench.try_ended"
    SCHEMA: ClassVar[int] = 1

    row: int
    attempt: int
    term: int
    state: str
    reason: str | None = None
    counts: Mapping[str, int]
    text: str
    log_lines: int
    log_sha256: str


def an_event(number: int) -> TryEnded:
    """Make a fact."""
    return TryEnded(
        row=number % 50,
        attempt=1,
        term=1,
        state="succeeded",
        counts={"processed": number, "added": number, "updated": 0, "rejected": 0},
        text="all rows of the file are in the table now",
        log_lines=12,
        log_sha256="a3f5" * 16,
    )


@dataclass
class Log:
    """Appends through the log, each caller in streams of its own."""

    log: PostgresEventLog
    streams: "count[int]"
    name: str = ""

    async def appends(self, callers: int, events: int, *, receipts: bool = False) -> float:
        """Append for a while; return events per second."""
        deadline = time.perf_counter() + SECONDS

        async def caller() -> int:
            name = f"run:{self.name}{next(self.streams)}"
            stream, version = StreamId("bench", name), 0
            while time.perf_counter() < deadline:
                kept = [Receipt(key=f"bench/{name}/{version}", body_hash=HASH, status=201, answer=b"{}")]
                facts = [(stream, an_event(version + number)) for number in range(events)]
                await self.log.append(
                    Append(
                        events=facts,
                        expected={stream: version},
                        provenance=BY,
                        receipts=kept if receipts else (),
                        read_at={stream: 1},
                    )
                )
                version += events
            return version

        started = time.perf_counter()
        written = sum(await asyncio.gather(*(caller() for _ in range(callers))))
        return written / (time.perf_counter() - started)


@dataclass
class Raw:
    """The same rows without the log."""

    pool: asyncpg.Pool
    positions: "count[int]"
    streams: "count[int]"

    def row(self, stream: str, version: int) -> tuple[Any, ...]:
        """One row, made from an event as the log's rows are."""
        event = an_event(version)
        data = orjson.dumps(event, option=orjson.OPT_UTC_Z).decode()
        position = next(self.positions)
        who = (BY.actor, BY.command_id, None, BY.correlation)
        return position, "bench", stream, version, event.TYPE, event.SCHEMA, AT, *who, data, HASH, HASH

    async def copies(self, size: int) -> float:
        """COPY for a while, `size` rows at a time."""
        async with self.pool.acquire() as connection:
            started, written = time.perf_counter(), 0
            while time.perf_counter() - started < SECONDS:
                stream = f"run:{next(self.streams)}"
                rows = [self.row(stream, version) for version in range(1, size + 1)]
                await connection.copy_records_to_table("events", records=rows, columns=COLUMNS.split())
                written += size
        return written / (time.perf_counter() - started)

    async def inserts(self, callers: int) -> float:
        """One autocommit INSERT per event, over a pool."""
        deadline = time.perf_counter() + SECONDS

        async def caller() -> int:
            stream, version = f"run:{next(self.streams)}", 0
            while time.perf_counter() < deadline:
                version += 1
                async with self.pool.acquire() as connection:
                    await connection.execute(INSERT, *self.row(stream, version))
            return version

        started = time.perf_counter()
        written = sum(await asyncio.gather(*(caller() for _ in range(callers))))
        return written / (time.perf_counter() - started)


async def measure(url: str) -> dict[str, Any]:
    """
    Return `figures` (ratios) and `raw` (events per second, medians); `url` is an owner's, of a durable server.

    Two databases are made beside the URL's own and dropped again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)  # for all ways, as the service does when it has started
    async with (
        database(url, "bench_log") as log_url,
        database(url, "bench_raw") as raw_url,
        opened_log(log_url) as log,
        _raw(raw_url) as raw,
    ):
        ways: dict[str, Way] = {
            "copy": lambda: raw.copies(COPY_ROWS),
            "copy_256": lambda: raw.copies(BATCH),
            "insert_64": lambda: raw.inserts(64),
            "append_single_1": lambda: log.appends(1, 1),
            "append_single_64": lambda: log.appends(64, 1),
            "append_single_64_receipts": lambda: log.appends(64, 1, receipts=True),
            "append_single_256": lambda: log.appends(256, 1),
            "append_batch_256": lambda: log.appends(BATCH_CALLERS, BATCH),
        }
        rounds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, way in ways.items():
                rounds[name].append(await way())
    return {"figures": _figures(rounds), "raw": {name: round(statistics.median(got)) for name, got in rounds.items()}}


def _figures(rounds: Mapping[str, list[float]]) -> dict[str, float]:
    def ratio(name: str, to: str) -> float:
        return round(statistics.median(a / b for a, b in zip(rounds[name], rounds[to], strict=True)), 3)

    return {
        "append_single_64_vs_copy": ratio("append_single_64", "copy"),
        "append_single_64_vs_insert": ratio("append_single_64", "insert_64"),
        "append_batch_256_vs_copy": ratio("append_batch_256", "copy"),
    }


@asynccontextmanager
async def database(url: str, name: str) -> AsyncIterator[str]:
    async def run(sql: str) -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(sql)
        finally:
            await connection.close()

    await run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    await run(f'CREATE DATABASE "{name}"')
    try:
        made = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        await set_up(made)
        yield made
    finally:
        await run(f'DROP DATABASE "{name}" WITH (FORCE)')


@asynccontextmanager
async def opened_log(url: str) -> AsyncIterator[Log]:
    async def dial(settings: Mapping[str, str]) -> Connection:
        return await connect(url, role=APP_ROLE, settings=settings)

    tasks = Tasks()
    async with await open_pool(url, role=APP_ROLE, min_size=1, max_size=4, settings=SESSION) as pool:
        clock = DatabaseClock(pool)
        await clock.start(tasks)
        log = PostgresEventLog(
            pool=pool,
            dial=dial,
            listen_dial=dial,
            codec=Codec((LogCreated, TryEnded)),
            clock=clock,
            random=SystemRandom(),
            tasks=tasks,
        )
        await log.start()
        try:
            yield Log(log, count(1))
        finally:
            await log.stop()
            await tasks.cancel_all()


@asynccontextmanager
async def _raw(url: str) -> AsyncIterator[Raw]:
    async with await open_pool(url, role=APP_ROLE, min_size=INSERT_POOL, max_size=INSERT_POOL) as pool:
        yield Raw(pool, count(2), count(1))


async def _main(url: str | None) -> None:
    if url is not None:
        print(json.dumps(await measure(url), indent=2))
        return
    with tempfile.TemporaryDirectory(prefix="eventjobs-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101
        postgres = EmbeddedPostgres(Path(folder) / "data")
        try:
            print(json.dumps(await measure(await postgres.start()), indent=2))
        finally:
            await postgres.stop()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description="Measure appends beside COPY and INSERT.")
    arguments.add_argument("--url", help="an owner's URL; without it an embedded server is started")
    uvloop.run(_main(arguments.parse_args().url))
