"""A key holder who sends all that can be sent delays nobody's runs (checklist C, row 37)."""

import asyncio
import json
import os
import sys
import time
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
from tests.api.rig import Rig, ShiftedClock, schedule, utc, with_workspace
from tests.support.database import database
from tests.support.waiting import eventually

SCHEDULES = 50
DUE = utc("2100-12-01T20:00:00")
AHEAD_S = 4.0
FLOOD_S = 6.0
LATE_S_MAX = 2.0
"""On cores that others use as well the processor's seconds count, not the clock's."""


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
async def flooded(rig: Rig, key: str, seconds: float, commands: int) -> AsyncIterator[dict[str, int]]:
    """Let another process send as much as it can; what came back is known afterwards."""
    answers: dict[str, int] = {}
    what = ["-m", "tests.api.flood", str(rig.port), key, str(seconds), str(commands)]
    process = await asyncio.create_subprocess_exec(sys.executable, *what, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"flooding\n"
        yield answers
        async with asyncio.timeout(30):
            said, _ = await process.communicate()
        answers.update(json.loads(said))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("commands", [1, 1_000], ids=["single commands", "whole batches"])
async def test_runs_keep_their_lateness_while_a_key_sends_all_that_it_can(
    postgres_url: str, template_database: str, commands: int
) -> None:
    clock = ShiftedClock()
    async with (
        database(postgres_url, f"attack_{os.getpid()}_{commands}", template=template_database) as url,
        on_postgres(url, clock=clock) as rig,
    ):
        await with_workspace(rig)
        batch = [{"command": "CreateSchedule", "data": schedule(f"s{n}")} for n in range(SCHEDULES)]
        assert {one["status"] for one in (await rig.post("/v1/acme/commands", batch)).json} == {201}
        attacker = await rig.issue("flow_author", "auditor")
        async with ticking(rig, url), flooded(rig, attacker, FLOOD_S, commands) as answers:
            clock.ahead = DUE - timedelta(seconds=AHEAD_S) - (clock.now() - clock.ahead)
            worked_when_due = asyncio.create_task(_work_when(clock, DUE))
            opened = await eventually(lambda: _opened(rig), timeout_s=AHEAD_S + 60)
            worked_s = time.process_time() - await worked_when_due
    late_s = max((fact.at - DUE).total_seconds() for fact in opened)
    sys.stdout.write(f"at most {late_s:.3f} s late, worked {worked_s:.3f} s; answers by status: {answers}\n")
    assert min(late_s, worked_s) <= LATE_S_MAX
    assert answers


async def _work_when(clock: ShiftedClock, moment: datetime) -> float:
    """Return the processor seconds that this process had used at a moment."""
    before = time.process_time()
    while clock.now() < moment:
        before = time.process_time()
        await asyncio.sleep(0.01)
    return before


async def _opened(rig: Rig) -> Sequence[Recorded[Any]]:
    found = await rig.log.read(0, SCHEDULES, matching=Filter(types=("run.opened",)))
    return found if len(found) == SCHEDULES else ()
