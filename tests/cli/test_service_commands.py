"""The commands that call a service, against a real one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest

from eventjobs.app import Service
from eventjobs.settings import load_settings
from tests.support.waiting import eventually

KEY = "a-key-for-everything-here"


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return orjson.loads(self.out)


class Cli:
    """The program with the address and the key of the service."""

    def __init__(self, url: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("EVENTJOBS_")}
        given = {"EVENTJOBS_URL": url, "EVENTJOBS_KEY": KEY, "EVENTJOBS_WORKSPACE": "acme"}
        self.env = {**clean, **given, "EVENTJOBS_DATA_DIR": "/nowhere"}

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "eventjobs", *arguments, env=self.env, stdin=pipe, stdout=pipe, stderr=pipe
        )

    async def __call__(self, *arguments: str, told: str = "") -> Ended:
        process = await self.start(*arguments)
        out, err = await process.communicate(told.encode())
        return Ended(process.returncode or 0, out.decode(), err.decode())


@pytest.fixture(scope="module")
async def cli(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cli]:
    settings = load_settings(
        {
            "database_url": database_url,
            "data_dir": tmp_path_factory.mktemp("data"),
            "port": 0,
            "unsafe": True,
            "admin_key": KEY,
            "log_level": "error",
        }
    )
    service = await Service.start(settings)
    try:
        made = Cli(service.url)
        assert (await made("do", "CreateWorkspace", "--id", "acme", "--time-zone", "Europe/Berlin")).code == 0
        added = await made("do", "AddService", "--id", "rest", "--handler", "sleep", "--config.seconds", "0.1")
        assert added.code == 0, added.err
        yield made
    finally:
        await service.stop()


NIGHTLY = {
    "id": "nightly",
    "cadence": {
        "start_date": "2030-01-01",
        "start_time": "02:00",
        "time_zone": "Europe/Berlin",
        "every": 1,
        "unit": "day",
    },
    "jobs": [{"job": {"kind": "service", "id": "rest"}, "seq": 1}],
    "policies": {"timing": "wall_clock"},
}


@pytest.fixture(scope="module")
async def schedule(cli: Cli) -> str:
    made = await cli("do", "create-schedule", "--data", "-", told=orjson.dumps(NIGHTLY).decode())
    assert made.code == 0, made.err
    return "nightly"


async def test_a_dry_run_tells_what_would_happen_and_writes_nothing(cli: Cli, schedule: str) -> None:
    before = (await cli("view", "schedule", schedule, "--json")).document["version"]
    tried = await cli("do", "DescribeSchedule", "--id", schedule, "--description", "Each night", "--dry-run")
    assert tried.code == 0
    assert "Schedule nightly is now described as “Each night”." in tried.out
    assert (await cli("view", "schedule", schedule, "--json")).document["version"] == before


async def test_a_stale_version_is_refused_with_1(cli: Cli, schedule: str) -> None:
    done = await cli("do", "DescribeSchedule", "--id", schedule, "--description", "x", "--if-match", "99")
    assert done.code == 1
    assert "stale" in done.err


async def test_the_same_key_twice_is_done_once(cli: Cli, schedule: str) -> None:
    again = ["do", "DescribeSchedule", "--id", schedule, "--description", "Once", "--idempotency-key", "k1"]
    first, second = await cli(*again), await cli(*again)
    assert "schedule.described" in first.out
    assert "done before" in second.out


async def test_a_run_is_started_listed_shown_and_told(cli: Cli, schedule: str) -> None:
    started = await cli("do", "RunNow", "--owner.kind", "schedule", "--owner.id", schedule, "--id", "r1", "--json")
    assert started.document["run"] == "r1"

    async def ended() -> bool:
        return "succeeded" in (await cli("runs", "r1")).out

    await eventually(ended, timeout_s=30)
    assert "r1" in (await cli("runs", "--owner", "schedule/nightly")).out
    assert (await cli("runs", "r1", "--json")).document["state"] == "succeeded"
    told = await cli("history", "--stream", "run:r1")
    assert "Run r1 of schedule nightly opened by hand: 1 job in 1 stage." in told.out
    assert "Attempt 1 of rest began." in told.out
    last = await cli("history", "--stream", "run:r1", "--limit", "1")
    assert "Run r1 succeeded: 1 succeeded." in last.out
    assert len(last.out.splitlines()) == 1
    why = await cli("why", "schedule/nightly")
    assert "was started by hand at" in why.out.splitlines()[0]
    assert "Run r1 succeeded: 1 succeeded." in why.out
    assert (await cli("why", "schedule/nightly", "--json")).document["run"] == "r1"
    assert (await cli("why", "schedule/other")).code == 1


async def test_rows_are_named_by_their_job_also_when_the_opening_is_not_shown(cli: Cli, schedule: str) -> None:
    first = (await cli("do", "RunNow", "--owner.kind", "schedule", "--owner.id", schedule, "--json")).document
    run = first["run"]

    async def ended() -> bool:
        return "succeeded" in (await cli("runs", run)).out

    await eventually(ended, timeout_s=30)
    told = await cli("history", "--stream", f"run:{run}", "--types", "attempt.ended")
    assert "Attempt 1 of rest succeeded" in told.out


async def test_history_as_json_is_one_event_a_line(cli: Cli, schedule: str) -> None:
    printed = await cli("history", "--after", "0", "--json", "--stream", f"schedule:{schedule}")
    events = [orjson.loads(line) for line in printed.out.splitlines()]
    assert events[0]["type"] == "schedule.created"
    assert [event["stream_version"] for event in events] == list(range(1, len(events) + 1))


async def test_live_history_shows_what_happens_after_it_was_started(cli: Cli, schedule: str) -> None:
    following = await cli.start("history", "--live", "--limit", "1")
    assert following.stdout is not None
    try:
        async with asyncio.timeout(30):
            await following.stdout.readline()
            await cli("do", "DescribeSchedule", "--id", schedule, "--description", "Seen live")
            while b"Seen live" not in (line := await following.stdout.readline()):
                assert line
    finally:
        following.terminate()
        await following.communicate()


async def test_the_jobs_page_is_shown_now_and_as_of_then(cli: Cli, schedule: str) -> None:
    now = await cli("view", "jobs-page")
    assert schedule in now.out
    assert "every day from 2030-01-01 02:00 Europe/Berlin" in now.out
    then = await cli("view", "jobs-page", "--as-of", "3")
    assert then.code == 0
    assert schedule not in then.out


@pytest.mark.parametrize("what", [["service", "rest"], ["schedule", "nightly"], ["occurrences"], ["workspace"]])
async def test_every_view_is_text_and_json(cli: Cli, schedule: str, what: list[str]) -> None:
    assert schedule
    text, document = await cli("view", *what), await cli("view", *what, "--json")
    assert text.out.startswith("As of position")
    assert document.document["as_of"]["position"] > 0


async def test_what_is_not_there_is_refused_with_1(cli: Cli) -> None:
    done = await cli("view", "schedule", "nobody")
    assert done.code == 1
    assert "there is no schedule 'nobody'" in done.err


async def test_a_key_is_issued_once_listed_and_revoked(cli: Cli) -> None:
    issued = await cli("keys", "issue", "--id", "ci", "--role", "operator", "--role", "reader", "--json")
    secret = issued.document["secret"]
    assert secret.startswith("ej_")
    listed = await cli("keys", "list")
    assert "ci" in listed.out
    assert secret not in listed.out
    assert (await cli("runs", "--key", secret)).code == 0
    assert (await cli("keys", "list", "--key", secret)).code == 1
    assert (await cli("keys", "revoke", "ci")).code == 0
    assert (await cli("runs", "--key", secret)).code == 1


async def test_the_log_and_its_export_verify_and_a_changed_export_does_not(
    cli: Cli, schedule: str, database_url: str, tmp_path: Path
) -> None:
    assert schedule
    whole = await cli("audit", "verify", "--database-url", database_url, "--json")
    assert whole.code == 0, whole.err
    assert whole.document["verified"] is True
    lines = [line async for line in exported(cli)]
    export = tmp_path / "log.ndjson"
    export.write_bytes(b"".join(lines))
    assert (await cli("audit", "verify", "--export", str(export))).code == 0
    place = next(place for place, line in enumerate(lines) if b"rest" in line)
    lines[place] = lines[place].replace(b"rest", b"rust", 1)
    export.write_bytes(b"".join(lines))
    broken = await cli("audit", "verify", "--export", str(export))
    assert broken.code == 1
    assert f"Broken at position {place + 1}" in broken.out


async def test_the_audit_of_occurrences_works_beside_the_running_service(
    cli: Cli, schedule: str, database_url: str
) -> None:
    assert schedule
    sound = await cli("audit", "occurrences", "--database-url", database_url)
    assert (sound.code, sound.err) == (0, "")
    assert "Every moment that was due has one outcome" in sound.out
    told = await cli("audit", "occurrences", "--database-url", database_url, "--json")
    assert (told.code, told.document["clean"], told.document["findings"]) == (0, True, [])
    assert told.document["positions"] > told.document["owners"] > 0
    assert (await cli("audit", "occurrences", "--database-url", database_url, "--data-dir", "x")).code == 2


async def exported(cli: Cli) -> AsyncIterator[bytes]:
    import aiohttp

    headers = {"Authorization": f"Bearer {KEY}", "Accept": "application/x-ndjson"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(f"{cli.env['EVENTJOBS_URL']}/v1/log/events") as response,
    ):
        async for line in response.content:
            yield line
