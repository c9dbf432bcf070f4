"""The SQL views of the present are what their document says."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from eventjobs.domain.streams import connect_stream, flow_stream, group_stream, schedule_stream
from eventjobs.events.cadence import Cadence, Timing, TimingPolicies, TimingState, Unit
from eventjobs.events.connect import Member, Notification
from eventjobs.events.flow import FlowAdded, FlowDeleted, FlowRunOpened
from eventjobs.events.group import GroupCreated, GroupRunOpened
from eventjobs.events.job import JobCreated, JobDeleted, JobGrouped
from eventjobs.events.run import Ref
from eventjobs.events.schedule import ScheduleCreated, SchedulePolicies
from eventjobs.events.service import AttemptPolicy
from eventjobs.events.slots import SlotSchedule, SlotType
from eventjobs.postgres.pool import TimedPool
from eventjobs.runner.projector import Projector
from tests.support.history import History
from tests.support.views import append_all, new_log, project_all, projector_on

DOCUMENT = (Path(__file__).parents[2] / "docs" / "sql-views.md").read_text("utf-8")
VIEWS = ("jobs_page", "manage_connect", "runs", "occurrences")


POLICY = AttemptPolicy(delivery="at_most_once")
APPROVE = FlowAdded(name="Approve", trigger="on_demand", handler="http", config={}, policy=POLICY, active=False)
WEEKDAYS = Cadence(time_zone="Europe/Berlin", unit=Unit.CRON, cron="30 2 * * MON-FRI")
ON_WEEKDAYS = ScheduleCreated(
    description="",
    active=False,
    cadence=WEEKDAYS,
    policies=SchedulePolicies(timing=TimingPolicies(timing=Timing.WALL_CLOCK)),
    jobs=(),
    cadence_version=1,
    timing=TimingState(),
    next=None,
)
SHARED = {
    "description": "",
    "schedule": SlotSchedule(type=SlotType.DAILY, time_zone="Europe/Berlin", hour=3, slot=1),
    "notification": Notification(),
    "policies": SchedulePolicies(timing=TimingPolicies(timing=Timing.WALL_CLOCK), on_failure="stop"),
    "on_expiry": "delete",
    "created_at": datetime(2026, 12, 1, tzinfo=UTC),
}
CONTACTS = JobCreated(kind="import", name="All contacts", handler="csv.import", config={}, policy=POLICY, **SHARED)
GROUP_AND_JOB = [
    (connect_stream("delta", "contacts"), CONTACTS),
    (connect_stream("delta", "contacts"), JobGrouped(group="lists")),
    (connect_stream("delta", "gone"), CONTACTS),
    (connect_stream("delta", "gone"), JobDeleted()),
    (
        group_stream("delta", "lists"),
        GroupCreated(name="Lists", members=(Member(job=Ref(kind="import", id="contacts")),), **SHARED),
    ),
    (group_stream("delta", "lists"), GroupRunOpened(run="r1", cause="manual")),
]
FLOWS_AND_A_CRON = [
    (flow_stream("gamma", "approve"), APPROVE),
    (flow_stream("gamma", "approve"), FlowRunOpened(run="r1", cause="manual")),
    (flow_stream("gamma", "gone"), APPROVE),
    (flow_stream("gamma", "gone"), FlowDeleted()),
    (schedule_stream("gamma", "weekdays"), ON_WEEKDAYS),
]


@pytest.fixture(scope="module")
async def projector(pool: TimedPool) -> Projector:
    log = new_log()
    await append_all(log, [*History(71, workspaces=("acme", "beta")).appends(60), FLOWS_AND_A_CRON, GROUP_AND_JOB])
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
    assert {row["kind"]: row["n"] for row in kinds} == {"flow": 2, "schedule": 4 - deleted, "service": 3}
    row = await pool.fetchrow("SELECT * FROM reporting.jobs_page WHERE next_due IS NOT NULL LIMIT 1")
    assert row is not None
    assert (row["every"], row["unit"], row["timing"], row["time_zone"]) == (15, "minute", "elapsed", "UTC")
    assert row["next_due_local"] == row["next_due"].strftime("%Y-%m-%dT%H:%M:%S")


@pytest.mark.usefixtures("projector")
async def test_the_jobs_page_holds_flows_and_the_expression_of_a_cron(pool: TimedPool) -> None:
    rows = await pool.fetch("SELECT * FROM reporting.jobs_page WHERE workspace = 'gamma' ORDER BY kind")
    flow, schedule = (dict(row) for row in rows)
    assert (flow["kind"], flow["id"], flow["name"], flow["active"]) == ("flow", "approve", "Approve", False)
    assert (flow["open_run"], flow["cron"]) == ("r1", None)
    assert (schedule["unit"], schedule["cron"], schedule["time_zone"]) == ("cron", "30 2 * * MON-FRI", "Europe/Berlin")


@pytest.mark.usefixtures("projector")
async def test_manage_connect_holds_groups_and_jobs(pool: TimedPool) -> None:
    rows = await pool.fetch("SELECT * FROM reporting.manage_connect WHERE workspace = 'delta' ORDER BY kind")
    group, job = (dict(row) for row in rows)
    assert (group["kind"], group["id"], group["jobs"], group["running"]) == ("group", "lists", 1, True)
    assert (job["kind"], job["id"], job["group_id"], job["running"]) == ("import", "contacts", "lists", False)
    assert (job["state"], job["schedule_type"], job["time_zone"]) == ("draft", "daily", "Europe/Berlin")


@pytest.mark.usefixtures("projector")
async def test_runs_tell_how_long_they_took_and_how_late_they_were(pool: TimedPool) -> None:
    row = await pool.fetchrow(
        "SELECT * FROM reporting.runs "
        "WHERE ended_at IS NOT NULL AND due IS NOT NULL AND owner_kind = 'schedule' LIMIT 1"
    )
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
