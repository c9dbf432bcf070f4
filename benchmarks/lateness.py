"""
How late runs start, with many schedules stored: from the due instant to the first attempt's start, as the log has both.

Real processes on one database. The schedules that are due have a job each, for one job does not run twice at a time.
`python -m benchmarks.lateness | python -m tests.chaos.proofs "python -m benchmarks.lateness"` keeps the figures.
"""

import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from benchmarks.over_http import free_port, ready
from eventjobs.audit.watch import KEEP_S
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.pool import connect

STORED = 100_000
SERVICES = 1_000
"""As many as a batch has commands, and more: two that touch one service's stream do not share an append."""
BATCH = 500
EVENLY = 1_000
EVENLY_S = 60
SAME_SECOND = 1_000
MANY = 5_000
EIGHT = 8
IDLE_S = 30
KEPT_S = KEEP_S + 30
"""After which the audit has written all owners once, which it does a minute after it began, or when it is there."""
ASKED = {
    "idle_share_of_a_core": 0.03,
    "late_p99_ms_1000_a_minute": 100,
    "late_p99_ms_1000_in_a_second": 1_000,
    "started_s_5000_by_one": 5,
    "started_s_5000_by_eight": 8,
}
KEY = "bench-key-that-is-long-enough"
LATENESS = """
SELECT (SELECT min(a.at) FROM events a WHERE a.workspace = o.workspace AND a.stream = o.stream
        AND a.type = 'attempt.started') AS started, (o.data ->> 'due')::timestamptz AS due
FROM events o WHERE o.position > $1 AND o.type = 'run.opened' AND o.data ->> 'due' IS NOT NULL
"""


