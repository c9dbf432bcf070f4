"""A user's day over HTTP only, against the real process."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.acceptance.instance import ADMIN_KEY, Client, Instance, client_of
from tests.support.database import data_folder
from tests.support.waiting import eventually

SCHEDULE = {
    "id": "nightly",
    "description": "Nightly load",
    "active": False,
    "cadence": {
        "start_date": "2026-12-01",
        "start_time": "14:00",
        "time_zone": "America/Chicago",
        "every": 1,
        "unit": "day",
    },
    "jobs": [
        {"job": {"kind": "service", "id": "load-contacts"}, "seq": 1},
        {"job": {"kind": "service", "id": "nap"}, "seq": 2},
    ],
}


@pytest.fixture(scope="module")
async def instance() -> AsyncIterator[Instance]:
    with data_folder() as folder:
        async with Instance(folder) as one:
            yield one
            assert await one.stop() == 0


async def _workspace(client: Client, instance: Instance) -> None:
    workspace = {"id": client.workspace, "time_zone": "Europe/Berlin", "kind": "automation"}
    await client.post("/v1/workspaces", workspace)
    folder = instance.data_dir / "files" / client.workspace
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "contacts.csv").write_text("id,name\n1,Ada\n2,Grace\n3,Edsger\n")
    table = {"source": "contacts.csv", "table": "contacts", "mode": "replace"}
    await client.do("AddService", {"id": "load-contacts", "handler": "csv.import", "config": table})
    await client.do("AddService", {"id": "nap", "handler": "sleep", "config": {"seconds": 0.2}})


async def _watch(client: Client, run: str, frames: list[dict[str, Any]], began: asyncio.Event) -> None:
    """Collect the live frames of one run until it ended."""
    path = f"{client.url}/v1/{client.workspace}/live"
    async with client.session.get(path, timeout=aiohttp.ClientTimeout(total=60)) as stream:
        began.set()
        async for raw in stream.content:
            line = raw.decode().strip()
            if line.startswith("data:"):
                frame = json.loads(line[5:])
                if run in json.dumps(frame):
                    frames.append(frame)
                if frame.get("type") == "run.ended" and frame["stream"] == f"run:{run}":
                    return


async def test_a_schedule_is_made_previewed_run_watched_edited_and_proven(instance: Instance) -> None:
    async with client_of(instance, "acme") as client:
        await _workspace(client, instance)
        preview = await client.post("/v1/acme/commands/CreateSchedule?dry_run=true", {**SCHEDULE, "active": True})
        assert preview["dry_run"] is True
        first = preview["next"]["schedule/nightly"][0]
        assert (first["due"], first["local"]) == ("2026-12-01T20:00:00Z", "2026-12-01T14:00:00")
        assert len(preview["next"]["schedule/nightly"]) == 10
        assert (await client.get("/jobs-page"))["schedules"]["workspace"]["count"] == 0

        made = await client.do("CreateSchedule", SCHEDULE, Idempotency_Key="make-nightly")
        again = await client.do("CreateSchedule", SCHEDULE, Idempotency_Key="make-nightly")
        assert again["_headers"]["Idempotency-Replayed"] == "true"
        assert {**again, "_headers": None} == {**made, "_headers": None}

        frames: list[dict[str, Any]] = []
        began = asyncio.Event()
        run = "first-run"
        watching = asyncio.create_task(_watch(client, run, frames, began))
        await began.wait()
        opened = await client.do("RunNow", {"owner": {"kind": "schedule", "id": "nightly"}, "id": run})
        assert opened["run"] == run
        async with asyncio.timeout(30):
            await watching
        types = [frame["type"] for frame in frames if "type" in frame]
        assert types[0] == "run.opened"
        assert types.count("attempt.started") == 2
        assert types[-1] == "run.ended"

        detail = await client.run_ended(run)
        assert detail["state"] == "succeeded"
        stages = [[job["state"] for job in stage["job_runs"]] for stage in detail["stages"]]
        assert stages == [["succeeded"], ["succeeded"]]
        assert detail["stages"][0]["job_runs"][0]["counts"]["added"] == 3

        before = await client.get(f"/jobs-page?wait_for={opened['position']}")
        position = before["as_of"]["position"]
        described = await client.do("DescribeSchedule", {"id": "nightly", "description": "Every evening"})
        now = await client.get(f"/jobs-page?wait_for={described['position']}")
        then = await client.get(f"/jobs-page?as_of={position}")
        assert now["schedules"]["workspace"]["items"][0]["description"] == "Every evening"
        assert then["schedules"]["workspace"]["items"][0]["description"] == "Nightly load"

        stale = await client.do(
            "DescribeSchedule", {"id": "nightly", "description": "Late"}, expect=412, If_Match='"1"'
        )
        assert stale["code"] == "stale"


async def test_the_log_verifies_beside_the_running_service_and_shows_a_broken_export(
    instance: Instance, tmp_path: Path
) -> None:
    verified = await _audit("--data-dir", str(instance.data_dir))
    assert verified.returncode == 0
    async with client_of(instance, "acme") as client:
        url = f"{instance.url}/v1/log/events?limit=1000"
        async with client.session.get(url, headers={"Accept": "application/x-ndjson"}) as answer:
            assert answer.status == 200
            lines = (await answer.text()).splitlines()
    export = tmp_path / "export.ndjson"
    export.write_text("\n".join(lines) + "\n")
    assert (await _audit("--export", str(export))).returncode == 0
    broken = [line.replace("Nightly load", "Nightly loot") for line in lines]
    assert broken != lines
    export.write_text("\n".join(broken) + "\n")
    assert (await _audit("--export", str(export))).returncode == 1


async def _audit(*options: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "eventjobs", "audit", "verify", *options, stdout=asyncio.subprocess.DEVNULL
    )
    await process.wait()
    return process


async def test_a_reader_sees_and_may_not_run(instance: Instance) -> None:
    async with client_of(instance, "acme") as admin:
        issued = await admin.do("IssueKey", {"id": "eyes", "roles": ["reader"]})
    async with client_of(instance, "acme", issued["secret"]) as reader:
        await reader.get("/jobs-page")
        refused = await reader.do("RunNow", {"owner": {"kind": "schedule", "id": "nightly"}}, expect=403)
        assert refused["code"] == "forbidden"
    async with client_of(instance, "acme") as admin:
        async with admin.session.get(f"{instance.url}/v1/log/events?types=access.attempt_refused") as answer:
            facts = (await answer.json())["items"]
        assert facts[-1]["data"]["action"] == "RunNow"
        await admin.do("RevokeKey", {"id": "eyes"})
    async with client_of(instance, "acme", issued["secret"]) as reader:
        await reader.get("/jobs-page", expect=401)


async def test_what_a_schedule_cannot_run_is_refused_and_not_ignored(instance: Instance) -> None:
    async with client_of(instance, "acme") as client:
        body = {**SCHEDULE, "id": "other", "jobs": [{"job": {"kind": "import", "id": "i"}, "seq": 1}]}
        assert (await client.do("CreateSchedule", body, expect=422))["code"] == "not_supported"


async def test_a_killed_service_goes_on_and_loads_nothing_twice() -> None:
    with data_folder() as folder:
        async with Instance(folder) as one:
            async with client_of(one, "crash") as client:
                await _cut_off_in_its_second_stage(client, one)
            await one.kill()
            await one.start()
            async with client_of(one, "crash") as client:
                await eventually(lambda: _second_attempt(client), timeout_s=30)
                stopped = await client.do("StopRun", {"run": "cut-off", "mode": "now"})
                assert stopped["events"]
                detail = await client.run_ended("cut-off")
                load, long = detail["stages"][0]["job_runs"][0], detail["stages"][1]["job_runs"][0]
                assert (detail["state"], load["state"], len(load["attempts"])) == ("aborted", "succeeded", 1)
                assert [attempt["reason"] for attempt in long["attempts"]] == ["interrupted", "stopped"]
                facts = (await client.get("/streams/run:cut-off/events"))["items"]
                assert [fact["data"]["term"] for fact in facts if fact["type"] == "run.taken_over"] == [2]
            assert await one.stop() == 0


async def _cut_off_in_its_second_stage(client: Client, one: Instance) -> None:
    await _workspace(client, one)
    await client.do("AddService", {"id": "long", "handler": "sleep", "config": {"seconds": 60}, "attempts": 2})
    jobs = [
        {"job": {"kind": "service", "id": "load-contacts"}, "seq": 1},
        {"job": {"kind": "service", "id": "long"}, "seq": 2},
    ]
    await client.do("CreateSchedule", {**SCHEDULE, "jobs": jobs})
    opened = await client.do("RunNow", {"owner": {"kind": "schedule", "id": "nightly"}, "id": "cut-off"})
    path = f"/runs/cut-off?wait_for={opened['position']}"

    async def is_in_its_second_stage() -> bool:
        return bool((await client.get(path))["stages"][1]["job_runs"][0]["state"] == "running")

    await eventually(is_in_its_second_stage, timeout_s=30)


async def _second_attempt(client: Client) -> bool:
    return len((await client.get("/runs/cut-off"))["stages"][1]["job_runs"][0]["attempts"]) == 2


async def _fail_half_way(one: Instance) -> None:
    async with one:
        assert one.postgres_pid is not None
        raise ZeroDivisionError


async def test_a_test_that_fails_half_way_leaves_nothing_running() -> None:
    with data_folder() as folder:
        one = Instance(folder)
        with pytest.raises(ZeroDivisionError):
            await _fail_half_way(one)
        assert one.process is not None
        assert one.process.returncode is not None
        assert one.postgres_pid is None


def test_the_administrators_key_is_no_file_when_it_was_given(instance: Instance) -> None:
    assert ADMIN_KEY
    assert not (instance.data_dir / "admin.key").exists()
