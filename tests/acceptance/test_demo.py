"""What a newcomer sees: the demonstration as a real process, started, stopped and started again."""

import asyncio
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from tests.support.database import data_folder
from tests.support.waiting import eventually

START_S = 60.0
RUN_S = 120.0
STOP_S = 60.0
TABLES = [
    {"table": "contacts", "file": "contacts.csv", "rows": 50_000},
    {"table": "contact_addresses", "file": "contact_addresses.csv", "rows": 60_000},
    {"table": "contact_orders", "file": "contact_orders.csv", "rows": 90_000},
]
ENDED = {"first-load": "succeeded", "first-newsletter": "succeeded", "first-trade-fair": "failed"}
LOADED = [
    ("readers", "succeeded", 10_000),
    ("reader-interests", "succeeded", 25_000),
    ("leads", "failed", 0),
]
MAILED = [("first-newsletter", "sent", 1), ("first-trade-fair", "sent", 1)]


@dataclass
class Demo:
    """The running program and what it printed."""

    process: asyncio.subprocess.Process
    folder: Path
    printed: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.printed)

    async def until(self, told: str, timeout_s: float) -> None:
        """Read until a line holds `told`."""
        assert self.process.stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                while told not in self.text:
                    line = await self.process.stdout.readline()
                    assert line, f"it ended without saying {told!r}: {self.text}"
                    self.printed.append(line.decode())
        except TimeoutError:
            raise AssertionError(f"it did not say {told!r} within {timeout_s} s: {self.text}") from None

    async def stop(self, number: int = signal.SIGINT) -> int:
        """Send a signal, read the rest and return the exit code."""
        self.process.send_signal(number)
        async with asyncio.timeout(STOP_S):
            rest, _ = await self.process.communicate()
        self.printed.append(rest.decode())
        return self.process.returncode or 0

    def left_behind(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads((self.folder / "demo.json").read_bytes())
        return found

    async def get(self, path: str) -> Any:
        left = self.left_behind()
        headers = {"Authorization": f"Bearer {left['key']}"}
        async with (
            aiohttp.ClientSession(headers=headers) as session,
            session.get(f"{left['url']}/v1/{left['workspace']}{path}") as response,
        ):
            assert response.status == 200, await response.text()
            return await response.json()


@asynccontextmanager
async def demo(folder: Path, port: int, *more: str) -> AsyncIterator[Demo]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("EVENTJOBS_")}
    arguments = ["-m", "eventjobs", "demo", "--data-dir", str(folder), "--port", str(port), *more]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    running = Demo(process, folder)
    try:
        yield running
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await process.communicate()
            except TimeoutError:
                process.kill()
                await process.communicate()


@pytest.fixture
def port() -> int:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        number: int = link.getsockname()[1]
        return number


def postgres_pids(folder: Path) -> list[int]:
    """The postmasters that name this data folder's cluster on their command line."""
    cluster = folder / "pg"
    recorded = folder / "pg.path"
    if recorded.exists():
        cluster = Path(recorded.read_text().strip())
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(cluster).encode() in line and b"postgres" in line:
                found.append(int(entry.name))
    return found


async def runs_of(running: Demo) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await running.get("/runs"))["items"]
    return found


async def mailed(running: Demo) -> list[tuple[str, str, int]]:
    """Of each message the run, its state and how often it was tried."""
    return sorted((one["run"], one["state"], one["attempts"]) for one in (await running.get("/notifications"))["items"])


async def is_mailed(running: Demo) -> bool:
    return await mailed(running) == MAILED


