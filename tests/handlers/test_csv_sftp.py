import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

import asyncpg
import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from tests.handlers.conftest import REGISTRY, Attempt
from tests.handlers.test_csv_import import _EverLater, counts
from tests.support.sftp import HOST_KEY, OTHER_HOST_KEY, PASSWORD, SftpHost, public
from tests.support.waiting import eventually

Connection = asyncpg.Connection
numbers = count(1)
ROWS = 80_000
CSV = "id,name\n" + "".join(f"{n},name {n}\n" for n in range(ROWS))
TYPES = {"id": "integer", "name": "text"}
WITH_PASSWORD = {"password": "secret://sftp.password", "host_key": public(HOST_KEY)}


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    return replace(bench, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"])))


@pytest.fixture
def fetch(loading: Workbench, attempt: Callable[..., Attempt], host: SftpHost) -> Callable[..., Any]:
    async def run(
        *, path: str = "/in.csv", login: Any = WITH_PASSWORD, by: Attempt | None = None, **config: Any
    ) -> Any:
        made = by or attempt(loading, run=f"sftp-{next(numbers)}")
        given = {"source": host.url(path), "sftp": login, "table": "fetched", "columns": TYPES, **config}
        assert not REGISTRY.problems("csv.import", given), "a definition may say so"
        return await made.perform("csv.import", given)

    return run


@pytest.mark.parametrize(
    "login",
    [WITH_PASSWORD, {"private_key": "secret://sftp.key", "host_key": "secret://sftp.host"}],
    ids=["password", "key"],
)
async def test_a_file_of_an_sftp_server_is_loaded_without_touching_a_disk(
    fetch: Any, host: SftpHost, acme: Connection, monkeypatch: pytest.MonkeyPatch, login: Any
) -> None:
    (host.root / "in.csv").write_text(CSV)
    monkeypatch.setattr("tempfile.TemporaryFile", None)
    result = await fetch(login=login)
    assert result.counts == counts(ROWS, ROWS)
    assert await acme.fetchval("SELECT max(id) FROM fetched") == ROWS - 1
    assert host.read == len(CSV), "the clean file came once"


async def test_what_postgres_refuses_is_fetched_again_record_by_record(
    fetch: Any, host: SftpHost, acme: Connection
) -> None:
    (host.root / "in.csv").write_text("id,name\n1,Ada\nx,y\n")
    result = await fetch(reject_limit=1)
    assert result.counts == counts(2, 1, rejected=1)
    assert await acme.fetchval("SELECT count(*) FROM fetched") == 1


async def test_a_connection_that_breaks_in_the_middle_leaves_the_table_and_the_next_attempt_loads(
    fetch: Any, host: SftpHost, acme: Connection, loading: Workbench, attempt: Callable[..., Attempt]
) -> None:
    (host.root / "in.csv").write_text("id,name\n-1,old\n")
    await fetch()
    (host.root / "in.csv").write_text(CSV)
    host.drop_after = 1_100_000
    with pytest.raises(JobFailed, match="failed at /in") as failed:
        await fetch(by=attempt(loading, run="breaks"))
    assert failed.value.retryable
    assert await acme.fetchval("SELECT array_agg(id) FROM fetched") == [-1]
    host.drop_after = None
    assert (await fetch(by=attempt(loading, run="breaks", attempt=2))).counts == counts(ROWS, ROWS)


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("login", "why"),
    [
        ({**WITH_PASSWORD, "host_key": public(OTHER_HOST_KEY)}, "not pinned"),
        ({**WITH_PASSWORD, "password": "secret://sftp.host"}, "does not let acme in"),
        ({**WITH_PASSWORD, "password": "secret://nowhere"}, "the secret nowhere"),
    ],
    ids=["another server", "wrong password", "no secret"],
)
async def test_a_refusal_is_told_without_secrets_and_not_tried_again(
    fetch: Any, host: SftpHost, login: Any, why: str
) -> None:
    (host.root / "in.csv").write_text(CSV)
    with pytest.raises(JobFailed, match=why) as failed:
        await fetch(login=login)
    assert not failed.value.retryable
    assert PASSWORD not in failed.value.detail


@pytest.mark.usefixtures("acme")
async def test_a_file_that_is_not_there_may_still_come(fetch: Any) -> None:
    with pytest.raises(JobFailed, match=r"/in\.csv is not there") as failed:
        await fetch()
    assert failed.value.retryable


@pytest.mark.usefixtures("acme")
async def test_a_server_that_stops_answering_is_given_up(fetch: Any, host: SftpHost) -> None:
    (host.root / "in.csv").write_text(CSV)
    host.hang_after = 1_100_000
    with pytest.raises(JobFailed, match="too slow") as failed:
        await fetch(timeout="PT0.5S")
    assert failed.value.retryable


@pytest.mark.usefixtures("acme")
async def test_a_file_that_is_still_written_to_is_not_loaded(
    fetch: Any, host: SftpHost, loading: Workbench, attempt: Callable[..., Attempt]
) -> None:
    (host.root / "in.csv").write_text(CSV)
    made = attempt(loading, run="growing")
    made.context = replace(made.context, clock=_EverLater(made.context.clock))

    async def grow(_: object) -> None:
        with (host.root / "in.csv").open("a") as file:
            file.write("7,late\n")

    made.on_progress = grow
    with pytest.raises(JobFailed, match="changed while it was read") as failed:
        await fetch(by=made)
    assert failed.value.retryable


@pytest.mark.usefixtures("acme")
async def test_a_load_that_is_stopped_lets_go_of_the_server(
    fetch: Any, host: SftpHost, loading: Workbench, attempt: Callable[..., Attempt]
) -> None:
    (host.root / "in.csv").write_text(CSV)
    host.hang_after = 1_100_000
    running = asyncio.create_task(fetch(by=attempt(loading, run="stopped")))
    await eventually(lambda: host.read > 1_000_000)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize(
    "config",
    [
        {"source": "sftp://u@files.example.org/in.csv"},
        {"source": "in.csv", "sftp": WITH_PASSWORD},
        {"source": "https://example.org/in.csv", "sftp": WITH_PASSWORD},
        {"source": "sftp://u@127.0.0.1/in.csv", "sftp": WITH_PASSWORD},
        {"source": "sftp://u:p@files.example.org/in.csv", "sftp": WITH_PASSWORD},
        {"source": "sftp://u@files.example.org/in.csv", "sftp": {**WITH_PASSWORD, "password": PASSWORD}},
        {"source": "sftp://u@files.example.org/in.csv", "sftp": {"password": "secret://p"}},
    ],
)
def test_a_definition_says_how_to_log_in_where_it_may_reach_and_no_secret(config: Any) -> None:
    registry = replace(REGISTRY, rules={"outbound": OutboundRules()})
    problems = registry.problems("csv.import", {"table": "fetched", **config})
    assert problems
    assert PASSWORD not in str(problems)


def test_a_definition_without_a_fault_is_taken() -> None:
    registry = replace(REGISTRY, rules={"outbound": OutboundRules()})
    config = {"source": "sftp://u@files.example.org/~/in.csv", "sftp": WITH_PASSWORD, "table": "fetched"}
    assert not registry.problems("csv.import", config)
