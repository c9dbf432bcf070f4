"""Answers for many: those who wait for the same are answered by one read, each as new as they asked for."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from eventjobs.api import shared
from tests.api.postgres_rig import on_postgres
from tests.api.rig import Answered, Rig, with_workspace

PAGE = "/v1/acme/jobs-page?section=services"
NEVER = 10**15


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


async def test_who_waits_for_what_never_comes_keeps_nobody_else_waiting(
    pg: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    position = await add(pg, "prompt")
    waits, wait_for = asyncio.Event(), pg.deps.following.wait_for

    async def noticed(target: int, timeout_s: float) -> bool:
        if target == NEVER:
            waits.set()
        return await wait_for(target, timeout_s)

    monkeypatch.setattr(pg.deps.following, "wait_for", noticed)
    never = asyncio.create_task(pg.get(f"{PAGE}&wait_for={NEVER}"))
    await waits.wait()

    async with asyncio.timeout(3):
        answers = await asyncio.gather(*(waited(pg, position) for _ in range(3)))

    assert all("prompt" in ids(one) for one in answers)
    assert (await never).code == "view_behind"


async def test_what_fails_is_not_tried_by_one_after_the_other(pg: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    position = await add(pg, "away")
    calls, others = 0, asyncio.Barrier(9)

    async def away(*_: Any, **__: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls > 1:
            await others.wait()
        raise TimeoutError

    monkeypatch.setattr(pg.deps.views, "jobs_page", away)

    async with asyncio.timeout(10):
        answers = await asyncio.gather(*(pg.get(f"{PAGE}&wait_for={position}") for _ in range(10)))

    assert {one.code for one in answers} == {"busy"}


async def test_an_answer_that_is_larger_than_all_that_is_kept_is_given(
    pg: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "BYTES_MAX", 10)
    position = await add(pg, "large")

    answers = await asyncio.gather(*(waited(pg, position) for _ in range(3)))

    assert all("large" in ids(one) for one in answers)


async def test_what_was_said_to_one_connection_is_not_said_to_another(pg: Rig) -> None:
    position = await add(pg, "connected")

    first = await waited(pg, position, headers={"Connection": "close"})
    second = await waited(pg, position)

    assert first.headers["Connection"] == "close"
    assert "Connection" not in second.headers
