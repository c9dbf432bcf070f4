"""
T8, clock steps: the clocks of Postgres and of each instance jump, each by its own amounts, under libfaketime.

Due moments on the grid of minutes are walked from outside: each has one answer, none comes early by the clock that the
log goes by, and nothing runs again after a step back.
"""

import asyncio
import stat
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

import aiohttp
import asyncpg

from eventjobs.postgres.binaries import Binaries, find_binaries, inspect
from eventjobs.postgres.embedded import EmbeddedPostgres
from tests.acceptance.instance import ADMIN_KEY
from tests.chaos.figures import Figures
from tests.chaos.fleet import Serve, counting, scratch
from tests.chaos.journal import Journal, Retrying
from tests.chaos.oracle import LogReader
from tests.chaos.storm import audits
from tests.chaos.workload import Workload, environment, judge
from tests.support.waiting import eventually

LIBRARIES: Final = tuple(
    Path(folder) / "faketime" / "libfaketime.so.1"
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
)
NO_LIBRARY: Final = "libfaketime is not installed (Debian: apt-get install libfaketime)"
DATABASE_STEPS_S: Final = (1, -1, 61, -61, 3_601, 125, -30, 86_401)
INSTANCE_STEPS_S: Final = (-3_600, 3_600, 86_400, -86_400, 61, -61, 1, -1)
LAST_STEP_S: Final = 3_601
"""More than what those before it can add up to in the ten seconds between two readings, so that it is seen."""
JUST_NOW: Final = timedelta(seconds=30)
SEEN_S: Final = 40.0


@dataclass(frozen=True, slots=True)
class Size:
    """How many steps of the database's clock; the instances' clocks step each time as well."""

    steps: int
    pause_s: tuple[float, float]


SHORT: Final = Size(steps=1, pause_s=(1.0, 1.0))


def long(minutes: float) -> Size:
    """Up to eleven seconds each: a reading is taken every ten."""
    return Size(steps=max(10, round(minutes * 4)), pause_s=(3.0, 12.0))


@dataclass
class FakeClock:
    """A clock that a process believes, moved by seconds; written whole, so that nobody reads half of it."""

    library: Path
    file: Path
    offset_s: int = 0

    def step(self, seconds: int) -> None:
        self.offset_s += seconds
        written = self.file.with_suffix(".new")
        written.write_text(f"{self.offset_s:+d}", "utf-8")
        written.chmod(0o644)
        written.replace(self.file)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME_DONT_RESET": "1",
        }


def fake_clock(library: Path, folder: Path, name: str) -> FakeClock:
    """Return a clock that is right for now."""
    clock = FakeClock(library, folder / f"{name}.time")
    clock.step(0)
    return clock


