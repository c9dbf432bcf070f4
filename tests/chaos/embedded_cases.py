"""
T27, the embedded Postgres: what a data folder can have been through, and whether a start then works or says why not.

Two services on one folder, either killed, with and without their Postgres; the lock file of a server that is gone, its
pid another process's by now; data of another version.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

import aiohttp

from eventjobs.postgres.pid_file import holder
from tests.acceptance.instance import ADMIN_KEY
from tests.chaos.figures import Figures
from tests.chaos.fleet import Serve, end, scratch
from tests.chaos.journal import Journal, Retrying
from tests.support.waiting import eventually

GONE_S: Final = 30.0


@dataclass(frozen=True, slots=True)
class Size:
    """How often both are killed in a row."""

    kills: int


SHORT: Final = Size(kills=1)


def long(minutes: float) -> Size:
    """Some more with each minute."""
    return Size(kills=max(5, round(minutes * 2)))


class Shared(Serve):
    """An instance on a data folder that others use too."""

    def data_folder(self) -> Path:
        return self.folder / "data"


class House:
    """Two services on one data folder, and a client that knows what was acknowledged."""

    def __init__(self, folder: Path, session: aiohttp.ClientSession, journal: Journal, figures: Figures) -> None:
        self.one, self.two = Shared(folder, 1, {}), Shared(folder, 2, {})
        self.session = session
        self.journal = journal
        self.figures = figures
        self.data = folder / "data"
        self.numbers = 0

    @property
    def cluster(self) -> Path:
        named = self.data / "pg.path"
        return Path(named.read_text("utf-8").strip()) if named.exists() else self.data / "pg"

    def postmasters(self) -> list[int]:
        """Return the pids of every server that works in this cluster and is nobody's backend."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    here = (entry / "cwd").resolve() == self.cluster.resolve()
                    parent = (entry / "stat").read_text("utf-8").rpartition(")")[2].split()[1]
                    alone = (Path("/proc") / parent / "cwd").resolve() != self.cluster.resolve()
                except OSError:
                    continue
                if here and alone and (entry / "comm").read_text("utf-8").strip() == "postgres":
                    found.append(int(entry.name))
        return found

    async def write(self, member: Serve) -> None:
        """Give a command, and remember it as acknowledged."""
        self.numbers += 1
        name = f"case{self.numbers}"
        client = Retrying(self.session, lambda: [member.url], self.journal, Random(self.numbers))
        body = {"id": name, "time_zone": "UTC"}
        sent = await client.do(f"key-{name}", "/v1/workspaces", "CreateWorkspace", body, name)
        assert sent.status == 201, sent

    async def all_there(self, member: Serve, case: str) -> None:
        """See that everything acknowledged is there, and that one server works in the folder."""
        await member.ready(self.session)
        known = await eventually(lambda: self._workspaces(member), timeout_s=GONE_S) - {""}
        lost = {sent.mark for sent in self.journal.commands.values()} - known
        self.figures.lost += len(lost)
        self.figures.expect(not lost, f"{case}: lost {sorted(lost)}")
        servers = self.postmasters()
        self.figures.expect(len(servers) == 1, f"{case}: {len(servers)} servers work in one folder")
        await self.write(member)

    async def _workspaces(self, member: Serve) -> set[str]:
        """Return what is there; raises while it answers anything but that."""
        told = max((sent.answer["position"] for sent in self.journal.commands.values()), default=0)
        async with self.session.get(f"{member.url}/v1/workspaces?limit=1000&wait_for={told}") as answer:
            assert answer.status == 200, (answer.status, await answer.text())
            return {"", *(item["id"] for item in (await answer.json())["items"])}

    async def timed(self, case: str, member: Serve) -> None:
        """Start one and take the time until it is ready."""
        began = time.monotonic()
        await member.spawn()
        await self.all_there(member, case)
        self.note(case, began)

    def note(self, case: str, began: float) -> None:
        """Count a case, and keep how long it took at most until all was there and written to."""
        took = time.monotonic() - began
        slowest = self.figures.figures.setdefault("seconds at most", {})
        slowest[case] = round(max(took, slowest.get(case, 0.0)), 1)
        self.figures.faults[case] += 1

    async def close(self) -> None:
        for member in (self.one, self.two):
            member.signal(signal.SIGTERM)
            if member.process is not None:
                try:
                    async with asyncio.timeout(GONE_S):
                        await member.process.wait()
                except TimeoutError:
                    await end(member.process)
        left = holder(self.cluster)
        if left is not None:
            os.kill(left, signal.SIGQUIT)
        await eventually(lambda: holder(self.cluster) is None, timeout_s=GONE_S)


