"""Many commands in one request."""

import asyncio
from typing import Any

import pytest

from eventjobs.log.memory import Fault
from tests.api.rig import Rig, schedule, started, with_workspace
from tests.api.test_operations import Plan
from tests.support.capturing import capture_logs

PATH = "/v1/acme/commands"


def add(service: str, **more: Any) -> dict[str, Any]:
    return {"command": "AddService", "data": {"id": service, "handler": "noop"}, **more}


async def test_each_command_is_answered_with_its_own_status(rig: Rig) -> None:
    answered = await rig.post(
        PATH,
        [
            add("a"),
            add("load"),
            {"command": "AddService", "data": {"id": "b"}},
            {"command": "Nothing", "data": {}},
            {"command": "DeleteService", "data": {"id": "absent"}},
            {"data": {}},
            add("c", key="x" * 256),
            add("d", color="red"),
            17,
            {"command": "DeleteService", "data": {"id": "a"}},
        ],
    )

    assert answered.status == 200
    assert [result["status"] for result in answered.json] == [201, 200, 422, 404, 404, 422, 422, 422, 422, 201]
    assert [result.get("code") for result in answered.json][2:5] == ["missing", "unknown_command", "not_found"]
    assert answered.headers["Eventjobs-Position"] == str(rig.log.known_head.position)


async def test_later_commands_see_what_earlier_ones_left(rig: Rig) -> None:
    made = schedule(jobs=[{"job": {"kind": "service", "id": "new"}}])

    answered = await rig.post(PATH, [add("new"), {"command": "CreateSchedule", "data": made}])

    assert [result["status"] for result in answered.json] == [201, 201]


@pytest.mark.parametrize("query", ["", "?atomic=true"])
async def test_each_command_has_an_id_of_its_own_and_the_requests_correlation(rig: Rig, query: str) -> None:
    before = rig.log.known_head.position
    answered = await rig.post(PATH + query, [{"command": "AddService", "data": {"handler": "noop"}}] * 3)

    facts = await rig.facts(after=before)
    assert [fact.command_id for fact in facts] == [result["command_id"] for result in answered.json]
    assert len({fact.command_id for fact in facts}) == 3
    assert {fact.correlation for fact in facts} == {answered.headers["X-Request-Id"]}
    assert [result["stream"] for result in answered.json] == [fact.stream.name for fact in facts]


async def test_a_key_per_entry_makes_each_repeatable(rig: Rig) -> None:
    first = await rig.post(PATH, [add("a", key="1"), add("b", key="2")])
    head = rig.log.known_head.position

    again = await rig.post(PATH, [add("b", key="2"), add("a", key="1"), add("c", key="1")])

    assert [result["status"] for result in again.json] == [201, 201, 422]
    assert [result.get("replayed") for result in again.json] == [True, True, None]
    assert again.json[0]["position"] == first.json[1]["position"]
    assert again.json[2]["code"] == "idempotency_key_reused"
    assert rig.log.known_head.position == head


@pytest.mark.parametrize("header", [{"Idempotency-Key": "x"}, {"If-Match": '"1"'}])
async def test_headers_of_one_command_are_422_on_a_batch(rig: Rig, header: dict[str, str]) -> None:
    refused = await rig.post(PATH, [add("a")], headers=header)

    assert (refused.status, refused.code) == (422, "header_on_batch")


@pytest.mark.parametrize(
    ("body", "code"), [([], "too_few"), ([1] * 1_001, "too_many"), ({}, "wrong_type"), ("x", "wrong_type")]
)
async def test_a_body_that_is_no_batch_is_422(rig: Rig, body: Any, code: str) -> None:
    refused = await rig.post(PATH, body)

    assert (refused.status, refused.code) == (422, code)


async def test_a_thousand_commands_are_one_request(rig: Rig) -> None:
    answered = await rig.post(PATH, [add(f"s{n}") for n in range(1_000)])

    assert {result["status"] for result in answered.json} == {201}


async def test_roles_are_asked_for_each_command(rig: Rig) -> None:
    key = await rig.issue("flow_author")
    before = rig.log.known_head.position

    answered = await rig.post(PATH, [add("a"), {"command": "RevokeKey", "data": {"id": "x"}}], key=key)

    assert [result["status"] for result in answered.json] == [201, 403]
    assert sorted(fact.type for fact in await rig.facts(after=before)) == ["access.attempt_refused", "service.added"]


