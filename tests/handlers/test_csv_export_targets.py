"""Where an export can go: names of the run, HTTP, SFTP."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web

from eventjobs.errors import JobFailed
from eventjobs.handlers.csv_export import HANDLER
from eventjobs.handlers.perform import perform
from eventjobs.handlers.workbench import NoHistory, Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from tests.handlers.conftest import Attempt
from tests.handlers.test_csv_export_interrupted import QUERY, WHOLE, exported, stopped_at
from tests.support.sftp import SftpHost, sftp_server

CONTENT = b"id\n1\n2\n"
ROWS = {"query": "SELECT * FROM (VALUES (1), (2)) AS rows (id)"}
pytestmark = pytest.mark.usefixtures("acme")


class AtNoon(NoHistory):
    """Every run stands for one noon in Berlin."""

    async def moment(self, workspace: str, run: str) -> datetime:
        assert (workspace, run) == ("acme", "schedule.nightly.3.20261122t110000z")
        return datetime(2026, 11, 22, 12, 0, 5, tzinfo=ZoneInfo("Europe/Berlin"))


class Overtaken(NoHistory):
    """Every run is another instance's by now."""

    async def is_superseded(self, workspace: str, run: str, term: int) -> bool:
        assert (workspace, run, term) == ("acme", "run-1", 1)
        return True


