"""Coming occurrences as a calendar to subscribe to, read by a real parser, with a key that opens nothing else."""

import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from eventjobs.domain.streams import run_stream
from eventjobs.events.run import Ref, RunEnded, RunOpened
from eventjobs.events.schedule import JobRow
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Answered, Rig, ShiftedClock, schedule
from tests.support.capturing import capture_logs
from tests.support.facts import snapshot
from tests.support.views import Writer

NOW = datetime.now(UTC)
FEED = {"roles": ["calendar"], "read_only": True, "expires_at": (NOW + timedelta(days=30)).isoformat()}
MORNINGS = {"start_date": "2026-01-01", "start_time": "06:30", "time_zone": "Europe/Berlin", "every": 1, "unit": "day"}


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """Two schedules in one workspace, none in the other."""
    async with on_postgres(database_url, clock=ShiftedClock()) as rig:
        for workspace in ("acme", "beta"):
            await rig.post("/v1/workspaces", {"id": workspace})
        batch: list[tuple[str, dict[str, Any]]] = [
            ("AddService", {"id": "load", "handler": "noop"}),
            ("CreateSchedule", schedule("nightly", cadence=MORNINGS, policies={"timing": "wall_clock"})),
            ("CreateSchedule", schedule("other", cadence={**MORNINGS, "time_zone": "UTC"})),
            ("CreateSchedule", schedule("idle", cadence=MORNINGS, active=False)),
        ]
        made = await rig.post("/v1/acme/commands", [{"command": name, "data": data} for name, data in batch])
        assert {result["status"] for result in made.json} == {201}, made.json
        yield rig


async def issued(rig: Rig, **fields: Any) -> tuple[str, str]:
    answered = await rig.command("IssueKey", {**FEED, **fields})
    assert answered.status == 201, answered.body
    return answered.json["id"], answered.json["secret"]


async def feed(rig: Rig, secret: str, query: str = "", workspace: str = "acme") -> Answered:
    wait = rig.log.known_head.position
    return await rig.get(f"/v1/{workspace}/calendar.ics?token={secret}&wait_for={wait}{query}", key=None)


