"""The commands that call a service, against a real one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from eventjobs.app import Service
from eventjobs.cli.client import Answer, Client
from eventjobs.cli.example import make_workspace, read_example
from eventjobs.cli.target import Target
from eventjobs.errors import ServiceUnreachable
from eventjobs.settings import load_settings
from tests.support.program import Ended, eventjobs_beside
from tests.support.waiting import eventually

KEY = "a-key-for-everything-here"


class Cli:
    """The program with the address and the key of the service."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.given = {"EVENTJOBS_URL": service.url, "EVENTJOBS_KEY": KEY, "EVENTJOBS_WORKSPACE": "acme"}

    async def start(self, *arguments: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "eventjobs",
            *arguments,
            env={**os.environ, **self.given},
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
        )

    async def __call__(self, *arguments: str, told: str = "") -> Ended:
        """Run it once the views have what was written before: they follow the log a moment later."""
        assert await self._service.projector.wait_for(self._service.log.known_head.position, 30)
        return await eventjobs_beside(*arguments, env=self.given, told=told)


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
            "commands": "/bin/sh",
        }
    )
    service = await Service.start(settings)
    try:
        made = Cli(service)
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
    assert schedule in (await cli("search", "NIGHT")).out
    now = await cli("view", "jobs-page")
    assert schedule in now.out
    assert "every day from 2030-01-01 02:00 Europe/Berlin" in now.out
    then = await cli("view", "jobs-page", "--as-of", "3")
    assert then.code == 0
    assert schedule not in then.out


async def test_the_tabs_of_manage_connect_are_shown(cli: Cli) -> None:
    body = {"id": "contacts", "kind": "import", "handler": "csv.import", "expires_on": "never"}
    assert (await cli("do", "SaveJob", "--data", "-", told=orjson.dumps(body).decode())).code == 0
    shown = await cli("view", "manage-connect", "all-jobs", "--q", "cont")
    assert (shown.code, "contacts" in shown.out, "on demand" in shown.out) == (0, True, True)
    group = {"id": "lists", "name": "Lists", "schedule": {"type": "daily", "at": "03:15"}}
    assert (await cli("do", "CreateGroup", "--data", "-", told=orjson.dumps(group).decode())).code == 0
    tab = (await cli("view", "manage-connect")).out
    assert "30 days, " in tab
    assert "marks" in tab, "warnings are no proof that a group is invalid"
    for filters in (
        ["--no-running", "--schedule-type", "daily", "--order", "next_run"],
        ["--no-invalid", "--no-expiring"],
    ):
        assert "lists" in (await cli("view", "manage-connect", "group-jobs", *filters)).out
    assert "None." in (await cli("view", "manage-connect", "group-jobs", "--running")).out
    assert "contacts" in (await cli("view", "manage-connect", "group-candidates", "--no-qualified")).out
    refused = await cli("view", "manage-connect", "completed-jobs", "--invalid")
    assert (refused.code, "invalid" in refused.err) == (1, True)


class CutOff(Client):
    """Dies before it activates a group."""

    async def post(self, path: str, body: object, **more: Any) -> Answer:
        if path.endswith("/ActivateGroup"):
            raise ServiceUnreachable("cut off")
        return await super().post(path, body, **more)


async def test_an_example_that_was_cut_off_before_a_group_was_activated_is_made_whole(cli: Cli) -> None:
    example = read_example("https://jobs.example.org")
    target = Target(url=cli.given["EVENTJOBS_URL"], key=KEY, workspace="example")
    state = ["view", "group", example.groups[0]["id"], "-w", "example", "--json"]
    async with CutOff(target) as client:
        with pytest.raises(ServiceUnreachable):
            await make_workspace(client, example)
    assert orjson.loads((await cli(*state)).out)["state"] == "draft"
    async with Client(target) as client:
        await make_workspace(client, example)
    assert orjson.loads((await cli(*state)).out)["state"] == "active"


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
    refused = await cli("history", "-w", "*", "--stream", "access:~refused")
    assert "GET /v1/{workspace}/keys" in refused.out
    assert (await cli("keys", "revoke", "ci")).code == 0
    assert (await cli("runs", "--key", secret)).code == 1


async def test_keys_are_listed_to_the_last(cli: Cli) -> None:
    for name in ("one", "two"):
        assert (await cli("keys", "issue", "--id", name, "--role", "reader")).code == 0
    page = await cli("keys", "list", "--limit", "1")
    cursor = page.out.partition("There are more: --cursor ")[2].strip()
    assert cursor, page.out
    rest = await cli("keys", "list", "--cursor", cursor)
    assert "two" in rest.out
    assert "There are more" not in rest.out


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


