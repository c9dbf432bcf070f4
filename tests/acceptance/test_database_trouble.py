"""The database has trouble; every answer is true meanwhile, and afterwards the service goes on without a restart."""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from tests.acceptance.instance import Client, Instance, client_of
from tests.log.link import Link, link_to
from tests.support.database import data_folder, database
from tests.support.waiting import eventually

DISK = "300m"
RECOVERED_S = 10.0
SILENT_S = 22.0
"""A statement's limit, the time in which its outcome is looked for, and one more attempt to connect."""
AWAY = {(503, "unavailable", "none"), (503, "outcome_unknown", "unknown"), (503, "busy", "none")}
"""What may be said while the database is away."""


class Journal:
    """What was asked, and what was answered."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.answers: Counter[tuple[int, str, str]] = Counter()
        self.accepted: set[str] = set()
        self.refused: set[str] = set()
        self.slowest_s = 0.0
        self._number = 0
        self._name = str(uuid4())

    async def ask(self) -> int:
        """Send one command and note its answer."""
        self._number += 1
        text = f"note {self._name} {self._number}"
        began = asyncio.get_running_loop().time()
        path = f"{self.client.url}/v1/{self.client.workspace}/commands/DescribeSchedule"
        async with self.client.session.post(path, json={"id": "nightly", "description": text + " x" * 400}) as answer:
            document = await answer.json()
        self.slowest_s = max(self.slowest_s, asyncio.get_running_loop().time() - began)
        self.answers[answer.status, document.get("code", ""), document.get("outcome", "")] += 1
        if answer.status == 201:
            self.accepted.add(text)
        elif document["outcome"] == "none":
            self.refused.add(text)
        return answer.status

    async def check(self) -> None:
        """Whatever was accepted is in the log, whatever was refused is not."""
        after, stored = 0, set()
        while facts := (await self.client.get(f"/events?types=schedule.described&limit=1000&after={after}"))["items"]:
            stored |= {fact["data"]["description"].partition(" x")[0] for fact in facts}
            after = facts[-1]["position"]
        assert self.accepted <= stored
        assert not (self.refused & stored)


async def furnish(client: Client) -> Journal:
    await client.post("/v1/workspaces", {"id": client.workspace, "time_zone": "UTC", "kind": "automation"})
    await client.do("AddService", {"id": "nap", "handler": "sleep", "config": {"seconds": 0.1}})
    cadence = {"start_date": "2099-12-01", "start_time": "14:00", "time_zone": "UTC", "every": 1, "unit": "day"}
    jobs = [{"job": {"kind": "service", "id": "nap"}, "seq": 1}]
    await client.do("CreateSchedule", {"id": "nightly", "cadence": cadence, "jobs": jobs})
    return Journal(client)


async def accepted_again(journal: Journal, within_s: float) -> None:
    async def accepted() -> bool:
        return await journal.ask() == 201

    await eventually(accepted, within_s)
    run = await eventually(lambda: _run(journal.client), within_s)
    assert (await journal.client.run_ended(run))["state"] == "succeeded"


async def _run(client: Client) -> str:
    opened = await client.do("RunNow", {"owner": {"kind": "schedule", "id": "nightly"}})
    return str(opened["run"])


def run(*command: str) -> str:
    """Run a program and return what it complains about."""
    try:
        done = subprocess.run(command, capture_output=True, check=False, text=True)
    except OSError as error:
        return str(error)
    return done.stderr.strip() if done.returncode else ""


@asynccontextmanager
async def small_disk() -> AsyncIterator[Path]:
    """A folder on a disk of its own; skips where nobody may mount one."""
    with data_folder() as folder:
        folder.mkdir(mode=0o755)
        refusal = run("mount", "-t", "tmpfs", "-o", f"size={DISK},mode=755", "eventjobs-test", str(folder))
        if refusal:
            pytest.skip(f"a disk of its own needs the right to mount: {refusal}")
        try:
            yield folder
        finally:
            left = run("umount", "-l", str(folder))
            assert not left, left


def fill(folder: Path) -> Path:
    """Take what is left of a disk."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        try:
            while True:
                os.write(file.fileno(), bytes(65_536))
        except OSError:
            pass
        try:
            while True:
                os.write(file.fileno(), bytes(512))
        except OSError:
            return ballast


@pytest.mark.timeout(120)
async def test_T5_while_the_disk_is_full_nothing_is_accepted_and_nothing_is_lost() -> None:
    async with small_disk() as folder, Instance(folder / "data") as one, client_of(one, "full") as client:
        journal = await furnish(client)
        for _ in range(20):
            assert await journal.ask() == 201
        ballast = fill(folder)
        try:

            async def refused() -> bool:
                return await journal.ask() in (503, 507)

            await eventually(refused, 30, every_s=0)
            statuses = {await journal.ask() for _ in range(100)}
        finally:
            ballast.unlink()
        assert statuses <= {503, 507}
        await accepted_again(journal, RECOVERED_S)
        await journal.check()
        assert set(journal.answers) <= {(201, "", ""), (507, "log_full", "none"), *AWAY}
        assert journal.answers[507, "log_full", "none"] > 0
        assert one.process is not None
        assert one.process.returncode is None


