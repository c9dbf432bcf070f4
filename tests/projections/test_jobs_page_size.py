"""A section of the Jobs page looks at what it shows, however many schedules of other sections stand before it."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from eventjobs.log.postgres_storage import SESSION
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, open_pool
from eventjobs.projections.temporal import PRESENT
from eventjobs.projections.things import LIST_SCHEDULES

SCHEDULES, PER_FEATURE = 10_000, 1_000
STATUSES = ("active", "maintenance", "onboarding")
FILL = (
    "INSERT INTO view_workspaces_1 VALUES ('acme', 1, 'UTC', 'automation', now(), 1)",
    (
        "INSERT INTO view_features_1 SELECT 'acme', 'of-' || status, status, status, now(), 'key:a', 2 "
        f"FROM unnest(ARRAY{list(STATUSES)}) AS status"
    ),
    (
        "INSERT INTO view_schedules_1 SELECT 'acme', "
        f"CASE WHEN n < {len(STATUSES) * PER_FEATURE} "
        f"THEN 'of-' || (ARRAY{list(STATUSES)})[1 + n / {PER_FEATURE}] || '.' ELSE 'own-' END "
        "|| to_char(n, 'FM00000'), 1, '', true, '{}', '{}', 1, now(), NULL, 10 + n "
        f"FROM generate_series(0, {SCHEDULES} - 1) AS n"
    ),
    "INSERT INTO view_schedule_jobs_1 SELECT workspace, id, '[]', from_position FROM view_schedules_1",
    (
        "INSERT INTO view_schedule_next_1 (workspace, id, timing, from_position) "
        "SELECT workspace, id, '{}', from_position FROM view_schedules_1"
    ),
    (
        "INSERT INTO view_managed_1 "
        "(workspace, kind, id, managed, integration, features, feature, definition_version, from_position) "
        "SELECT workspace, 'schedule', id, true, split_part(id, '.', 1), '[]', substr(split_part(id, '.', 1), 4), 1, "
        "from_position FROM view_schedules_1 WHERE id LIKE 'of-%'"
    ),
)


@pytest.fixture(scope="module")
async def many(database_url: str) -> AsyncIterator[TimedPool]:
    """A thousand schedules of each status of a feature, and then 7,000 of the workspace's own."""
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1, settings=SESSION) as pool:
        for statement in FILL:
            await pool.execute(statement)
        yield pool


@pytest.mark.parametrize("position", [PRESENT, SCHEDULES + 9], ids=["now", "then"])
@pytest.mark.parametrize("section", [*STATUSES, "workspace", "off"])
async def test_a_page_costs_what_it_shows(many: TimedPool, section: str, position: int) -> None:
    rows = 0 if section == "off" else 101
    asked = ("acme", position, "", 101, None, None, section, None, None)

    found = await many.fetch(LIST_SCHEDULES, *asked)
    plan = await _explain(many, asked)

    assert [row["id"].removeprefix("of-").split("." if "." in row["id"] else "-")[0] for row in found] == [
        {"workspace": "own"}.get(section, section)
    ] * rows
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < 6_000


async def _explain(pool: TimedPool, asked: tuple[Any, ...]) -> dict[str, Any]:
    found = await pool.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {LIST_SCHEDULES}", *asked)
    plan: dict[str, Any] = json.loads(found)[0]["Plan"]
    return plan