async def test_a_program_reads_what_comes_without_a_header(pg: Rig) -> None:
    _, secret = await issued(pg)
    answered = await feed(pg, secret)
    assert (answered.status, answered.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert answered.headers["Cache-Control"] == "no-store"

    calendar = Calendar.from_ical(answered.body)
    events = calendar.events
    assert (calendar["version"], calendar.calendar_name) == ("2.0", "acme")
    assert {str(event["summary"]) for event in events} == {"nightly", "other", "other: running"}
    coming = (await pg.get("/v1/acme/occurrences?outcome=coming&owner=schedule/nightly")).json["items"]
    nightly = [event for event in events if event["summary"] == "nightly"]
    assert [str(event["uid"]) for event in nightly][:10] == [f"{one['id']}@acme" for one in coming]
    assert [event.start for event in nightly][:10] == [datetime.fromisoformat(one["due"]) for one in coming]
    assert 30 <= len(nightly) <= 32
    assert str(nightly[0]["description"]).startswith("schedule/nightly, ")
    assert "Europe/Berlin" in nightly[0]["description"]


async def test_it_is_of_one_owner_and_of_a_moment(pg: Rig) -> None:
    _, secret = await issued(pg)
    made = await pg.command("InactivateSchedule", {"id": "other"})
    of_one = Calendar.from_ical((await feed(pg, secret, "&owner=schedule/other")).body)
    before = Calendar.from_ical((await feed(pg, secret, f"&as_of={made.json['position'] - 1}")).body)
    await pg.command("ActivateSchedule", {"id": "other"})

    assert [str(event["summary"]) for event in of_one.events] == ["other: running"]
    assert {str(event["summary"]) for event in before.events} == {"nightly", "other", "other: running"}
    assert (await feed(pg, secret, "&owner=nightly")).code == "bad_owner"


async def test_its_key_opens_nothing_else(pg: Rig) -> None:
    key_id, secret = await issued(pg)
    for path in ("/v1/me", "/v1/workspaces", "/v1/acme/schedules", "/v1/acme/calendar.ics", "/v1/acme/live"):
        assert (await pg.get(path, key=secret)).status in {401, 404, 422}
    assert (await pg.command("RunNow", {"owner": {"kind": "schedule", "id": "other"}}, key=secret)).status == 401
    assert (await pg.get(f"/v1/acme/schedules?token={secret}")).code == "credential_in_url"
    assert (await feed(pg, secret, workspace="beta")).status == 404

    await pg.command("RevokeKey", {"id": key_id})
    assert (await feed(pg, secret)).status == 404


async def test_no_other_key_is_taken_there(pg: Rig) -> None:
    reader = await pg.issue("reader")
    assert (await feed(pg, reader)).code == "credential_in_url"
    for other in ("ej_000000000000_x", "x", ""):
        assert (await feed(pg, other)).status == 404
    twice = f"/v1/acme/calendar.ics?token={reader}&token={reader}"
    assert (await pg.get(twice, key=None)).status == 404
    assert (await pg.get("/v1/acme/calendar.ics", key=reader)).status == 404


async def test_a_key_for_calendars_may_only_read_and_ends_within_a_year(pg: Rig) -> None:
    late = (NOW + timedelta(days=400)).isoformat()
    for wrong, path in (
        ({"roles": ["calendar", "reader"]}, "roles"),
        ({"read_only": False}, "read_only"),
        ({"expires_at": None}, "expires_at"),
        ({"expires_at": late}, "expires_at"),
    ):
        refused = await pg.command("IssueKey", {**FEED, **wrong})
        assert (refused.status, refused.code) == (422, "calendar_key")
        assert [error["path"] for error in refused.json["errors"]] == [path]


async def test_a_members_calendar_ends_with_the_member(pg: Rig) -> None:
    await pg.command("AddMember", {"id": "ada", "name": "Ada", "roles": ["reader"]})
    _, secret = await issued(pg, member="ada")
    assert (await feed(pg, secret)).status == 200
    await pg.command("RemoveMember", {"id": "ada"})
    assert (await feed(pg, secret)).status == 404


async def test_its_address_is_never_logged(pg: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = await issued(pg)

    async def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a defect")

    caught: list[str] = []
    monkeypatch.setattr(logging.Handler, "handle", lambda _, record: caught.append(record.getMessage()))
    with capture_logs() as logged:
        assert (await feed(pg, secret)).status == 200
        monkeypatch.setattr(pg.deps.views, "occurrences", broken)
        assert (await feed(pg, secret)).status == 500
    assert [line["event"] for line in logged] == ["request_broke"]
    assert secret.rpartition("_")[2] not in f"{logged} {caught}"


async def test_what_became_of_a_moment_takes_its_place(pg: Rig) -> None:
    due = NOW.replace(microsecond=0) - timedelta(days=1)
    run = run_stream("acme", f"schedule.nightly.1.{due:%Y%m%dt%H%M%S}z")
    opened = RunOpened(
        owner=Ref(kind="schedule", id="nightly"),
        cause="scheduled",
        due=due,
        term=1,
        instance="one",
        on_failure="continue",
        jobs=(snapshot(JobRow(row=1, job=Ref(kind="service", id="load"), seq=1)),),
        cadence_version=1,
    )
    failed = RunEnded(state="failed", reason="job_failed", counts={})
    await Writer(pg.log).append([(run, opened), (run, failed)])
    _, secret = await issued(pg)

    (event,) = [one for one in Calendar.from_ical((await feed(pg, secret)).body).events if one.start == due]
    assert (str(event["uid"]), str(event["summary"])) == (f"{run.id}@acme", "nightly: failed")
    assert str(event["description"]).startswith("schedule/nightly: failed, job failed\nIt ended at ")
    folded = (await feed(pg, secret)).body.split(b"\r\n")
    assert max(map(len, folded)) <= 75
