"""History over HTTP: a workspace's, a stream's, the log's."""

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest

from eventjobs.api import history
from eventjobs.api.schemas import EventPage
from eventjobs.events.service import ServiceAdded
from eventjobs.log.port import ZERO_CHAIN
from tests.api.rig import Rig


async def positions(rig: Rig, query: str = "", path: str = "/v1/acme/events") -> Sequence[int]:
    answered = await rig.get(f"{path}{query}")
    assert answered.status == 200, answered.body
    return [item["position"] for item in answered.json["items"]]


async def fill(rig: Rig, count: int) -> None:
    batch = [{"command": "AddService", "data": {"id": f"s{n}", "handler": "noop"}} for n in range(count)]
    assert (await rig.post("/v1/acme/commands", batch)).status == 200


async def test_an_event_is_shown_as_it_is_stored(rig: Rig) -> None:
    answered = await rig.get("/v1/acme/events")

    EventPage.model_validate_json(answered.body)
    fact = (await rig.facts())[-1]
    shown = answered.json["items"][-1]
    assert shown == {
        "position": fact.position,
        "workspace": "acme",
        "stream": "service:load",
        "stream_version": 1,
        "type": "service.added",
        "schema": ServiceAdded.SCHEMA,
        "at": fact.at.isoformat().replace("+00:00", "Z"),
        "actor": "key:admin",
        "command_id": fact.command_id,
        "causation": None,
        "correlation": fact.correlation,
        "data": orjson.loads(fact.data),
        "leaf": fact.leaf.hex(),
        "chain": fact.chain.hex(),
    }
    assert b'"data":' + fact.data in answered.body


async def test_a_page_may_say_each_fact_as_a_sentence(rig: Rig) -> None:
    run = (await rig.command("RunNow", {"owner": {"kind": "service", "id": "load"}})).json["run"]

    plain = (await rig.get("/v1/acme/events?limit=1000")).json["items"]
    told = (await rig.get("/v1/acme/events?limit=1000&sentences=true")).json["items"]
    alone = (await rig.get(f"/v1/acme/streams/run:{run}/events?after={plain[-2]['position']}&sentences=true")).json[
        "items"
    ]

    assert [{**one, "sentence": None} for one in told] == [{**one, "sentence": None} for one in plain]
    assert all(one["sentence"].endswith(".") for one in told)
    assert [one["sentence"] for one in alone] == [one["sentence"] for one in told if one in alone]


async def test_the_chain_can_be_followed_from_what_is_shown(rig: Rig) -> None:
    items = (await rig.get("/v1/log/events")).json["items"]

    chain = ZERO_CHAIN
    for item in items:
        chain = hashlib.sha256(chain + item["position"].to_bytes(8, "big") + bytes.fromhex(item["leaf"])).digest()
        assert item["chain"] == chain.hex()
    assert [item["position"] for item in items] == list(range(1, len(items) + 1))


async def test_a_workspace_sees_its_own_facts_only(rig: Rig) -> None:
    await rig.post("/v1/workspaces", {"id": "other"})
    await rig.command("AddService", {"id": "theirs", "handler": "noop"}, workspace="other")
    await fill(rig, 1)

    items = (await rig.get("/v1/acme/events")).json["items"]

    assert {item["workspace"] for item in items} == {"acme"}
    assert [item["type"] for item in items] == ["workspace.created", "service.added", "service.added"]


async def test_after_and_before_exclude_their_position(rig: Rig) -> None:
    await fill(rig, 5)
    everything = await positions(rig)

    assert await positions(rig, f"?after={everything[1]}&before={everything[4]}") == everything[2:4]


async def pages(rig: Rig, limit: int) -> list[list[int]]:
    found: list[list[int]] = []
    cursor = ""
    while True:
        page = (await rig.get(f"/v1/acme/events?limit={limit}{cursor}")).json
        found.append([item["position"] for item in page["items"]])
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


