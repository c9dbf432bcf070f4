"""A page of Manage Connect looks at each row of a large workspace once, and not at each for each other one."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from eventjobs.events.cadence import Timing, TimingPolicies
from eventjobs.events.connect import Notification
from eventjobs.events.schedule import SchedulePolicies
from eventjobs.events.service import AttemptPolicy
from eventjobs.events.slots import SlotSchedule, SlotType
from eventjobs.log.postgres_storage import SESSION
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, open_pool
from eventjobs.projections.connect_documents import Seen
from eventjobs.projections.connect_reads import (
    LIST_CONNECT_JOBS,
    LIST_GROUPS,
    WantedRows,
    _filters,
    list_candidates,
    list_connect_jobs,
    list_groups,
)
from eventjobs.projections.temporal import PRESENT, json_text

GROUPS, JOBS, SPOILT = 1_000, 4_000, 50
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SEEN = Seen(now=NOW, kinds=("import",))
DAILY = SlotSchedule(type=SlotType.DAILY, time_zone="UTC", hour=3, slot=1, minute=20)
ON_DEMAND = SlotSchedule(type=SlotType.ON_DEMAND, time_zone="UTC")
POLICIES = SchedulePolicies(timing=TimingPolicies(timing=Timing.WALL_CLOCK), on_failure="stop")


@pytest.fixture(scope="module")
async def many(database_url: str) -> AsyncIterator[TimedPool]:
    """1,000 groups of three imports, each fiftieth with one that was switched off, and 1,000 more imports."""
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1, settings=SESSION) as pool:
        await _fill(pool)
        yield pool


async def _fill(pool: TimedPool) -> None:
    alike = (json_text(Notification()), json_text(POLICIES))
    await pool.execute("INSERT INTO view_workspaces_1 VALUES ('acme', 1, 'UTC', 'automation', now(), 1)")
    await pool.execute(
        "INSERT INTO view_slot_owners_1 SELECT 'acme', 'group', 'group-' || to_char(n, 'FM00000'), 2, 'Group ' || n, "
        "'', false, true, $1::text::json, $2::text::json, $3::text::json, 'delete', 1, $4, NULL, '2026-12-31', "
        "timestamptz '2027-01-01T00:00Z', false, n FROM generate_series(0, $5 - 1) n",
        json_text(DAILY), *alike, NOW, GROUPS,
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO view_slot_next_1 SELECT 'acme', 'group', 'group-' || to_char(n, 'FM00000'), "
        "timestamptz '2026-12-02T03:20Z', '2026-12-02T03:20:00', 0, NULL, '2026a', NULL, n "
        "FROM generate_series(0, $1 - 1) n",
        GROUPS,
    )
    await pool.execute(
        "INSERT INTO view_groups_1 SELECT 'acme', 'group-' || to_char(n, 'FM00000'), "
        "json_build_array("
        + ", ".join(
            f"json_build_object('job', json_build_object('kind', 'import', 'id', "
            f"'job-' || to_char(3 * n + {place}, 'FM00000')), 'required', true)"
            for place in range(3)
        )
        + "), n "
        "FROM generate_series(0, $1 - 1) n",
        GROUPS,
    )
    await pool.execute(
        "INSERT INTO view_slot_owners_1 SELECT 'acme', 'job', 'job-' || to_char(n, 'FM00000'), 2, 'Job ' || n, '', "
        "false, n % (3 * $6) <> 0, $1::text::json, $2::text::json, $3::text::json, 'delete', 1, $4, NULL, NULL, NULL, "
        "false, 10000 + n FROM generate_series(0, $5 - 1) n",
        json_text(ON_DEMAND), *alike, NOW, JOBS, SPOILT,
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO view_connect_jobs_1 SELECT 'acme', 'job-' || to_char(n, 'FM00000'), 'import', NULL, 'csv.import', "
        "'{}', $1::text::json, '[]', CASE WHEN n < 3 * $2 THEN 'group-' || to_char(n / 3, 'FM00000') END, 10000 + n "
        "FROM generate_series(0, $3 - 1) n",
        json_text(AttemptPolicy(delivery="at_least_once")), GROUPS, JOBS,
    )  # fmt: skip


Read = Callable[[TimedPool, str, WantedRows, int, Seen], Awaitable[dict[str, Any]]]


async def _ids(pool: TimedPool, read: Read, position: int = PRESENT, **wanted: Any) -> Sequence[str]:
    page = await read(pool, "acme", WantedRows(**wanted), position, SEEN)
    return [item["id"] for item in page["items"]]


async def test_the_few_among_the_many_are_on_the_first_page(many: TimedPool) -> None:
    assert len(await _ids(many, list_groups, invalid=True)) == GROUPS // SPOILT
    assert len(await _ids(many, list_candidates, qualified=True, limit=500)) == 500
    assert (await _ids(many, list_connect_jobs, state="inactive"))[:2] == ["job-00000", "job-01050"]


@pytest.mark.parametrize(
    ("sql", "wanted", "rows", "blocks"),
    [
        pytest.param(LIST_GROUPS, {}, 101, 400, id="groups"),
        pytest.param(LIST_GROUPS, {"order": "next_run"}, 101, 12_000, id="groups by their next run"),
        pytest.param(LIST_GROUPS, {"expiring": True}, 0, 400, id="expiring groups"),
        pytest.param(LIST_GROUPS, {"invalid": True}, GROUPS // SPOILT, 50_000, id="invalid groups"),
        pytest.param(LIST_CONNECT_JOBS, {}, 101, 1_600, id="jobs"),
        pytest.param(LIST_CONNECT_JOBS, {"order": "next_run"}, 101, 32_000, id="jobs by their next run"),
        pytest.param(LIST_CONNECT_JOBS, {"qualified": True}, 101, 40_000, id="candidates"),
    ],
)
async def test_a_page_is_found_by_one_look_at_each_row(
    many: TimedPool, sql: str, wanted: dict[str, Any], rows: int, blocks: int
) -> None:
    plan = await _explain(many, sql, WantedRows(**wanted))
    assert {node["Node Type"] for node in _nodes(plan)} & {
        "Seq Scan",
        "Bitmap Heap Scan",
        "Hash Join",
        "Merge Join",
    } == set()
    assert plan["Actual Rows"] == rows
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < blocks


async def _explain(pool: TimedPool, sql: str, wanted: WantedRows) -> dict[str, Any]:
    shared = await _filters(pool, "acme", wanted, PRESENT, SEEN)
    rest: Sequence[Any] = (None, None, None, wanted.qualified, NOW, None, ["import"])
    if sql == LIST_GROUPS:
        rest = (wanted.invalid, NOW, ["import"], "2026-11-28")
    explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}"
    found = await pool.fetchval(explained, "acme", PRESENT, *shared, None, None, 101, *rest)
    plan: dict[str, Any] = json.loads(found)[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
