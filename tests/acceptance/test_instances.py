"""Several real processes on one database: one stops in order, one is killed, one is frozen and comes back."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import aiohttp
import pytest

from tests.acceptance.instance import Client, Instance, client_of
from tests.support.database import data_folder, database
from tests.support.waiting import eventually

BUSY = "busy"
QUEUED = 20
HANDED_OVER_S = 1.0
NOTICED_S = 0.3
"""What the signal may need to its process, whose facts' instants are compared with the sender's."""


@pytest.fixture(scope="module")
async def shared_url(postgres_url: str) -> AsyncIterator[str]:
    async with database(postgres_url, "several_instances") as url:
        yield url


@asynccontextmanager
async def instances(url: str, number: int, **settings: str) -> AsyncIterator[Sequence[Instance]]:
    environment = {"EVENTJOBS_DATABASE_URL": url, "EVENTJOBS_UNSAFE": "true", **settings}
    async with AsyncExitStack() as stack:
        begun = []
        for _ in range(number):
            folder = stack.enter_context(data_folder())
            begun.append(await stack.enter_async_context(Instance(folder, environment=environment)))
        yield begun


async def furnish(client: Client) -> None:
    """A workspace with one job that takes its time, and schedules that run it."""
    await client.post("/v1/workspaces", {"id": client.workspace, "time_zone": "Europe/Berlin", "kind": "automation"})
    nap = {"id": BUSY, "handler": "sleep", "config": {"seconds": 2.5}, "attempts": 5}
    await client.do("AddService", nap)
    for number in range(QUEUED):
        jobs = [{"job": {"kind": "service", "id": BUSY}, "seq": 1}]
        cadence = {"start_date": "2099-12-01", "start_time": "14:00", "time_zone": "UTC", "every": 1, "unit": "day"}
        await client.do("CreateSchedule", {"id": f"s{number}", "cadence": cadence, "jobs": jobs})


async def run_now(client: Client, schedule: str, run: str, **headers: str) -> Any:
    body = {"owner": {"kind": "schedule", "id": schedule}, "id": run}
    return await client.do("RunNow", body, **headers)


async def facts(client: Client, types: str) -> list[Any]:
    return list((await client.get(f"/events?types={types}&limit=1000"))["items"])


async def metric(instance: Instance, name: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"{instance.url}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(float(line.split()[-1]) for line in lines if line.split()[0].split("{")[0] == name)


async def hammer(name: str, client: Client, accepted: set[str], unanswered: set[str]) -> None:
    """Send commands until there is nobody to take them; what got no answer is noted."""
    for number in count():
        key = f"note {name} {number}"
        try:
            async with client.session.post(
                f"{client.url}/v1/{client.workspace}/commands/DescribeSchedule",
                json={"id": "s0", "description": key},
            ) as answer:
                if answer.status == 201:
                    accepted.add(key)
                else:
                    assert answer.status == 503
        except aiohttp.ClientConnectorError:
            return  # it was not sent: nobody listens any more
        except aiohttp.ClientError:
            unanswered.add(key)


@pytest.mark.timeout(120)
async def test_T25_a_stop_hands_over_within_a_second_and_leaves_no_accepted_command_without_an_answer(
    shared_url: str,
) -> None:
    async with (
        instances(shared_url, 2, EVENTJOBS_GRACE="PT20S") as (one, two),
        client_of(one, "leaving") as first,
        client_of(two, "leaving") as second,
    ):
        await furnish(first)
        runs = [f"r{number}" for number in range(QUEUED)]
        for number, run in enumerate(runs):
            await run_now(first, f"s{number}", run)
        await eventually(lambda: facts(first, "attempt.started"))
        accepted: set[str] = set()
        unanswered: set[str] = set()
        async with asyncio.TaskGroup() as tasks:
            for name in "abcd":
                tasks.create_task(hammer(name, first, accepted, unanswered))
            await eventually(lambda: len(accepted) > 50)
            asked, asked_at = asyncio.get_running_loop().time(), datetime.now(UTC)
            assert one.process is not None
            one.process.send_signal(signal.SIGTERM)
            taken = await eventually(lambda: _taken(second, QUEUED - 1), 15.0)
            assert await one.stop() == 0
            assert asyncio.get_running_loop().time() - asked < 20
        assert {fact["data"]["cause"] for fact in taken} == {"its instance is stopping"}
        handed_over = max(datetime.fromisoformat(fact["at"]) for fact in taken)
        assert (handed_over - asked_at).total_seconds() < HANDED_OVER_S + NOTICED_S
        described = {fact["data"]["description"] for fact in await facts(second, "schedule.described")}
        assert accepted <= described
        assert not (unanswered & described)
        ended = await asyncio.gather(*(second.run_ended(run) for run in runs))
        assert {run["state"] for run in ended} == {"succeeded"}
        tries = [fact["data"] for fact in await facts(second, "attempt.ended")]
        assert all(one["state"] == "succeeded" for one in tries), "nothing was interrupted"


@pytest.mark.timeout(120)
async def test_T7_runs_of_killed_and_of_frozen_instances_go_on_within_15_s_and_a_frozen_one_is_refused(
    shared_url: str,
) -> None:
    async with (
        instances(shared_url, 3) as (killed, frozen, survivor),
        client_of(killed, "crashes") as first,
        client_of(frozen, "crashes") as second,
        client_of(survivor, "crashes") as third,
    ):
        await furnish(first)
        for name, client in (("k", first), ("f", second)):
            await client.do("AddService", {"id": name, "handler": "sleep", "config": {"seconds": 2.5}, "attempts": 5})
            body = {"owner": {"kind": "service", "id": name}, "id": f"run-{name}"}
            opened = await client.do("RunNow", body)
        await third.get(f"/runs/run-f?wait_for={opened['position']}")
        await eventually(lambda: _started(third, 2))
        assert frozen.process is not None
        frozen.process.send_signal(signal.SIGSTOP)
        await killed.kill()
        began = asyncio.get_running_loop().time()
        taken = await eventually(lambda: _taken(third, 2), 15)
        assert 9 < asyncio.get_running_loop().time() - began < 15
        assert {fact["data"]["term"] for fact in taken} == {2}
        frozen.process.send_signal(signal.SIGCONT)
        await eventually(lambda: metric(frozen, "eventjobs_superseded_total"), 10)
        assert (await third.run_ended("run-k"))["state"] == "succeeded"
        assert (await third.run_ended("run-f"))["state"] == "succeeded"
        assert [fact["data"]["term"] for fact in await facts(third, "attempt.ended")] == [1, 1, 2, 2]
        assert await metric(survivor, "eventjobs_take_over_seconds_count") == 2
        await eventually(lambda: metric(frozen, "eventjobs_lease_trust_seconds"))
        again = await second.do("RunNow", {"owner": {"kind": "service", "id": "k"}, "id": "run-again"})
        assert (await second.run_ended(again["run"]))["state"] == "succeeded"


async def _started(client: Client, number: int) -> bool:
    return len(await facts(client, "attempt.started")) == number


async def _taken(client: Client, number: int) -> list[Any] | None:
    found = await facts(client, "run.taken_over")
    return found if len(found) == number else None


async def test_G6_of_groups_that_two_instances_make_of_the_same_jobs_one_has_them(shared_url: str) -> None:
    rounds = 12
    async with (
        instances(shared_url, 2) as (one, two),
        client_of(one, "racing") as first,
        client_of(two, "racing") as second,
    ):
        await first.post("/v1/workspaces", {"id": "racing", "time_zone": "UTC", "kind": "automation"})
        for number in range(2 * rounds):
            fields = {"kind": "import", "name": f"Job {number}", "handler": "sleep", "config": {"seconds": 1}}
            await first.do("SaveJob", {"id": f"j{number}", "expires_on": "never", **fields})
            await first.do("ActivateJob", {"id": f"j{number}"})
        answers = []
        for number in range(rounds):
            jobs = [f"j{2 * number}", f"j{2 * number + 1}"]
            bodies = [{"id": f"{who}-{number}", "name": f"{who} {number}", "jobs": jobs} for who in "ab"]
            both = zip((first, second), bodies, strict=True)
            answers += await asyncio.gather(*(one.do("CreateGroup", body, expect=(201, 409)) for one, body in both))
        grouped = await facts(first, "job.grouped")

    refused = [answer["code"] for answer in answers if "code" in answer]
    assert refused == ["job_in_other_group"] * rounds
    assert len({fact["stream"] for fact in grouped}) == len(grouped) == 2 * rounds