async def test_REL97_an_export_beside_the_running_service_is_signed_and_verifies_anywhere(
    cli: Cli, schedule: str, database_url: str, tmp_path: Path
) -> None:
    assert schedule
    key = Ed25519PrivateKey.generate()
    private, public, file = tmp_path / "key.pem", tmp_path / "key.pub", tmp_path / "log.ndjson"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    where = ("--database-url", database_url)

    written = await cli("audit", "export", str(file), "--key", str(private), *where, "--json")
    assert (written.code, written.err) == (0, "")
    assert file.stat().st_mode & 0o777 == 0o600
    verified = await cli("audit", "verify", "--export", str(file), "--signed-by", str(public), "--json")
    assert verified.code == 0, verified.out
    assert verified.document["positions"] == written.document["position"]
    assert (verified.document["workspace"], verified.document["left_out"]) == ("*", 0)

    again = await cli("audit", "export", str(file), *where)
    assert (again.code, "File exists" in again.err) == (2, True)
    assert [one.name for one in tmp_path.iterdir() if "partial" in one.name] == []
    unknown = await cli("audit", "export", str(tmp_path / "x"), "--workspace", "nobody", *where)
    assert (unknown.code, "nothing ever happened in a workspace 'nobody'" in unknown.err) == (2, True)
    no_key = await cli("audit", "export", str(tmp_path / "x"), "--key", str(public), *where)
    assert (no_key.code, "no unencrypted private key" in no_key.err) == (2, True)

    ours = tmp_path / "acme.ndjson"
    assert (await cli("audit", "export", str(ours), "--workspace", "acme", *where)).code == 0
    told = await cli("audit", "verify", "--export", str(ours))
    assert (told.code, "Sealed as workspace 'acme', not signed." in told.out) == (0, True)
    unsigned = await cli("audit", "verify", "--export", str(ours), "--signed-by", str(public))
    assert (unsigned.code, "not signed with that key" in unsigned.out) == (1, True)


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
        session.get(f"{cli.given['EVENTJOBS_URL']}/v1/log/events") as response,
    ):
        async for line in response.content:
            yield line


CRONTAB = """\
MAILTO=ops@example.org
# every night
30 2 * * *  echo good night
CRON_TZ=America/New_York
@hourly     echo hello
*/5 * * * * echo too often
SHELL=/bin/bash
0 3 * * *   echo by another shell
"""