@dataclass
class Receiver:
    """An HTTP server that answers `status` and keeps what it got whole."""

    port: int = 0
    status: int = 201
    got: list[tuple[web.BaseRequest, bytes]] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        self.got.append((request, await request.read()))
        return web.Response(status=self.status, headers={"Location": "/elsewhere"})


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    runner = web.ServerRunner(web.Server(found.handle), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    found.port = runner.addresses[0][1]
    yield found
    await runner.cleanup()


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[SftpHost]:
    (tmp_path / "remote/drop").mkdir(parents=True)
    async with sftp_server(tmp_path / "remote") as server:
        yield server


@pytest.fixture
def outside(loading: Workbench) -> Workbench:
    """The workbench of a deployment that allows loopback."""
    return replace(loading, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"])))


@pytest.fixture
def export(outside: Workbench, attempt: Callable[..., Attempt]) -> Callable[..., Any]:
    async def run(*, by: Workbench = outside, of: dict[str, Any] | None = None, **config: Any) -> Any:
        made = attempt(by, **(of or {}))
        return await perform(HANDLER, {**ROWS, **config}, made.context, by.secrets)

    return run


async def test_a_name_tells_the_run_and_its_moment(export: Any, outside: Workbench, tmp_path: Path) -> None:
    of = {"run": "schedule.nightly.3.20261122t110000z"}
    by = replace(outside, history=AtNoon())
    result = await export(by=by, of=of, target="{date}/people-{time}-{run}.csv")
    name = "2026-11-22/people-120005-schedule.nightly.3.20261122t110000z.csv"
    assert (tmp_path / "files/acme" / name).read_bytes() == CONTENT
    assert result.output["target"] == name


async def test_a_url_gets_the_whole_file_in_one_request(export: Any, receiver: Receiver) -> None:
    result = await export(target=f"http://127.0.0.1:{receiver.port}/in", headers={"X-From": "us"}, encoding="latin-1")
    ((request, body),) = receiver.got
    assert (request.method, body) == ("PUT", CONTENT)
    assert request.headers["Content-Length"] == str(len(CONTENT))
    assert request.headers["Content-Type"] == "text/csv; charset=latin-1"
    assert request.headers["Eventjobs-Form"] == "exact"
    assert (request.headers["X-From"], request.headers["Eventjobs-Run"]) == ("us", "run-1")
    assert result.output["sha256"] == hashlib.sha256(CONTENT).hexdigest()


async def test_a_receiver_can_tell_the_same_rows_sent_again_from_newer_ones(export: Any, receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.port}/in"
    for number in (1, 2):
        await export(target=url, method="POST", of={"attempt": number})
    await export(target=url, method="POST", of={"attempt": 3}, query="SELECT 3 AS id")
    first, again, newer = (request.headers["Idempotency-Key"] for request, _ in receiver.got)
    assert first == again != newer


@pytest.mark.parametrize(("status", "retryable"), [(403, False), (503, True), (429, True), (302, False)])
async def test_only_a_success_is_one(export: Any, receiver: Receiver, status: int, retryable: bool) -> None:
    receiver.status = status
    with pytest.raises(JobFailed, match=str(status)) as failed:
        await export(target=f"http://127.0.0.1:{receiver.port}/in")
    assert failed.value.retryable == retryable


async def test_a_private_address_is_no_target(export: Any, receiver: Receiver, loading: Workbench) -> None:
    with pytest.raises(JobFailed, match="not allowed"):
        await export(by=loading, target=f"http://127.0.0.1:{receiver.port}/in")
    assert receiver.got == []


async def test_nothing_is_sent_of_an_export_that_fails(export: Any, receiver: Receiver) -> None:
    with pytest.raises(JobFailed):
        await export(
            target=f"http://127.0.0.1:{receiver.port}/in",
            query="SELECT 1 / (n - 9000) FROM generate_series(1, 10000) AS n",
        )
    assert receiver.got == []


async def test_a_secret_in_a_target_s_url_is_not_told(export: Any, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "secrets/acme").mkdir(parents=True)
    (tmp_path / "secrets/acme/url").write_text(f"http://127.0.0.1:{receiver.port}/{{run}}?sig=hush")
    result = await export(target="secret://url")
    assert receiver.got[0][0].path == "/run-1"
    assert "hush" not in str(result)


async def test_a_secret_in_a_url_is_not_told_either_by_an_answer_that_is_not_http(export: Any, tmp_path: Path) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"what?\r\n\r\n")
        writer.close()

    (tmp_path / "secrets/acme").mkdir(parents=True)
    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/{{run}}?sig=hush"
        (tmp_path / "secrets/acme/url").write_text(url)
        with pytest.raises(JobFailed, match=r"cannot be reached: .") as failed:
            await export(target="secret://url")
    assert failed.value.retryable
    assert "hush" not in failed.value.detail


async def test_names_of_others_in_an_sftp_server_s_folder_need_not_be_utf_8(
    export: Any, host: SftpHost, tmp_path: Path
) -> None:
    theirs = os.fsencode(tmp_path / "remote/drop") + b"/M\xfcller.csv"
    os.close(os.open(theirs, os.O_CREAT))
    await export(target=host.url("/drop/people.csv"), sftp=host.login())
    assert (tmp_path / "remote/drop/people.csv").read_bytes() == CONTENT
    assert os.path.exists(theirs)  # noqa: PTH110  bytes that are no text


@pytest.mark.parametrize("plain", [False, True], ids=["posix-rename", "plain rename"])
async def test_a_file_on_an_sftp_server_is_whole_or_the_former_one(
    export: Any, host: SftpHost, tmp_path: Path, plain: bool
) -> None:
    host.plain_rename_only = plain
    drop = tmp_path / "remote/drop"
    (drop / "people.csv").write_text("old")
    target = host.url("/drop/people.csv")
    with pytest.raises(JobFailed):
        await export(
            target=target, sftp=host.login(), query="SELECT 1 / (n - 9000) FROM generate_series(1, 10000) AS n"
        )
    assert [(path.name, path.read_text()) for path in drop.iterdir()] == [("people.csv", "old")]
    result = await export(target=target, sftp=host.login())
    assert [(path.name, path.read_bytes()) for path in drop.iterdir()] == [("people.csv", CONTENT)]
    assert result.output["target"] == target


async def test_a_taken_name_on_an_sftp_server_is_a_failure_where_the_job_says_so(
    export: Any, host: SftpHost, tmp_path: Path
) -> None:
    target = host.url("/new/folder/people-{run}.csv")
    await export(target=target, sftp=host.login(), exists="fail")
    with pytest.raises(JobFailed, match="is there already") as failed:
        await export(target=target, sftp=host.login(), exists="fail", query="SELECT 9 AS id")
    assert not failed.value.retryable
    assert [path.read_bytes() for path in (tmp_path / "remote/new/folder").iterdir()] == [CONTENT]


@pytest.mark.parametrize("plain", [False, True], ids=["posix-rename", "plain rename"])
async def test_a_worker_that_was_replaced_takes_the_newer_file_from_no_sftp_server(
    outside: Workbench, attempt: Callable[..., Attempt], host: SftpHost, tmp_path: Path, plain: bool
) -> None:
    host.plain_rename_only = plain
    config = {"query": QUERY, "target": host.url("/drop/many.csv"), "sftp": host.login()}
    old = attempt(outside, run="overtaken", term=1)

    async def overtake(_: object) -> None:
        if len(old.progress) == 5:
            await exported(attempt(outside, run="overtaken", term=2, attempt=2), {**config, **ROWS})

    old.on_progress = overtake
    with pytest.raises(JobFailed, match="not there"):
        await exported(old, config)
    assert [(path.name, path.read_bytes()) for path in (tmp_path / "remote/drop").iterdir()] == [("many.csv", CONTENT)]


async def test_a_worker_that_was_replaced_sends_nothing(export: Any, outside: Workbench, receiver: Receiver) -> None:
    with pytest.raises(JobFailed, match="newer worker") as failed:
        await export(by=replace(outside, history=Overtaken()), target=f"http://127.0.0.1:{receiver.port}/in")
    assert failed.value.reason == "superseded"
    assert receiver.got == []


async def test_what_a_killed_attempt_left_on_an_sftp_server_is_removed_by_the_next(
    outside: Workbench, attempt: Callable[..., Attempt], host: SftpHost, tmp_path: Path
) -> None:
    drop = tmp_path / "remote/drop"
    config = {"query": QUERY, "target": host.url("/drop/many.csv"), "sftp": host.login()}
    first = attempt(outside, run="killed", term=1)
    running = await stopped_at(first, 5, config)
    assert len(list(drop.iterdir())) == 1

    made = attempt(outside, run="killed", term=2, attempt=2)
    await perform(HANDLER, config, made.context, outside.secrets)
    assert [(path.name, path.read_text()) for path in drop.iterdir()] == [("many.csv", WHOLE)]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [(path.name, path.read_text()) for path in drop.iterdir()] == [("many.csv", WHOLE)]