class TestAtomic:
    async def test_all_are_written_in_one_append(self, rig: Rig) -> None:
        made = schedule(jobs=[{"job": {"kind": "service", "id": "new"}}])
        answered = await rig.post(f"{PATH}?atomic=true", [add("new"), {"command": "CreateSchedule", "data": made}])

        assert (answered.status, [result["status"] for result in answered.json]) == (200, [201, 201])
        facts = (await rig.facts())[-3:]
        assert len({fact.at for fact in facts}) == 1

    @pytest.mark.parametrize(
        ("bad", "status", "code", "path"),
        [
            ({"command": "AddService", "data": {"id": "b"}}, 422, "missing", "1.data.handler"),
            ({"command": "DeleteService", "data": {"id": "absent"}}, 404, "not_found", None),
            ({"command": "AddService", "data": {"id": "load", "handler": "pay"}}, 409, "id_taken", None),
            ({"command": "Nothing", "data": {}}, 404, "unknown_command", None),
        ],
    )
    async def test_the_first_refusal_is_the_answer_and_nothing_is_written(
        self, rig: Rig, bad: Any, status: int, code: str, path: str | None
    ) -> None:
        before = rig.log.known_head.position

        refused = await rig.post(f"{PATH}?atomic=true", [add("a"), bad, add("c")])

        assert (refused.status, refused.code, refused.json["entry"]) == (status, code, 1)
        assert path is None or path in [error["path"] for error in refused.json["errors"]]
        assert rig.log.known_head.position == before

    async def test_it_can_be_repeated_with_the_keys_of_all(self, rig: Rig) -> None:
        batch = [add("a", key="1"), add("b", key="2")]
        first = await rig.post(f"{PATH}?atomic=true", batch)

        again = await rig.post(f"{PATH}?atomic=true", batch)

        assert [result["position"] for result in again.json] == [result["position"] for result in first.json]
        assert [result["replayed"] for result in again.json] == [True, True]

    async def test_a_key_for_some_only_is_422(self, rig: Rig) -> None:
        refused = await rig.post(f"{PATH}?atomic=true", [add("a", key="1"), add("b")])

        assert (refused.status, refused.code) == (422, "missing")

    async def test_a_key_of_it_used_alone_answers_as_before(self, rig: Rig) -> None:
        first = await rig.post(f"{PATH}?atomic=true", [add("a", key="1"), add("b", key="2")])

        alone = await rig.post("/v1/acme/commands/AddService", add("b")["data"], headers={"Idempotency-Key": "2"})

        assert (alone.status, alone.headers["Idempotency-Replayed"]) == (201, "true")
        assert alone.json["events"] == first.json[1]["events"]

    async def test_what_would_be_refused_now_is_answered_as_before(self, rig: Rig) -> None:
        batch = [add("a", key="1"), {"command": "DeleteService", "data": {"id": "a"}, "key": "2"}]
        first = await rig.post(f"{PATH}?atomic=true", batch)
        head = rig.log.known_head.position

        again = await rig.post(f"{PATH}?atomic=true", batch)

        assert [result["status"] for result in again.json] == [201, 201]
        assert [result["events"] for result in again.json] == [result["events"] for result in first.json]
        assert rig.log.known_head.position == head

    async def test_one_key_for_two_commands_is_422(self, rig: Rig) -> None:
        head = rig.log.known_head.position

        refused = await rig.post(f"{PATH}?atomic=true", [add("a", key="1"), add("b", key="1")])

        assert (refused.status, refused.code, refused.json["entry"]) == (422, "idempotency_key_reused", 1)
        assert rig.log.known_head.position == head

    async def test_with_only_some_keys_used_before_nothing_is_written(self, rig: Rig) -> None:
        await rig.post(PATH, [add("a", key="1")])
        head = rig.log.known_head.position

        refused = await rig.post(f"{PATH}?atomic=true", [add("a", key="1"), add("b", key="2")])

        assert (refused.status, refused.code, refused.json["entry"]) == (422, "idempotency_key_reused", 1)
        assert rig.log.known_head.position == head

    async def test_a_version_is_that_of_before_the_batch_and_another_one_refuses_all(self, rig: Rig) -> None:
        configured = [
            {"command": "ConfigureService", "data": {"id": "load", "handler": "noop", "name": name}, "if_match": 1}
            for name in ("First", "Second")
        ]

        dry = await rig.post(f"{PATH}?atomic=true&dry_run=true", configured)
        done = await rig.post(f"{PATH}?atomic=true", configured)
        head = rig.log.known_head.position
        stale = [await rig.post(f"{PATH}?atomic=true{more}", [add("a"), *configured]) for more in ("", "&dry_run=true")]

        assert (dry.status, [result["version"] for result in done.json]) == (200, [2, 3])
        assert {(one.status, one.code, one.json["entry"], one.json["version"]) for one in stale} == {
            (412, "stale", 1, 3)
        }
        assert rig.log.known_head.position == head

    async def test_a_repetition_is_answered_as_before_also_where_its_version_is_an_old_one_by_now(
        self, rig: Rig
    ) -> None:
        data = {"id": "load", "handler": "noop", "name": "First"}
        batch = [{"command": "ConfigureService", "data": data, "if_match": 1, "key": "1"}, add("a", key="2")]
        first, again = [await rig.post(f"{PATH}?atomic=true", batch) for _ in range(2)]

        assert [result["position"] for result in again.json] == [result["position"] for result in first.json]

    async def test_of_two_for_the_same_version_at_once_one_is_done(self, rig: Rig) -> None:
        def named(name: str) -> list[dict[str, Any]]:
            data = {"id": "load", "handler": "noop", "name": name}
            return [{"command": "ConfigureService", "data": data, "if_match": 1}, add(name)]

        answered = await asyncio.gather(*[rig.post(f"{PATH}?atomic=true", named(f"n{n}")) for n in range(5)])

        assert sorted(one.status for one in answered) == [200, 412, 412, 412, 412]
        made = [fact.stream.id for fact in await rig.facts() if fact.type == "service.added"]
        assert len(made) == 2

    async def test_versions_are_for_what_stands_and_falls_together(self, rig: Rig) -> None:
        answered = await rig.post(PATH, [add("a", if_match=1)])

        assert (answered.json[0]["status"], answered.json[0]["errors"][0]["path"]) == (422, "if_match")


