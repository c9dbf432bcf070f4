"""One command over HTTP: what it answers, and what it leaves in the log."""

import asyncio
from typing import Any

import pytest

from tests.api.rig import Rig, schedule


async def test_a_decided_command_answers_201_with_where_it_stands(rig: Rig) -> None:
    answered = await rig.command("AddService", {"id": "pay", "handler": "pay"})

    assert answered.status == 201
    document = answered.json
    assert (document["stream"], document["version"], document["warnings"]) == ("service:pay", 1, [])
    assert document["events"] == [{"position": document["position"], "stream": "service:pay", "type": "service.added"}]
    assert answered.headers["Eventjobs-Position"] == str(document["position"])
    last = (await rig.facts())[-1]
    assert (last.position, last.actor, last.command_id) == (document["position"], "key:admin", document["command_id"])


async def test_a_command_with_nothing_to_do_answers_200_without_events(rig: Rig) -> None:
    before = rig.log.known_head.position

    answered = await rig.command("AddService", {"id": "load", "handler": "noop"})

    assert (answered.status, answered.json["events"], rig.log.known_head.position) == (200, [], before)


async def test_an_id_is_made_where_none_is_given(rig: Rig) -> None:
    answered = await rig.command("AddService", {"handler": "noop"})

    assert answered.json["stream"] == f"service:{answered.json['command_id']}"


async def test_run_now_answers_with_the_run(rig: Rig) -> None:
    answered = await rig.command("RunNow", {"owner": {"kind": "service", "id": "load"}, "id": "first"})

    assert (answered.status, answered.json["run"]) == (201, "first")


async def test_a_run_that_is_open_is_the_way_out_of_a_409(rig: Rig) -> None:
    owner = {"owner": {"kind": "service", "id": "load"}}
    await rig.command("RunNow", {**owner, "id": "first"})

    refused = await rig.command("RunNow", owner)

    assert (refused.status, refused.code, refused.json["open_run"]) == (409, "already_running", "first")


REFUSALS: dict[str, tuple[str, Any, int, str, str | None]] = {
    "unknown field": ("AddService", {"id": "x", "handler": "noop", "color": "red"}, 422, "unknown_field", "color"),
    "missing field": ("AddService", {"id": "x"}, 422, "missing", "handler"),
    "number out of range": (
        "AddService",
        {"id": "x", "handler": "noop", "attempts": 0},
        422,
        "number_out_of_range",
        "attempts",
    ),
    "true for a number": ("AddService", {"handler": "noop", "attempts": True}, 422, "wrong_type", "attempts"),
    "text for a number": ("AddService", {"handler": "noop", "attempts": "5"}, 422, "wrong_type", "attempts"),
    "text for a flag": ("CreateSchedule", schedule(active="yes"), 422, "wrong_type", "active"),
    "unknown value": ("AddService", {"handler": "noop", "delivery": "maybe"}, 422, "unknown_value", "delivery"),
    "id with a path": ("AddService", {"id": "../x", "handler": "noop"}, 422, "bad_format", "id"),
    "id with a line end": ("AddService", {"id": "x\n", "handler": "noop"}, 422, "bad_format", "id"),
    "id too long": ("AddService", {"id": "x" * 300, "handler": "noop"}, 422, "bad_format", "id"),
    "name with a bidi override": ("AddService", {"name": "a\u202eb", "handler": "noop"}, 422, "invalid_value", "name"),
    "name with zero width": ("AddService", {"name": "a\u200bb", "handler": "noop"}, 422, "invalid_value", "name"),
    "name too long": ("AddService", {"name": "x" * 65_536, "handler": "noop"}, 422, "too_long", "name"),
    "too many rows": (
        "CreateSchedule",
        schedule(jobs=[{"job": {"kind": "service", "id": "load"}}] * 1_001),
        422,
        "too_many",
        "jobs",
    ),
    "instant without offset": (
        "IssueKey",
        {"roles": ["reader"], "expires_at": "2100-01-01T00:00:00"},
        422,
        "no_offset",
        "expires_at",
    ),
    "leap second": (
        "IssueKey",
        {"roles": ["reader"], "expires_at": "2100-01-01T00:00:60Z"},
        422,
        "bad_instant",
        "expires_at",
    ),
    "number for an instant": (
        "IssueKey",
        {"roles": ["reader"], "expires_at": 4102444800},
        422,
        "bad_instant",
        "expires_at",
    ),
    **{
        f"{command} with an end {what}": (command, {**fields, name: at}, 422, code, name)
        for command, fields, name in (
            ("IssueKey", {"roles": ["reader"]}, "expires_at"),
            ("HoldStarts", {"note": "x"}, "until"),
        )
        for what, at, code in (
            ("after the last year of all", "9999-12-31T23:59:59-14:00", "bad_instant"),
            ("after 2200", "2201-01-01T00:00:00Z", "bad_instant"),
            ("before the first year of all", "0001-01-01T00:00:00+14:00", "bad_instant"),
            ("before 1970", "1969-12-31T23:59:59Z", "bad_instant"),
            ("in year 0", "0000-01-01T00:00:00Z", "bad_instant"),
            ("in year 10000", "10000-01-01T00:00:00Z", "bad_instant"),
            ("at infinity", "infinity", "bad_instant"),
            ("without offset", "2100-01-01T00:00:00", "no_offset"),
            ("in the past", "2020-01-01T00:00:00Z", "in_the_past"),
        )
    },
    "large configuration": (
        "AddService",
        {"handler": "noop", "config": {"a": "x" * 65_536}},
        422,
        "too_long",
        "config",
    ),
    "bad duration": ("AddService", {"handler": "noop", "timeout": "soon"}, 422, "bad_duration", "timeout"),
    "sequence beyond": (
        "CreateSchedule",
        schedule(jobs=[{"job": {"kind": "service", "id": "load"}, "seq": 10_001}]),
        422,
        "number_out_of_range",
        "jobs.0.seq",
    ),
    "nested path": (
        "CreateSchedule",
        schedule(cadence={"time_zone": "UTC", "unit": "week"}),
        422,
        "unknown_value",
        "cadence.unit",
    ),
    "an array": ("AddService", [], 422, "wrong_type", ""),
    "a text": ("AddService", "x", 422, "wrong_type", ""),
    "unknown handler": ("AddService", {"handler": "__import__('os')"}, 422, "unknown_handler", "handler"),
    "unknown command": ("DropTable", {}, 404, "unknown_command", None),
    "internal command": ("AdvanceRun", {"run": "x", "term": 1}, 404, "unknown_command", None),
    "unknown thing": ("DeleteService", {"id": "absent"}, 404, "not_found", None),
    "taken id": ("AddService", {"id": "load", "handler": "pay"}, 409, "id_taken", None),
}


