"""
The dashboard at size: 10,000 schedules, 1,000 groups with their jobs and 100,000 runs in one workspace.

Three things are asked. Every page is usable within a second, in a Chromium, cold and from tab to tab. Each read that a
page makes for that is answered in 150 ms (median). And 200 open pages cost at most a quarter of a core while 50 facts
a second are recorded: what the service and its Postgres use with the pages, less what they use without them. They are
counted for pages of all kinds while runs of the whole workspace begin and end, and again while only those few owners
run that the pages show, so that every page has something to show anew every second. `--data-dir` keeps the workspace.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import uvloop

from benchmarks.audience import Opened, Seen, audience
from benchmarks.browsers import Shown, usable
from benchmarks.large import SCHEDULES, WORKSPACE, data_folder
from benchmarks.pages import KEY, get, post
from benchmarks.processes import Cpu, Served, served

READS = 40
FACTS_PER_S = 50
FACTS_PER_RUN = 9
PAGES = 200
COUNTED_S = 30
WARM_S = 5
SIGNED_IN = 20
"""How many people have the pages open."""
YARDSTICK_S = 0.1
SHOWN = 50
"""How many rows a page shows."""
ASKED = {"dashboard_usable_ms": 1_000, "dashboard_read_p50_ms": 150, "dashboard_200_pages_core": 0.25}

JOBS = ("schedule", "service", "flow", "run", "integration", "definition", "starts", "workspace")
CONNECT = ("group", "groups", "job", "run", "starts")


async def measure(kept: Path | None = None) -> dict[str, Any]:
    """Return the figures that are asked for, and all that they are made from."""
    async with data_folder(kept, "eventjobs-dashboard-") as folder, served(folder) as service:
        await service.settled()
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        async with aiohttp.ClientSession(service.url, headers=headers) as session:
            run = (await get(session, f"/v1/{WORKSPACE}/runs?owner=group/group-0042&limit=1"))["items"][0]["id"]
            shown, reads = await usable(service.url, _pages(run, await _head(session) * 3 // 4))
            disturbed = _load()
            answered = await _answered(service, session, {path for paths in reads.values() for path in paths})
            crowd = await _crowd(service, session, run)
    figures = {
        "dashboard_usable_ms": max(one["p50_ms"] for one in shown.values()),
        "dashboard_read_p50_ms": max(one["p50_ms"] for one in answered.values()),
        "dashboard_200_pages_core": crowd["pages"]["more"]["service"],
    }
    raw = {"asked": ASKED, **disturbed, "usable": shown, "reads": answered, "crowd": crowd}
    return {"figures": figures, "raw": {"dashboard": raw}}


def _pages(run: str, past: int) -> Mapping[str, Shown]:
    """Return the pages, some of them also as they were at a position of the past."""
    sections = ("services", "active", "onboarding", "maintenance", "workspace")
    return {
        "jobs": Shown(address="jobs?tab=workspace", tabs=sections),
        "jobs, searched": Shown(address="jobs?tab=workspace&q=load%2099&state=active"),
        "connect": Shown(address="connect?tab=all", tabs=("completed", "groups", "all")),
        "calendar": Shown(address="calendar", there="main .entries li"),
        "jobs, as they were": Shown(address=f"jobs?tab=workspace&as_of={past}"),
        "connect, as it was": Shown(address=f"connect?tab=all&as_of={past}"),
        "calendar, as it was": Shown(address=f"calendar?as_of={past}", there="main .entries li"),
        "a run": Shown(address=f"runs/{run}", there="main .events li"),
        "history": Shown(address="history", there="main .events li"),
        "history of a stream": Shown(address="history?stream=schedule%3Aschedule-00042", there="main .events li"),
    }


async def _answered(service: Served, session: aiohttp.ClientSession, paths: set[str]) -> dict[str, dict[str, float]]:
    """Ask for each path by turns, for the time; then for one after another, for what a read costs."""
    times: dict[str, list[float]] = {path: [] for path in sorted(paths)}
    for _ in range(READS):
        for path, taken in times.items():
            began = time.perf_counter()
            await get(session, path)
            taken.append(1_000 * (time.perf_counter() - began))
    return {path: {**_spread(taken), **await _cost(service, session, path)} for path, taken in times.items()}


async def _cost(service: Served, session: aiohttp.ClientSession, path: str) -> dict[str, float]:
    """Return the milliseconds of a core that a read takes; unlike its time they hardly depend on what else runs."""
    before = service.cpu()
    for _ in range(READS):
        await get(session, path)
    used = service.cpu().since(before, READS / 1_000)
    return {"cpu_ms": round(used.service, 1), "postgres_cpu_ms": round(used.postgres, 1)}


async def _crowd(service: Served, session: aiohttp.ClientSession, run: str) -> dict[str, Any]:
    """Count what the service costs without pages, with listening ones, and with those that read."""
    cookies = [await _signed_in(service.url) for _ in range(SIGNED_IN)]
    opened = _opened(run)
    everybody = [f"schedule-{number:05}" for number in range(SCHEDULES // 2)]
    cases: dict[str, tuple[Sequence[Opened], Sequence[str]]] = {
        "nobody": ((), everybody),
        "listening": ([Opened()] * PAGES, everybody),
        "pages": (opened, everybody),
        "nobody, few owners": ((), everybody[:SHOWN]),
        "pages, few owners": (opened, everybody[:SHOWN]),
    }
    found: dict[str, Any] = {}
    for name, (pages, owners) in cases.items():
        async with audience(service.url, cookies, pages) as watching, asyncio.TaskGroup() as both:
            writing = both.create_task(_write(session, owners))
            await asyncio.sleep(WARM_S)
            await watching.say("count")
            before, head, began = service.cpu(), await _head(session), time.perf_counter()
            await asyncio.sleep(COUNTED_S)
            took, used, facts = time.perf_counter() - began, service.cpu(), await _head(session) - head
            seen = await watching.say("stop")
            writing.cancel()
        share = used.since(before, took)
        found[name] = {"facts_per_s": round(facts / took, 1), **_shares("used", share), **_told(seen, took), **_load()}
        quiet = found["nobody, few owners" if "few" in name else "nobody"]["used"]
        less = Cpu(share.service - quiet["service"], share.postgres - quiet["postgres"])
        found[name] |= _shares("more", less)
        print(json.dumps({name: found[name]}), flush=True)
    return found


def _opened(run: str) -> Sequence[Opened]:
    """What people have open: mostly lists, some runs and histories."""
    jobs = f"/v1/{WORKSPACE}/jobs-page?limit={SHOWN}&section="
    connect = f"/v1/{WORKSPACE}/manage-connect"
    kinds = {
        60: Opened(path=f"{jobs}workspace", kinds=JOBS, rows=("schedules", "workspace", "items")),
        20: Opened(path=f"{jobs}workspace&q=load%201", kinds=JOBS, rows=("schedules", "workspace", "items")),
        21: Opened(path=f"{jobs}active", kinds=JOBS, rows=("schedules", "active", "items")),
        19: Opened(path=f"{jobs}services", kinds=JOBS, rows=("services", "items")),
        22: Opened(path=f"{connect}/all-jobs?limit={SHOWN}", kinds=CONNECT, rows=("items",)),
        18: Opened(path=f"{connect}/completed-jobs?limit={SHOWN}", kinds=("job", "group", "groups")),
        23: Opened(path=f"{connect}/group-jobs?limit={SHOWN}", kinds=CONNECT, rows=("items",)),
        17: Opened(path=f"/v1/{WORKSPACE}/runs/{run}", kinds=("run",), rows=()),
    }
    opened = [page for many, page in kinds.items() for _ in range(many)]
    if len(opened) != PAGES:
        raise RuntimeError(f"{len(opened)} pages")
    return opened


async def _write(session: aiohttp.ClientSession, owners: Sequence[str]) -> None:
    """Have runs begin, and end at once, by turns."""
    number = 0
    while True:
        next_at = asyncio.get_running_loop().time() + FACTS_PER_RUN / FACTS_PER_S
        owner = {"kind": "schedule", "id": owners[number * 37 % len(owners)]}
        await post(session, f"/v1/{WORKSPACE}/commands/RunNow", {"owner": owner})
        number += 1
        await asyncio.sleep(next_at - asyncio.get_running_loop().time())


async def _head(session: aiohttp.ClientSession) -> int:
    return int((await get(session, f"/v1/{WORKSPACE}/schedules?limit=1"))["as_of"]["position"])


async def _signed_in(url: str) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/me/session", json={"key": KEY}, headers={"Origin": url}) as answer,
    ):
        (cookie,) = answer.cookies.values()
        return f"{cookie.key}={cookie.value}"


def _shares(name: str, cpu: Cpu) -> dict[str, Any]:
    return {name: {"service": round(cpu.service, 3), "postgres": round(cpu.postgres, 3)}}


def _told(seen: Seen, seconds: float) -> dict[str, Any]:
    told = {
        "facts_received_per_s": round(seen.facts / seconds, 1),
        "writes_per_s": round(seen.chunks / seconds, 1),
        "reads_per_s": round(seen.reads / seconds, 1),
        "unchanged_per_s": round(seen.unchanged / seconds, 1),
        "read_bytes_per_s": round(seen.bytes_read / seconds),
    }
    return {**told, "fact_late": _spread(seen.late_ms), "read_took": _spread(seen.read_ms)}


def _spread(times: Sequence[float]) -> dict[str, float]:
    if not times:
        return {}
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return {"p50_ms": round(statistics.median(ordered), 1), "p99_ms": round(p99, 1)}


def _load() -> dict[str, Any]:
    """How disturbed the machine is: its load, and the share of a core that somebody gets who wants a whole one."""
    began, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < YARDSTICK_S:
        pass
    share = YARDSTICK_S / (time.perf_counter() - began)
    return {"loadavg": Path("/proc/loadavg").read_text().strip(), "core_to_be_had": round(share, 2)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, help="fill this folder once, and measure what is in it")
    print(json.dumps(uvloop.run(measure(parser.parse_args().data_dir)), indent=2))