async def test_batches_beyond_those_that_are_worked_on_wait_and_are_503_if_that_takes_too_long(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventjobs.api.batch.TURN_S_MAX", 0.05)
    async with rig.deps.batch_places.take(2_000, 1.0):
        before = rig.log.known_head.position
        refused = await rig.post(PATH, [add("late")])

    assert (refused.status, refused.code, refused.json["outcome"]) == (503, "busy", "none")
    assert refused.headers["Retry-After"]
    assert rig.log.known_head.position == before
    assert (await rig.post(PATH, [add("late")])).json[0]["status"] == 201


async def test_a_fault_that_a_whole_batch_met_is_one_line_in_the_log() -> None:
    plan = Plan()
    async with started(faults=plan) as rig:
        await with_workspace(rig)
        plan.fault = Fault.UNAVAILABLE
        with capture_logs() as lines:
            answered = await rig.post(PATH, [add(f"s{n}") for n in range(100)])

    assert {one["code"] for one in answered.json} == {"unavailable"}
    assert [line["fault"] for line in lines] == ["LogUnavailable"]


async def test_a_dry_run_of_an_atomic_batch_shows_what_all_of_it_would_do(rig: Rig) -> None:
    before = rig.log.known_head.position
    made = schedule(jobs=[{"job": {"kind": "service", "id": "new"}}])
    entries = [add("new", key="k"), {"command": "CreateSchedule", "data": made, "key": "l"}]

    previewed = await rig.post(PATH + "?atomic=true&dry_run=true", entries)

    assert previewed.status == 200
    document = previewed.json
    assert [event["type"] for event in document["events"]] == ["service.added", "schedule.created", "service.attached"]
    assert len(document["next"]["schedule/nightly"]) == 10
    assert rig.log.known_head.position == before
    assert (await rig.post(PATH + "?atomic=true", entries)).status == 200


async def test_a_refusal_in_a_dry_run_of_a_batch_has_its_entrys_place(rig: Rig) -> None:
    entries = [
        add("new"),
        {"command": "CreateSchedule", "data": schedule(jobs=[{"job": {"kind": "service", "id": "x"}}])},
    ]
    dry, wet = [await rig.post(f"{PATH}?atomic=true{query}", entries) for query in ("&dry_run=true", "")]

    assert (dry.status, {**dry.json, "request_id": ""}) == (wet.status, {**wet.json, "request_id": ""})
    assert dry.json["errors"][0]["path"] == "1.data.jobs.0.job.id"


async def test_a_batch_of_single_commands_has_no_dry_run(rig: Rig) -> None:
    refused = await rig.post(PATH + "?dry_run=true", [add("new")])

    assert (refused.status, refused.json["errors"][0]["path"]) == (422, "dry_run")