@pytest.mark.parametrize("case", REFUSALS)
async def test_a_refusal_names_its_field_and_leaves_no_event(rig: Rig, case: str) -> None:
    name, body, status, code, path = REFUSALS[case]
    before = rig.log.known_head.position

    refused = await rig.command(name, body)

    assert (refused.status, refused.code) == (status, code)
    assert refused.headers["Content-Type"] == "application/problem+json"
    document = refused.json
    assert document["request_id"] == refused.headers["X-Request-Id"]
    assert document["title"]
    assert document["detail"]
    if path is not None:
        assert path in [error["path"] for error in document["errors"]]
    assert rig.log.known_head.position == before


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59-14:00", "2201-01-01T00:00:00Z"])
async def test_a_pause_does_not_end_in_a_year_that_nothing_can_hold(rig: Rig, end: str) -> None:
    await rig.command("CreateSchedule", schedule())
    body = {"owner": {"kind": "schedule", "id": "nightly"}, "note": "x", "until": end}

    refused = await rig.command("PauseOwner", body)

    assert (refused.status, refused.code) == (422, "bad_instant")


async def test_every_wrong_field_is_named_at_once(rig: Rig) -> None:
    refused = await rig.command("AddService", {"id": "X", "attempts": 0, "color": 1})

    found = {error["path"]: error["code"] for error in refused.json["errors"]}
    assert found == {
        "id": "bad_format",
        "handler": "missing",
        "attempts": "number_out_of_range",
        "color": "unknown_field",
    }
    assert refused.code == refused.json["errors"][0]["code"]


async def test_text_that_looks_like_sql_or_a_template_is_text(rig: Rig) -> None:
    text = "'; drop table events; -- {0.__class__} {{7*7}}"
    await rig.command("AddService", {"id": "odd", "name": text, "handler": "noop", "config": {"__proto__": text}})

    data = (await rig.facts())[-1].event
    assert (data.name, data.config) == (text, {"__proto__": text})


async def test_a_stale_if_match_is_412_and_says_the_version(rig: Rig) -> None:
    body = {"id": "load", "handler": "pay"}
    assert (await rig.command("ConfigureService", body, headers={"If-Match": '"1"'})).status == 201
    before = rig.log.known_head.position

    refused = await rig.command("ConfigureService", {"id": "load", "handler": "noop"}, headers={"If-Match": '"1"'})

    assert (refused.status, refused.code, refused.json["version"]) == (412, "stale", 2)
    assert rig.log.known_head.position == before


async def test_an_if_match_on_what_has_no_version_is_412(rig: Rig) -> None:
    await rig.command("CreateSchedule", schedule())
    await rig.command("RunNow", {"owner": {"kind": "schedule", "id": "nightly"}, "id": "mine"})
    before = rig.log.known_head.position

    refused = await rig.command("StopRun", {"run": "mine"}, headers={"If-Match": '"1"'})

    assert (refused.status, refused.code) == (412, "stale")
    assert rig.log.known_head.position == before


@pytest.mark.parametrize("given", ["1", 'W/"1"', '"x"', "*", '""', '"99999999999999999999"'])
async def test_an_if_match_that_is_no_version_is_400(rig: Rig, given: str) -> None:
    refused = await rig.command("DeleteService", {"id": "load"}, headers={"If-Match": given})

    assert (refused.status, refused.code) == (400, "bad_if_match")