def postmaster(one: Instance) -> int:
    found = one.postgres_pid
    assert found is not None
    return found


def backend(one: Instance) -> int:
    """A server process that works for the service; its end makes Postgres start all of them anew."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with suppress(OSError):
            parent = next(line for line in status.read_text().splitlines() if line.startswith("PPid:"))
            is_ours = int(parent.split()[1]) == postmaster(one)
            if is_ours and b"eventjobs eventjobs" in (status.parent / "cmdline").read_bytes():
                return int(status.parent.name)
    raise LookupError("no backend")


@pytest.mark.timeout(120)
async def test_P12_commands_are_accepted_within_five_seconds_after_a_killed_postgres_takes_writes_again() -> None:
    with data_folder() as folder:
        async with Instance(folder) as one, client_of(one, "killed") as client:
            journal = await furnish(client)
            for number in range(2):
                os.kill(backend(one) if number % 2 else postmaster(one), signal.SIGKILL)
                await eventually(lambda: _writable(folder, journal), 20)
                began = asyncio.get_running_loop().time()
                await accepted_again(journal, 5)
                assert asyncio.get_running_loop().time() - began < 5
            await journal.check()
            assert set(journal.answers) <= {(201, "", ""), *AWAY}
            assert journal.slowest_s < 8


async def _writable(folder: Path, journal: Journal) -> bool:
    """Whether Postgres itself takes writes; the service is asked all the while."""
    _ = await journal.ask()
    try:
        connection = await asyncpg.connect(f"postgresql://eventjobs@/eventjobs?host={folder}/pg", timeout=1)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    try:
        await connection.execute("CREATE TEMPORARY TABLE writable ()")
    finally:
        connection.terminate()
    return True


@dataclass
class Linked:
    """An instance that reaches its database over a link of ours, and what it is asked."""

    url: str
    link: Link
    client: Client

    def journal(self) -> Journal:
        return Journal(self.client)


@pytest.fixture(scope="module")
async def linked(postgres_url: str) -> AsyncIterator[Linked]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(database(postgres_url, "database_trouble"))
        link, through = await stack.enter_async_context(link_to(url))
        folder = stack.enter_context(data_folder())
        environment = {"EVENTJOBS_DATABASE_URL": through, "EVENTJOBS_UNSAFE": "true", "EVENTJOBS_GRACE": "PT2S"}
        one = await stack.enter_async_context(Instance(folder, environment=environment))
        client = await stack.enter_async_context(client_of(one, "trouble"))
        yield Linked(url, link, (await furnish(client)).client)


@pytest.mark.timeout(120)
async def test_T3_a_link_that_goes_silent_is_answered_for_in_time_and_given_up(linked: Linked) -> None:
    journal, link = linked.journal(), linked.link
    assert await journal.ask() == 201
    link.flowing.clear()
    try:
        statuses = await asyncio.gather(*(journal.ask() for _ in range(20)))
    finally:
        link.flowing.set()
    assert set(statuses) == {503}
    assert journal.slowest_s < SILENT_S
    await accepted_again(journal, 5)
    await journal.check()
    assert set(journal.answers) <= {(201, "", ""), *AWAY}


@pytest.mark.timeout(120)
async def test_a_server_that_takes_no_writes_is_said_and_recovered_from(linked: Linked) -> None:
    url, journal = linked.url, linked.journal()
    assert await journal.ask() == 201
    await read_only(url, on=True)
    try:
        for _ in range(50):
            assert await journal.ask() == 503
    finally:
        await read_only(url, on=False)
    await accepted_again(journal, 5)
    await journal.check()
    assert set(journal.answers) <= {(201, "", ""), *AWAY}


async def read_only(url: str, *, on: bool) -> None:
    """Make the database behave as a standby does, for all its sessions."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("SET default_transaction_read_only = off")
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {on}')
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()",
            name,
        )
    finally:
        await connection.close()


@pytest.mark.timeout(120)
async def test_while_every_connection_is_taken_reads_answer_503_within_three_seconds(linked: Linked) -> None:
    url, journal = linked.url, linked.journal()
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE view_services_1 IN ACCESS EXCLUSIVE MODE")
            answers = await asyncio.gather(*(_timed(journal.client, "/services") for _ in range(40)))
    finally:
        await connection.close()
    assert {status for status, _ in answers} == {503}
    assert max(seconds for _, seconds in answers) < 3
    await accepted_again(journal, 5)


async def _timed(client: Client, path: str) -> tuple[int, float]:
    began = asyncio.get_running_loop().time()
    async with client.session.get(f"{client.url}/v1/{client.workspace}{path}") as answer:
        await answer.read()
        return answer.status, asyncio.get_running_loop().time() - began
