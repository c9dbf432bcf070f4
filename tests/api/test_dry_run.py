"""What a command would do, without doing it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.rig import DAILY, Rig, schedule

DRY = "?dry_run=true"


async def test_it_shows_the_events_and_appends_nothing(rig: Rig) -> None:
    before = rig.log.known_head.position

    answered = await rig.command("AddService", {"id": "pay", "handler": "pay"}, query=DRY)

    assert answered.status == 200
    document = answered.json
    assert (document["dry_run"], document["position"], document["warnings"]) == (True, before, [])
    (event,) = document["events"]
    assert (event["stream"], event["type"], event["data"]["handler"]) == ("service:pay", "service.added", "pay")
    assert event["drawn"] == []
    assert rig.log.known_head.position == before


async def test_it_reserves_nothing_and_ignores_the_key(rig: Rig) -> None:
    headers = {"Idempotency-Key": "one"}
    await rig.command("AddService", {"id": "a", "handler": "noop"}, headers=headers)

    previewed = await rig.command("AddService", {"id": "b", "handler": "noop"}, query=DRY, headers=headers)
    done = await rig.command("AddService", {"id": "b", "handler": "noop"})

    assert (previewed.status, len(previewed.json["events"]), done.status) == (200, 1, 201)


async def test_what_chance_gave_is_marked(rig: Rig) -> None:
    answered = await rig.command("IssueKey", {"roles": ["reader"]}, query=DRY)

    (event,) = answered.json["events"]
    assert event["drawn"] == ["data.lookup", "data.secret_sha256", "stream"]
    assert "secret" not in answered.json


async def test_a_schedule_shows_what_comes_and_what_came_before(rig: Rig) -> None:
    await rig.command("CreateSchedule", schedule())
    hourly = {**DAILY, "unit": "hour"}

    answered = await rig.command("EditCadence", {"id": "nightly", "cadence": hourly}, query=DRY)

    document = answered.json
    coming, before = document["next"]["schedule/nightly"], document["before"]["schedule/nightly"]
    assert (len(coming), len(before)) == (10, 10)
    assert [moment["due"] for moment in coming[:2]] == ["2100-12-01T20:00:00Z", "2100-12-01T21:00:00Z"]
    assert [moment["due"] for moment in before[:2]] == ["2100-12-01T20:00:00Z", "2100-12-02T20:00:00Z"]
    assert before[0] == {"due": "2100-12-01T20:00:00Z", "local": "2100-12-01T20:00:00", "fold": 0, "notes": []}
    assert document["runs_now"] == []


async def test_a_new_schedule_has_no_before(rig: Rig) -> None:
    document = (await rig.command("CreateSchedule", schedule(), query=DRY)).json

    assert len(document["next"]["schedule/nightly"]) == 10
    assert document["before"]["schedule/nightly"] == []


async def test_a_schedule_that_begins_in_the_past_runs_now(rig: Rig) -> None:
    past = schedule(cadence={**DAILY, "start_date": "2020-01-01"})
    document = (await rig.command("CreateSchedule", past, query=DRY)).json

    (run,) = document["runs_now"]
    assert (run["owner"], run["cause"]) == ({"kind": "schedule", "id": "nightly"}, "catch_up")
    assert run["due"] not in [moment["due"] for moment in document["next"]["schedule/nightly"]]
    assert "run.opened" in [event["type"] for event in document["events"]]


async def test_a_cron_shows_what_daylight_saving_makes_of_it(rig: Rig) -> None:
    rig.deps.clock.ahead = datetime(2030, 3, 30, tzinfo=UTC) - datetime.now(UTC)  # type: ignore[attr-defined]
    cron = schedule(cadence={"cron": "30 2 * * *", "time_zone": "Europe/Berlin"})

    coming = (await rig.command("CreateSchedule", cron, query=DRY)).json["next"]["schedule/nightly"]

    assert [(moment["due"], moment["notes"]) for moment in coming[:3]] == [
        ("2030-03-30T01:30:00Z", []),
        ("2030-03-31T01:30:00Z", ["dst_gap"]),
        ("2030-04-01T00:30:00Z", []),
    ]


async def test_an_inactive_schedule_has_nothing_to_come(rig: Rig) -> None:
    document = (await rig.command("CreateSchedule", schedule(active=False), query=DRY)).json

    assert document["next"] == {"schedule/nightly": []}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("AddService", {"id": "x"}),
        ("AddService", {"id": "load", "handler": "pay"}),
        ("DeleteService", {"id": "absent"}),
        ("CreateSchedule", schedule(cadence={**DAILY, "every": 0})),
    ],
)
async def test_a_refusal_is_the_same_with_and_without_it(rig: Rig, name: str, body: Any) -> None:
    dry = await rig.command(name, body, query=DRY)
    wet = await rig.command(name, body)

    assert (dry.status, {**dry.json, "request_id": ""}) == (wet.status, {**wet.json, "request_id": ""})


async def test_a_stale_if_match_is_412(rig: Rig) -> None:
    refused = await rig.command("DeleteService", {"id": "load"}, query=DRY, headers={"If-Match": '"7"'})

    assert refused.status == 412


@pytest.mark.parametrize("query", ["?dry_run=maybe", "?dry-run=true", "?dry_run=true&dry_run=false", "?x=1"])
async def test_a_parameter_that_is_not_understood_is_422(rig: Rig, query: str) -> None:
    before = rig.log.known_head.position

    refused = await rig.command("AddService", {"handler": "noop"}, query=query)

    assert refused.status == 422
    assert rig.log.known_head.position == before