@dataclass
class Deployment:
    """Instances on one data folder, a client of the first, and their database."""

    folder: Path
    ports: list[int]
    processes: list[asyncio.subprocess.Process]
    session: aiohttp.ClientSession
    database_url: str

    async def start(self, instances: int) -> None:
        """Bring it to that many instances."""
        environment = {
            **os.environ,
            "EVENTJOBS_ADMIN_KEY": KEY,
            "EVENTJOBS_MIN_PERIOD": "PT1M",
            "EVENTJOBS_REQUESTS_PER_SECOND": "1000000",
            "EVENTJOBS_SCHEDULES_PER_WORKSPACE": str(2 * STORED),  # those that are due come beside those stored
        }
        while len(self.processes) < instances:
            port = free_port()
            self.processes.append(
                await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "eventjobs", "serve", "--data-dir", str(self.folder), "--port", str(port),
                    env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
                )
            )  # fmt: skip
            self.ports.append(port)
            await ready(f"http://127.0.0.1:{port}/readyz")

    async def do(self, commands: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Carry commands out, many a request."""
        url = f"http://127.0.0.1:{self.ports[0]}/v1/bench/commands"
        for at in range(0, len(commands), BATCH):
            body = [{"command": name, "data": data} for name, data in commands[at : at + BATCH]]
            async with self.session.post(url, json=body) as answer:
                results = await answer.json()
                assert answer.status == 200, results
            wrong = [result for result in results if result["status"] not in (200, 201)]
            assert not wrong, wrong[0]

    async def audited(self) -> None:
        """Wait until the audit in the background has seen all that is stored, and kept it: then nothing is to do."""
        head = await self.head()
        while True:
            async with self.session.get(f"http://127.0.0.1:{self.ports[0]}/healthz") as answer:
                if (await answer.json()).get("ledger", {}).get("position", 0) >= head:
                    break
            await asyncio.sleep(1)
        await asyncio.sleep(KEPT_S)

    async def head(self) -> int:
        """Return the log's last position."""
        return int((await self._fetch("SELECT max(position) AS position FROM events"))[0]["position"])

    async def lateness(self, after: int, count: int, timeout_s: float) -> list[float]:
        """Wait until so many runs opened after a position have started; return their lateness in seconds, sorted."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while True:
            rows = [row for row in await self._fetch(LATENESS, after) if row["started"] is not None]
            if len(rows) >= count or asyncio.get_running_loop().time() > deadline:
                assert len(rows) >= count, f"{len(rows)} of {count} started within {timeout_s} s"
                return sorted((row["started"] - row["due"]).total_seconds() for row in rows)
            await asyncio.sleep(2)

    async def _fetch(self, query: str, *arguments: Any) -> list[Any]:
        connection = await connect(self.database_url, role=None, settings={"statement_timeout": "60s"})
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()

    def cpu_s(self) -> float:
        """The CPU seconds that the instances and their database have used."""
        found = 0.0
        for process in self.processes:
            this = psutil.Process(process.pid)
            for one in (this, *this.children(recursive=True)):
                times = one.cpu_times()
                found += times.user + times.system
        return found


@asynccontextmanager
async def _deployment() -> AsyncIterator[Deployment]:
    with tempfile.TemporaryDirectory(prefix="eventjobs-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 once, before anything runs
        headers = {"Authorization": f"Bearer {KEY}"}
        async with aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=120)) as session:
            data_dir = Path(folder) / "data"
            made = Deployment(data_dir, [], [], session, "")
            try:
                await made.start(1)
                async with session.post(
                    f"http://127.0.0.1:{made.ports[0]}/v1/workspaces", json={"id": "bench"}
                ) as answer:
                    assert answer.status == 201, await answer.text()
                # The first instance keeps the server; this only asks where it is.
                guest = EmbeddedPostgres(data_dir)
                made.database_url = await guest.start()
                await guest.stop()
                yield made
            finally:
                for process in reversed(made.processes):
                    if process.returncode is None:
                        process.send_signal(signal.SIGTERM)
                        await process.wait()


def _service(name: str) -> tuple[str, dict[str, Any]]:
    return "AddService", {"id": name, "handler": "sleep", "config": {"seconds": 0}}


def _schedule(name: str, start: datetime, every: int, unit: str, service: str) -> tuple[str, dict[str, Any]]:
    cadence = {
        "start_date": f"{start:%Y-%m-%d}",
        "start_time": f"{start:%H:%M}",
        "time_zone": "UTC",
        "every": every,
        "unit": unit,
    }
    jobs = [{"job": {"kind": "service", "id": service}, "seq": 1}]
    return "CreateSchedule", {"id": name, "active": True, "cadence": cadence, "jobs": jobs}


def _next_minute(ahead_s: float) -> datetime:
    soon = datetime.now(UTC) + timedelta(seconds=ahead_s)
    return soon.replace(second=0, microsecond=0) + timedelta(minutes=1)


async def _store(deployment: Deployment) -> None:
    later = datetime.now(UTC) + timedelta(days=30)
    await deployment.do([_service(f"stored-{number}") for number in range(SERVICES)])
    await deployment.do(
        [_schedule(f"stored-{number}", later, 1, "day", f"stored-{number % SERVICES}") for number in range(STORED)]
    )


async def _same_second(deployment: Deployment, count: int) -> list[float]:
    names = [f"at-{uuid.uuid4().hex}" for _ in range(count)]
    await deployment.do([_service(name) for name in names])
    due = _next_minute(5 + count / 250)
    await deployment.do([_schedule(name, due, 1, "once", name) for name in names])
    after = await deployment.head()
    assert datetime.now(UTC) < due, "the schedules were not made in time"
    return await deployment.lateness(after, count, (due - datetime.now(UTC)).total_seconds() + 60)


async def _evenly(deployment: Deployment) -> list[float]:
    """Each runs once a minute, from the moment at which it was made: they are made over a minute."""
    names = [f"each-{uuid.uuid4().hex}" for _ in range(EVENLY)]
    await deployment.do([_service(name) for name in names])
    past = datetime.now(UTC) - timedelta(days=1)
    began, a_second = asyncio.get_running_loop().time(), EVENLY / EVENLY_S
    for second in range(EVENLY_S):
        some = names[int(second * a_second) : int((second + 1) * a_second)]
        await deployment.do([_schedule(name, past, 1, "minute", name) for name in some])
        await asyncio.sleep(max(0.0, began + second + 1 - asyncio.get_running_loop().time()))
    after = await deployment.head()
    found = await deployment.lateness(after, 2 * EVENLY, 180)
    await deployment.do([("InactivateSchedule", {"id": name}) for name in names])
    return found


async def _idle(deployment: Deployment) -> float:
    await deployment.audited()
    before = deployment.cpu_s()
    await asyncio.sleep(IDLE_S)
    return (deployment.cpu_s() - before) / IDLE_S


def _p99(found: Sequence[float]) -> float:
    return found[int(len(found) * 0.99)]


async def measure() -> dict[str, Any]:
    """Return lateness in milliseconds, the seconds until all had started, and the share of a core when idle."""
    async with _deployment() as deployment:
        await _store(deployment)
        idle = await _idle(deployment)
        evenly = await _evenly(deployment)
        same = await _same_second(deployment, SAME_SECOND)
        one = await _same_second(deployment, MANY)
        await deployment.start(EIGHT)
        eight = await _same_second(deployment, MANY)
    return {
        "figures": {
            "idle_share_of_a_core": round(idle, 4),
            "late_p99_ms_1000_a_minute": round(1000 * _p99(evenly), 1),
            "late_p99_ms_1000_in_a_second": round(1000 * _p99(same), 1),
            "started_s_5000_by_one": round(one[-1], 2),
            "started_s_5000_by_eight": round(eight[-1], 2),
        },
        "raw": {
            "late_p50_ms": {
                "1000 a minute": round(1000 * statistics.median(evenly), 1),
                "1000 in a second": round(1000 * statistics.median(same), 1),
                "5000 in a second, one instance": round(1000 * statistics.median(one), 1),
                "5000 in a second, eight instances": round(1000 * statistics.median(eight), 1),
            },
            "schedules_stored": STORED,
        },
    }


def account(measured: Mapping[str, Any], seconds: float) -> dict[str, Any]:
    """Return what is kept of a measurement: its figures, and which of them are above what is asked."""
    figures = measured["figures"]
    return {
        "suite": "lateness",
        "promises": ["P13"],
        "seconds": round(seconds, 1),
        "schedules_stored": measured["raw"]["schedules_stored"],
        **figures,
        "missed": [name for name, asked in ASKED.items() if figures[name] > asked],
    }


if __name__ == "__main__":
    began = time.monotonic()
    print(json.dumps(account(asyncio.run(measure()), time.monotonic() - began)))
