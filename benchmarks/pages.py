"""
How long pages take in a workspace of 10,000 schedules: the Jobs page, a part of a list, a search, the load of a day.

Each is asked over HTTP of a server that has nothing else to do, so this is the time of one read.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop

from eventjobs.app import Service
from eventjobs.settings import load_settings

SCHEDULES = 10_000
SERVICES = 500
BATCH = 1_000
ROUNDS = 20
KEY = "a-key-for-the-benchmark"


def _schedule(number: int) -> dict[str, Any]:
    cadence = {
        "start_date": "2100-01-01",
        "start_time": f"{number % 24:02}:{number % 60:02}",
        "time_zone": "Europe/Berlin",
        "every": 1,
        "unit": "day",
    }
    job = {"job": {"kind": "service", "id": f"service-{number % SERVICES}"}, "seq": 1}
    return {"id": f"schedule-{number:05}", "description": f"Load {number}", "cadence": cadence, "jobs": [job]}


PAGES = {
    "jobs page": "/v1/acme/jobs-page",
    "jobs page, 1,000 rows": "/v1/acme/jobs-page?section=workspace&limit=1000",
    "jobs page, filtered": "/v1/acme/jobs-page?q=load%209&state=active",
    "schedules from the middle": "/v1/acme/schedules?q=schedule-05",
    "jobs page, the past": "/v1/acme/jobs-page?as_of={past}",
    "search": "/v1/acme/search?q=load%2099",
    "load": "/v1/acme/load",
}


async def measure() -> dict[str, Any]:
    """Return the median and the slowest of each page, in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="eventjobs-pages-") as folder:
        service = await Service.start(
            load_settings({"data_dir": Path(folder), "port": 0, "admin_key": KEY, "log_level": "error"})
        )
        try:
            headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
            async with aiohttp.ClientSession(service.url, headers=headers) as session:
                found = await _pages(session, await _fill(session))
        finally:
            await service.stop()
    slowest = max(times["p50_ms"] for times in found.values())
    return {"figures": {"slowest_page_p50_ms": slowest}, "raw": {"pages": found}}


async def _fill(session: aiohttp.ClientSession) -> int:
    """Make the workspace; return a position at which it was half full."""
    await post(session, "/v1/workspaces", {"id": "acme"})
    services = [{"id": f"service-{n}", "handler": "sleep", "config": {"seconds": 1}} for n in range(SERVICES)]
    await post(session, "/v1/acme/commands", [{"command": "AddService", "data": one} for one in services])
    positions = []
    for begin in range(0, SCHEDULES, BATCH):
        batch = [{"command": "CreateSchedule", "data": _schedule(n)} for n in range(begin, begin + BATCH)]
        positions.append((await post(session, "/v1/acme/commands", batch))[-1]["position"])
    await get(session, f"/v1/acme/schedules?limit=1&wait_for={positions[-1]}")
    return int(positions[len(positions) // 2])


async def _pages(session: aiohttp.ClientSession, past: int) -> dict[str, Any]:
    found = {name: await timed(session, path.format(past=past)) for name, path in PAGES.items()}
    body = {**_schedule(5), "id": "one-more"}
    return {**found, "dry run": await timed(session, "/v1/acme/commands/CreateSchedule?dry_run=true", body)}


async def timed(session: aiohttp.ClientSession, path: str, body: Any = None) -> dict[str, float]:
    """Ask some times, one after another."""
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        await (get(session, path) if body is None else post(session, path, body))
        times.append(1_000 * (time.perf_counter() - started))
    return {"p50_ms": round(statistics.median(times), 1), "max_ms": round(max(times), 1)}


async def get(session: aiohttp.ClientSession, path: str) -> Any:
    async with session.get(path) as response:
        return _read(await response.read(), response.status)


async def post(session: aiohttp.ClientSession, path: str, body: Any) -> Any:
    async with session.post(path, data=orjson.dumps(body)) as response:
        return _read(await response.read(), response.status)


def _read(body: bytes, status: int) -> Any:
    if status not in {200, 201}:
        raise RuntimeError(f"{status}: {body[:500]!r}")
    return orjson.loads(body)


if __name__ == "__main__":
    argparse.ArgumentParser(description="Measure pages of a large workspace.").parse_args()
    print(json.dumps(uvloop.run(measure()), indent=2))