async def check_groups(running: Demo) -> None:
    """One group loaded a list, then its extension; the other failed at its list, and skipped the extension."""
    groups = {one["id"]: one for one in (await running.get("/manage-connect/group-jobs"))["items"]}
    assert {name: group["state"] for name, group in groups.items()} == {"newsletter": "active", "trade-fair": "active"}
    assert groups["newsletter"]["schedule"]["describe"] == "daily at 03:15-29"
    done = (await running.get("/manage-connect/completed-jobs"))["items"]
    assert sorted((one["job"]["id"], one["state"], one["counts"]["added"]) for one in done) == sorted(LOADED)
    detail = await running.get("/runs/first-trade-fair")
    jobs = [job for stage in detail["stages"] for job in stage["job_runs"]]
    assert [(job["state"], job["reason"]) for job in jobs] == [
        ("failed", "reject_threshold"),
        ("skipped", "previous_job_failed"),
    ]
    assert "lead-interests: skipped" in running.text
    await eventually(lambda: is_mailed(running))
    good, bad = running.text.split("A mail arrived:")[1:]
    assert "| To: you@example.org" in good
    assert "| Subject: [eventjobs] group newsletter succeeded (example)" in good
    assert "| 2. reader-interests (What the readers like): succeeded" in good
    assert "| Subject: [eventjobs] group trade-fair failed (example)" in bad
    assert "50 of 1000 records were rejected" in bad
    assert "| 2. lead-interests (What the people of the fair like): skipped" in bad
    assert "view manage-connect" in running.text


@pytest.mark.timeout(400)
async def test_the_demonstration_loads_real_files_once_and_goes_on_where_it_stopped(port: int) -> None:
    with data_folder() as folder:
        async with demo(folder, port) as first:
            await first.until("Ctrl-C stops everything", START_S + RUN_S)
            assert "load-contacts: running" in first.text
            assert "load-orders: succeeded" in first.text
            assert "opened by hand: 4 jobs in 2 stages" in first.text
            assert f"http://127.0.0.1:{port}/docs" in first.text
            left = first.left_behind()
            assert stat.S_IMODE((folder / "demo.json").stat().st_mode) == 0o600
            assert left["url"] == f"http://127.0.0.1:{port}"
            assert left["schedule"] == "load-contact-data"
            assert left["tables"] == TABLES
            runs = await runs_of(first)
            assert {run["id"]: run["state"] for run in runs} == ENDED
            assert {run["cause"] for run in runs} == {"manual"}
            page = await first.get("/jobs-page")
            assert page["services"]["count"] == 4
            await check_groups(first)
            assert postgres_pids(folder)
            assert await first.stop() == 0
            assert "the next start goes on from here" in first.text
            assert postgres_pids(folder) == []
        async with demo(folder, port) as second:
            loop = asyncio.get_running_loop()
            began = loop.time()
            await second.until("Ready at", START_S)
            assert loop.time() - began < 10
            await second.until("Ctrl-C stops everything", START_S)
            assert second.text.count("nothing is run again") == 3
            assert await runs_of(second) == runs
            assert await mailed(second) == MAILED
            assert "A mail arrived" not in second.text
            assert second.left_behind()["key"] == left["key"]
            assert await second.stop(signal.SIGTERM) == 0
        assert postgres_pids(folder) == []


@pytest.mark.timeout(400)
async def test_a_demonstration_that_was_stopped_half_way_finishes_at_the_next_start(port: int) -> None:
    with data_folder() as folder:
        async with demo(folder, port) as first:
            await first.until("load-contacts: running", START_S)
            assert await first.stop() == 0
        async with demo(folder, port) as second:
            await second.until("Ctrl-C stops everything", START_S + RUN_S)
            assert {run["id"]: run["state"] for run in await runs_of(second)} == ENDED
            detail = await second.get("/runs/first-load")
            ended = [job for stage in detail["stages"] for job in stage["job_runs"] if job["state"] == "succeeded"]
            assert len(ended) == 4
            assert await second.stop() == 0
        assert postgres_pids(folder) == []


async def test_a_start_that_is_interrupted_leaves_nothing_behind(port: int) -> None:
    with data_folder() as folder:
        async with demo(folder, port) as first:
            await eventually(lambda: postgres_pids(folder), timeout_s=START_S)
            assert await first.stop() in (0, 130)
            assert "Traceback" not in first.text
        assert postgres_pids(folder) == []


async def test_a_port_that_is_taken_is_said_and_the_database_is_stopped_again() -> None:
    with data_folder() as folder, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        async with demo(folder, taken.getsockname()[1]) as first:
            async with asyncio.timeout(START_S):
                out, _ = await first.process.communicate()
            assert first.process.returncode == 2
            assert b"give another --port" in out
        assert postgres_pids(folder) == []
