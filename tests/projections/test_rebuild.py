"""Views are built again beside the ones that answer."""

import asyncio
from typing import Any

import pytest

from eventjobs.errors import RebuildRefused
from eventjobs.postgres.pool import TimedPool
from eventjobs.projections import runs
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.temporal import Projection
from tests.projections.conftest import Fresh
from tests.support.history import History
from tests.support.views import Writer, append_all, new_log, project_all, projector_on, view_rows


async def test_a_rebuild_leaves_the_same_rows(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    head = await append_all(log, History(5).appends(30))
    projector = projector_on(log, pool, batch=50)
    await project_all(projector)
    expected = await view_rows(pool)
    assert await projector.rebuild() == head
    assert await view_rows(pool) == expected
    assert await projector.rebuild("runs", "timers") == head
    assert await view_rows(pool) == expected
    assert await _tables(pool, "%\\_next") == []
    assert await _tables(pool, "%\\_old") == []


async def test_rows_that_were_wrong_are_right_after_a_rebuild_and_following_goes_on(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    history = History(6)
    await append_all(log, list(history.appends(10)))
    projector = projector_on(log, pool)
    await project_all(projector)
    expected = await view_rows(pool)
    await pool.execute("UPDATE view_run_status_1 SET state = 'wrong'")
    await pool.execute("DELETE FROM view_occurrences_1")
    assert await view_rows(pool) != expected
    assert await pool.fetchval("SELECT count(*) FROM reporting.runs WHERE state = 'wrong'")
    await projector.rebuild("runs", "occurrences")
    assert await view_rows(pool) == expected
    assert not await pool.fetchval("SELECT count(*) FROM reporting.runs WHERE state = 'wrong'")
    assert await pool.fetchval("SELECT count(*) FROM reporting.runs")
    other = await fresh()
    await _continue(log, history)
    await project_all(projector)
    await project_all(projector_on(log, other))
    assert await view_rows(pool) == await view_rows(other)


async def test_readers_see_whole_views_while_they_are_built_again(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    await append_all(log, History(7).appends(40))
    projector = projector_on(log, pool, batch=20)
    await project_all(projector)
    count = await pool.fetchval("SELECT count(*) FROM view_runs_1")
    rebuilding = asyncio.create_task(projector.rebuild())
    seen: set[Any] = set()
    while not rebuilding.done():
        seen.add(await pool.fetchval("SELECT count(*) FROM view_runs_1"))
    await rebuilding
    assert seen == {count}


async def test_a_rebuild_that_cannot_go_on_leaves_the_old_view(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    await append_all(log, History(8).appends(10))
    await project_all(projector_on(log, pool))
    expected = await view_rows(pool)

    def broken(_: Any) -> Any:
        raise LookupError("no such thing")

    broken_runs = Projection(name="runs", version=1, tables=(runs.RUNS, runs.STATUS), events=runs.PROJECTION.events,
                             project=broken)  # fmt: skip
    projections = [broken_runs if projection.name == "runs" else projection for projection in PROJECTIONS]
    with pytest.raises(RebuildRefused, match=r"runs\.next stops: run\.opened at \d+: LookupError: no such thing"):
        await projector_on(log, pool, projections=projections).rebuild()
    assert await view_rows(pool) == expected


async def _continue(log: Any, history: History) -> None:
    """Append more of a history whose beginnings are there already."""
    writer = Writer(log)
    for fact in await log.read(0, 100_000):
        writer.versions[fact.stream] = fact.stream_version
    for _ in range(10):
        workspace = history.workspaces[0]
        for facts in history._run(workspace, history.planned[workspace][0]):
            await writer.append(facts)


async def _tables(pool: TimedPool, pattern: str) -> list[str]:
    rows = await pool.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relname LIKE $1", pattern)
    return [row["relname"] for row in rows]
