"""What is left of a load that was cut off in the middle: nothing."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.workbench import Workbench
from tests.handlers.conftest import Attempt
from tests.handlers.test_csv_import import _EverLater, counts

Connection = asyncpg.Connection
DEADLINE_S = 20.0
CONFIG = {"source": "many.csv", "table": "many", "mode": "replace", "columns": {"id": "integer", "text": "text"}}
MANY = "id,text\n" + "".join(f"{n},text {n}\n" for n in range(200_000))


@pytest.fixture
async def old_rows(acme: Connection) -> Connection:
    await acme.execute("CREATE TABLE many (id integer, text text)")
    await acme.execute("INSERT INTO many VALUES (-1, 'old')")
    return acme


async def is_untouched(acme: Connection) -> bool:
    return [tuple(row) for row in await acme.fetch("SELECT * FROM many")] == [(-1, "old")]


async def until_alone(acme: Connection) -> None:
    """Wait until no other session of this role is left: its transaction is over then."""
    async with asyncio.timeout(DEADLINE_S):
        while await acme.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"
            " AND datname = current_database()"
        ):
            await asyncio.sleep(0.02)


async def killed_in_the_middle(*arguments: str) -> None:
    """Begin a load or an export in a process of its own, and kill it in its middle."""
    script, root = Path(__file__).with_name("load_and_wait.py"), Path(__file__).parents[2]
    with subprocess.Popen(  # noqa: ASYNC220 - only its output is waited for, and in a thread
        [sys.executable, str(script), *arguments],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "src"), str(root)])},
    ) as child:
        try:
            assert child.stdout is not None
            said = await asyncio.to_thread(child.stdout.readline)
            assert said == b"in the middle\n"
            child.send_signal(signal.SIGKILL)
        finally:
            with suppress(ProcessLookupError):
                child.kill()


@pytest.mark.parametrize("content", [MANY, MANY + "x,bad\n"], ids=["clean", "with rejects"])
@pytest.mark.parametrize("at", [1, 4, 8, 11])
async def test_a_cancelled_load_leaves_the_table_and_the_list_of_loads_as_they_were(
    loading: Workbench, attempt: Callable[..., Attempt], old_rows: Connection, put: Any, content: str, at: int
) -> None:
    put("many.csv", content)
    made = attempt(loading, run=f"cancelled-{at}-{len(content)}")
    made.context = replace(made.context, clock=_EverLater(made.context.clock))
    reached = asyncio.Event()

    async def stop_here(_: object) -> None:
        if len(made.progress) == at:
            reached.set()
            await asyncio.Event().wait()

    made.on_progress = stop_here
    running = asyncio.create_task(made.perform("csv.import", CONFIG))
    waiting = asyncio.create_task(reached.wait())
    await asyncio.wait((running, waiting), timeout=DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
    assert reached.is_set()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await until_alone(old_rows)
    assert await is_untouched(old_rows)
    assert await old_rows.fetchval("SELECT count(*) FROM eventjobs_loads WHERE run = $1", made.context.run) == 0

    again = attempt(loading, run=made.context.run, attempt=2)
    rejected = content.count("bad")
    result = await again.perform("csv.import", CONFIG)
    assert result.counts == counts(200_000 + rejected, 200_000, rejected=rejected)


async def test_a_server_that_ends_the_session_leaves_the_table_as_it_was(
    loading: Workbench, attempt: Callable[..., Attempt], old_rows: Connection, put: Any
) -> None:
    put("many.csv", MANY)
    made = attempt(loading, run="shot")
    made.context = replace(made.context, clock=_EverLater(made.context.clock))

    async def shoot(_: object) -> None:
        await old_rows.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"
            " AND pid <> pg_backend_pid() AND datname = current_database()"
        )

    made.on_progress = shoot
    with pytest.raises(JobFailed, match=r"connection to the database was lost|terminating connection") as failed:
        await made.perform("csv.import", CONFIG)
    assert failed.value.retryable
    await until_alone(old_rows)
    assert await is_untouched(old_rows)


async def test_a_killed_process_leaves_the_table_as_it_was(
    old_rows: Connection, put: Any, database_url: str, log_id: str, tmp_path: Path
) -> None:
    put("many.csv", MANY)
    await killed_in_the_middle(database_url, log_id, str(tmp_path / "files"), "csv_import", json.dumps(CONFIG))
    await until_alone(old_rows)
    assert await is_untouched(old_rows)


async def test_two_attempts_at_once_load_once(
    loading: Workbench, attempt: Callable[..., Attempt], old_rows: Connection, put: Any
) -> None:
    put("many.csv", MANY)
    config = {**CONFIG, "mode": "append"}
    results = await asyncio.gather(
        *(attempt(loading, run="twice", attempt=n).perform("csv.import", config) for n in (1, 2, 3))
    )
    assert sorted(result.output["replayed"] for result in results) == [False, True, True]
    assert await old_rows.fetchval("SELECT count(*) FROM many") == 200_001


async def test_loads_of_two_jobs_into_one_table_take_turns(
    loading: Workbench, attempt: Callable[..., Attempt], old_rows: Connection, put: Any
) -> None:
    put("many.csv", MANY)
    results = await asyncio.gather(*(attempt(loading, run=f"turn-{n}").perform("csv.import", CONFIG) for n in (1, 2)))
    assert [result.counts for result in results] == [counts(200_000, 200_000)] * 2
    assert await old_rows.fetchval("SELECT count(*) FROM many") == 200_000


async def test_a_worker_that_was_replaced_in_the_middle_undoes_its_load(
    loading: Workbench, attempt: Callable[..., Attempt], old_rows: Connection, put: Any
) -> None:
    put("many.csv", MANY)
    put("one.csv", "id,text\n1,x\n")
    old = attempt(loading, run="overtaken", row=1, term=1)
    old.context = replace(old.context, clock=_EverLater(old.context.clock))

    async def overtake(_: object) -> None:
        if len(old.progress) == 3:
            new = attempt(loading, run="overtaken", row=2, term=2)
            await new.perform("csv.import", {"source": "one.csv", "table": "other", "mode": "replace"})

    old.on_progress = overtake
    with pytest.raises(JobFailed, match="newer worker") as failed:
        await old.perform("csv.import", CONFIG)
    assert failed.value.reason == "superseded"
    assert await is_untouched(old_rows)
