"""Real instances of the service, the counter they call and the Postgres they share: all direct children, all ended."""

import asyncio
import json
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

import aiohttp
import asyncpg

from eventjobs.postgres.embedded import EmbeddedPostgres
from tests.acceptance.instance import ADMIN_KEY, free_port
from tests.support.program import Running, begin, execute
from tests.support.waiting import eventually

Disk: TypeAlias = Callable[[Path], AbstractContextManager[Any]]
"""What a server's folder is on, while it is used."""
COUNTER: Final = Path(__file__).with_name("counter.py")
READY_S: Final = 120.0
ASK_S: Final = 1.0
RESTART_S: Final = 0.1
DATABASE_ERRORS: Final = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


_PRELOADED: Final = ContextVar("preloaded", default=False)


@contextmanager
def preloaded() -> Iterator[None]:
    """Fork services from a process that has read the program, for what starts so many that reading it costs most."""
    before = _PRELOADED.set(True)
    try:
        yield
    finally:
        _PRELOADED.reset(before)


async def start(*arguments: str, env: Mapping[str, str], stderr: IO[bytes]) -> Running:
    """Start the program as users do, unless `preloaded`."""
    how = begin if _PRELOADED.get() else execute
    return await how(*arguments, env=env, stderr=stderr)


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder that the account of an embedded server can enter, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="ejc-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


