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
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.postgres.data_roles import DataLogin
from eventjobs.postgres.loads import CREATE_LOADS, CREATE_SOURCES, DataTables
from tests.handlers.conftest import Attempt
from tests.handlers.test_csv_import import counts
from tests.support.waiting import eventually

Connection = asyncpg.Connection
numbers = count(1)
CSV = "id,name\n" + "".join(f"{n},name {n}\n" for n in range(50_000))


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


@pytest.fixture
async def elsewhere(tables: DataTables, database_url: str, tmp_path: Any, owner: Connection) -> AsyncIterator[str]:
    """The DSN of another database with a schema `landing`, which is the secret `dsn` too."""
    login: DataLogin = await tables._roles.login("elsewhere")
    parts = urlsplit(database_url)
    who = f"{login.role}:{login.password}" if login.password else login.role
    dsn = urlunsplit(parts._replace(netloc=f"{who}@{parts.netloc.rpartition('@')[2]}"))
    (tmp_path / "secrets/acme").mkdir(parents=True)
    (tmp_path / "secrets/acme/dsn").write_text(dsn)
    await owner.execute("CREATE SCHEMA landing")
    await owner.execute(f'GRANT USAGE, CREATE ON SCHEMA landing TO "{login.role}"')
    yield dsn
    await owner.execute("DROP SCHEMA landing CASCADE")


async def test_a_secret_dsn_leads_to_another_database(fetch: Any, site: Any, elsewhere: str) -> None:
    url = site(lambda: web.Response(text=CSV))
    result = await fetch(url, database="secret://dsn", schema="landing")
    assert result.counts == counts(50_000, 50_000)
    connection = await asyncpg.connect(elsewhere)
    assert await connection.fetchval("SELECT count(*) FROM landing.fetched") == 50_000
    assert await connection.fetchval("SELECT counts ->> 'added' FROM landing.eventjobs_loads") == "50000"
    await connection.close()


@pytest.mark.usefixtures("elsewhere")
async def test_workspaces_with_runs_of_the_same_id_load_into_one_database(
    site: Any, loading: Workbench, attempt: Callable[..., Attempt], tmp_path: Any
) -> None:
    (tmp_path / "secrets/acme").rename(tmp_path / "secrets/shared")
    for workspace in ("acme", "beta"):
        (tmp_path / "secrets" / workspace).symlink_to("shared")
    bench = replace(loading, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"])))
    url = site(lambda: web.Response(text="id\n1\n"))
    where = {"table": "fetched", "database": "secret://dsn", "schema": "landing"}
    once = {"source": url, **where, "mode": "append", "reload": False}

    async def load(workspace: str, run: str) -> Any:
        return await attempt(bench, workspace=workspace, run=run).perform("csv.import", once)

    for workspace in ("acme", "beta"):
        first = await load(workspace, "schedule.nightly.1")
        assert (first.counts, first.output["replayed"]) == (counts(1, 1), False)
    retried = await load("acme", "schedule.nightly.1")
    assert retried.output["replayed"]
    again = await load("acme", "schedule.nightly.2")
    assert (again.counts, again.output["unchanged_since"]) == (counts(0, 0), "schedule.nightly.1")


@pytest.mark.parametrize("table", ["eventjobs_loads", "eventjobs_sources"])
async def test_two_first_loads_at_once_into_another_database_make_one_list_of_loads(
    fetch: Any, site: Any, elsewhere: str, table: str
) -> None:
    connection = await asyncpg.connect(elsewhere)
    await connection.execute("SET search_path = landing")
    first = connection.transaction()
    await first.start()
    await connection.execute(CREATE_LOADS if table == "eventjobs_loads" else CREATE_SOURCES)
    url = site(lambda: web.Response(text="id\n1\n"))
    second = asyncio.create_task(fetch(url, database="secret://dsn", schema="landing"))
    await eventually(lambda: connection.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
    await first.commit()
    assert (await second).counts == counts(1, 1)
    await connection.close()
