import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from eventjobs.clock import SystemClock
from eventjobs.handlers.context import HandlerContext, JobRef, LogLine, Progress
from eventjobs.handlers.files import FileRoom
from eventjobs.handlers.perform import perform
from eventjobs.handlers.ports import CommandRules
from eventjobs.handlers.registry import Registry
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from eventjobs.postgres.data_roles import DataRoles
from eventjobs.postgres.loads import DataTables
from eventjobs.postgres.pool import TimedPool
from tests.support.database import execute
from tests.support.sftp import CLIENT_KEY, HOST_KEY, PASSWORD, SftpHost, private, public, sftp_server

LOG_ID = "0badcafe-0000-7000-8000-000000000000"


@dataclass
class Attempt:
    """One attempt to run: its context, and what the handler said."""

    bench: Workbench
    context: HandlerContext
    progress: list[Progress] = field(default_factory=list)
    lines: list[LogLine] = field(default_factory=list)
    on_progress: Callable[[Progress], Awaitable[None]] | None = None

    async def perform(self, handler: str, config: Mapping[str, Any]) -> Any:
        return await perform(REGISTRY.get(handler), config, self.context, self.bench.secrets)

    @property
    def log(self) -> list[str]:
        return [line.text for line in self.lines]


REGISTRY = Registry.load()

_runs = count(1)


class NoTables:
    """For handlers that touch no table."""

    def open_load(self, *_: object, **__: object) -> Any:
        raise AssertionError("this handler has no business with tables")


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(
        clock=SystemClock(),
        installation=LOG_ID,
        files=FileRoom(tmp_path / "files"),
        tables=NoTables(),
        outbound=GuardedOutbound(),
        commands=CommandRules(),
        secrets=SecretStore((tmp_path / "secrets",), {}),
    )


@pytest.fixture
def allowing(bench: Workbench) -> Callable[..., Workbench]:
    """The workbench of a deployment that allows these addresses."""
    return lambda *entries: replace(bench, outbound=GuardedOutbound(OutboundRules.parse(entries)))


@pytest.fixture
def attempt() -> Callable[..., Attempt]:
    def make(bench: Workbench, *, workspace: str = "acme", run: str = "run-1", **given: Any) -> Attempt:
        async def report(progress: Progress) -> None:
            made.progress.append(progress)
            if made.on_progress is not None:
                await made.on_progress(progress)

        lines: list[LogLine] = []
        arguments: dict[str, Any] = {"row": 1, "job": JobRef("service", "load"), "attempt": 1, "term": 1, **given}
        context = bench.context(workspace=workspace, run=run, report=report, write_line=lines.append, **arguments)
        made = Attempt(bench, context, lines=lines)
        return made

    return make


@pytest.fixture(scope="module")
async def log_id(database_url: str) -> str:
    """The id of the module's log, which is given one if its set-up did not."""
    connection = await asyncpg.connect(database_url)
    try:
        found = await connection.fetchval("SELECT data ->> 'log_id' FROM events WHERE position = 1")
    finally:
        await connection.close()
    if found is None:
        await execute(
            database_url,
            "INSERT INTO events (position, workspace, stream, version, type, schema, at, actor, command_id, data,"
            " leaf, chain) VALUES (1, '*', 'log:log', 1, 'log.created', 1, now(), 'test', 'c',"
            f" json_build_object('log_id', '{LOG_ID}'), '', '')",
        )
    return found or LOG_ID


@pytest.fixture(scope="module")
async def tables(pool: TimedPool, database_url: str, log_id: str) -> DataTables:
    return DataTables(database_url, DataRoles(pool, database_url, log_id))


@pytest.fixture
def loading(bench: Workbench, tables: DataTables) -> Workbench:
    """The workbench with real tables."""
    return replace(bench, tables=tables)


@pytest.fixture
async def owner(database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection as the database's owner, who may read a workspace's schema but not its tables."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def acme(tables: DataTables, database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection as the data role of the workspace acme, whose tables are dropped afterwards."""
    login = await tables._roles.login("acme")
    connection = await asyncpg.connect(database_url, user=login.role, password=login.password)
    await connection.execute(f'SET search_path = "{login.schema}"')
    yield connection
    for row in await connection.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename NOT LIKE 'eventjobs%'", login.schema
    ):
        await connection.execute(f'DROP TABLE "{row["tablename"]}" CASCADE')
    await connection.close()


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write a file into a workspace's folder."""

    def write(name: str, content: str | bytes, workspace: str = "acme") -> Path:
        path = tmp_path / "files" / workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture(autouse=True)
def no_settings_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has set for the service is not the tests' business."""
    for name in list(os.environ):
        if name.startswith("EVENTJOBS_SECRET__"):
            monkeypatch.delenv(name)


@pytest.fixture
def load(loading: Workbench, attempt: Callable[..., Attempt]) -> Callable[..., Any]:
    """Import as a new job run each time, unless `run` is given."""

    async def run(*, of: dict[str, Any] | None = None, **config: Any) -> Any:
        given = {"run": f"run-{next(_runs)}", **(of or {})}
        merged = {"source": "people.csv", "table": "people", "mode": "replace", **config}
        return await attempt(loading, **given).perform("csv.import", merged)

    return run


@pytest.fixture
async def site() -> AsyncIterator[Callable[..., Any]]:
    """Serve one answer at a time from loopback; returns the URL."""
    answers: dict[str, Any] = {}

    async def handle(request: web.Request) -> web.StreamResponse:
        found = answers[request.path]()
        return await found(request) if callable(found) else found

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    def serve(make: Callable[[], Any]) -> str:
        path = f"/{len(answers)}.csv"
        answers[path] = make
        return f"http://127.0.0.1:{runner.addresses[0][1]}{path}"

    yield serve
    await runner.cleanup()


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[SftpHost]:
    (tmp_path / "server").mkdir()
    secrets = tmp_path / "secrets/acme"
    secrets.mkdir(parents=True)
    (secrets / "sftp.password").write_text(PASSWORD)
    (secrets / "sftp.key").write_text(private(CLIENT_KEY))
    (secrets / "sftp.host").write_text(public(HOST_KEY))
    async with sftp_server(tmp_path / "server") as server:
        yield server