class Counter:
    """The counter's process and what it wrote down."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, journal: Path) -> None:
        self.process = process
        self.port = port
        self._journal = journal

    def url(self, path: str, hold_ms: int = 0) -> str:
        return f"http://127.0.0.1:{self.port}/{path}?ms={hold_ms}"

    def calls(self) -> list[Mapping[str, Any]]:
        """Return every call in order; the line of one that is being written is left out."""
        text = self._journal.read_text("utf-8")
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


@asynccontextmanager
async def counting(folder: Path) -> AsyncIterator[Counter]:
    """Start the counter and end it."""
    journal = folder / "counter.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(COUNTER), str(journal), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(READY_S):
            port = int(await process.stdout.readline())
        yield Counter(process, port, journal)
    finally:
        await end(process)


async def end(process: Running | None) -> None:
    """End a process by force, stopped or not, and reap it."""
    if process is not None and process.returncode is None:
        process.kill()
        await process.wait()


class Serve:
    """One `eventjobs serve`, started again whenever it was killed; its identity is new each time."""

    def __init__(self, folder: Path, number: int, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.number = number
        self.port = free_port()
        self.process: Running | None = None
        self.is_frozen = False
        self._environment = environment

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        return self.folder / f"serve-{self.number}.log"

    @property
    def is_up(self) -> bool:
        """Whether the process lives; it need not be ready."""
        return self.process is not None and self.process.returncode is None

    def data_folder(self) -> Path:
        return self.folder / f"data-{self.number}"

    async def spawn(self) -> None:
        """Start the process without waiting for it."""
        data = self.data_folder()
        data.mkdir(mode=0o755, exist_ok=True)
        given = {name: value for name, value in os.environ.items() if not name.startswith("EVENTJOBS_")}
        with self.log_file.open("ab") as lines:
            self.process = await start(
                *("serve", "--data-dir", str(data), "--port", str(self.port)),
                env={**given, "EVENTJOBS_ADMIN_KEY": ADMIN_KEY, "EVENTJOBS_GRACE": "PT2S", **self._environment},
                stderr=lines,
            )
        self.is_frozen = False

    def signal(self, number: signal.Signals) -> bool:
        """Send a signal; tells whether there was a process to take it."""
        if not self.is_up:
            return False
        assert self.process is not None
        self.process.send_signal(number)
        self.is_frozen = number == signal.SIGSTOP
        return True

    async def kill(self) -> bool:
        """Kill -9 and reap; tells whether there was a process."""
        found = self.signal(signal.SIGKILL)
        if found:
            assert self.process is not None
            await self.process.wait()
        return found

    async def identity(self, session: aiohttp.ClientSession) -> str | None:
        """Return the id under which it works in the log, or nothing while it does not answer."""
        try:
            async with session.get(f"{self.url}/healthz", timeout=aiohttp.ClientTimeout(total=ASK_S)) as answer:
                return str((await answer.json())["instance"]) if answer.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return None

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """Tell whether writes are accepted and its views are at most a second behind."""
        try:
            async with session.get(f"{self.url}/readyz", timeout=aiohttp.ClientTimeout(total=ASK_S)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def metric(self, session: aiohttp.ClientSession, name: str) -> float | None:
        """Return the sum of a metric over its labels, or nothing while it does not answer."""
        try:
            async with session.get(f"{self.url}/metrics", timeout=aiohttp.ClientTimeout(total=ASK_S)) as answer:
                lines = (await answer.text()).splitlines()
        except (aiohttp.ClientError, TimeoutError):
            return None
        return sum(float(line.split()[-1]) for line in lines if re.match(rf"{name}(\{{|\s)", line))

    async def ready(self, session: aiohttp.ClientSession, timeout_s: float = READY_S) -> None:
        """Wait until it is ready; says the end of its log if it never is."""
        try:
            await eventually(lambda: self.is_ready(session), timeout_s=timeout_s, every_s=0.05)
        except AssertionError:
            raise AssertionError(f"not ready: {self.log_file.read_text()[-3000:]}") from None


class Fleet:
    """Several instances on one database; `keep` starts again what was killed."""

    def __init__(self, folder: Path, number: int, environment: Mapping[str, str]) -> None:
        self.members = [Serve(folder, n + 1, environment) for n in range(number)]
        self.starts = 0

    async def start(self, session: aiohttp.ClientSession) -> None:
        """Start them all and wait until they are ready."""
        for member in self.members:
            await member.spawn()
        for member in self.members:
            await member.ready(session)

    async def restart_dead(self) -> None:
        """Start every member that is not up."""
        dead = [member for member in self.members if not member.is_up]
        for member in dead:
            await member.spawn()
        self.starts += len(dead)

    async def keep(self) -> None:
        """Start again whatever ended, for ever, as systemd would."""
        while True:
            await self.restart_dead()
            await asyncio.sleep(RESTART_S)

    async def identities(self, session: aiohttp.ClientSession) -> set[str]:
        """Return the ids of the instances that answer."""
        found = await asyncio.gather(*(member.identity(session) for member in self.members if not member.is_frozen))
        return {one for one in found if one is not None}

    async def stop(self) -> list[int]:
        """Ask all to stop; those that do not within 30 s are ended by force. Returns their exit codes."""
        for member in self.members:
            if member.is_frozen:
                member.signal(signal.SIGCONT)
            member.signal(signal.SIGTERM)
        codes = []
        for member in self.members:
            if member.process is not None:
                try:
                    async with asyncio.timeout(30):
                        codes.append(await member.process.wait())
                except TimeoutError:
                    codes.append(-9)
        await self.end()
        return codes

    async def end(self) -> None:
        """End them all by force."""
        for member in self.members:
            await end(member.process)


@asynccontextmanager
async def sailing(
    folder: Path, number: int, environment: Mapping[str, str]
) -> AsyncIterator[tuple[Fleet, aiohttp.ClientSession]]:
    """Start instances and a session that may administer them, and end both however it goes."""
    fleet = Fleet(folder, number, environment)
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        try:
            await fleet.start(session)
            yield fleet, session
        finally:
            await fleet.end()


@asynccontextmanager
async def postgres(
    folder: Path, settings: Mapping[str, str] | None = None, disk: Disk = nullcontext
) -> AsyncIterator[EmbeddedPostgres]:
    """A durable server that this process supervises: it starts again by itself after a kill."""
    where = folder / "server"
    where.mkdir(mode=0o755)
    with disk(where):
        server = EmbeddedPostgres(where, settings=settings)
        try:
            await server.start()
            yield server
        finally:
            await server.stop()


async def writes_accepted(url: str) -> bool:
    """Tell whether the server gives out a transaction."""
    try:
        connection = await asyncpg.connect(url, timeout=ASK_S)
        try:
            await connection.execute("SELECT pg_current_xact_id()", timeout=ASK_S)
        finally:
            connection.terminate()
    except DATABASE_ERRORS:
        return False
    return True