def disguised(binaries: Binaries, folder: Path, clock: FakeClock) -> Binaries:
    """Return programs that start the real ones under another clock."""
    folder.mkdir(mode=0o755)
    for name in ("postgres", "initdb"):
        program = folder / name
        settings = "".join(f"export {key}='{value}'\n" for key, value in clock.environment.items())
        real = binaries.program(name)
        program.write_text(f'#!/bin/sh\n{settings if name == "postgres" else ""}exec {real} "$@"\n', "utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    found = inspect(folder)
    assert found is not None
    return found


async def run(seed: int, size: Size, command: str) -> Figures:
    """Step all clocks, and walk what was due."""
    figures = Figures("T8 clock steps", ("P5", "P10", "P3"), seed, command)
    library = next((one for one in LIBRARIES if one.exists()), None)
    if library is None:
        figures.not_run_reason = NO_LIBRARY
        return figures
    began, chance = time.monotonic(), Random(seed)
    with scratch() as folder, Journal(folder / "journal.jsonl") as journal:
        of_database = fake_clock(library, folder, "postgres")
        async with (
            clocked_postgres(folder, of_database) as url,
            counting(folder) as counter,
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {ADMIN_KEY}"}) as session,
        ):
            members, clocks = [], []
            for number in (1, 2):
                clocks.append(fake_clock(library, folder, f"instance-{number}"))
                members.append(Serve(folder, number, {**environment(url, counter), **clocks[-1].environment}))
            try:
                await asyncio.gather(*(member.spawn() for member in members))
                for member in members:
                    await member.ready(session)
                client = Retrying(session, lambda: [member.url for member in members], journal, chance)
                work = Workload(client, journal, counter, chance)
                await work.set_up(6)
                await _steps(figures, size, chance, url, of_database, clocks)
                log = await _settled(figures, url, session, members, work)
                _compare(figures, journal, log, work)
                await audits(figures, url, folder)
            finally:
                for member in members:
                    await member.kill()
    figures.seconds = time.monotonic() - began
    return figures


@asynccontextmanager
async def clocked_postgres(folder: Path, clock: FakeClock) -> AsyncIterator[str]:
    """A durable server that goes by this clock."""
    where = folder / "server"
    where.mkdir(mode=0o755)
    binaries = disguised(find_binaries(), folder / "programs", clock)
    server = EmbeddedPostgres(where, binaries=binaries)
    try:
        yield await server.start()
    finally:
        await server.stop()


async def _steps(
    figures: Figures, size: Size, chance: Random, url: str, of_database: FakeClock, of_instances: list[FakeClock]
) -> None:
    for number in range(size.steps):
        await asyncio.sleep(chance.uniform(*size.pause_s))
        step_s = DATABASE_STEPS_S[2] if number == 0 else chance.choice(DATABASE_STEPS_S)
        step_s = LAST_STEP_S if 0 < number == size.steps - 1 else step_s
        before = await now_of(url)
        of_database.step(step_s)
        moved = await now_of(url) - before
        figures.expect(abs(moved - step_s) < 1.0, f"the database's clock moved by {moved:.1f} s, not {step_s} s")
        figures.faults["step of the database's clock"] += 1
        for clock in of_instances:
            clock.step(chance.choice(INSTANCE_STEPS_S))
            figures.faults["step of an instance's clock"] += 1


async def _settled(
    figures: Figures, url: str, session: aiohttp.ClientSession, members: list[Serve], work: Workload
) -> LogReader:
    """Wait until everybody goes by the last step and nothing is open, and see that commands are still taken."""
    log = LogReader()

    async def quiet() -> bool:
        await log.catch_up(url)
        return not log.open

    last = datetime.now(UTC) + timedelta(seconds=await now_of(url))

    async def all_saw_it() -> bool:
        await log.catch_up(url)
        readings = list(log.stepped.values())
        return len(readings) == len(members) and all(one > last - JUST_NOW for one in readings)

    try:
        await eventually(all_saw_it, timeout_s=SEEN_S, every_s=0.3)
    except AssertionError:
        figures.wrong.append(f"after the last step, steps were read only by {log.stepped}")
    status = await work.do("DescribeSchedule", {"id": work.schedules[0], "description": "after"}, "text after")
    figures.expect(status == 201, f"after the steps a command was answered with {status}")
    await work.inactivate_all()
    for member in members:
        await member.ready(session)
    await eventually(quiet, timeout_s=SEEN_S, every_s=0.3)
    return log


def _compare(figures: Figures, journal: Journal, log: LogReader, work: Workload) -> None:
    verdict = judge(journal, log)
    figures.commands.update(
        sent=journal.tries["sent"], accepted=journal.tries["accepted"], rejected=journal.tries["rejected"]
    )
    figures.lost, figures.duplicated, figures.gaps = len(verdict.lost), len(verdict.duplicated), log.gaps
    due, unexplained = log.occurrences_wrong({name: timedelta(minutes=1) for name in work.grid})
    early = [run for run, one in log.runs.items() if one.due is not None and one.opened_at < one.due]
    doubled, effects = log.doubled(), log.effects_wrong(work.counter.calls())
    figures.wrong += verdict.lost[:5] + verdict.duplicated[:5] + verdict.wrong[:5] + log.wrong[:5]
    figures.wrong += unexplained[:5] + doubled[:5] + effects[:5] + [f"{run} opened early" for run in early[:5]]
    figures.expect(due > 0, "no moment of a schedule was walked")
    figures.saw(*["clock step recorded"] * log.types["log.clock_step_observed"])
    figures.figures.update(
        {
            "occurrences walked on the grid": due,
            "occurrences unexplained": len(unexplained),
            "occurrences doubled": len(doubled),
            "opened early": len(early),
            "runs": len(log.runs),
            "effects unexplained": len(effects),
        }
    )


async def now_of(url: str) -> float:
    """Return the database's clock minus this machine's, in seconds."""
    connection = await asyncpg.connect(url, timeout=5)
    try:
        return float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())")) - time.time()
    finally:
        await connection.close(timeout=5)
