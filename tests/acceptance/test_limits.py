"""Limits of runs at once, over HTTP against the real process: who is over one waits, and everybody can see why."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.acceptance.instance import Client, Instance, client_of
from tests.acceptance.test_instances import facts, instances, metric, run_now
from tests.support.database import data_folder, database
from tests.support.waiting import eventually

LIMITS = {"EVENTJOBS_RUNS_PER_OWNER": "2", "EVENTJOBS_RUNS_PER_INSTANCE": "1", "EVENTJOBS_GRACE": "PT2S"}
OFTEN: dict[str, Any] = {
    "id": "often",
    "active": False,
    "cadence": {"start_date": "2026-01-01", "start_time": "14:00", "time_zone": "UTC", "every": 1, "unit": "month"},
    "jobs": [{"job": {"kind": "service", "id": "nap"}, "seq": 1}],
    "policies": {"overlap": "allow"},
}


@pytest.fixture(scope="module")
async def shared_url(postgres_url: str) -> AsyncIterator[str]:
    async with database(postgres_url, "limits") as url:
        yield url


async def furnish(client: Client) -> None:
    await client.post("/v1/workspaces", {"id": client.workspace, "time_zone": "Europe/Berlin", "kind": "automation"})
    await client.do("AddService", {"id": "nap", "handler": "sleep", "config": {"seconds": 600}, "attempts": 5})
    await client.do("CreateSchedule", OFTEN)


async def delays(client: Client, path: str) -> list[tuple[str, int]]:
    return [(delay["reason"], delay["limit"]) for delay in (await client.get(path))["delays"]]


async def fact(client: Client, type_: str) -> Any:
    return (await eventually(lambda: facts(client, type_), 15.0))[-1]


async def started(client: Client, run: str) -> bool:
    return (await client.get(f"/runs/{run}"))["started_at"] is not None


async def test_who_is_over_a_limit_waits_is_seen_to_wait_can_be_stopped_and_starts_by_itself() -> None:
    with data_folder() as folder:
        async with Instance(folder, environment=LIMITS) as one, client_of(one, "limited") as client:
            await furnish(client)
            await run_now(client, "often", "first")
            await eventually(lambda: started(client, "first"), 15.0)
            await run_now(client, "often", "second")
            await fact(client, "run.delayed")
            assert await eventually(lambda: delays(client, "/runs/second")) == [("instance_limit", 1)]
            assert not await started(client, "second")
            assert await metric(one, "eventjobs_runs_in_line") == 1

            owner = {"owner": {"kind": "schedule", "id": "often"}}
            refused = await client.do("RunNow", owner, expect=409)
            assert (refused["code"], refused["limit"], refused["of"]) == ("no_room", 2, "schedule")

            await client.do("ActivateSchedule", {"id": "often"})  # behind its cadence, so it is due at once
            queued = (await fact(client, "schedule.occurrence_queued"))["data"]
            instant = queued["due"][:19].replace("-", "").replace(":", "").lower()
            occurrence = f"schedule.often.{queued['cadence_version']}.{instant}z"
            shown = await eventually(lambda: client.get(f"/occurrences/{occurrence}"))
            assert shown["outcome"] == "waiting"
            assert await delays(client, f"/occurrences/{occurrence}") == [("owner_limit", 2)]
            listed = (await client.get("/occurrences?outcome=waiting&owner=schedule/often"))["items"]
            assert [{**one, "as_of": None} for one in listed] == [{**shown, "as_of": None}]
            all_of_it = (await client.get("/occurrences?owner=schedule/often"))["items"]
            assert [one["id"] for one in all_of_it if one["outcome"] == "waiting"] == [occurrence]

            await client.do("StopRun", {"run": "second", "mode": "now"})
            stopped = await client.run_ended("second")
            assert (stopped["state"], stopped["started_at"]) == ("aborted", None)
            both = [("owner_limit", 2), ("instance_limit", 1)]
            assert await eventually(lambda: _told(client, f"/runs/{occurrence}", both))

            await client.do("StopRun", {"run": "first", "mode": "now"})
            await eventually(lambda: started(client, occurrence), 15.0)
            assert (await client.get("/occurrences?outcome=waiting"))["items"] == []
            assert await delays(client, f"/occurrences/{occurrence}") == both
            assert await metric(one, "eventjobs_runs_in_line") == 0

            audit = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "eventjobs", "audit", "occurrences", "--data-dir", str(folder)),
                stdout=asyncio.subprocess.DEVNULL,
            )
            assert await audit.wait() == 0
            await client.do("StopRun", {"run": occurrence, "mode": "now"})
            await client.run_ended(occurrence)
            assert await one.stop() == 0


async def _told(client: Client, path: str, wanted: list[tuple[str, int]]) -> bool:
    return await delays(client, path) == wanted


async def test_a_stopping_instance_hands_over_what_waits_for_a_place_at_once(shared_url: str) -> None:
    async with (
        instances(shared_url, 2, EVENTJOBS_RUNS_PER_INSTANCE="1", EVENTJOBS_GRACE="PT8S") as (one, two),
        client_of(one, "leaving-a-line") as first,
        client_of(two, "leaving-a-line") as second,
    ):
        await furnish(first)
        await run_now(first, "often", "works")
        await eventually(lambda: started(first, "works"), 15.0)
        await first.do("AddService", {"id": "quick", "handler": "sleep", "config": {"seconds": 0.1}})
        jobs = [{"job": {"kind": "service", "id": "quick"}, "seq": 1}]
        await first.do("CreateSchedule", {**OFTEN, "id": "other", "jobs": jobs})
        await run_now(first, "other", "waits")
        await fact(first, "run.delayed")
        stopping = asyncio.create_task(one.stop())
        ended = await second.run_ended("waits", 6.0)  # before the grace of what works here is over
        assert (ended["state"], ended["term"]) == ("succeeded", 2)
        assert await delays(second, "/runs/waits") == [("instance_limit", 1)]
        assert await stopping == 0
        await second.do("StopRun", {"run": "works", "mode": "now"})
        await second.run_ended("works")
