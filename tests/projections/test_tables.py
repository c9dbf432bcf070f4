"""The declared tables are those of the database, and every statement finds its rows by an index."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from eventjobs.log.postgres_storage import SESSION
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, open_pool
from eventjobs.postgres.statements import statement
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.temporal import Keeps, Table
from tests.projections.conftest import Fresh
from tests.support.history import History
from tests.support.views import Writer, append_all, new_log, project_all, projector_on

TABLES = [table for projection in PROJECTIONS for table in projection.tables]
NAMES = {"timestamp with time zone": "timestamptz"}
ROWS = 50_000


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
async def test_a_declared_table_is_the_one_in_the_database(pool: TimedPool, table: Table) -> None:
    columns = await _columns(pool, table.name)
    assert list(columns.items()) == list(table.all_columns.items())
    if table.keeps is Keeps.VERSIONS:
        past = await _columns(pool, table.past)
        assert list(past.items()) == [*table.all_columns.items(), ("to_position", "bigint")]
        assert await _primary_key(pool, table.past) == [*table.key, "to_position"]
    assert await _primary_key(pool, table.name) == list(table.key)


async def test_no_table_of_a_view_is_left_undeclared(pool: TimedPool) -> None:
    found = await pool.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
        "AND relname LIKE 'view\\_%' AND relname <> 'view_checkpoints'"
    )
    assert {row["relname"] for row in found} == {name for table in TABLES for name in table.names}


async def test_the_application_may_not_change_what_views_are(pool: TimedPool) -> None:
    rights = await pool.fetch(
        "SELECT DISTINCT privilege_type FROM information_schema.role_table_grants WHERE table_name LIKE 'view\\_%'"
    )
    assert {row["privilege_type"] for row in rights} == {"SELECT", "INSERT", "UPDATE", "DELETE"}


@pytest.fixture(scope="module")
async def many(database_url: str) -> AsyncIterator[TimedPool]:
    """50,000 schedules with timers, one of them with a long past, through a pool as the service reads views with."""
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1, settings=SESSION) as pool:
        await _fill(pool)
        yield pool


async def _fill(pool: TimedPool) -> None:
    await pool.execute(
        "INSERT INTO view_timers_1 SELECT 'acme', 'schedule', 's' || n, 'next_due', "
        "timestamptz '2026-01-01' + n * interval '1 minute', '2026a', n FROM generate_series(1, $1) n",
        ROWS,
    )
    values = "NULL, 'run', 'succeeded', NULL, now()"
    await pool.execute(
        f"INSERT INTO view_schedule_runs_1 SELECT 'acme', 's' || n, {values}, 10000000 FROM generate_series(1, $1) n",
        ROWS,
    )
    for the_id in ("'s' || 1 + n % 1000", "'s-busy'"):
        await pool.execute(
            f"INSERT INTO view_schedule_runs_1_past SELECT 'acme', {the_id}, {values}, 100 * n, 100 * (n + 1) "
            "FROM generate_series(1, $1) n",
            ROWS,
        )
    await pool.execute(
        "INSERT INTO view_delays_1 SELECT 'acme', 'schedule.s' || n || '.1.20260101t000000z', 0, 'spread', "
        "NULL, NULL, NULL, now(), n FROM generate_series(1, $1) n",
        ROWS,
    )
    await pool.execute("INSERT INTO view_queues_1 VALUES ('acme', 'schedule', 's7', 1, 1)")


async def test_due_timers_are_one_index_range(many: TimedPool) -> None:
    plan = await _explain(many, statement("reads/list_due_timers"), datetime(2026, 1, 1, 1, tzinfo=UTC), 100)
    scans = [node for node in _nodes(plan) if "Scan" in node["Node Type"]]
    assert [(node["Node Type"], node["Index Name"]) for node in scans] == [("Index Scan", "view_timers_1_due_idx")]
    assert "Sort" not in {node["Node Type"] for node in _nodes(plan)}
    assert scans[0]["Actual Rows"] == 60
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 20


async def test_what_waits_is_found_among_all_that_ever_waited(many: TimedPool) -> None:
    waiting, owner = statement("reads/list_waiting"), ("schedule", "s7")
    for wanted in ((None, None), owner):
        plan = await _explain(many, waiting, "acme", 10_000_000, *wanted)
        assert plan["Actual Rows"] == 1
        assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 30


async def test_a_past_row_is_found_by_its_key_and_nothing_else_is_read(many: TimedPool) -> None:
    sql = "SELECT * FROM view_schedule_runs_1_at('acme', 's-busy', $1)"
    plan = await _explain(many, sql, 100 * ROWS // 2)
    scans = [node for node in _nodes(plan) if "Relation Name" in node]
    assert {(node["Node Type"], node["Relation Name"]) for node in scans} == {
        ("Index Scan", "view_schedule_runs_1"),
        ("Index Scan", "view_schedule_runs_1_past"),
    }
    assert [node["Actual Rows"] for node in scans if node["Relation Name"].endswith("_past")] == [1]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 20


async def test_a_past_page_of_200_reads_no_more_than_its_rows(many: TimedPool) -> None:
    keys = "SELECT workspace, id FROM view_schedule_runs_1 WHERE workspace = 'acme' ORDER BY id LIMIT 200"
    sql = f"SELECT r.* FROM ({keys}) AS k CROSS JOIN LATERAL view_schedule_runs_1_at(k.workspace, k.id, $1) AS r"
    plan = await _explain(many, sql, 150_000)
    nodes = list(_nodes(plan))
    assert {node["Node Type"] for node in nodes if "Scan" in node["Node Type"]} <= {
        "Index Scan",
        "Index Only Scan",
        "Subquery Scan",
    }
    past = [node for node in nodes if node.get("Relation Name", "").endswith("past")]
    assert sum(node["Actual Rows"] * node["Actual Loops"] for node in past) <= 200
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 3_000


async def test_what_was_planned_for_small_views_does_not_scan_large_ones(fresh: Fresh) -> None:
    log, pool = new_log(), await fresh()
    history = History(41, workspaces=("acme",), schedules=5)
    await append_all(log, history.appends(5))
    projector = projector_on(log, pool, batch=25)
    await project_all(projector)
    before = await _scans(pool)
    await append_all_runs(log, history)
    await project_all(projector)
    after = await _scans(pool)
    grown = {name for name in after if after[name] > before[name]}
    assert grown <= {"view_checkpoints"}


async def append_all_runs(log: Any, history: History) -> None:
    writer = Writer(log)
    for fact in await log.read(0, 100_000):
        writer.versions[fact.stream] = fact.stream_version
    for _ in range(30):
        for facts in history._run("acme", history.random.choice(history.planned["acme"])):
            await writer.append(facts)


async def _scans(pool: TimedPool) -> dict[str, int]:
    await pool.execute("SELECT pg_stat_force_next_flush()")
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_stat_clear_snapshot()")
        rows = await connection.fetch("SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname LIKE 'view\\_%'")
    return {row["relname"]: row["seq_scan"] for row in rows}


async def _columns(pool: TimedPool, table: str) -> dict[str, str]:
    rows = await pool.fetch(
        "SELECT attname, format_type(atttypid, atttypmod) AS type FROM pg_attribute "
        "WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum", table
    )  # fmt: skip
    return {row["attname"]: NAMES.get(row["type"], row["type"]) for row in rows}


async def _primary_key(pool: TimedPool, table: str) -> list[str]:
    sql = """
        SELECT attname FROM pg_index AS i
        CROSS JOIN LATERAL unnest(indkey::smallint[]) WITH ORDINALITY AS k (attnum, place)
        JOIN pg_attribute AS a ON attrelid = indrelid AND a.attnum = k.attnum
        WHERE indrelid = $1::text::regclass AND indisprimary ORDER BY place
    """
    return [row["attname"] for row in await pool.fetch(sql, table)]


async def _explain(pool: TimedPool, sql: str, *arguments: Any) -> dict[str, Any]:
    found = await pool.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", *arguments)
    return json.loads(found)[0]["Plan"]


def _nodes(plan: dict[str, Any]) -> Any:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