async def _one_killed(house: House) -> None:
    """Its Postgres is an orphan for a moment; the kernel interrupts it."""
    await house.one.kill()
    await house.timed("service killed", house.one)


async def _both_killed(house: House) -> None:
    pid = holder(house.cluster)
    await house.one.kill()
    if pid is not None and holder(house.cluster) == pid:
        os.kill(pid, signal.SIGKILL)
    await house.timed("service and Postgres killed", house.one)


async def _postgres_killed(house: House) -> None:
    pid = holder(house.cluster)
    assert pid is not None
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    await eventually(lambda: holder(house.cluster) not in {None, pid}, timeout_s=GONE_S)
    await house.all_there(house.one, "Postgres killed")
    house.note("Postgres killed", began)


async def _two_on_one_folder(house: House) -> None:
    await house.timed("second service on the folder", house.two)
    began = time.monotonic()
    await house.one.kill()
    await eventually(lambda: holder(house.cluster) is not None, timeout_s=GONE_S)
    await house.all_there(house.two, "keeper killed under a second service")
    house.note("keeper killed under a second service", began)
    await house.timed("keeper back", house.one)


async def _pid_reused(house: House) -> None:
    """The lock file of a killed server names a pid that somebody else has by now, as after a restart of a container."""
    for member in (house.one, house.two):
        await member.kill()
    pid = holder(house.cluster)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
    await eventually(lambda: holder(house.cluster) is None, timeout_s=GONE_S)
    lock = house.cluster / "postmaster.pid"
    lines = lock.read_text("utf-8").splitlines() if lock.exists() else None
    if lines is None:
        house.figures.saw("no lock file was left")
    else:
        lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n", "utf-8")
    await house.timed("lock file with another's pid", house.one)


async def _older_data(house: House) -> None:
    """A refusal with a clear sentence, and nothing changed."""
    house.one.signal(signal.SIGTERM)
    assert house.one.process is not None
    async with asyncio.timeout(GONE_S):
        await house.one.process.wait()
    version = house.cluster / "PG_VERSION"
    kept = version.read_text("utf-8")
    version.write_text("9\n", "utf-8")
    try:
        code, said = await _refused(house)
    finally:
        version.write_text(kept, "utf-8")
    sentence = said.strip().splitlines()[-1] if said.strip() else ""
    house.figures.figures["older data"] = {"exit code": code, "says": sentence.partition(" (")[0]}
    house.figures.expect(code > 0 and "9" in sentence and "Traceback" not in said, f"older data: {code} {said}")
    await house.timed("older data refused, right data again", house.one)


async def _refused(house: House) -> tuple[int, str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("EVENTJOBS_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "eventjobs", "serve", "--data-dir", str(house.data), "--port", str(house.one.port)),
        env=given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(GONE_S):
            said, _ = await process.communicate()
    except TimeoutError:
        return -9, "it did not end"
    finally:
        await end(process)
    return process.returncode or 0, said.decode()


CASES: Final[tuple[Callable[[House], Awaitable[Any]], ...]] = (
    _one_killed,
    _postgres_killed,
    _both_killed,
    _two_on_one_folder,
    _pid_reused,
    _older_data,
)


async def run(seed: int, size: Size, command: str) -> Figures:
    """Go through the cases in turn."""
    figures = Figures("T27 embedded Postgres", ("P1",), seed, command)
    began, headers = time.monotonic(), {"Authorization": f"Bearer {ADMIN_KEY}"}
    with scratch() as folder, Journal(folder / "journal.jsonl") as journal:
        async with aiohttp.ClientSession(headers=headers) as session:
            house = House(folder, session, journal, figures)
            try:
                await house.timed("first start", house.one)
                for case in (*(_both_killed for _ in range(size.kills - 1)), *CASES):
                    await case(house)
            finally:
                await house.close()
    figures.commands.update(sent=journal.tries["sent"], accepted=journal.tries["accepted"])
    figures.commands.update(rejected=journal.tries["rejected"], unknown=journal.tries["unknown"])
    figures.figures["cases"] = sum(figures.faults.values())
    figures.seconds = time.monotonic() - began
    return figures
