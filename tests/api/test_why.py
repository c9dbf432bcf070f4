"""Why an owner ran or did not, over HTTP, on Postgres."""

from collections.abc import AsyncIterator

import pytest

from eventjobs.api.schemas import WhyBody
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Rig, schedule, with_workspace


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    """A server on Postgres with the workspace `acme` and a schedule that was run by hand."""
    async with on_postgres(database_url) as rig:
        await with_workspace(rig)
        await rig.command("CreateSchedule", schedule("nightly"))
        ran = await rig.command("RunNow", {"owner": {"kind": "schedule", "id": "nightly"}, "id": "mine"})
        assert ran.status == 201
        yield rig


async def test_the_answer_is_what_the_document_says(pg: Rig) -> None:
    answered = await pg.get("/v1/acme/why?owner=schedule/nightly")

    assert answered.status == 200, answered.body
    why = WhyBody.model_validate_json(answered.body)
    assert (why.owner.kind, why.owner.id, why.run) == ("schedule", "nightly", "mine")
    assert "started by hand" in why.sentence
    positions = [fact.position for fact in why.facts]
    history = (await pg.get("/v1/acme/events?limit=1000")).json["items"]
    types = {event["position"]: event["type"] for event in history}
    own = [fact for fact in why.facts if fact.workspace == "acme"]
    assert [types[fact.position] for fact in own] == [fact.type for fact in own]
    assert len(set(positions)) == len(positions)


async def test_as_of_a_position_it_is_told_as_it_could_be_told_then(pg: Rig) -> None:
    opened = next(
        event for event in (await pg.get("/v1/acme/events?limit=1000")).json["items"] if event["type"] == "run.opened"
    )

    before = await pg.get(f"/v1/acme/why?owner=schedule/nightly&as_of={opened['position'] - 1}&at={opened['at']}")

    assert before.json["run"] is None
    assert before.json["verdict"] in ("not_due", "inactive")


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 422, "missing"),
        ("owner=nightly", 422, "bad_owner"),
        ("owner=flow/nightly", 422, "not_supported"),
        ("owner=schedule/other", 404, "not_found"),
        ("owner=group/nightly", 404, "not_found"),
        ("owner=import/nightly", 404, "not_found"),
        ("owner=schedule/nightly&at=2199-01-01T00:00:00Z", 422, "at_in_future"),
        ("owner=schedule/nightly&at=1970-01-01T00:00:00Z", 404, "not_found"),
        ("owner=schedule/nightly&at=yesterday", 422, "bad_instant"),
        ("owner=schedule/nightly&when=now", 422, "unknown_field"),
    ],
)
async def test_what_is_asked_wrongly_is_told_what_is_wrong(pg: Rig, query: str, status: int, code: str) -> None:
    refused = await pg.get(f"/v1/acme/why?{query}")

    assert (refused.status, refused.code) == (status, code)


async def test_another_workspaces_schedule_is_none(pg: Rig) -> None:
    made = await pg.post("/v1/workspaces", {"id": "other"})
    assert made.status == 201

    assert (await pg.get("/v1/other/why?owner=schedule/nightly")).status == 404
