import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from aiohttp import web

from eventjobs.errors import JobFailed
from eventjobs.handlers.addresses import OutboundRules
from eventjobs.handlers.outbound import GuardedOutbound
from eventjobs.handlers.workbench import Workbench
from eventjobs.postgres.data_roles import DataLogin
from eventjobs.postgres.loads import DataTables
from tests.handlers.conftest import Attempt
from tests.handlers.test_csv_import import counts

Connection = asyncpg.Connection
numbers = count(1)
CSV = "id,name\n" + "".join(f"{n},name {n}\n" for n in range(50_000))


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
def fetch(loading: Workbench, attempt: Callable[..., Attempt]) -> Callable[..., Any]:
    bench = replace(loading, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"])))

    async def run(url: str, *, by: Workbench = bench, **config: Any) -> Any:
        made = attempt(by, run=f"url-{next(numbers)}")
        return await made.perform("csv.import", {"source": url, "table": "fetched", **config})

    return run


async def test_a_url_is_loaded_like_a_file(fetch: Any, site: Any, acme: Connection) -> None:
    result = await fetch(site(lambda: web.Response(text=CSV)), columns={"id": "integer", "name": "text"})
    assert result.counts == counts(50_000, 50_000)
    assert await acme.fetchval("SELECT max(id) FROM fetched") == 49_999


async def test_rejects_of_a_url_are_found_without_fetching_it_twice(fetch: Any, site: Any, acme: Connection) -> None:
    fetched = []

    def answer() -> web.Response:
        fetched.append(1)
        return web.Response(text=CSV + "x,y\n")

    result = await fetch(site(answer), columns={"id": "integer", "name": "text"})
    assert result.counts == counts(50_001, 50_000, rejected=1)
    assert (len(fetched), await acme.fetchval("SELECT count(*) FROM fetched")) == (1, 50_000)


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(("status", "retryable"), [(404, False), (500, True), (429, True), (302, False), (204, False)])
async def test_only_a_200_is_a_source(fetch: Any, site: Any, status: int, retryable: bool) -> None:
    url = site(lambda: web.Response(status=status, headers={"Location": "/0.csv"}))
    with pytest.raises(JobFailed, match=str(status)) as failed:
        await fetch(url)
    assert failed.value.retryable == retryable


@pytest.mark.usefixtures("acme")
async def test_an_answer_that_breaks_off_is_not_loaded(fetch: Any, site: Any) -> None:
    async def half(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000000"})
        await response.prepare(request)
        await response.write(b"id,name\n1,x\n")
        assert request.transport is not None
        request.transport.close()
        return response

    with pytest.raises(JobFailed) as failed:
        await fetch(site(lambda: half))
    assert failed.value.retryable


@pytest.mark.usefixtures("acme")
async def test_a_source_that_never_ends_is_given_up(fetch: Any, site: Any) -> None:
    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(30)
        return response

    with pytest.raises(JobFailed, match=r"not there within 0\.2 s") as failed:
        await fetch(site(lambda: hang), timeout="PT0.2S")
    assert failed.value.retryable


async def test_a_private_address_is_no_source(fetch: Any, site: Any, loading: Workbench) -> None:
    with pytest.raises(JobFailed, match="not allowed") as failed:
        await fetch(site(lambda: web.Response(text=CSV)), by=loading)
    assert not failed.value.retryable


async def test_a_secret_dsn_leads_to_another_database(
    fetch: Any, site: Any, tables: DataTables, database_url: str, tmp_path: Any, owner: Connection
) -> None:
    login: DataLogin = await tables._roles.login("elsewhere")
    parts = urlsplit(database_url)
    who = f"{login.role}:{login.password}" if login.password else login.role
    dsn = urlunsplit(parts._replace(netloc=f"{who}@{parts.netloc.rpartition('@')[2]}"))
    (tmp_path / "secrets/acme").mkdir(parents=True)
    (tmp_path / "secrets/acme/dsn").write_text(dsn)
    await owner.execute("CREATE SCHEMA landing")
    await owner.execute(f'GRANT USAGE, CREATE ON SCHEMA landing TO "{login.role}"')
    url = site(lambda: web.Response(text=CSV))
    result = await fetch(url, database="secret://dsn", schema="landing")
    assert result.counts == counts(50_000, 50_000)
    connection = await asyncpg.connect(dsn)
    assert await connection.fetchval("SELECT count(*) FROM landing.fetched") == 50_000
    assert await connection.fetchval("SELECT counts ->> 'added' FROM landing.eventjobs_loads") == "50000"
    await connection.close()
