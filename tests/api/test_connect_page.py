"""The Manage Connect page over HTTP, on Postgres: its three tabs, groups, jobs and candidates."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from eventjobs.api import connect_schemas
from eventjobs.cli.connect_page import tell_tab
from eventjobs.clock import SystemClock
from eventjobs.commands.context import Context
from eventjobs.commands.spec import CommandFields
from eventjobs.ids import SystemIds, SystemRandom
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import open_pool
from eventjobs.projections.upcoming import Upcoming
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig
from tests.support.bodies import advance, ended
from tests.support.ports import FakeCatalog
from tests.support.story import SPEC_OF, command

DAILY = {"type": "daily", "at": "03:20"}
GROUP_PAGE = "manage-connect/group-jobs"
ALL_JOBS = "manage-connect/all-jobs"
COMPLETED = "manage-connect/completed-jobs"


def job(job_id: str, **fields: Any) -> tuple[str, Mapping[str, Any]]:
    return "SaveJob", {"id": job_id, "kind": "import", "handler": "csv.import", "expires_on": "never", **fields}


def group(group_id: str, *jobs: str, **fields: Any) -> tuple[str, Mapping[str, Any]]:
    return "CreateGroup", {"id": group_id, "name": group_id.title(), "jobs": list(jobs), **fields}


def active(kind: str, the_id: str) -> tuple[str, Mapping[str, Any]]:
    return f"Activate{kind}", {"id": the_id}


def run_now(kind: str, the_id: str, run: str) -> tuple[str, Mapping[str, Any]]:
    return "RunNow", {"owner": {"kind": kind, "id": the_id}, "id": run}


async def send(rig: Rig, *commands: tuple[str, Mapping[str, Any]]) -> None:
    batch = [{"command": name, "data": data} for name, data in commands]
    answered = await rig.post("/v1/acme/commands", batch)
    assert [result for result in answered.json if result["status"] != 201] == []


async def say(rig: Rig, run: str, *ends: Any) -> None:
    """Let a run go on, as its worker would."""
    await tell(rig, advance(run, ended=list(ends)))


async def tell(rig: Rig, told: CommandFields, later: timedelta = timedelta()) -> None:
    """Give a command of the service itself, as it would do so much later."""
    context = Context(
        workspace="acme",
        now=SystemClock().now() + later,
        actor="instance:one",
        command_id=SystemIds().new(),
        ids=SystemIds(),
        random=SystemRandom(),
        instance="instance-1",
        catalog=FakeCatalog(),
        limits=rig.deps.limits,
    )
    await rig.deps.dispatcher.dispatch(SPEC_OF[type(told)], told, context)


async def read(rig: Rig, path: str, query: str = "") -> Any:
    """Read once the views have everything that was written so far."""
    mark = "&" if "?" in query else "?"
    answered = await rig.get(f"/v1/acme/{path}{query}{mark}wait_for={rig.log.known_head.position}")
    assert answered.status == 200, answered.body
    return answered.json


async def ids(rig: Rig, path: str, query: str = "") -> Sequence[str]:
    return [item["id"] for item in (await read(rig, path, query))["items"]]


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """Groups and jobs in every state; `lists` ran and its second job failed, `going` runs its first job."""
    async with on_postgres(database_url) as rig:
        made = await rig.post("/v1/workspaces", {"id": "acme", "time_zone": "Europe/Berlin"})
        assert made.status == 201, made.body
        jobs = ("contacts", "extension", "one", "two", "three", "four", "alone", "off")
        await send(
            rig,
            *(job(name) for name in jobs),
            *(active("Job", name) for name in jobs),
            ("DeactivateJob", {"id": "off"}),
            job("draft", name="A draft"),
            job("weekly", schedule={"type": "weekly", "days": ["mon"], "hour": 4, "slot": "15-29"}),
            active("Job", "weekly"),
            job("out", kind="export"),
            job("crm", kind="partner"),
            group("lists", "contacts", "extension", schedule=DAILY),
            group("going", "one", "two"),
            group("broken", "three", "four", notification={"mode": "failure", "recipients": ["ops@example.org"]}),
            group("empty"),
            *(active("Group", name) for name in ("lists", "going", "broken")),
            ("DeactivateJob", {"id": "four", "force": True}),
            run_now("group", "lists", "lists-1"),
            run_now("group", "going", "going-1"),
            run_now("import", "alone", "alone-1"),
        )
        await say(rig, "lists-1")
        await say(rig, "lists-1", ended(1, counts={"processed": 10, "added": 7, "updated": 1, "rejected": 2}))
        await say(rig, "lists-1", ended(2, "failed", reason="error", detail="no such file"))
        await say(rig, "going-1")
        await say(rig, "alone-1")
        await say(rig, "alone-1", ended(1))
        yield rig


async def test_a_group_shows_its_state_whether_it_runs_and_its_last_run_as_three_columns(pg: Rig) -> None:
    ran, going, draft = [await read(pg, f"groups/{name}") for name in ("lists", "going", "empty")]

    assert [(one["state"], one["running"], one["status"]) for one in (ran, going, draft)] == [
        ("active", False, "active"),
        ("active", True, "running"),
        ("draft", False, "draft"),
    ]
    assert (ran["last_run"]["id"], ran["last_run"]["state"], going["last_run"]) == ("lists-1", "failed", None)
    assert going["current_job"] == {"place": 1, "of": 2, "job": {"kind": "import", "id": "one"}}
    assert [(one["job"]["id"], one["state"], one["running"]) for one in going["jobs"]] == [
        ("one", "active", True),
        ("two", "active", False),
    ]


async def test_G28_G31_the_window_the_drawn_minute_and_the_next_run_are_shown(pg: Rig) -> None:
    shown = await read(pg, "groups/lists")
    schedule, coming = shown["schedule"], shown["next_run"]

    assert (schedule["describe"], schedule["window"], schedule["slot"]) == (
        "daily at 03:15-29",
        "03:15-03:29",
        "15-29",
    )
    assert schedule["minute"] in range(15, 30)
    assert (coming["window"], coming["zone"]) == ("03:15-03:29", "Europe/Berlin")
    assert f"T03:{schedule['minute']}" in coming["local"]
    assert (await read(pg, "groups/empty"))["schedule"]["minute"] is None


async def test_G88_groups_and_jobs_are_the_workspace_s_and_tell_who_made_them(pg: Rig) -> None:
    director = await pg.issue("data_director")
    made = await pg.command("CreateGroup", {"id": "theirs", "name": "Theirs"}, key=director)
    assert made.status == 201, made.body
    maker = (await pg.get("/v1/me", key=director)).json
    theirs, lists, job_ = [await read(pg, path) for path in ("groups/theirs", "groups/lists", "jobs/contacts")]
    assert maker["key"] in theirs["created_by"]
    assert lists["created_by"] == job_["created_by"] != theirs["created_by"]
    deleted = await pg.command("DeleteGroup", {"id": "theirs"})
    assert deleted.status == 201, deleted.body
    assert (await read(pg, "groups/theirs"))["created_by"] == theirs["created_by"]


async def test_G55_G57_days_left_and_runs_left_are_shown(pg: Rig) -> None:
    shown = await read(pg, "groups/lists")

    assert (shown["days_left"], shown["expires_soon"], shown["on_expiry"]) == (30, False, "delete")
    first, last = (date.fromisoformat(text[:10]) for text in (shown["next_run"]["local"], shown["expires_on"]))
    assert shown["runs_left"] == (last - first).days + 1


async def test_active_groups_and_jobs_look_for_their_next_moment_again_with_newer_zone_data(
    pg: Rig, database_url: str
) -> None:
    due = (await read(pg, "groups/lists"))["next_run"]
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1) as pool:
        outdated = Upcoming(pool).outdated
        assert [one.name for one in await outdated(due["zone_data"] + "z", 10)] == ["group:lists", "job:weekly"]
        assert await outdated(due["zone_data"], 10) == []


async def test_G24_an_active_group_with_a_lost_job_is_invalid_and_a_draft_has_errors(pg: Rig) -> None:
    broken, draft = await read(pg, "groups/broken"), await read(pg, "groups/empty")

    (mark,) = broken["invalid"]
    assert (mark["code"], mark["job"], mark["reasons"]) == ("member_inactive", "four", ["inactive"])
    assert (broken["status"], broken["state"]) == ("invalid", "active")
    assert (draft["invalid"], [error["code"] for error in draft["errors"]]) == ([], ["group_too_small"])
    assert await ids(pg, GROUP_PAGE, "?invalid=true") == ["broken"]
    assert await ids(pg, GROUP_PAGE, "?invalid=false") == ["empty", "going", "lists"]


async def test_a_thing_has_its_version_as_etag_and_if_match_takes_it(pg: Rig) -> None:
    await send(pg, group("versions"), job("versioned"))
    for path, name, body in (
        ("groups/versions", "SaveGroup", {"id": "versions", "name": "Other"}),
        ("jobs/versioned", "SaveJob", {**job("versioned")[1], "name": "Other"}),
    ):
        await read(pg, path)
        etag = (await pg.get(f"/v1/acme/{path}")).headers["ETag"]
        saved = await pg.command(name, body, headers={"If-Match": etag})
        stale = await pg.command(name, {**body, "name": "Another"}, headers={"If-Match": etag})
        assert (saved.status, stale.status) == (201, 412)
        assert (await read(pg, path))["version"] == saved.json["version"]
    await send(pg, ("DeleteGroup", {"id": "versions"}), ("DeleteJob", {"id": "versioned"}))
    assert [(await read(pg, path))["state"] for path in ("groups/versions", "jobs/versioned")] == ["deleted"] * 2
    assert "versions" not in await ids(pg, GROUP_PAGE)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["broken", "empty", "going", "lists"]),
        ("?q=list", ["lists"]),
        ("?state=draft", ["empty"]),
        ("?schedule_type=daily", ["lists"]),
        ("?running=true", ["going"]),
        ("?expiring=true", []),
        ("?expiring=false&running=false", ["broken", "empty", "lists"]),
        ("?order=next_run", ["lists", "broken", "empty", "going"]),
    ],
)
async def test_groups_are_filtered_and_ordered(pg: Rig, query: str, expected: Sequence[str]) -> None:
    assert await ids(pg, GROUP_PAGE, query) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?kind=export", ["out"]),
        ("?kind=partner", ["crm"]),
        ("?state=inactive", ["four", "off"]),
        ("?state=draft&kind=import", ["draft"]),
        ("?running=true", ["one"]),
        ("?schedule_type=weekly", ["weekly"]),
        ("?group=lists", ["contacts", "extension"]),
        ("?grouped=false&state=active", ["alone", "weekly"]),
        ("?q=A+dra", ["draft"]),
        ("?order=next_run&limit=1", ["weekly"]),
    ],
)
async def test_all_jobs_are_filtered_and_ordered(pg: Rig, query: str, expected: Sequence[str]) -> None:
    assert await ids(pg, ALL_JOBS, query) == expected


@pytest.mark.parametrize(("path", "query"), [(GROUP_PAGE, ""), (GROUP_PAGE, "&order=next_run"), (ALL_JOBS, "")])
async def test_pages_follow_each_other_without_gap_or_double(pg: Rig, path: str, query: str) -> None:
    found: list[str] = []
    cursor = ""
    while True:
        page = await read(pg, path, f"?limit=2{query}{cursor}")
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert found == await ids(pg, path, f"?limit=1000{query}")


async def test_G79_a_job_says_whether_it_is_active_runs_and_how_it_ended_also_in_a_group(pg: Rig) -> None:
    contacts, one = await read(pg, "jobs/contacts"), await read(pg, "jobs/one")

    assert (contacts["state"], contacts["running"], contacts["schedule"]["type"]) == ("active", False, "on_demand")
    assert (contacts["group"], contacts["last_run"]) == ({"kind": "group", "id": "lists"}, None)
    assert (contacts["last_result"]["run"], contacts["last_result"]["state"]) == ("lists-1", "succeeded")
    assert (one["running"], one["in_run"], one["group_run"]) == (True, "going-1", "going-1")
    connect_schemas.ConnectJob.model_validate({**one})


async def test_G80_completed_jobs_are_the_job_runs_that_are_over_the_newest_first(pg: Rig) -> None:
    rows = (await read(pg, COMPLETED))["items"]

    assert [(one["run"], one["job"]["id"], one["position"], one["state"]) for one in rows] == [
        ("alone-1", "alone", None, "succeeded"),
        ("lists-1", "extension", 2, "failed"),
        ("lists-1", "contacts", 1, "succeeded"),
    ]
    alone, failed, first = rows
    assert (failed["error"], failed["reason"], failed["group"]) == (
        "no such file",
        "error",
        {"kind": "group", "id": "lists"},
    )
    assert (first["counts"]["added"], first["has_rejects"], first["trigger"]) == (7, True, "manual")
    assert first["duration_s"] >= 0
    assert alone["actions"]["run_again"] is True


async def test_completed_jobs_are_filtered_and_of_seven_days_where_nothing_is_said(pg: Rig) -> None:
    async def found(query: str) -> Sequence[str]:
        return [one["job"]["id"] for one in (await read(pg, COMPLETED, query))["items"]]

    assert await found("?state=failed") == ["extension"]
    assert await found("?job=contacts") == ["contacts"]
    assert await found("?group=lists") == ["extension", "contacts"]
    assert await found("?trigger=scheduled") == []
    now = datetime.now(UTC)
    assert await found(f"?until={(now - timedelta(days=1)):%Y-%m-%dT%H:%M:%SZ}") == []
    assert len(await found(f"?since={(now - timedelta(days=1)):%Y-%m-%dT%H:%M:%SZ}")) == 3
    first = await read(pg, COMPLETED, "?limit=2")
    assert [one["job"]["id"] for one in (await read(pg, COMPLETED, f"?cursor={first['next']}"))["items"]] == [
        "contacts"
    ]


async def test_G19_each_job_says_whether_it_may_be_in_a_group_and_why_not(pg: Rig) -> None:
    reasons = {one["id"]: one["reasons"] for one in (await read(pg, "group-candidates"))["items"]}

    assert {name: reasons[name] for name in ("alone", "off", "draft", "weekly", "out", "crm", "one")} == {
        "alone": [],
        "off": ["inactive"],
        "draft": ["draft"],
        "weekly": ["scheduled"],
        "out": ["draft", "not_import"],
        "crm": ["draft", "partner"],
        "one": ["in_other_group"],
    }
    assert await ids(pg, "group-candidates", "?qualified=true") == ["alone"]
    assert await ids(pg, "group-candidates", "?qualified=true&group=going") == ["alone", "one", "two"]


async def test_the_page_is_read_as_it_was(pg: Rig) -> None:
    await send(pg, job("past-a"), job("past-b"), active("Job", "past-a"), active("Job", "past-b"))
    made = await pg.command("CreateGroup", {"id": "past", "name": "Before", "jobs": ["past-a", "past-b"]})
    then = made.json["position"]
    await send(
        pg,
        active("Group", "past"),
        run_now("group", "past", "past-1"),
        ("SaveGroup", {"id": "past", "name": "After", "jobs": ["past-b", "past-a"]}),
    )
    await say(pg, "past-1")
    await say(pg, "past-1", ended(1))

    before, now = await read(pg, "groups/past", f"?as_of={then}"), await read(pg, "groups/past")
    assert [(one["name"], one["state"], one["running"]) for one in (before, now)] == [
        ("Before", "draft", False),
        ("After", "active", True),
    ]
    assert [one["job"]["id"] for one in before["jobs"]] == ["past-a", "past-b"]
    assert [one["job"]["id"] for one in now["jobs"]] == ["past-b", "past-a"]
    assert (await read(pg, "jobs/past-a", f"?as_of={then}"))["last_result"] is None
    assert (await read(pg, "jobs/past-a"))["last_result"]["state"] == "succeeded"
    assert [one["run"] for one in (await read(pg, COMPLETED, "?job=past-a"))["items"]] == ["past-1"]
    assert (await read(pg, COMPLETED, f"?job=past-a&as_of={then}"))["items"] == []
    await say(pg, "past-1", ended(2))
    await send(pg, ("DeleteGroup", {"id": "past"}), ("DeleteJob", {"id": "past-a"}), ("DeleteJob", {"id": "past-b"}))


async def test_each_view_is_as_it_was_whatever_came_later(pg: Rig) -> None:
    names = ("changing-a", "changing-b")
    await send(pg, *(job(name) for name in names), *(active("Job", name) for name in names))
    await send(pg, group("changing", *names, schedule=DAILY), active("Group", "changing"))
    await send(pg, run_now("group", "changing", "changing-1"))
    await say(pg, "changing-1")
    await say(pg, "changing-1", ended(1, counts={"rejected": 1}))
    then = pg.log.known_head.position
    paths = [GROUP_PAGE, f"{GROUP_PAGE}?order=next_run", f"{GROUP_PAGE}?invalid=false", ALL_JOBS, COMPLETED]
    paths += [f"{ALL_JOBS}?grouped=true", "group-candidates", "group-candidates?qualified=false", "load"]
    paths += ["groups/changing", "jobs/changing-a", "runs/changing-1"]

    async def view(path: str, *more: str) -> Any:
        path, _, query = path.partition("?")
        asked = "&".join(one for one in (query, *more) if one)
        return await read(pg, path, f"?{asked}" if asked else "")

    before = {path: await view(path, f"as_of={then}") for path in paths}
    await say(pg, "changing-1", ended(2, "failed", reason="error", detail="too late"))
    await send(pg, ("DeactivateJob", {"id": "changing-a", "force": True}), ("DeactivateGroup", {"id": "changing"}))
    await send(pg, ("SaveGroup", {"id": "changing", "name": "Changed", "jobs": ["changing-b"]}))
    assert [path for path in paths if await view(path, f"as_of={then}") != before[path]] == []
    assert [path for path in paths if {**await view(path), "as_of": before[path]["as_of"]} == before[path]] == []
    await send(pg, ("DeleteGroup", {"id": "changing"}), *(("DeleteJob", {"id": name}) for name in names))


async def test_a_groups_run_shows_its_jobs_in_order_with_their_times_counts_and_errors(pg: Rig) -> None:
    shown = await read(pg, "runs/lists-1")

    first, second = (job_run for stage in shown["stages"] for job_run in stage["job_runs"])
    assert [(one["row"], one["job"]["id"], one["state"]) for one in (first, second)] == [
        (1, "contacts", "succeeded"),
        (2, "extension", "failed"),
    ]
    assert (first["counts"]["added"], second["reason"], second["detail"]) == (7, "error", "no such file")
    assert [one["duration_s"] >= 0 for one in (first, second)] == [True, True]
    assert first["ended_at"] <= second["started_at"]
    assert (shown["actions"]["resume"], shown["actions"]["stop"]["code"]) == (True, "run_ended")


async def test_G62_a_copy_of_a_job_shows_what_the_job_showed_also_once_it_is_gone(pg: Rig) -> None:
    notified = {"mode": "failure", "recipients": ["ops@example.org"]}
    config = {"source": "contacts.csv", "table": "contacts"}
    weekly = {"type": "weekly", "days": ["mon", "thu"], "hour": 4, "slot": "15-29", "until": "2101-01-31"}
    await send(pg, job("first", config=config, schedule=weekly, notification=notified, attempts=3, timeout="PT1H"))
    await send(pg, ("DeleteJob", {"id": "first"}))
    shown = await read(pg, "jobs/first")
    assert shown["actions"]["copy"] is True
    assert set((await read(pg, "groups/lists"))["notification"]) - set(shown["notification"]) == {
        "also_send_job_mails",
        "on_success",
    }

    await send(pg, ("CopyJob", {"id": "first", "new_id": "second"}))
    copy = await read(pg, "jobs/second")
    kept = ("kind", "subtype", "name", "description", "handler", "config", "notification", "policies", "on_expiry")
    for name in (*kept, "schedule", "policy", "errors", "expires_on"):
        assert copy[name] == shown[name], name
    await send(pg, ("DeleteJob", {"id": "second"}))


async def test_what_comes_of_groups_and_jobs_is_listed(pg: Rig) -> None:
    shown = await read(pg, "groups/lists")
    (first, *_) = (await read(pg, "occurrences", "?owner=group/lists&outcome=coming"))["items"]
    assert (first["due"], first["owner"]) == (shown["next_run"]["due"], {"kind": "group", "id": "lists"})
    assert first["id"].startswith("group.lists.1.")
    assert len((await read(pg, "occurrences", "?owner=group/lists&outcome=coming"))["items"]) == 10
    (mine, *_) = (await read(pg, "occurrences", "?owner=import/weekly"))["items"]
    assert (mine["id"].split(".")[0], mine["owner"]) == ("job", {"kind": "import", "id": "weekly"})
    owners = {one["owner"]["id"] for one in (await read(pg, "occurrences", "?outcome=coming"))["items"]}
    assert owners == {"lists", "weekly"}
    assert [one["id"] for one in (await read(pg, "runs", "?owner=group/lists"))["items"]] == ["lists-1"]
    found = {(one["kind"], one["id"]) for one in (await read(pg, "search", "?q=l"))["items"]}
    assert {("group", "lists"), ("job", "weekly"), ("job", "alone"), ("run", "lists-1")} <= found


async def test_moments_that_passed_together_are_listed_one_by_one(pg: Rig) -> None:
    anew = {**DAILY, "redraw": "per_occurrence"}
    await send(pg, job("stormy", schedule=anew, policies={"catch_up": "never"}), active("Job", "stormy"))
    await tell(pg, command("AnswerDue", kind="import", id="stormy"), later=timedelta(days=4))

    page = (await read(pg, "occurrences", "?owner=import/stormy&outcome=missed"))["items"]
    assert {(one["owner"]["kind"], one["reason"]) for one in page} == {("import", "catch_up_never")}
    assert len(page) >= 3
    one = await read(pg, f"occurrences/{page[1]['id']}")
    assert (one["due"], one["answered_with"]["count"]) == (page[1]["due"], len(page))
    assert len({one["due"][13:] for one in page}) == 1  # by the minute that was drawn for the first of them
    coming = (await read(pg, "occurrences", "?owner=import/stormy&outcome=coming"))["items"]
    assert [one["notes"] for one in coming][:3] == [[], ["minute_not_drawn"], ["minute_not_drawn"]]
    await send(pg, ("DeleteJob", {"id": "stormy"}))


async def test_the_tabs_are_text_for_people(pg: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    for tab, path, told in (
        ("group-jobs", GROUP_PAGE, ("running, job 1 of 2", "daily at 03:15-29", "03:15-03:29", "member_inactive")),
        ("all-jobs", ALL_JOBS, ("extension", "failed, ", "weekly mon at 04:15-29")),
        ("completed-jobs", COMPLETED, ("lists-1", "no such file", "failed (error)")),
        ("group-candidates", "group-candidates", ("in_other_group", "not_import")),
    ):
        tell_tab(tab, await read(pg, path))
        out = capsys.readouterr().out
        assert [one for one in told if one not in out] == []


async def test_after_its_last_day_a_group_says_so_before_it_is_written(pg: Rig) -> None:
    soon = (datetime.now(UTC) + timedelta(days=4)).date().isoformat()
    await send(pg, group("brief", expires_on=soon), group("kept", expires_on=soon, on_expiry="deactivate"))
    assert (await read(pg, "groups/brief"))["expires_soon"] is True
    assert await ids(pg, GROUP_PAGE, "?expiring=true") == ["brief", "kept"]
    pg.deps.clock.ahead = timedelta(days=8)  # type: ignore[attr-defined]
    try:
        shown = await read(pg, "groups/brief")
        codes = {name: told["code"] for name, told in shown["actions"].items() if told is not True}
        refused = await pg.command("DeleteGroup", {"id": "brief"}, query="?dry_run=true")
        kept = (await read(pg, "groups/kept"))["actions"]
        deleted = await pg.command("DeleteGroup", {"id": "kept"}, query="?dry_run=true")
    finally:
        pg.deps.clock.ahead = timedelta()  # type: ignore[attr-defined]
    assert (shown["expired"], shown["expiry_pending"], shown["days_left"] < 0) == (True, True, True)
    assert codes == dict.fromkeys(
        ("run_now", "activate", "deactivate", "save", "reorder", "set_expiration", "delete"), "group_expired"
    )
    assert refused.code == "group_expired"
    assert (kept["activate"]["code"], kept["set_expiration"], kept["delete"]) == ("group_expired", True, True)
    assert deleted.status == 200
