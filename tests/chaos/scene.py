"""What a suite of faults plays with: instances, their Postgres, the counter, clients, and the log's reader."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import aiohttp

from eventjobs.postgres.embedded import EmbeddedPostgres
from tests.chaos.fleet import Counter, Disk, Fleet, counting, postgres, sailing, scratch
from tests.chaos.journal import Journal, Retrying
from tests.chaos.oracle import LogReader
from tests.chaos.workload import Workload, environment


@dataclass(frozen=True, slots=True)
class Scene:
    """One busy workspace on several instances."""

    folder: Path
    counter: Counter
    server: EmbeddedPostgres
    fleet: Fleet
    session: aiohttp.ClientSession
    journal: Journal
    log: LogReader
    work: Workload

    @property
    def url(self) -> str:
        """The database's, of its owner."""
        return self.server.url


@asynccontextmanager
async def busy(
    instances: int,
    schedules: int,
    chance: Random,
    *,
    server_settings: Mapping[str, str] | None = None,
    disk: Disk = nullcontext,
) -> AsyncIterator[Scene]:
    """Set the scene, and leave nothing of it behind."""
    with scratch() as folder, Journal(folder / "journal.jsonl") as journal:
        async with (
            counting(folder) as counter,
            postgres(folder, server_settings, disk) as server,
            sailing(folder, instances, environment(server.url, counter)) as (fleet, session),
        ):
            urls = [member.url for member in fleet.members]
            client = Retrying(session, lambda: urls, journal, Random(chance.random()))
            work = Workload(client, journal, counter, Random(chance.random()))
            await work.set_up(schedules)
            yield Scene(folder, counter, server, fleet, session, journal, LogReader(), work)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """Run something beside the block and end it with the block."""
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
