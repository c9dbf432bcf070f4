"""Answers for many: those who wait for the same are answered by one read, each as new as they asked for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.postgres_rig import on_postgres
from tests.api.rig import Answered, Rig, with_workspace

PAGE = "/v1/acme/jobs-page?section=services"


@pytest.fixture(scope="module")
async def pg(database_url: str) -> AsyncIterator[Rig]:
    async with on_postgres(database_url) as rig:
        await with_workspace(rig)
        yield rig


@pytest.fixture
def made(pg: Rig, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The reads of the page that the views were asked for."""
    asked: list[Any] = []
    as_before = pg.deps.views.jobs_page

    async def counted(*where: Any, **wanted: Any) -> Any:
        asked.append(wanted)
        return await as_before(*where, **wanted)

    monkeypatch.setattr(pg.deps.views, "jobs_page", counted)
    return asked


async def waited(rig: Rig, position: int, **more: Any) -> Answered:
    answered = await rig.get(f"{PAGE}&wait_for={position}", **more)
    assert answered.status == 200
    assert answered.json["as_of"]["position"] >= position
    return answered


async def add(rig: Rig, service: str) -> int:
    return int((await rig.command("AddService", {"id": service, "handler": "noop"})).json["position"])


def ids(answered: Answered) -> set[str]:
    return {item["id"] for item in answered.json["services"]["items"]}


async def test_those_who_wait_for_the_same_are_answered_by_one_read(pg: Rig, made: list[Any]) -> None:
    position = await add(pg, "same")

    answers = await asyncio.gather(*(waited(pg, position) for _ in range(20)))

    assert len(made) == 1
    assert {answered.body for answered in answers} == {answers[0].body}
    assert len({answered.headers["X-Request-Id"] for answered in answers}) == 20
    assert {len(answered.headers.getall("X-Request-Id")) for answered in answers} == {1}


async def test_who_waits_for_something_newer_is_shown_it(pg: Rig) -> None:
    for service in ("one", "two", "three"):
        assert service in ids(await waited(pg, await add(pg, service)))


async def test_who_came_while_an_older_answer_was_made_is_not_given_that(pg: Rig) -> None:
    before = await add(pg, "before")

    async def later() -> Answered:
        return await waited(pg, await add(pg, "later"))

    _, *answers = await asyncio.gather(waited(pg, before), later(), *(waited(pg, before) for _ in range(5)))

    assert "later" in ids(answers[0])


async def test_others_rights_have_answers_of_their_own(pg: Rig) -> None:
    reader, position = await pg.issue("reader"), await add(pg, "mine")

    ours, theirs = await asyncio.gather(waited(pg, position), waited(pg, position, key=reader))

    allowed = [one.json["services"]["items"][0]["actions"]["configure"] for one in (ours, theirs)]
    assert allowed[0] is True
    assert allowed[1]["code"] == "forbidden"


async def test_who_waits_for_nothing_is_answered_anew(pg: Rig, made: list[Any]) -> None:
    for _ in range(2):
        assert (await pg.get(PAGE)).status == 200

    assert len(made) == 2


async def test_a_refusal_is_each_callers_own(pg: Rig) -> None:
    position = await add(pg, "refused")
    path = f"/v1/acme/schedules/none?wait_for={position}"

    answers = await asyncio.gather(*(pg.get(path) for _ in range(3)))

    assert [(one.status, one.code) for one in answers] == [(404, "not_found")] * 3
