"""The life of an import's file (G82)."""

import asyncio
import gzip
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import JobRef
from eventjobs.handlers.files import FileRoom, Files
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from tests.handlers.conftest import REGISTRY, Attempt
from tests.handlers.test_csv_import import PEOPLE, TYPES, counts, rows
from tests.support.sftp import HOST_KEY, SftpHost, public
from tests.support.waiting import eventually

Connection = asyncpg.Connection
LOGIN = {"password": "secret://sftp.password", "host_key": public(HOST_KEY)}
DELETE = {"success": "delete", "bad_source": "delete"}
MORE = "id,name,joined\n4,Di,2026-01-04\n"
numbers = count(1)


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    return replace(bench, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.0/8"])))


@pytest.fixture
def load(loading: Workbench, attempt: Callable[..., Attempt]) -> Callable[..., Any]:
    """Import as a new job run each time, unless `run` is given, and keep the attempt."""

    async def run(*, of: dict[str, Any] | None = None, **config: Any) -> Any:
        made = attempt(loading, **{"run": f"after-{next(numbers)}", **(of or {})})
        run.last = made  # type: ignore[attr-defined]
        given = {"source": "people.csv", "table": "people", "mode": "append", "columns": TYPES, "after": {}, **config}
        return await made.perform("csv.import", given)

    return run


@pytest.fixture
def files(tmp_path: Path, put: Any) -> Callable[[], list[str]]:
    """Name all files of the workspace."""
    put("people.csv", PEOPLE)
    root = tmp_path / "files/acme"
    return lambda: names(root)


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_G82_a_file_is_archived_after_the_run_under_the_runs_name(
    load: Any, acme: Connection, files: Callable[[], list[str]]
) -> None:
    result = await load(of={"run": "night"})
    assert files() == ["archive/night-1/people.csv"]
    assert result.output["archived_as"] == "archive/night-1/people.csv"
    assert len(await rows(acme)) == 3


@pytest.mark.parametrize(
    ("kind", "more", "left"),
    [
        ("import", {}, ["archive/night-1/people.csv"]),
        ("import", {"after": None}, ["archive/night-1/people.csv"]),
        ("import", {"reload": True}, ["people.csv"]),
        ("service", {}, ["people.csv"]),
    ],
)
async def test_G82_an_import_job_archives_its_file_without_being_told(
    loading: Workbench,
    attempt: Callable[..., Attempt],
    files: Callable[[], list[str]],
    kind: str,
    more: dict[str, Any],
    left: list[str],
) -> None:
    night = attempt(loading, run="night", job=JobRef(kind, "people"))
    config = {"source": "people.csv", "table": "people", "columns": TYPES, "ready": {"stable_for": "PT0.001S"}, **more}
    await night.perform("csv.import", config)
    assert files() == left


async def test_G82_a_file_is_deleted_after_success(load: Any, acme: Connection, files: Callable[[], list[str]]) -> None:
    await load(after=DELETE)
    assert files() == []
    assert len(await rows(acme)) == 3


@pytest.mark.usefixtures("acme")
async def test_a_service_that_says_nothing_keeps_its_file(load: Any, files: Callable[[], list[str]]) -> None:
    await load(after=None)
    await load(after={"success": "keep"})
    assert files() == ["people.csv"]


@pytest.mark.usefixtures("acme")
async def test_G82_marker_and_count_file_go_with_the_file(load: Any, files: Callable[[], list[str]], put: Any) -> None:
    put("people.done", "")
    put("people.count", "3")
    put("other.csv", PEOPLE)
    await load(of={"run": "with"}, ready={"marker": "people.done"}, count_file="people.count")
    there = [f"archive/with-1/people.{end}" for end in ("count", "csv", "done")]
    assert files() == [*there, "other.csv"]


BAD_SOURCES = [
    pytest.param({}, "", "empty", id="empty"),
    pytest.param({}, "\0\n1\n", "header cannot be read", id="unreadable"),
    pytest.param({"reject_limit": 0}, PEOPLE + "x,Di,2026-01-04\n", "more than allowed", id="too many rejects"),
    pytest.param({"count_file": "people.count"}, PEOPLE + "4,Di,2026-01-04\n", "says 3", id="count file"),
    pytest.param({}, gzip.compress(PEOPLE.encode())[:-5] + b"12345", "damaged", id="damaged"),
    pytest.param({"unpacked_max": 10}, gzip.compress(PEOPLE.encode()), "unpacks to more", id="bomb"),
]
FATES = [(DELETE, []), ({}, ["archive/bad-1/people.csv"]), (None, ["people.csv"])]


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(("config", "content", "why"), BAD_SOURCES)
@pytest.mark.parametrize("fate", FATES, ids=["delete", "archive", "keep"])
async def test_G82_a_file_that_is_itself_at_fault_goes_too(
    load: Any, put: Any, files: Callable[[], list[str]], fate: Any, config: Any, content: Any, why: str
) -> None:
    after, left = fate
    put("people.csv", content)
    put("people.count", "3")
    with pytest.raises(JobFailed, match=why) as failed:
        await load(of={"run": "bad"}, after=after, rejects_file="rejects.csv", **config)
    assert not failed.value.retryable
    assert [name for name in files() if name.endswith("people.csv")] == left


async def test_G82_a_file_stays_after_any_other_failure(
    load: Any, acme: Connection, files: Callable[[], list[str]]
) -> None:
    await acme.execute("CREATE TABLE people (id integer, name text, joined date, needed text NOT NULL)")
    for config, why in (
        ({}, "needs the column"),
        ({"columns": {**TYPES, "unknown": "text"}}, "has no column unknown"),
        ({"count_file": "people.count"}, "is not there"),
        ({"database": "secret://nowhere"}, "the secret nowhere"),
    ):
        if "count_file" in config:
            await acme.execute("ALTER TABLE people DROP needed")
        with pytest.raises(JobFailed, match=why):
            await load(after=DELETE, **config)
        assert files() == ["people.csv"]


async def test_G82_a_file_stays_when_the_load_is_stopped_or_the_table_is_locked(
    load: Any, acme: Connection, files: Callable[[], list[str]]
) -> None:
    await load(after=None)
    async with acme.transaction():
        await acme.execute("LOCK TABLE people")
        running = asyncio.create_task(load(after=DELETE, reload=True))
        await eventually(
            lambda: acme.fetchval("SELECT count(*) FROM pg_locks WHERE relation = 'people'::regclass AND NOT granted")
        )
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert files() == ["people.csv"]


@pytest.mark.parametrize(("run", "after"), [("remote", {}), ("remote-gone", DELETE)])
async def test_G82_on_a_server_too(load: Any, acme: Connection, host: SftpHost, run: str, after: Any) -> None:
    (host.root / "in").mkdir()
    (host.root / "in/people.csv").write_text(PEOPLE)
    (host.root / "in/people.count").write_text("3")
    result = await load(
        of={"run": run}, source=host.url("/in/people.csv"), sftp=LOGIN, after=after, count_file="people.count"
    )
    left = [] if after else ["in/archive/remote-1/people.count", "in/archive/remote-1/people.csv"]
    assert names(host.root) == left
    assert result.output.get("archived_as") == (None if after else "/in/archive/remote-1/people.csv")
    assert len(await rows(acme)) == 3


@pytest.mark.usefixtures("acme")
async def test_G82_a_file_stays_when_the_connection_breaks(load: Any, host: SftpHost) -> None:
    (host.root / "people.csv").write_text("id,name,joined\n" + "1,Ada,2026-01-01\n" * 100_000)
    host.drop_after = 1_100_000
    with pytest.raises(JobFailed) as failed:
        await load(source=host.url("/people.csv"), sftp=LOGIN, after=DELETE)
    assert failed.value.retryable
    assert names(host.root) == ["people.csv"]


async def cut_off_before_the_move(load: Any, host: SftpHost, acme: Connection, run: str) -> dict[str, Any]:
    """Load, and end the attempt when the load is committed and the file not yet moved."""
    (host.root / "people.csv").write_text(PEOPLE)
    host.hang_at_rename = True
    config = {"source": host.url("/people.csv"), "sftp": LOGIN}
    running = asyncio.create_task(load(of={"run": run}, **config))
    await eventually(lambda: host.renaming)
    assert len(await rows(acme)) == 3
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    host.hang_at_rename = False
    assert names(host.root) == ["people.csv"]
    return config


async def test_an_attempt_after_one_that_was_cut_off_before_the_move_finishes_the_move(
    load: Any, acme: Connection, host: SftpHost
) -> None:
    config = await cut_off_before_the_move(load, host, acme, "cut-off")
    result = await load(of={"run": "cut-off", "attempt": 2}, **config)
    assert (result.counts, result.output["replayed"]) == (counts(3, 3), True)
    assert names(host.root) == ["archive/cut-off-1/people.csv"]
    assert len(await rows(acme)) == 3


async def test_a_new_file_that_came_meanwhile_is_not_moved_unread(load: Any, acme: Connection, host: SftpHost) -> None:
    config = await cut_off_before_the_move(load, host, acme, "cut-short")
    (host.root / "people.csv").write_text(MORE)
    await load(of={"run": "cut-short", "attempt": 2}, **config)
    assert names(host.root) == ["people.csv"]
    assert (await load(**config)).counts == counts(1, 1)


@pytest.mark.parametrize("content", ["", None], ids=["empty", "gone"])
async def test_what_is_loaded_stays_so_whatever_is_found_in_its_place(
    load: Any, acme: Connection, host: SftpHost, content: str | None
) -> None:
    run = f"cut-{content is None}"
    config = await cut_off_before_the_move(load, host, acme, run)
    (host.root / "people.csv").unlink()
    if content is not None:
        (host.root / "people.csv").write_text(content)
    result = await load(of={"run": run, "attempt": 2}, **config)
    assert (result.counts, result.output["replayed"]) == (counts(3, 3), True)
    assert names(host.root) == ([] if content is None else ["people.csv"])


async def test_a_file_that_cannot_be_moved_stays_loaded_and_is_known_by_the_next_run(
    load: Any, acme: Connection, files: Callable[[], list[str]], put: Any
) -> None:
    obstacle = put("archive", "a file where the folder should be")
    result = await load()
    assert "archived_as" not in result.output
    assert any("stays where it is" in text for text in load.last.log)
    obstacle.unlink()
    again = await load(of={"run": "next"})
    assert (again.counts, "unchanged_since" in again.output) == (counts(0, 0), True)
    assert files() == ["archive/next-1/people.csv"]
    assert len(await rows(acme)) == 3


async def test_a_file_that_took_the_name_during_the_load_is_left(
    acme: Connection, files: Callable[[], list[str]], put: Any, loading: Workbench, attempt: Callable[..., Attempt]
) -> None:
    made = attempt(loading, run="overtaken-file")

    async def deliver(progress: Any) -> None:
        if progress.fraction == 1.0:
            put("new.csv", MORE).rename(put("people.csv.new", "").with_name("people.csv"))

    made.on_progress = deliver
    config = {"source": "people.csv", "table": "people", "mode": "append", "columns": TYPES, "after": DELETE}
    await made.perform("csv.import", config)
    assert "people.csv" in files()
    assert "another file has the name of the source by now; it stays where it is" in made.log
    assert len(await rows(acme)) == 3


@dataclass(frozen=True, slots=True)
class Deliverer(Files):
    """A folder into which somebody puts the next file as soon as the marker of the last one is gone."""

    def remove(self, name: str) -> None:
        Files.remove(self, name)
        if name == "people.done":
            with self.replace("people.csv") as file:
                file.write(MORE.encode())


class DeliveredRoom(FileRoom):
    def of(self, workspace: str) -> Files:
        return Deliverer(self.root / workspace)


async def test_a_file_that_was_waiting_for_the_marker_to_go_is_left(
    acme: Connection, files: Callable[[], list[str]], put: Any, loading: Workbench, attempt: Callable[..., Attempt]
) -> None:
    put("people.done", "")
    made = attempt(replace(loading, files=DeliveredRoom(loading.files.root)), run="waited-for")
    config = {"source": "people.csv", "table": "people", "mode": "append", "columns": TYPES, "after": DELETE}
    await made.perform("csv.import", {**config, "ready": {"marker": "people.done"}})
    assert files() == ["people.csv"]
    assert len(await rows(acme)) == 3


@pytest.mark.parametrize(
    "config",
    [
        {"source": "https://example.org/a.csv", "after": {}},
        {"source": "a.csv", "after": {"success": "burn"}},
        {"source": "a.csv", "after": {"archive": "../elsewhere"}},
        {"source": "a.csv", "after": {"archive": "/etc"}},
        {"source": "a.csv", "after": {"archive": ".."}},
    ],
)
def test_a_definition_says_only_what_can_be_done(config: Any) -> None:
    assert REGISTRY.problems("csv.import", {"table": "a", **config})
