"""Groups and Connect jobs over HTTP: previews with windows, If-Match, and refusals with their way out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.rig import Rig, started, with_workspace

DRY = "?dry_run=true"
DAILY = {"type": "daily", "at": "14:20", "time_zone": "UTC"}
LISTS = {"id": "lists", "name": "Lists", "jobs": ["contacts", "extension"], "schedule": DAILY}


@pytest.fixture
async def lists() -> AsyncIterator[Rig]:
    """A draft group of two active imports, on the morning of 2030-05-02."""
    async with started() as rig:
        rig.deps.clock.ahead = datetime(2030, 5, 2, 9, tzinfo=UTC) - datetime.now(UTC)  # type: ignore[attr-defined]
        await with_workspace(rig)
        for the_id in ("contacts", "extension"):
            job = {"id": the_id, "kind": "import", "handler": "csv.import", "config": {}, "expires_on": "never"}
            await done(rig, "SaveJob", job)
            await done(rig, "ActivateJob", {"id": the_id})
        await done(rig, "CreateGroup", LISTS)
        yield rig


async def done(rig: Rig, name: str, body: Any) -> None:
    answered = await rig.command(name, body)
    assert answered.status == 201, answered.body


def drawn(document: Any, of: str) -> Sequence[tuple[str, str, Sequence[str]]]:
    return [(moment["due"][:10], moment["window"], moment["drawn"]) for moment in document["next"][of]]


async def test_G31_a_preview_shows_the_window_and_that_the_minute_is_drawn(lists: Rig) -> None:
    before = lists.log.known_head.position
    document = (await lists.command("ActivateGroup", {"id": "lists"}, query=DRY)).json

    assert drawn(document, "group/lists")[:2] == [
        ("2030-05-02", "14:15-14:29", ["due", "local"]),
        ("2030-05-03", "14:15-14:29", ["due", "local"]),
    ]
    assert document["before"] == {"group/lists": []}
    (activated,) = document["events"]
    assert "data.schedule.minute" in activated["drawn"]
    assert lists.log.known_head.position == before


async def test_G31_a_minute_that_was_drawn_before_is_no_chance_any_more(lists: Rig) -> None:
    await done(lists, "ActivateGroup", {"id": "lists"})
    document = (await lists.command("SaveGroup", {**LISTS, "expires_on": "2030-05-04"}, query=DRY)).json

    assert drawn(document, "group/lists") == [(f"2030-05-0{day}", "14:15-14:29", []) for day in (2, 3, 4)]
    assert len(document["before"]["group/lists"]) == 10


async def test_G30_a_preview_says_which_minutes_are_still_to_be_drawn(lists: Rig) -> None:
    anew = {**LISTS, "schedule": {**LISTS["schedule"], "redraw": "per_occurrence"}, "expires_on": "2030-05-04"}
    await done(lists, "ActivateGroup", anew)
    document = (await lists.command("SaveGroup", {**anew, "description": "the same"}, query=DRY)).json

    assert [bool(draws) for _, _, draws in drawn(document, "group/lists")] == [False, True, True]


async def test_a_preview_shows_when_a_job_is_due_by_itself(lists: Rig) -> None:
    weekly = {"type": "weekly", "days": ["mon"], "at": "00:15", "time_zone": "UTC"}
    body = {"id": "contacts", "schedule": weekly}
    document = (await lists.command("SetJobSchedule", body, query=DRY)).json

    assert drawn(document, "import/contacts")[0] == ("2030-05-06", "00:15-00:29", ["due", "local"])
    assert set(document["next"]) == {"group/lists", "import/contacts"}


async def test_a_preview_of_a_run_by_hand_shows_it(lists: Rig) -> None:
    await done(lists, "ActivateGroup", {"id": "lists"})
    document = (await lists.command("RunNow", {"owner": {"kind": "group", "id": "lists"}}, query=DRY)).json

    assert [(run["owner"]["id"], run["cause"]) for run in document["runs_now"]] == [("lists", "manual")]


async def test_a_stale_if_match_is_412(lists: Rig) -> None:
    refused = await lists.command("SaveGroup", LISTS, headers={"If-Match": '"7"'})
    taken = await lists.command("SaveGroup", {**LISTS, "name": "Other"}, headers={"If-Match": '"1"'})

    assert (refused.status, taken.status, taken.json["version"]) == (412, 201, 2)


async def test_G32_a_refusal_shows_the_next_free_slot(lists: Rig) -> None:
    once = {"type": "once", "date": "2030-05-02", "at": "09:00", "time_zone": "UTC"}
    refused = await lists.command("ActivateGroup", {"id": "lists", "name": "Lists", "schedule": once})
    dry = await lists.command("ActivateGroup", {"id": "lists", "name": "Lists", "schedule": once}, query=DRY)

    assert (refused.status, refused.json["code"]) == (422, "group_too_small")
    body = {**LISTS, "schedule": once}
    refused = await lists.command("ActivateGroup", body)
    assert refused.json["next_free_slot"] == {"date": "2030-05-02", "hour": 9, "slot": "15-29"}
    assert (dry.status, refused.code) == (422, "slot_overlaps_now")


async def test_G6_of_clients_that_take_a_job_at_once_one_has_it(lists: Rig) -> None:
    await done(lists, "SaveGroup", {**LISTS, "jobs": []})
    bodies = [{"id": f"g{n}", "name": f"Group {n}", "jobs": ["contacts", "extension"]} for n in range(6)]
    answers = await asyncio.gather(*(lists.command("CreateGroup", body) for body in bodies))

    (taker,) = [body["id"] for body, answer in zip(bodies, answers, strict=True) if answer.status == 201]
    refused = [(one.status, one.code, one.json["group"]) for one in answers if one.status != 201]
    assert refused == [(409, "job_in_other_group", taker)] * 5
    grouped = [fact.event.group for fact in await lists.facts() if fact.event.TYPE == "job.grouped"]
    assert grouped[-2:] == [taker, taker]


async def test_G53_G83_a_group_is_run_over_http_and_the_answer_names_the_run_or_why_not(lists: Rig) -> None:
    owner = {"owner": {"kind": "group", "id": "lists"}}
    inactive = await lists.command("RunNow", owner)
    await done(lists, "ActivateGroup", {"id": "lists"})
    started = await lists.command("RunNow", owner)
    again = await lists.command("RunNow", owner)
    member = await lists.command("RunNow", {"owner": {"kind": "import", "id": "extension"}})
    nobody = await lists.command("RunNow", {"owner": {"kind": "group", "id": "none"}})
    reader = await lists.command("RunNow", owner, key=await lists.issue("reader"))

    run = started.json["run"]
    opened = [fact.stream.name for fact in await lists.facts() if fact.event.TYPE == "run.opened"]
    assert (started.status, opened) == (201, [f"run:{run}"])
    assert (again.status, again.code, again.json["open_run"]) == (409, "already_running", run)
    assert (member.status, member.code, member.json["open_run"]) == (409, "job_in_running_group", run)
    others = [(one.status, one.code) for one in (inactive, nobody, reader)]
    assert others == [(409, "group_inactive"), (404, "not_found"), (403, "forbidden")]


async def test_G53_of_several_that_are_triggered_together_each_is_answered_by_itself(lists: Rig) -> None:
    await done(lists, "ActivateGroup", {"id": "lists"})
    owners = [("group", "lists"), ("import", "contacts"), ("group", "none")]
    batch = [{"command": "RunNow", "data": {"owner": {"kind": kind, "id": the_id}}} for kind, the_id in owners]
    answers = (await lists.post("/v1/acme/commands", batch)).json

    assert [(one["status"], one.get("code")) for one in answers] == [
        (201, None),
        (409, "job_in_running_group"),
        (404, "not_found"),
    ]


@pytest.mark.parametrize("kind", ["import", "partner"])
async def test_a_schedule_has_no_connect_jobs(lists: Rig, kind: str) -> None:
    cadence = {"start_date": "2031-01-01", "start_time": "10:00", "time_zone": "UTC", "every": 1, "unit": "day"}
    body = {"id": "s", "cadence": cadence, "jobs": [{"job": {"kind": kind, "id": "contacts"}}]}

    assert (await lists.command("CreateSchedule", body)).status == 422