async def test_REL95_a_crontab_is_shown_line_by_line_and_nothing_is_written(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "crontab"
    file.write_text(CRONTAB)
    before = (await cli("view", "jobs-page", "--json")).document["as_of"]["position"]

    shown = await cli("import", "crontab", str(file))

    assert shown.code == 1
    for told in (
        "line 1: MAILTO is not carried over",
        "line 3: 30 2 * * *  echo good night",
        "30 2 * * * in Europe/Berlin",
        "02:30 does not exist, 03:30",
        "02:30 comes twice, the first counts",
        "0 * * * * in America/New_York",
        "01:00 comes twice, both count",
        "refused: A schedule runs at most once in 15 minutes",
        "refused: the program '/bin/bash' is not on the list EVENTJOBS_COMMANDS",
        "to allow it, set EVENTJOBS_COMMANDS",
        "2 would be made, 0 there already, 2 refused. Nothing was written",
    ):
        assert told in shown.out
    assert (await cli("view", "jobs-page", "--json")).document["as_of"]["position"] == before


async def test_REL94_a_crontab_is_applied_once_however_often_it_is_asked_for(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "crontab"
    file.write_text("30 2 * * MON echo $((6 * 7))\n0 12 1 * * echo $((6 * 7))\n")

    first = await cli("import", "crontab", str(file), "--time-zone", "Asia/Tokyo", "--apply", "--json")
    second = await cli("import", "crontab", str(file), "--time-zone", "Asia/Tokyo", "--apply", "--json")

    assert (first.code, second.code) == (0, 0), first.out
    assert [line["state"] for line in first.document["lines"]] == ["new", "new"]
    assert [line["state"] for line in second.document["lines"]] == ["there", "there"]
    one, other = (line["schedule"] for line in first.document["lines"])
    assert one["jobs"] == other["jobs"]
    assert [len(line["next"]) for line in first.document["lines"]] == [5, 5]
    shown = (await cli("view", "schedule", one["id"], "--json")).document
    assert (shown["cadence"], shown["active"]) == ({"cron": "30 2 * * MON", "time_zone": "Asia/Tokyo"}, True)

    _ = await cli("do", "RunNow", "--owner.kind", "schedule", "--owner.id", one["id"], "--id", "by-cron")

    async def ended() -> bool:
        return bool((await cli("runs", "by-cron", "--json")).document["state"] == "succeeded")

    await eventually(ended, timeout_s=30)
    assert "42" in (await cli("runs", "by-cron", "--log")).out

    _ = await cli("do", "InactivateSchedule", "--id", one["id"])
    third = await cli("import", "crontab", str(file), "--time-zone", "Asia/Tokyo", "--apply")
    assert third.code == 1
    assert "it was carried over before, and changed or deleted since" in third.out
    assert "0 made, 1 there already, 1 refused" in third.out


HOLIDAYS = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
X-WR-CALNAME:Holidays
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VEVENT
UID:1@example.com
SUMMARY:Christmas
DTSTART;VALUE=DATE:20261225
DTEND;VALUE=DATE:20261227
RRULE:FREQ=YEARLY
END:VEVENT
BEGIN:VEVENT
UID:2@example.com
SUMMARY:Every second Friday
DTSTART;VALUE=DATE:20261204
RRULE:FREQ=WEEKLY;INTERVAL=2
END:VEVENT
END:VCALENDAR
"""


async def test_REL94_an_ics_file_is_saved_whole_or_without_what_may_be_left_out(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "holidays.ics"
    file.write_text(HOLIDAYS)

    refused = await cli("import", "ics", str(file), "--calendar", "holidays", "--apply")
    assert (refused.code, "Nothing was written" in refused.out) == (1, True)
    assert "refused: Every second Friday: it recurs every 2 times" in refused.out

    saved = await cli("import", "ics", str(file), "--calendar", "holidays", "--apply", "--leave-out", "--json")
    assert (saved.code, saved.document["applied"]) == (0, True)
    assert saved.document["calendar"]["yearly"] == [{"start": "12-25", "end": "12-26", "note": "Christmas"}]
    again = await cli("import", "ics", str(file), "--calendar", "holidays", "--apply", "--leave-out")
    assert "It says so already." in again.out


async def test_registrations_are_listed_to_the_last(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "definition.yaml"
    for name in ("first", "second"):
        file.write_text(f"id: {name}\nservices: [{{id: nap, handler: sleep, config: {{seconds: 1}}}}]\n"
                        "features: [{id: naps, schedules: []}]\n")  # fmt: skip
        applied = await cli("integrations", "apply", str(file), "--feature", "naps")
        assert applied.code == 0, applied.err
    page = await cli("integrations", "list", "--limit", "1")
    assert ("first" in page.out, "second" in page.out) == (True, False)
    cursor = page.out.partition("There are more: --cursor ")[2].strip()
    assert cursor, page.out
    rest = await cli("integrations", "list", "--cursor", cursor)
    assert ("first" in rest.out, "second" in rest.out, "--cursor" in rest.out) == (False, True, False)


async def test_REL94_a_definition_is_taken_whole_and_once_or_refused_with_its_line(cli: Cli, tmp_path: Path) -> None:
    file = tmp_path / "definition.yaml"
    cadence = '{start_date: "2099-01-01", start_time: "02:00", time_zone: UTC, every: 1, unit: day}'
    file.write_text(
        "id: naps\nservices: [{id: nap, handler: sleep, config: {seconds: 1}}]\nfeatures:\n- id: one\n  schedules:\n"
        f"  - id: nightly\n    cadence: {cadence}\n    jobs: [{{job: {{kind: service, id: nap}}}}]\n"
        "    policies:\n      calendars:\n      - gone\n"
    )
    before = await head(cli)
    refused = await cli("integrations", "apply", str(file), "--feature", "one")
    assert refused.code == 1
    assert f"{file}:11: features.0.schedules.0.policies.calendars.0" in refused.err
    assert await head(cli) == before

    file.write_text(file.read_text().partition("    policies:")[0])
    planned = await cli("integrations", "plan", str(file), "--feature", "one")
    assert (planned.code, await head(cli)) == (0, before)
    assert (await cli("integrations", "apply", str(file), "--feature", "one")).code == 0
    taken = await head(cli)
    assert (await cli("integrations", "apply", str(file), "--feature", "one")).code == 0
    assert await head(cli) == taken > before


async def head(cli: Cli) -> int:
    return int((await cli("history", "--json", "--limit", "1")).document["position"])
