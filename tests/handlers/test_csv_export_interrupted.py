"""What is left of an export that was cut off in the middle: nothing, and the former file."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.csv_export import HANDLER
from eventjobs.handlers.perform import perform
from eventjobs.handlers.workbench import Workbench
from tests.handlers.conftest import Attempt
from tests.handlers.test_csv_import import _EverLater
from tests.handlers.test_csv_interrupted import DEADLINE_S, killed_in_the_middle, until_alone

Connection = asyncpg.Connection
ROWS = 200_000
QUERY = f"SELECT n AS id, 'text ' || n AS text FROM generate_series(1, {ROWS}) AS n ORDER BY n"
CONFIG = {"query": QUERY, "target": "out/many.csv"}
WHOLE = "id,text\n" + "".join(f"{n},text {n}\n" for n in range(1, ROWS + 1))


@pytest.fixture
def old_file(put: Any) -> Path:
    path: Path = put("out/many.csv", "old")
    return path


def names(old_file: Path) -> list[str]:
    return sorted(path.name for path in old_file.parent.iterdir())


async def exported(made: Attempt, config: Mapping[str, Any] = CONFIG) -> Any:
    made.context = replace(made.context, clock=_EverLater(made.context.clock))
    return await perform(HANDLER, config, made.context, made.bench.secrets)


async def stopped_at(made: Attempt, place: int, config: Mapping[str, Any] = CONFIG) -> "asyncio.Task[Any]":
    """Begin an export, and return when it has reported so many times; it goes no further by itself."""
    reached = asyncio.Event()

    async def stop_here(_: object) -> None:
        if len(made.progress) == place:
            reached.set()
            await asyncio.Event().wait()

    made.on_progress = stop_here
    running = asyncio.create_task(exported(made, config))
    async with asyncio.timeout(DEADLINE_S):
        await reached.wait()
    return running


@pytest.mark.parametrize("place", [1, 5, 9])
async def test_a_cancelled_export_leaves_the_former_file_and_nothing_else(
    loading: Workbench, attempt: Callable[..., Attempt], acme: Connection, old_file: Path, place: int
) -> None:
    running = await stopped_at(attempt(loading, run="cancelled"), place)
    assert len(names(old_file)) == 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_alone(acme)
    assert old_file.read_text() == "old"
    assert names(old_file) == ["many.csv"]

    result = await exported(attempt(loading, run="cancelled", attempt=2))
    assert result.counts == {"processed": ROWS}
    assert old_file.read_text() == WHOLE


async def test_a_server_that_ends_the_session_leaves_the_former_file(
    loading: Workbench, attempt: Callable[..., Attempt], acme: Connection, old_file: Path
) -> None:
    made = attempt(loading, run="shot")

    async def shoot(_: object) -> None:
        await acme.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"
            " AND pid <> pg_backend_pid() AND datname = current_database()"
        )

    made.on_progress = shoot
    with pytest.raises(JobFailed, match=r"connection to the database was lost|terminating connection") as failed:
        await exported(made)
    assert failed.value.retryable
    assert old_file.read_text() == "old"
    assert names(old_file) == ["many.csv"]


async def test_what_a_killed_process_left_is_removed_by_the_next_attempt(
    loading: Workbench,
    attempt: Callable[..., Attempt],
    acme: Connection,
    old_file: Path,
    database_url: str,
    log_id: str,
    tmp_path: Path,
) -> None:
    await killed_in_the_middle(database_url, log_id, str(tmp_path / "files"), "csv_export", json.dumps(CONFIG))
    await until_alone(acme)
    assert old_file.read_text() == "old"
    assert len(names(old_file)) == 2
    await exported(attempt(replace(loading, installation=log_id), run="killed", attempt=2))
    assert old_file.read_text() == WHOLE
    assert names(old_file) == ["many.csv"]


@pytest.mark.usefixtures("acme")
async def test_a_worker_that_was_replaced_puts_nothing_over_the_newer_file(
    loading: Workbench, attempt: Callable[..., Attempt], old_file: Path
) -> None:
    old = attempt(loading, run="overtaken", term=1)

    async def overtake(_: object) -> None:
        if len(old.progress) == 5:
            await exported(attempt(loading, run="overtaken", term=2, attempt=2))
            old_file.write_text("newer")

    old.on_progress = overtake
    with pytest.raises(JobFailed, match="a newer attempt") as failed:
        await exported(old)
    assert failed.value.reason == "superseded"
    assert old_file.read_text() == "newer"
    assert names(old_file) == ["many.csv"]


@pytest.mark.usefixtures("acme")
async def test_other_jobs_and_installations_lose_nothing(
    loading: Workbench, attempt: Callable[..., Attempt], old_file: Path
) -> None:
    other = await stopped_at(attempt(loading, run="same", workspace="acme"), 5)
    elsewhere = replace(loading, installation="another")
    await exported(attempt(elsewhere, run="same"))
    assert len(names(old_file)) == 2
    other.cancel()
    with pytest.raises(asyncio.CancelledError):
        await other
    assert old_file.read_text() == WHOLE
