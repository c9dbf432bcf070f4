"""What the page says of a group that is no longer what it was activated as, and what becomes of its next run."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventjobs.clock import SystemClock
from eventjobs.commands.context import Context
from eventjobs.ids import SystemIds, SystemRandom
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig
from tests.support.ports import FakeCatalog
from tests.support.story import SPEC_OF, command

NOON = datetime(2100, 1, 5, 12, tzinfo=UTC)
LATE = {"catch_up_window": "P30D"}
JOBS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "scheduled": ("SetJobSchedule", {"schedule": {"type": "daily", "at": "04:20"}, "force": True}),
    "inactive": ("DeactivateJob", {"force": True}),
    "missing": ("DeleteJob", {"force": True}),
    "expired": ("SetExpiration", {"expires_on": "2100-01-06"}),
}
"""How a job of a group stops qualifying, by the reason."""


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """A server on Postgres by whose clock it is noon on 5 January 2100."""
    async with on_postgres(database_url) as rig:
        made = await rig.post("/v1/workspaces", {"id": "acme", "time_zone": "UTC"})
        assert made.status == 201, made.body
        await come(rig, NOON)
        yield rig


async def come(rig: Rig, at: datetime) -> None:
    """Let the clock come to an instant."""
    rig.deps.clock.ahead = at - SystemClock().now()  # type: ignore[attr-defined]


async def do(rig: Rig, name: str, /, **fields: Any) -> Sequence[Mapping[str, Any]]:
    """Give a command and return its warnings."""
    answered = await rig.command(name, fields)
    assert answered.status == 201, answered.body
    return answered.json["warnings"]  # type: ignore[no-any-return]


async def answer_due(rig: Rig, group: str) -> None:
    """Answer what is due, as the service does it by itself."""
    told = command("AnswerDue", kind="group", id=group)
    context = Context(
        workspace="acme",
        now=rig.deps.clock.now(),
        actor="instance:one",
        command_id=SystemIds().new(),
        ids=SystemIds(),
        random=SystemRandom(),
        instance="one",
        catalog=FakeCatalog(),
        limits=rig.deps.limits,
    )
    await rig.deps.dispatcher.dispatch(SPEC_OF[type(told)], told, context)


async def shown(rig: Rig, path: str) -> Any:
    return (await rig.get(f"/v1/acme/{path}?wait_for={rig.log.known_head.position}")).json


async def marks(rig: Rig, group: str) -> tuple[str, Sequence[str]]:
    """Return the status of a group, and the codes that say why it is invalid."""
    row = await shown(rig, f"groups/{group}")
    assert group in [item["id"] for item in (await shown(rig, "manage-connect/group-jobs"))["items"]]
    return row["status"], [mark["code"] for mark in row["invalid"]]


async def with_group(rig: Rig, group: str, **fields: Any) -> Sequence[Mapping[str, Any]]:
    """Make a group of two imports and activate it; return the warnings of that."""
    jobs = [f"{group}-a", f"{group}-b"]
    for job in jobs:
        await do(rig, "SaveJob", id=job, kind="import", handler="noop", expires_on="never")
        await do(rig, "ActivateJob", id=job)
    await do(rig, "CreateGroup", id=group, name=group, jobs=jobs, **fields)
    return await do(rig, "ActivateGroup", id=group)


@pytest.mark.parametrize("reason", JOBS)
async def test_G24_a_job_that_no_longer_qualifies_marks_its_group_and_fails_its_next_run(pg: Rig, reason: str) -> None:
    await come(pg, NOON)
    await with_group(pg, reason, expires_on="never")
    assert await marks(pg, reason) == ("active", [])

    name, fields = JOBS[reason]
    job = f"{reason}-b"
    which: Mapping[str, Any] = {"owner": {"kind": "import", "id": job}} if name == "SetExpiration" else {"id": job}
    await do(pg, name, **which, **fields)
    await come(pg, NOON + timedelta(days=2))
    assert await marks(pg, reason) == ("invalid", [f"member_{reason}"])
    again = await pg.command("SaveGroup", {"id": reason, "name": f"{reason} again", "jobs": [f"{reason}-a"]})
    assert again.status == 422

    run = await pg.command("RunNow", {"owner": {"kind": "group", "id": reason}})
    assert run.status == 201, run.body
    detail = await shown(pg, f"runs/{run.json['run']}")
    assert (detail["state"], detail["reason"]) == ("failed", "not_qualified")
    job_runs = [job_run for stage in detail["stages"] for job_run in stage["job_runs"]]
    assert [(one["state"], one["reason"], one["attempts"]) for one in job_runs] == [
        ("skipped", "preflight_failed", [])
    ] * 2
    assert reason in job_runs[1]["detail"]
    assert (await shown(pg, f"groups/{reason}"))["last_run"]["reason"] == "not_qualified"


async def test_G5_G24_a_group_that_has_lost_a_job_and_is_mended_is_as_before(pg: Rig) -> None:
    await come(pg, NOON)
    await with_group(pg, "mended", expires_on="never")
    await do(pg, "DeactivateJob", id="mended-a", force=True)
    assert await marks(pg, "mended") == ("invalid", ["member_inactive"])
    await do(pg, "ActivateJob", id="mended-a")
    assert await marks(pg, "mended") == ("active", [])


async def test_G24_a_group_that_expires_before_its_next_moment_has_none_in_future(pg: Rig) -> None:
    await come(pg, NOON)
    weekly = {"type": "weekly", "days": ["sun"], "at": "03:20"}
    await with_group(pg, "weekly", schedule=weekly, expires_on="never")
    assert (await shown(pg, "groups/weekly"))["runs_left"] is None
    await do(pg, "SetExpiration", owner={"kind": "group", "id": "weekly"}, expires_on="2100-01-08")

    assert await marks(pg, "weekly") == ("invalid", ["no_future_occurrence"])
    row = await shown(pg, "groups/weekly")
    assert (row["next_run"], row["runs_left"], row["days_left"], row["spent"]) == (None, 0, 3, False)
    assert row["actions"]["run_now"] is True
    await do(pg, "SetExpiration", owner={"kind": "group", "id": "weekly"}, expires_on="2100-01-10")
    assert await marks(pg, "weekly") == ("active", [])


async def test_G57_a_monthly_group_may_expire_before_it_ever_runs_or_after_a_single_run(pg: Rig) -> None:
    await come(pg, NOON)
    never = await with_group(pg, "fifth", schedule={"type": "monthly", "day": 5, "at": "03:20"})
    once = await with_group(pg, "sixth", schedule={"type": "monthly", "day": 6, "at": "03:20"})
    assert [[warning["code"] for warning in told] for told in (never, once)] == [
        ["no_run_before_expiry"],
        ["few_runs_before_expiry"],
    ]

    assert await marks(pg, "fifth") == ("invalid", ["no_future_occurrence"])
    fifth, sixth = await shown(pg, "groups/fifth"), await shown(pg, "groups/sixth")
    assert (fifth["runs_left"], fifth["expires_on"], fifth["next_run"]) == (0, "2100-02-04", None)
    assert (sixth["runs_left"], sixth["status"]) == (1, "active")
    assert [(warning["path"], warning["code"]) for warning in sixth["warnings"]] == [
        ("expires_on", "few_runs_before_expiry")
    ]


async def test_G63_a_job_that_expires_before_its_group_is_warned_of_in_the_list_and_at_activation(pg: Rig) -> None:
    await come(pg, NOON)
    await with_group(pg, "outlives", expires_on="2100-02-20")
    owner = {"kind": "import", "id": "outlives-b"}
    await do(pg, "SetExpiration", owner=owner, expires_on="2100-02-01")
    (warning,) = (await shown(pg, "groups/outlives"))["warnings"]
    assert (warning["code"], warning["path"], warning["job"]) == ("member_expires_first", "jobs.1", "outlives-b")
    await do(pg, "DeactivateGroup", id="outlives")
    assert [told["code"] for told in await do(pg, "ActivateGroup", id="outlives")] == ["member_expires_first"]


async def test_G14_a_single_moment_that_is_over_leaves_the_group_active_and_spent(pg: Rig) -> None:
    await come(pg, NOON)
    await with_group(pg, "single", schedule={"type": "once", "date": "2100-01-05", "at": "14:20"}, policies=LATE)
    assert (await shown(pg, "groups/single"))["spent"] is False
    await come(pg, NOON + timedelta(hours=4))
    await answer_due(pg, "single")

    row = await shown(pg, "groups/single")
    assert (row["spent"], row["status"], row["invalid"], row["next_run"]) == (True, "running", [], None)
    assert (row["state"], row["runs_left"], row["current_job"]["place"]) == ("active", 0, 1)
    found = (await shown(pg, "manage-connect/group-jobs"))["items"]
    assert [item["spent"] for item in found if item["id"] == "single"] == [True]
