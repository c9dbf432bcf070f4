"""Limits of how many things there may be, over HTTP and counted by the views (SPEC decision 13)."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from eventjobs.commands.context import Limits
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, schedule, with_workspace


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """A server on Postgres on which a workspace has two schedules and two Connect jobs at most."""
    limits = Limits(schedules_per_workspace=2, connect_jobs_per_workspace=2)
    async with on_postgres(database_url, limits=limits) as rig:
        await with_workspace(rig)
        yield rig


async def as_after_a_new_start(rig: Rig) -> None:
    await rig.get(f"/v1/acme/schedules?wait_for={rig.log.known_head.position}")
    rig.deps.dispatcher.census._known.clear()


async def test_a_schedule_too_many_is_refused_with_the_limit(pg: Rig) -> None:
    for name in ("first", "second"):
        assert (await pg.command("CreateSchedule", schedule(name))).status == 201
    refused = await pg.command("CreateSchedule", schedule("third"))
    assert (refused.status, refused.code, refused.json["limit"]) == (409, "too_many_schedules", 2)
    again = await pg.command("CreateSchedule", schedule("second"))
    assert again.status == 200
    assert (await pg.command("DeleteSchedule", {"id": "first"})).status == 201
    await as_after_a_new_start(pg)
    assert (await pg.command("CreateSchedule", schedule("third"))).status == 201
    assert (await pg.command("CreateSchedule", schedule("fourth"))).code == "too_many_schedules"


async def test_G86_a_connect_job_too_many_is_refused_with_the_limit(pg: Rig) -> None:
    def job(name: str) -> dict[str, Any]:
        return {"id": name, "kind": "import", "handler": "noop", "expires_on": "never"}

    for name in ("contacts", "extension"):
        assert (await pg.command("SaveJob", job(name))).status == 201
    refused = await pg.command("SaveJob", job("orders"))
    assert (refused.status, refused.code, refused.json["limit"]) == (409, "too_many_connect_jobs", 2)
    assert (await pg.command("SaveJob", job("extension"))).status == 200
    assert (await pg.command("DeleteJob", {"id": "contacts"})).status == 201
    await as_after_a_new_start(pg)
    assert (await pg.command("SaveJob", job("orders"))).status == 201
    assert (await pg.command("SaveJob", job("customers"))).code == "too_many_connect_jobs"
