"""Whole lives of empty runs, through the dispatcher and the real runner: opened by RunNow, ended by the log."""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from eventjobs.app import Service
from eventjobs.commands import add_service, create_schedule, create_workspace, run_now
from eventjobs.commands.outcomes import Outcome
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.registry import Handler
from eventjobs.settings import load_settings

ROUNDS = 5
WORKSPACE = "bench"
SINGLES = 64
SINGLE_RUNS = 600
SCHEDULES = 8
LARGE_RUNS = 64


class Nothing(BaseModel):
    """No configuration."""


async def _nothing(_context: HandlerContext, _config: Nothing) -> Result:
    return Result()


NOTHING: Handler[Any] = Handler(name="nothing", summary="Does nothing", config=Nothing, run=_nothing)


class Ends:
    """Waits for the ends of runs, by following the log."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._waiting: dict[str, asyncio.Future[None]] = {}

    async def follow(self) -> None:
        log = self._service.log
        position = log.known_head.position
        while True:
            await log.wait_beyond(position, 1.0)
            for fact in await log.read(position, 5_000):
                position = fact.position
                if fact.type == "run.ended" and fact.stream.id in self._waiting:
                    self._waiting.pop(fact.stream.id).set_result(None)

    def of(self, run: str) -> "asyncio.Future[None]":
        return self._waiting.setdefault(run, asyncio.get_running_loop().create_future())


async def _do(service: Service, spec: Any, fields: dict[str, Any]) -> Outcome:
    context = service.surroundings.context(WORKSPACE)
    return await service.dispatcher.dispatch(spec, spec.command.model_validate_json(json.dumps(fields)), context)


async def _prepare(service: Service) -> None:
    await _do(service, create_workspace.SPEC, {"id": WORKSPACE})
    for number in range(SINGLES):
        await _do(service, add_service.SPEC, {"id": f"one-{number}", "handler": "nothing"})
    for schedule in range(SCHEDULES):
        jobs = []
        for number in range(20):
            job = f"many-{schedule}-{number}"
            await _do(service, add_service.SPEC, {"id": job, "handler": "nothing"})
            jobs.append({"job": {"kind": "service", "id": job}, "seq": 1 + number // 10})
        cadence = {"start_date": "2026-01-01", "start_time": "00:00", "time_zone": "UTC", "every": 1, "unit": "day"}
        await _do(
            service,
            create_schedule.SPEC,
            {"id": f"large-{schedule}", "active": False, "cadence": cadence, "jobs": jobs},
        )


async def _lives(service: Service, ends: Ends, owner: dict[str, str], count: int) -> None:
    for number in range(count):
        run = f"{owner['id']}-{number}-{service.ids.new()}"
        end = ends.of(run)
        await _do(service, run_now.SPEC, {"owner": owner, "id": run})
        await end


async def _round(service: Service, ends: Ends, owners: list[dict[str, str]], runs: int) -> float:
    each = runs // len(owners)
    started = time.perf_counter()
    await asyncio.gather(*(_lives(service, ends, owner, each) for owner in owners))
    return each * len(owners) / (time.perf_counter() - started)


async def measure() -> dict[str, Any]:
    """Return `runs_one_job_per_s` and `job_runs_2x10_per_s` with their raw values."""
    with tempfile.TemporaryDirectory() as folder:
        service = await Service.start(load_settings({"data_dir": Path(folder), "port": 0, "log_level": "warning"}))
        try:
            service.registry.handlers = {**service.registry.handlers, "nothing": NOTHING}
            await _prepare(service)
            ends = Ends(service)
            following = asyncio.ensure_future(ends.follow())
            singles = [{"kind": "service", "id": f"one-{number}"} for number in range(SINGLES)]
            larges = [{"kind": "schedule", "id": f"large-{number}"} for number in range(SCHEDULES)]
            ones, many, behind = [], [], []
            await _round(service, ends, singles, SINGLES)
            for _ in range(ROUNDS):
                ones.append(await _round(service, ends, singles, SINGLE_RUNS))
                many.append(20 * await _round(service, ends, larges, LARGE_RUNS))
                started = time.perf_counter()
                await service.projector.wait_for(service.log.known_head.position, 30)
                behind.append(time.perf_counter() - started)
            following.cancel()
        finally:
            await service.stop()
    return {
        "figures": {
            "runs_one_job_per_s": statistics.median(ones),
            "job_runs_2x10_per_s": statistics.median(many),
        },
        "raw": {"runs_one_job_per_s": ones, "job_runs_2x10_per_s": many, "views_behind_s": behind},
    }


if __name__ == "__main__":
    import uvloop

    uvloop.install()
    print(json.dumps(asyncio.run(measure()), indent=2))