class TestIdempotency:
    async def test_a_repetition_answers_as_the_first(self, rig: Rig) -> None:
        headers = {"Idempotency-Key": "one"}
        first = await rig.command("AddService", {"handler": "noop", "name": "A"}, headers=headers)
        head = rig.log.known_head.position

        again = await rig.command("AddService", {"name": "A", "handler": "noop"}, headers=headers)

        assert (again.status, again.json) == (first.status, first.json)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in first.headers
        assert rig.log.known_head.position == head

    async def test_a_command_that_decided_nothing_leaves_a_receipt_too(self, rig: Rig) -> None:
        headers = {"Idempotency-Key": "one"}
        body = {"id": "load", "handler": "noop"}
        first = await rig.command("AddService", body, headers=headers)
        await rig.command("ConfigureService", {"id": "load", "handler": "pay"})

        again = await rig.command("AddService", body, headers=headers)

        assert (first.status, again.status, again.headers["Idempotency-Replayed"]) == (200, 200, "true")

    async def test_a_refused_command_leaves_no_receipt(self, rig: Rig) -> None:
        headers = {"Idempotency-Key": "one"}
        refused = await rig.command("DeleteService", {"id": "later"}, headers=headers)
        await rig.command("AddService", {"id": "later", "handler": "noop"})

        again = await rig.command("DeleteService", {"id": "later"}, headers=headers)

        assert (refused.status, again.status) == (404, 201)

    async def test_another_body_under_the_same_key_is_422(self, rig: Rig) -> None:
        headers = {"Idempotency-Key": "one"}
        await rig.command("AddService", {"id": "a", "handler": "noop"}, headers=headers)
        head = rig.log.known_head.position

        other = await rig.command("AddService", {"id": "b", "handler": "noop"}, headers=headers)

        assert (other.status, other.code, rig.log.known_head.position) == (422, "idempotency_key_reused", head)

    async def test_another_command_under_the_same_key_is_422(self, rig: Rig) -> None:
        headers = {"Idempotency-Key": "one"}
        await rig.command("ActivateSchedule", {"id": "nightly"}, headers=headers)
        await rig.command("CreateSchedule", schedule(), headers={"Idempotency-Key": "two"})

        other = await rig.command("DeleteSchedule", {"id": "nightly"}, headers={"Idempotency-Key": "two"})

        assert (other.status, other.code) == (422, "idempotency_key_reused")

    async def test_keys_of_two_callers_are_apart(self, rig: Rig) -> None:
        other = await rig.issue("flow_author")
        headers = {"Idempotency-Key": "one"}
        await rig.command("AddService", {"id": "a", "handler": "noop"}, headers=headers)

        theirs = await rig.command("AddService", {"id": "b", "handler": "noop"}, headers=headers, key=other)

        assert theirs.status == 201
        assert "Idempotency-Replayed" not in theirs.headers

    async def test_a_replay_of_issue_key_shows_no_secret(self, rig: Rig) -> None:
        headers = {"Idempotency-Key": "one"}
        first = await rig.command("IssueKey", {"id": "ci", "roles": ["reader"]}, headers=headers)

        again = await rig.command("IssueKey", {"id": "ci", "roles": ["reader"]}, headers=headers)

        assert first.json["secret"].startswith("ej_")
        assert (again.status, again.json["secret"]) == (201, None)

    @pytest.mark.parametrize("key", ["", "x" * 256, "two words", "é"])
    async def test_a_key_that_cannot_be_kept_is_400(self, rig: Rig, key: str) -> None:
        refused = await rig.command("DeleteService", {"id": "load"}, headers={"Idempotency-Key": key})

        assert (refused.status, refused.code) == (400, "bad_idempotency_key")


async def test_a_draining_instance_takes_no_commands(rig: Rig) -> None:
    rig.deps.draining.set()

    refused = await rig.command("AddService", {"handler": "noop"})

    assert (refused.status, refused.code, refused.json["outcome"]) == (503, "draining", "none")
    assert refused.headers["Retry-After"]


async def test_twins_at_the_same_time_have_one_effect(rig: Rig) -> None:
    answers = await asyncio.gather(
        *(rig.command("CreateSchedule", schedule(), headers={"Idempotency-Key": "one"}) for _ in range(10))
    )

    assert {answered.status for answered in answers} == {201}
    assert len({answered.body for answered in answers}) == 1
    assert sum("Idempotency-Replayed" not in answered.headers for answered in answers) == 1
    assert [fact.type for fact in await rig.facts()].count("schedule.created") == 1


async def test_of_two_editors_of_one_version_one_wins(rig: Rig) -> None:
    answers = await asyncio.gather(
        *(
            rig.command("ConfigureService", {"id": "load", "handler": name}, headers={"If-Match": '"1"'})
            for name in ("pay", "csv.import")
        )
    )

    assert sorted(answered.status for answered in answers) == [201, 412]