@pytest.mark.parametrize("limit", [7, 150])
async def test_pages_follow_each_other_without_gap_or_double(rig: Rig, limit: int) -> None:
    await fill(rig, 25 if limit == 7 else 330)
    everything = [fact.position for fact in await rig.facts() if fact.workspace == "acme"]

    found = await pages(rig, limit)

    assert [position for page in found for position in page] == everything
    assert {len(page) for page in found[:-1]} == {limit}


async def test_a_page_is_shorter_than_its_limit_where_facts_are_long(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    await fill(rig, 12)
    facts = [fact for fact in await rig.facts() if fact.workspace == "acme"]
    monkeypatch.setattr(history, "PAGE_BYTES", 3 * max(len(fact.data) for fact in facts))

    found = await pages(rig, 1000)

    assert [position for page in found for position in page] == [fact.position for fact in facts]
    assert len(found) > 3
    assert all(2 < len(page) < 8 for page in found[1:-1])


async def test_types_and_actor_filter(rig: Rig) -> None:
    key = await rig.issue("flow_author", id="author")
    await rig.command("AddService", {"id": "a", "handler": "noop"}, key=key)
    await rig.command("DeleteService", {"id": "a"})

    by_type = (await rig.get("/v1/acme/events?types=service.deleted,workspace.created")).json["items"]
    by_actor = (await rig.get("/v1/acme/events?actor=key:author")).json["items"]

    assert [item["type"] for item in by_type] == ["workspace.created", "service.deleted"]
    assert [item["stream"] for item in by_actor] == ["service:a"]


async def test_a_stream_has_its_own_history(rig: Rig) -> None:
    await rig.command("ConfigureService", {"id": "load", "handler": "pay"})

    for path in ("/v1/acme/streams/service:load/events", "/v1/acme/streams/service%3Aload/events"):
        items = (await rig.get(path)).json["items"]
        assert [(item["stream_version"], item["type"]) for item in items] == [
            (1, "service.added"),
            (2, "service.configured"),
        ]


async def test_another_workspaces_stream_looks_like_none(rig: Rig) -> None:
    await rig.post("/v1/workspaces", {"id": "other"})
    await rig.command("AddService", {"id": "theirs", "handler": "noop"}, workspace="other")

    refused = await rig.get("/v1/acme/streams/service:theirs/events")

    assert (refused.status, refused.code) == (404, "not_found")


async def test_as_of_a_position_hides_what_came_later(rig: Rig) -> None:
    before = await positions(rig)
    await fill(rig, 3)

    answered = await rig.get(f"/v1/acme/events?as_of={before[-1]}")

    assert [item["position"] for item in answered.json["items"]] == before
    assert answered.json["as_of"]["position"] == before[-1]
    assert answered.json["as_of"]["at"] == answered.json["items"][-1]["at"]


async def test_as_of_an_instant_is_the_last_position_at_or_before_it(rig: Rig) -> None:
    fact = (await rig.facts())[-1]
    await fill(rig, 3)
    instant = fact.at.isoformat().replace("+00:00", "Z")

    answered = await rig.get(f"/v1/acme/events?as_of={instant}")

    assert answered.json["as_of"] == {"position": fact.position, "at": instant}
    assert answered.json["items"][-1]["position"] == fact.position


async def test_an_instant_with_another_offset_is_the_same_instant(rig: Rig) -> None:
    fact = (await rig.facts())[-1]
    instant = (fact.at + timedelta(microseconds=1)).astimezone().isoformat().replace("+", "%2B")

    answered = await rig.get(f"/v1/acme/events?as_of={instant}")

    assert answered.json["as_of"]["position"] == fact.position


async def test_the_future_cannot_be_read(rig: Rig) -> None:
    for future in ("999999", "2100-01-01T00:00:00Z"):
        refused = await rig.get(f"/v1/acme/events?as_of={future}")
        assert (refused.status, refused.code) == (422, "as_of_in_future")


BAD: dict[str, tuple[str, int, str]] = {
    "limit beyond": ("?limit=1000000000", 422, "number_out_of_range"),
    "limit zero": ("?limit=0", 422, "number_out_of_range"),
    "limit negative": ("?limit=-1", 422, "number_out_of_range"),
    "limit no number": ("?limit=x", 422, "wrong_type"),
    "offset": ("?offset=5", 422, "unknown_field"),
    "sort": ("?sort=at", 422, "unknown_field"),
    "twice": ("?limit=1&limit=2", 422, "duplicate_parameter"),
    "forged cursor": ("?cursor=abc", 400, "bad_cursor"),
    "cursor with digits of another script": ("?cursor=%D9%A3", 400, "bad_cursor"),
    "as_of without offset": ("?as_of=2026-01-01T00:00:00", 422, "bad_instant"),
    "as_of in year 0": ("?as_of=0000-01-01T00:00:00Z", 422, "bad_instant"),
    "as_of in year 10000": ("?as_of=10000-01-01T00:00:00Z", 422, "bad_instant"),
    "as_of before 1970": ("?as_of=1969-12-31T23:59:59Z", 422, "bad_instant"),
    "as_of infinity": ("?as_of=infinity", 422, "bad_instant"),
    "as_of a leap second": ("?as_of=2016-12-31T23:59:60Z", 422, "bad_instant"),
    "as_of a day that is none": ("?as_of=2023-02-30T00:00:00Z", 422, "bad_instant"),
    "as_of negative": ("?as_of=-1", 422, "bad_instant"),
    "wait_for negative": ("?wait_for=-1", 422, "number_out_of_range"),
    "after negative": ("?after=-1", 422, "number_out_of_range"),
    "after beyond": ("?after=99999999999999999999", 422, "number_out_of_range"),
}


@pytest.mark.parametrize("case", BAD)
async def test_a_parameter_that_makes_no_sense_is_refused(rig: Rig, case: str) -> None:
    query, status, code = BAD[case]

    refused = await rig.get(f"/v1/acme/events{query}")

    assert (refused.status, refused.code) == (status, code)


async def test_a_position_that_does_not_come_is_503_after_the_wait(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.api.moment.WAIT_S_MAX", 0.1)
    head = rig.log.known_head.position

    by_query = await rig.get(f"/v1/acme/events?wait_for={head + 1}")
    by_header = await rig.get("/v1/acme/events", headers={"Eventjobs-Position": str(head + 1)})

    for refused in (by_query, by_header):
        assert (refused.status, refused.code, refused.json["position"]) == (503, "view_behind", head)
        assert refused.headers["Retry-After"]


class TestNdjson:
    HEADERS = {"Accept": "application/x-ndjson"}  # noqa: RUF012 never changed

    async def lines(self, rig: Rig, path: str) -> Sequence[Any]:
        answered = await rig.get(path, headers=self.HEADERS)
        assert answered.headers["Content-Type"] == "application/x-ndjson"
        return [orjson.loads(line) for line in answered.body.splitlines()]

    async def test_a_whole_history_is_one_event_a_line(self, rig: Rig) -> None:
        await fill(rig, 1_000)
        await rig.post(
            "/v1/acme/commands",
            [{"command": "AddService", "data": {"id": f"t{n}", "handler": "noop"}} for n in range(300)],
        )

        lines = await self.lines(rig, "/v1/acme/events")

        assert len(lines) == 1_302
        assert [line["position"] for line in lines] == sorted(line["position"] for line in lines)

    async def test_its_lines_are_the_items_of_the_page(self, rig: Rig) -> None:
        lines = await self.lines(rig, "/v1/log/events?limit=3")

        assert lines == (await rig.get("/v1/log/events?limit=3")).json["items"]

    async def test_nothing_found_is_an_empty_body(self, rig: Rig) -> None:
        assert await self.lines(rig, "/v1/acme/events?types=nothing") == []

    async def test_a_refusal_is_a_problem_all_the_same(self, rig: Rig) -> None:
        refused = await rig.get("/v1/acme/events?as_of=999999", headers=self.HEADERS)

        assert (refused.status, refused.code) == (422, "as_of_in_future")
