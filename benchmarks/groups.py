"""
How long the Manage Connect page takes in a workspace with as many groups and jobs as it may have.

That is 5,000 groups of three imports each, a hundredth of them invalid, and 5,000 imports more; the times are those of
single requests to a server that has nothing else to do. `activate` is a real command, on another group each time.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from benchmarks.pages import KEY, ROUNDS, get, post, timed
from eventjobs.app import Service
from eventjobs.settings import load_settings

GROUPS = 5_000
JOBS = 20_000
PER_GROUP = 3
SPOILT = 100
BATCH = 1_000

TABS = "/v1/acme/manage-connect"
PAGES = {
    "group jobs": f"{TABS}/group-jobs",
    "group jobs, by their next run": f"{TABS}/group-jobs?order=next_run",
    "group jobs, 1,000 rows": f"{TABS}/group-jobs?limit=1000",
    "group jobs, invalid": f"{TABS}/group-jobs?invalid=true",
    "group jobs, expiring": f"{TABS}/group-jobs?expiring=true",
    "group jobs, filtered": f"{TABS}/group-jobs?q=group-049&state=active",
    "group jobs, the past": f"{TABS}/group-jobs?as_of={{past}}",
    "group jobs, invalid in the past": f"{TABS}/group-jobs?invalid=true&as_of={{past}}",
    "all jobs": f"{TABS}/all-jobs",
    "all jobs, by their next run": f"{TABS}/all-jobs?order=next_run",
    "all jobs, expiring": f"{TABS}/all-jobs?expiring=true",
    "completed jobs": f"{TABS}/completed-jobs",
    "candidates": "/v1/acme/group-candidates",
    "candidates, qualified": "/v1/acme/group-candidates?qualified=true",
    "a group": "/v1/acme/groups/group-00042",
    "load": "/v1/acme/load",
}


async def measure() -> dict[str, Any]:
    """Return the median and the slowest of each page, and of activating a group, in milliseconds."""
    with tempfile.TemporaryDirectory(prefix="eventjobs-groups-") as folder:
        service = await Service.start(
            load_settings({"data_dir": Path(folder), "port": 0, "admin_key": KEY, "log_level": "error"})
        )
        try:
            headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
            async with aiohttp.ClientSession(service.url, headers=headers) as session:
                past = await _fill(session)
                found = {name: await timed(session, path.format(past=past)) for name, path in PAGES.items()}
                dry = await timed(session, "/v1/acme/commands/ActivateGroup?dry_run=true", {"id": _group(GROUPS - 1)})
                activated = await _activated(session)
        finally:
            await service.stop()
    slowest = max(times["p50_ms"] for times in found.values())
    figures = {
        "groups_page_p50_ms": found["group jobs"]["p50_ms"],
        "group_candidates_p50_ms": found["candidates, qualified"]["p50_ms"],
        "activate_group_p50_ms": activated["p50_ms"],
        "slowest_connect_page_p50_ms": slowest,
    }
    return {"figures": figures, "raw": {"groups": {**found, "dry run of activating": dry, "activate": activated}}}


async def _fill(session: aiohttp.ClientSession) -> int:
    """Make the workspace, the last groups as drafts; return a position at which half of the groups were active."""
    await post(session, "/v1/workspaces", {"id": "acme", "time_zone": "Europe/Berlin"})
    saved = [("SaveJob", _job_body(number)) for number in range(JOBS)]
    await _send(session, saved)
    await _send(session, [("ActivateJob", {"id": _job(number)}) for number in range(JOBS)])
    await _send(session, [("CreateGroup", _group_body(number)) for number in range(GROUPS)])
    active = [("ActivateGroup", {"id": _group(number)}) for number in range(GROUPS - ROUNDS)]
    past = await _send(session, active[: len(active) // 2])
    await _send(session, active[len(active) // 2 :])
    spoilt = [("DeactivateJob", {"id": _job(PER_GROUP * SPOILT * n), "force": True}) for n in range(GROUPS // SPOILT)]
    head = await _send(session, spoilt)
    await get(session, f"{TABS}/group-jobs?limit=1&wait_for={head}")
    return past


async def _send(session: aiohttp.ClientSession, commands: list[tuple[str, Any]]) -> int:
    position = 0
    for begin in range(0, len(commands), BATCH):
        batch = [{"command": name, "data": data} for name, data in commands[begin : begin + BATCH]]
        answers = await post(session, "/v1/acme/commands", batch)
        refused = [one for one in answers if one["status"] != 201]
        if refused:
            raise RuntimeError(str(refused[0]))
        position = answers[-1]["position"]
    return position


async def _activated(session: aiohttp.ClientSession) -> dict[str, float]:
    times = []
    for number in range(GROUPS - ROUNDS, GROUPS):
        started = time.perf_counter()
        await post(session, "/v1/acme/commands/ActivateGroup", {"id": _group(number)})
        times.append(1_000 * (time.perf_counter() - started))
    return {"p50_ms": round(statistics.median(times), 1), "max_ms": round(max(times), 1)}


def _job(number: int) -> str:
    return f"job-{number:05}"


def _group(number: int) -> str:
    return f"group-{number:05}"


def _job_body(number: int) -> dict[str, Any]:
    config = {"source": f"{number}.csv", "table": f"table_{number}", "mode": "replace"}
    return {"id": _job(number), "kind": "import", "handler": "csv.import", "config": config, "expires_on": "never"}


def _group_body(number: int) -> dict[str, Any]:
    jobs = [_job(PER_GROUP * number + place) for place in range(PER_GROUP)]
    schedule = {"type": "daily", "hour": number % 24, "slot": ("00-14", "15-29", "30-44", "45-59")[number % 4]}
    return {"id": _group(number), "name": f"Group {number}", "jobs": jobs, "schedule": schedule}


if __name__ == "__main__":
    argparse.ArgumentParser(description="Measure the Manage Connect page of a large workspace.").parse_args()
    print(json.dumps(uvloop.run(measure()), indent=2))
