"""A key holder who sends all that can be sent delays nobody's runs."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest

from eventjobs.events.recorded import Recorded
from eventjobs.log.port import Filter
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import open_pool
from eventjobs.projections.upcoming import Upcoming
from eventjobs.runner.surroundings import InstanceSurroundings
from eventjobs.runner.ticker import Ticker
from eventjobs.telemetry.metrics import Metrics
from tests.api.postgres_rig import on_postgres
from tests.api.rig import DAILY, Rig, ShiftedClock, schedule, utc, with_workspace
from tests.support.database import database
from tests.support.waiting import eventually

SCHEDULES = 50
QUIET_DUE = utc("2100-12-01T20:00:00")
DUE = utc("2100-12-02T20:00:00")
AHEAD_S = 4.0
LATE_S_MAX = 2.0
"""How late beyond what is late on this machine without the flood, three times over."""


class Trusted:
    """A lease that is always trusted."""

    def trusted(self) -> bool:
        return True


@asynccontextmanager
async def ticking(rig: Rig, url: str) -> AsyncIterator[Metrics]:
    """Answer what is due on the server's own event loop, as the service does."""
    deps = rig.deps
    surroundings = InstanceSurroundings(
        instance=deps.instance,
        clock=deps.clock,
        ids=deps.ids,
        random=deps.random,
        catalog=deps.catalog,
        limits=deps.limits,
    )
    async with await open_pool(url, role=APP_ROLE, min_size=1, max_size=4) as pool:
        ticker = Ticker(deps.dispatcher, Upcoming(pool), surroundings, deps.clock, Trusted(), deps.tasks, deps.metrics)
        task = deps.tasks.start(ticker.tick_for_ever(), name="ticker")
        try:
            yield deps.metrics
        finally:
            task.cancel()


@asynccontextmanager
async def flooded(rig: Rig, key: str, commands: int) -> AsyncIterator[dict[str, int]]:
    """Let another process send as much as it can until the block ends; what came back is known afterwards."""
    answers: dict[str, int] = {}
    what = ["-m", "tests.api.flood", str(rig.port), key, str(commands)]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(sys.executable, *what, stdin=pipe, stdout=pipe)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"flooding\n"
        yield answers
        assert process.returncode is None, "it sent until the end"
        async with asyncio.timeout(30):
            said, _ = await process.communicate(b"")
        assert process.returncode == 0
        answers.update(json.loads(said))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.timeout(180)
@pytest.mark.parametrize("commands", [1, 1_000], ids=["single commands", "whole batches"])
async def test_runs_keep_their_lateness_while_a_key_sends_all_that_it_can(
    postgres_url: str, template_database: str, commands: int
) -> None:
    clock = ShiftedClock()
    async with (
        database(postgres_url, f"attack_{os.getpid()}_{commands}", template=template_database) as url,
        on_postgres(url, clock=clock) as rig,
        ticking(rig, url),
    ):
        await with_workspace(rig)
        await _schedule(rig, QUIET_DUE)
        await _schedule(rig, DUE)
        attacker = await rig.issue("flow_author", "auditor")
        undisturbed_s = await _lateness_s(rig, clock, QUIET_DUE)
        async with flooded(rig, attacker, commands) as answers:
            late_s = await _lateness_s(rig, clock, DUE)
        added = await rig.log.read(0, 10, matching=Filter(types=("service.added",)))
    sys.stdout.write(f"at most {late_s:.3f} s late, undisturbed {undisturbed_s:.3f} s; answers by status: {answers}\n")
    assert late_s <= LATE_S_MAX + 3 * undisturbed_s
    assert answers.get("201" if commands == 1 else "200", 0) > 0
    assert len(added) > 1, "the flood wrote something"
    assert answers.keys() & {"401", "403"} == set()


async def _schedule(rig: Rig, due: datetime) -> None:
    """Make schedules that are due once, all at this moment."""
    cadence = {**DAILY, "start_date": f"{due:%Y-%m-%d}", "unit": "once"}
    made = [schedule(f"{due:%Y%m%d}-{n}", cadence=cadence) for n in range(SCHEDULES)]
    batch = [{"command": "CreateSchedule", "data": data} for data in made]
    assert {one["status"] for one in (await rig.post("/v1/acme/commands", batch)).json} == {201}


async def _lateness_s(rig: Rig, clock: ShiftedClock, due: datetime) -> float:
    """Let a moment come at which every schedule is due, and return how late the last run was opened."""
    clock.ahead = due - timedelta(seconds=AHEAD_S) - (clock.now() - clock.ahead)
    opened = await eventually(lambda: _opened(rig, due), timeout_s=AHEAD_S + 60)
    return max((fact.at - due).total_seconds() for fact in opened)


async def _opened(rig: Rig, due: datetime) -> Sequence[Recorded[Any]]:
    found = await rig.log.read(0, 10 * SCHEDULES, matching=Filter(types=("run.opened",)))
    answered = [fact for fact in found if fact.event.due == due]
    return answered if len(answered) == SCHEDULES else ()
