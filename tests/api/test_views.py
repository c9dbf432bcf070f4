"""Reads of the views over HTTP, on Postgres: now, and as of any moment."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventjobs.api import calendar_schemas, connect_schemas, integration_schemas, view_schemas
from eventjobs.api.routes import ROUTES
from eventjobs.api.schemas import LogPage
from eventjobs.domain.streams import notification_stream
from eventjobs.events.notification import NotificationRequested
from eventjobs.events.run import Ref
from eventjobs.runner.ports import Line
from tests.api.postgres_rig import on_postgres
from tests.api.rig import DAILY, Answered, Rig, schedule, with_workspace
from tests.support.views import Writer

JOB = {"job": {"kind": "service", "id": "load"}}
MODELS = {route.path: route.answers[0].model for route in ROUTES if route.method == "GET"}


CONTACTS = {
    "id": "crm",
    "services": [{"id": "load", "handler": "noop"}],
    "features": [{"id": "one", "schedules": [{"id": "nightly", "cadence": DAILY, "jobs": [JOB]}]}],
}


IMPORT = {"id": "contacts", "kind": "import", "handler": "csv.import", "expires_on": "never"}


TOLD = NotificationRequested(
    kind="alert.raised", channel="email", recipient="ops@example.org", subject=Ref(kind="schedule", id="s00"), about={}
)


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """A server on Postgres with the workspace `acme`, two services, a flow, 25 schedules and two runs."""
    async with on_postgres(database_url) as rig:
        await with_workspace(rig)
        batch = [{"command": "AddService", "data": {"id": "other", "handler": "pay", "name": "Other"}}]
        batch += [{"command": "AddFlow", "data": {"id": "approve", "handler": "python"}}]
        batch += [{"command": "CreateSchedule", "data": schedule(f"s{n:02}")} for n in range(25)]
        batch += [{"command": "RunNow", "data": {"owner": {"kind": "schedule", "id": "s00"}, "id": "run-1"}}]
        batch += [{"command": "RunNow", "data": {"owner": {"kind": "service", "id": "other"}, "id": "run-2"}}]
        dates = [{"date": "2100-12-24", "note": "Christmas"}]
        calendar = {"id": "holidays", "name": "Holidays", "time_zone": "UTC", "dates": dates}
        batch += [{"command": "SaveCalendar", "data": calendar}]
        batch += [{"command": "PublishDefinition", "data": CONTACTS}]
        batch += [{"command": "RegisterIntegration", "data": {"definition": "crm"}}]
        batch += [{"command": "SaveJob", "data": IMPORT}]
        batch += [{"command": "CreateGroup", "data": {"id": "lists", "name": "Lists"}}]
        answered = await rig.post("/v1/acme/commands", batch)
        assert {result["status"] for result in answered.json} == {201}
        await rig.command("AddMember", {"id": "ada", "name": "Ada Lovelace", "roles": ["operator"]})
        await rig.command("IssueKey", {"id": "bot", "roles": ["operator"], "workspaces": ["acme"]})
        await Writer(rig.log).append([(notification_stream("acme", "told"), TOLD)])
        yield rig


async def read(rig: Rig, path: str, query: str = "", **more: Any) -> Answered:
    """Read once the views have everything that was written so far."""
    mark = "&" if "?" in path + query else "?"
    return await rig.get(f"{path}{query}{mark}wait_for={rig.log.known_head.position}", **more)


OCCURRENCE = "/v1/{workspace}/occurrences/{id}"

READS = {
    "/v1/workspaces": "/v1/workspaces",
    "/v1/{workspace}": "/v1/acme",
    "/v1/{workspace}/keys": "/v1/acme/keys",
    "/v1/{workspace}/keys/{id}": "/v1/acme/keys/bot",
    "/v1/{workspace}/members": "/v1/acme/members",
    "/v1/{workspace}/members/{id}": "/v1/acme/members/ada",
    "/v1/{workspace}/features/{id}": "/v1/acme/features/crm.one",
    "/v1/{workspace}/notifications/{id}": "/v1/acme/notifications/told",
    "/v1/{workspace}/jobs-page": "/v1/acme/jobs-page",
    "/v1/{workspace}/schedules": "/v1/acme/schedules",
    "/v1/{workspace}/schedules/{id}": "/v1/acme/schedules/s00",
    "/v1/{workspace}/services": "/v1/acme/services",
    "/v1/{workspace}/services/{id}": "/v1/acme/services/load",
    "/v1/{workspace}/flows": "/v1/acme/flows",
    "/v1/{workspace}/flows/{id}": "/v1/acme/flows/approve",
    "/v1/{workspace}/integrations": "/v1/acme/integrations",
    "/v1/{workspace}/integrations/{id}": "/v1/acme/integrations/crm",
    "/v1/{workspace}/definitions": "/v1/acme/definitions",
    "/v1/{workspace}/definitions/{id}": "/v1/acme/definitions/crm",
    "/v1/{workspace}/calendars": "/v1/acme/calendars",
    "/v1/{workspace}/calendars/{id}": "/v1/acme/calendars/holidays",
    "/v1/{workspace}/jobs/{id}": "/v1/acme/jobs/load",
    "/v1/{workspace}/groups/{id}": "/v1/acme/groups/lists",
    "/v1/{workspace}/group-candidates": "/v1/acme/group-candidates",
    "/v1/{workspace}/manage-connect/all-jobs": "/v1/acme/manage-connect/all-jobs",
    "/v1/{workspace}/manage-connect/completed-jobs": "/v1/acme/manage-connect/completed-jobs",
    "/v1/{workspace}/manage-connect/group-jobs": "/v1/acme/manage-connect/group-jobs",
    "/v1/{workspace}/load": "/v1/acme/load",
    "/v1/{workspace}/calendar-page": "/v1/acme/calendar-page?since=2100-12-01",
    "/v1/{workspace}/lateness": "/v1/acme/lateness",
    "/v1/{workspace}/strips": "/v1/acme/strips?owners=schedule/s00,group/lists",
    "/v1/{workspace}/search": "/v1/acme/search?q=s0",
    "/v1/{workspace}/service-types": "/v1/acme/service-types",
    "/v1/{workspace}/notifications": "/v1/acme/notifications",
    "/v1/{workspace}/runs": "/v1/acme/runs",
    "/v1/{workspace}/runs/{id}": "/v1/acme/runs/run-1",
    "/v1/{workspace}/runs/{id}/log": "/v1/acme/runs/run-1/log",
    "/v1/{workspace}/occurrences": "/v1/acme/occurrences",
}


@pytest.mark.parametrize("route", READS)
async def test_an_answer_is_what_the_document_says(pg: Rig, route: str) -> None:
    answered = await read(pg, READS[route])

    assert answered.status == 200, answered.body
    model = MODELS[route]
    assert model is not None
    model.model_validate_json(answered.body)
    assert answered.json["as_of"]["position"] >= pg.log.known_head.position - 1


MODULES = (view_schemas, integration_schemas, connect_schemas, calendar_schemas)
SHOWN = [model for module in MODULES for model in vars(module).values()]


def test_every_read_is_tried_here() -> None:
    views = {route.path for route in ROUTES if route.answers[0].model in SHOWN}

    assert views | {"/v1/{workspace}/runs/{id}/log"} == {*READS, OCCURRENCE}


async def test_a_thing_has_its_version_as_etag_and_if_match_takes_it(pg: Rig) -> None:
    etag = (await read(pg, "/v1/acme/services/load")).headers["ETag"]

    changed = await pg.command(
        "ConfigureService", {"id": "load", "handler": "noop", "name": "Load"}, headers={"If-Match": etag}
    )
    stale = await pg.command("ConfigureService", {"id": "load", "handler": "pay"}, headers={"If-Match": etag})

    assert (changed.status, stale.status) == (201, 412)
    assert (await read(pg, "/v1/acme/services/load")).headers["ETag"] == f'"{changed.json["version"]}"'


async def test_the_past_is_read_as_it_was(pg: Rig) -> None:
    made = await pg.command("CreateSchedule", schedule("past", description="before"))
    edited = await pg.command("DescribeSchedule", {"id": "past", "description": "after"})
    before, after = made.json["position"], edited.json["position"]
    first = made.json["events"][0]["position"]

    then = await pg.get(f"/v1/acme/schedules/past?as_of={before}")
    now = await read(pg, "/v1/acme/schedules/past")
    never = await pg.get(f"/v1/acme/schedules/past?as_of={first - 1}")

    assert (then.json["description"], now.json["description"]) == ("before", "after")
    assert (then.json["as_of"]["position"], then.headers["ETag"]) == (before, '"1"')
    assert (never.status, never.code) == (404, "not_found")
    instant = (await pg.get(f"/v1/acme/events?after={after - 1}&limit=1")).json["items"][0]["at"]
    at_instant = await pg.get(f"/v1/acme/schedules/past?as_of={instant}")
    assert at_instant.json["as_of"] == {"position": after, "at": instant}
    assert at_instant.json["description"] == "after"


async def test_a_write_can_be_waited_for_by_its_header(pg: Rig) -> None:
    for n in range(10):
        written = await pg.command("AddService", {"id": f"waited-{n}", "handler": "noop"})
        headers = {"Eventjobs-Position": written.headers["Eventjobs-Position"]}

        assert (await pg.get(f"/v1/acme/services/waited-{n}", headers=headers)).status == 200


async def test_a_position_that_does_not_come_is_503(pg: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.api.moment.WAIT_S_MAX", 0.05)

    refused = await pg.get(f"/v1/acme/runs?wait_for={pg.log.known_head.position + 100}")

    assert (refused.status, refused.code) == (503, "view_behind")


async def everything(rig: Rig, path: str, query: str = "") -> Sequence[str]:
    ids: list[str] = []
    cursor = ""
    for _ in range(100):
        page = (await read(rig, path, f"?limit=7{query}{cursor}")).json
        ids += [item["id"] for item in page["items"]]
        if page["next"] is None:
            return ids
        assert len(page["items"]) == 7
        cursor = f"&cursor={page['next']}"
    raise AssertionError(f"the pages do not end: {ids[:10]} …")


@pytest.mark.parametrize(
    ("path", "query"),
    [("schedules", ""), ("services", ""), ("runs", ""), ("occurrences", "&until=2100-12-05T00:00:00Z"), ("keys", "")],
)
async def test_pages_follow_each_other_without_gap_or_double(pg: Rig, path: str, query: str) -> None:
    found = await everything(pg, f"/v1/acme/{path}", query)

    whole = (await read(pg, f"/v1/acme/{path}", f"?limit=1000{query}")).json
    assert found == [item["id"] for item in whole["items"]]
    assert len(found) == len(set(found))


async def test_a_section_of_the_jobs_page_goes_on_with_its_cursor(pg: Rig) -> None:
    first = (await read(pg, "/v1/acme/jobs-page", "?limit=10")).json["schedules"]["workspace"]
    assert (len(first["items"]), first["count"] >= 25) == (10, True)

    query = f"?section=workspace&limit=10&cursor={first['next']}"
    second = (await read(pg, "/v1/acme/jobs-page", query)).json["schedules"]["workspace"]

    assert first["items"][-1]["id"] < second["items"][0]["id"]
    assert second["count"] == first["count"]


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        ("runs", "?owner=schedule/s00", ["run-1"]),
        ("runs", "?owner=service/other", ["run-2"]),
        ("runs", "?owner=schedule/absent", []),
        ("runs", "?state=succeeded", []),
        ("runs", "?until=2000-01-01T00:00:00Z", []),
        ("services", "?q=othe", ["other"]),
        ("services", "?q=%25", []),
        ("services", "?q='; drop table events; --", []),
    ],
)
async def test_filters(pg: Rig, path: str, query: str, expected: Sequence[str]) -> None:
    items = (await read(pg, f"/v1/acme/{path}", query)).json["items"]

    assert [item["id"] for item in items] == expected


async def test_occurrences_tell_the_past_and_what_comes(pg: Rig) -> None:
    past = schedule("caught-up", cadence={**DAILY, "start_date": "2020-01-01"})
    made = await pg.command("CreateSchedule", past)
    assert made.status == 201

    items = (await read(pg, "/v1/acme/occurrences", "?owner=schedule/caught-up&limit=11")).json["items"]

    ran, *coming = items
    assert (ran["outcome"], {item["outcome"] for item in coming}, len(coming)) == ("ran", {"coming"}, 10)
    one = await read(pg, f"/v1/acme/occurrences/{ran['id']}")
    view_schemas.Occurrence.model_validate_json(one.body)
    assert (one.json["run"], one.json["outcome"]) == (ran["id"], "ran")


async def test_a_cron_is_shown_as_it_is_sent_and_its_moments_come(pg: Rig) -> None:
    cadence = {"cron": "0 3 * * MON", "time_zone": "Europe/Berlin"}
    made = await pg.command("CreateSchedule", schedule("by-cron", cadence=cadence))
    assert made.status == 201, made.json

    shown = await read(pg, "/v1/acme/schedules/by-cron")
    coming = (await read(pg, "/v1/acme/occurrences", "?owner=schedule/by-cron")).json["items"]

    view_schemas.Schedule.model_validate_json(shown.body)
    assert (shown.json["cadence"], shown.json["policies"]["timing"]) == (cadence, "wall_clock")
    assert {item["local"][10:] for item in coming} == {"T03:00:00"}
    assert len(coming) == 10


async def test_G81_a_runs_lines_are_read_in_order_and_by_attempt(pg: Rig) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for row, attempt in ((1, 1), (1, 2), (2, 1)):
        lines = [Line(line=n, at=at, level="info", text=f"{row}.{attempt}.{n}", fields={"n": n}) for n in range(1, 6)]
        await pg.deps.log_lines.write("acme", "run-1", row, attempt, lines)  # type: ignore[attr-defined]

    whole = await read(pg, "/v1/acme/runs/run-1/log")
    LogPage.model_validate_json(whole.body)
    texts = [item["text"] for item in whole.json["items"]]
    assert texts == sorted(texts)
    assert len(texts) == 15
    paged, cursor = [], ""
    while True:
        page = (await read(pg, "/v1/acme/runs/run-1/log", f"?limit=4{cursor}")).json
        paged += [item["text"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert paged == texts
    rest = (await read(pg, "/v1/acme/runs/run-1/log", "?row=1&cursor=1.2.3")).json["items"]
    assert [item["text"] for item in rest] == ["1.2.4", "1.2.5"]
    one = (await read(pg, "/v1/acme/runs/run-1/log", "?row=1&attempt=2")).json["items"]
    assert [item["text"] for item in one] == [f"1.2.{n}" for n in range(1, 6)]
    assert {(item["level"], item["at"]) for item in one} == {("info", "2026-01-01T00:00:00Z")}


async def test_a_log_of_the_past_has_the_lines_that_were_written_by_then(pg: Rig) -> None:
    opened = (await pg.get("/v1/acme/streams/run:run-2/events")).json["items"][0]["position"]
    at = await pg.log.at_of(opened)
    lines = [Line(line=n, at=at + timedelta(seconds=n - 1), level="info", text=str(n), fields={}) for n in range(1, 4)]
    await pg.deps.log_lines.write("acme", "run-2", 1, 1, lines)  # type: ignore[attr-defined]

    then = (await pg.get(f"/v1/acme/runs/run-2/log?as_of={opened}")).json["items"]

    assert [item["text"] for item in then] == ["1"]


@pytest.mark.parametrize(
    "path", ["schedules/absent", "services/absent", "jobs/absent", "runs/absent", "runs/absent/log", "occurrences/x"]
)
async def test_a_thing_that_is_not_there_is_404(pg: Rig, path: str) -> None:
    refused = await pg.get(f"/v1/acme/{path}")

    assert (refused.status, refused.code) == (404, "not_found")


@pytest.mark.parametrize("the_id", ["%00", "a%0Ab", "%E2%80%AE", "x" * 1_000, "'; drop table events; --", "..", "%ff"])
async def test_an_odd_id_is_404(pg: Rig, the_id: str) -> None:
    for kind in ("schedules", "services", "runs", "occurrences"):
        assert (await pg.get(f"/v1/acme/{kind}/{the_id}")).status in {404, 400}


async def test_another_workspaces_things_look_like_none(pg: Rig) -> None:
    await pg.post("/v1/workspaces", {"id": "beta"})
    made = await pg.command("AddService", {"id": "theirs", "handler": "noop"}, workspace="beta")
    assert made.status == 201

    refused = await read(pg, "/v1/acme/services/theirs")

    assert refused.status == 404


async def test_the_list_of_workspaces_is_cut_to_the_key(pg: Rig) -> None:
    await pg.post("/v1/workspaces", {"id": "gamma"})
    key = await pg.issue("reader", workspaces=("acme",))

    mine = (await read(pg, "/v1/workspaces", key=key)).json["items"]
    all_of_them = (await read(pg, "/v1/workspaces")).json["items"]

    assert [item["id"] for item in mine] == ["acme"]
    assert {"acme", "gamma"} <= {item["id"] for item in all_of_them}


async def test_keys_are_listed_without_anything_that_opens(pg: Rig) -> None:
    secret = await pg.issue("reader", id="listed", where="acme")

    body = (await read(pg, "/v1/acme/keys")).body

    assert b"listed" in body
    for part in (secret, secret.split("_", 2)[2], "sha256", "lookup"):
        assert part.encode() not in body
    assert (await pg.get("/v1/acme/keys", key=await pg.issue("reader"))).status == 403


BAD = {
    "limit": ("runs?limit=1001", 422, "number_out_of_range"),
    "owner without kind": ("runs?owner=s00", 422, "bad_owner"),
    "owner of unknown kind": ("runs?owner=user/x", 422, "bad_owner"),
    "owner with a line end": ("runs?owner=schedule/x%0A", 422, "bad_owner"),
    "state": ("runs?state=dancing", 422, "unknown_value"),
    "since": ("runs?since=yesterday", 422, "bad_instant"),
    "outcome": ("occurrences?outcome=good", 422, "unknown_value"),
    "section": ("jobs-page?section=all", 422, "unknown_value"),
    "cursor without section": ("jobs-page?cursor=WyJhIl0", 422, "missing"),
    "NUL in a search": ("services?q=%00", 400, "bad_text"),
    "NUL in an actor": ("events?actor=%00", 400, "bad_text"),
    "NUL in a type": ("events?types=run.%00", 400, "bad_text"),
    "NUL in an id": ("runs/a%00", 400, "bad_text"),
    "NUL in a stream": ("streams/run:%00/events", 400, "bad_text"),
    "since before the first year": ("runs?since=0001-01-01T00:00:00%2B14:00", 422, "bad_instant"),
    "until after the last year": ("occurrences?until=9999-12-31T23:59:59-14:00", 422, "bad_instant"),
    "sort": ("services?sort=name", 422, "unknown_field"),
    "cursor": ("services?cursor=x", 400, "bad_cursor"),
    "cursor of another list": ("runs?cursor=WyJhIl0", 400, "bad_cursor"),
    "cursor with a number beyond": (
        "runs?cursor=WyIyMDI2LTAxLTAxVDAwOjAwOjAwWiIsIDk5OTk5OTk5OTk5OTk5OTk5OTld",
        400,
        "bad_cursor",
    ),
    "cursor with NUL": ("services?cursor=WyJcdTAwMDAiXQ", 400, "bad_cursor"),
    "log cursor": ("runs/run-1/log?cursor=1.2", 400, "bad_cursor"),
    "log before the run": ("runs/run-1/log?as_of=1", 404, "not_found"),
    "as_of ahead": ("services?as_of=999999999", 422, "as_of_in_future"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_parameter_that_makes_no_sense_is_refused(pg: Rig, case: str) -> None:
    path, status, code = BAD[case]

    refused = await pg.get(f"/v1/acme/{path}")

    assert (refused.status, refused.code) == (status, code)


async def test_readers_read_views_but_no_history(pg: Rig) -> None:
    key = await pg.issue("reader")

    assert (await read(pg, "/v1/acme/jobs-page", key=key)).status == 200
    assert (await pg.get("/v1/acme/events", key=key)).status == 403


async def test_history_and_live_are_the_same_on_postgres(pg: Rig) -> None:
    items = (await pg.get("/v1/log/events?limit=1000")).json["items"]

    assert [item["position"] for item in items] == list(range(1, len(items) + 1))
