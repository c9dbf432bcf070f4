"""
T15, rebuild identity: each view built again at any moment, by other processes, in other sizes, is the same to the byte.

The log comes from a real, busy fleet. Rebuilds go on while it grows, some are killed half way; in the end the digests
of all of them are compared.
"""

import asyncio
import hashlib
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

import orjson

from eventjobs.clock import SystemClock
from eventjobs.events import EVENT_TYPES
from eventjobs.ids import SystemRandom
from eventjobs.log.codec import Codec
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.postgres_storage import SESSION
from eventjobs.log.upcasts import UPCASTS
from eventjobs.postgres.pool import Connection, connect, open_pool
from eventjobs.runner.projector import Projector
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.tasks import Tasks
from tests.chaos.figures import REPOSITORY, Figures
from tests.chaos.fleet import end
from tests.chaos.scene import Scene, beside, busy
from tests.chaos.storm import compare, settle
from tests.support.views import project_all, view_rows

SIZES: Final = (1, 7, 50, 333, 2_000)
ZONES: Final = ("UTC", "Pacific/Apia", "America/St_Johns")


@dataclass(frozen=True, slots=True)
class Size:
    """How many rebuilds while the log grows, and how many once it does not; one in four is killed."""

    growing: int
    still: int


SHORT: Final = Size(growing=1, still=2)


def long(minutes: float) -> Size:
    """Four or five a minute."""
    return Size(growing=max(8, round(minutes * 2)), still=max(10, round(minutes * 3)))


async def run(seed: int, size: Size, command: str) -> Figures:
    """Make a history, and build its views again and again."""
    figures, chance = Figures("T15 rebuild identity", ("P15",), seed, command), Random(seed)
    began = time.monotonic()
    async with busy(2, 4, chance) as scene:
        async with beside(scene.work.run_for_ever(0.05)):
            for _ in range(size.growing):
                await asyncio.sleep(chance.uniform(0.2, 1.5))
                await _rebuild(figures, scene, chance, kills=chance.random() < 0.25)
        await settle(figures, scene)
        compare(figures, scene)
        codes = await scene.fleet.stop()
        figures.expect(all(code == 0 for code in codes), f"exit codes {codes}")
        expected = await _rebuild(figures, scene, chance, follow_only=True)
        for number in range(size.still):
            if number % 4 == 1:
                await _rebuild(figures, scene, chance, kills=True)
            found = await _rebuild(figures, scene, chance)
            if found != expected:
                figures.duplicated += 1
                differing = sorted(name for name in {*expected, *found} if found.get(name) != expected.get(name))
                figures.wrong.append(f"built again, other rows are in {', '.join(differing)}")
    figures.figures["events in the log"] = scene.log.position
    figures.figures["mismatches"] = figures.duplicated
    figures.expect(figures.sometimes["rebuild killed half way"] > 0 or not size.still > 1, "no rebuild was killed")
    figures.seconds = time.monotonic() - began
    return figures


async def _rebuild(
    figures: Figures, scene: Scene, chance: Random, *, kills: bool = False, follow_only: bool = False
) -> Mapping[str, str]:
    """Build all views in a process of its own and return the digests of their tables; or kill it on the way."""
    batch, zone, seed = chance.choice(SIZES[2:] if kills else SIZES[1:]), chance.choice(ZONES), chance.randrange(10**6)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.chaos.rebuilds", scene.url, "0" if follow_only else str(batch)),
        env={**os.environ, "PYTHONHASHSEED": str(seed), "TZ": zone, "LC_ALL": "C"},
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        if kills:
            assert process.stdout is not None
            await process.stdout.readline()
            await asyncio.sleep(chance.uniform(0.0, 0.3))
            if process.returncode is None:
                figures.saw("rebuild killed half way")
            return {}
        said, errors = await process.communicate()
    finally:
        await end(process)
    if process.returncode != 0:
        figures.wrong.append(f"a rebuild ended with {process.returncode}: {errors.decode()[-500:]}")
        return {}
    figures.figures["rebuilds"] = figures.figures.get("rebuilds", 0) + (not follow_only)
    digests: Mapping[str, str] = orjson.loads(said.splitlines()[-1])
    return digests


async def build_and_digest(url: str, batch: int) -> Mapping[str, str]:
    """
    Build all views again in batches of that size and return the digest of each table's rows.

    With 0 they are only followed to the head of the log: who was stopped last may have written more than was shown.
    """
    tasks, clock = Tasks(), SystemClock()

    async def dial(session: Mapping[str, str]) -> Connection:
        return await connect(url, role=None, settings=session)

    async with await open_pool(url, role=None, min_size=1, max_size=4, settings=SESSION) as pool:
        log = PostgresEventLog(
            pool=pool,
            dial=dial,
            listen_dial=None,
            codec=Codec(EVENT_TYPES, UPCASTS),
            clock=clock,
            random=SystemRandom(),
            tasks=tasks,
        )
        await log.start()
        try:
            projector = Projector(log, pool, clock, tasks, Metrics(), batch=batch or SIZES[-1])
            await (projector.rebuild() if batch else project_all(projector))
            rows = await view_rows(pool)
        finally:
            await log.stop()
            await tasks.cancel_all()
    return {name: hashlib.sha256("\n".join(lines).encode()).hexdigest() for name, lines in rows.items()}


if __name__ == "__main__":
    print("started", flush=True)  # noqa: T201
    print(orjson.dumps(asyncio.run(build_and_digest(sys.argv[1], int(sys.argv[2])))).decode())  # noqa: T201
