"""The SQL views of the present are what their document says."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from eventjobs.postgres.pool import TimedPool
from eventjobs.runner.projector import Projector
from tests.support.history import History
from tests.support.views import append_all, new_log, project_all, projector_on

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sql-views.md").read_text("utf-8")
VIEWS = ("jobs_page", "runs", "occurrences")


@pytest.fixture(scope="module")
async def projector(pool: TimedPool) -> Projector:
    log = new_log()
    await append_all(log, History(71, workspaces=("acme", "beta")).appends(60))
    projector = projector_on(log, pool)
    await project_all(projector)
    return projector


@pytest.fixture(scope="module")
async def owner(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


def documented(view: str) -> set[str]:
    section = DOCUMENT.split(f"## `reporting.{view}`")[1].split("\n## ")[0]
    cells = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([a-z_]+)`", cell)}


@pytest.mark.parametrize("view", VIEWS)
async def test_every_column_is_documented_and_there(projector: Projector, pool: TimedPool, view: str) -> None:
    assert projector.position() > 0
    row = await pool.fetchrow(f"SELECT * FROM reporting.{view} LIMIT 1")
    assert row is not None
    assert set(dict(row)) == documented(view)


@pytest.mark.usefixtures("projector")
async def test_the_jobs_page_holds_what_is_not_deleted(pool: TimedPool) -> None:
    kinds = await pool.fetch(
        "SELECT kind, count(*) AS n FROM reporting.jobs_page WHERE workspace = 'acme' GROUP BY kind"
    )
    deleted = await pool.fetchval(
        "SELECT count(*) FROM view_schedules_1 WHERE workspace = 'acme' AND deleted_at IS NOT NULL"
    )
    assert {row["kind"]: row["n"] for row in kinds} == {"schedule": 3 - deleted, "service": 3}
    row = await pool.fetchrow("SELECT * FROM reporting.jobs_page WHERE next_due IS NOT NULL LIMIT 1")
    assert row is not None
    assert (row["every"], row["unit"], row["timing"], row["time_zone"]) == (15, "minute", "elapsed", "UTC")
    assert row["next_due_local"] == row["next_due"].strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.usefixtures("projector")
async def test_runs_tell_how_long_they_took_and_how_late_they_were(pool: TimedPool) -> None:
    row = await pool.fetchrow("SELECT * FROM reporting.runs WHERE ended_at IS NOT NULL AND due IS NOT NULL LIMIT 1")
    assert row is not None
    assert row["duration_s"] == (row["ended_at"] - row["started_at"]).total_seconds()
    assert row["lateness_s"] == (row["started_at"] - row["due"]).total_seconds()
    assert row["jobs_succeeded"] + row["jobs_failed"] == row["jobs"]


@pytest.mark.usefixtures("projector")
async def test_the_examples_of_the_document_run(owner: asyncpg.Connection) -> None:
    examples = re.findall(r"```sql\n(SELECT.*?)```", DOCUMENT, re.DOTALL)
    assert len(examples) >= 2
    for example in examples:
        await owner.fetch(example)


async def test_a_role_that_may_read_them_still_may_after_a_rebuild(
    projector: Projector, owner: asyncpg.Connection
) -> None:
    role = f"reader_{(await owner.fetchval('SELECT current_database()'))}"
    await owner.execute(f'CREATE ROLE "{role}"')
    try:
        await owner.execute(f'GRANT USAGE ON SCHEMA reporting TO "{role}"')
        await owner.execute(f'GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO "{role}"')
        await owner.execute(f'GRANT "{role}" TO CURRENT_USER')
        await projector.rebuild()
        async with owner.transaction():
            await owner.execute(f'SET LOCAL ROLE "{role}"')
            assert await owner.fetchval("SELECT count(*) FROM reporting.runs") > 0
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with owner.transaction():
                    await owner.fetchval("SELECT count(*) FROM public.view_runs_1")
    finally:
        await owner.execute(f'DROP OWNED BY "{role}"')
        await owner.execute(f'DROP ROLE "{role}"')
