"""A part of a history: two imports and a group of them that runs, as their commands decide it."""

from collections.abc import Iterator
from typing import Any

from tests.support.connect import DAILY, activate, advance, answer, end, job, run, saved
from tests.support.facts import Facts
from tests.support.story import Story, command

KEPT = frozenset({"group", "groups", "job", "run"})


def lists(workspace: str) -> Iterator[Facts]:
    """Two jobs are saved and grouped; the group runs by hand, is due once, fails, pauses and ends; a job leaves it."""
    story = Story().given(command("CreateWorkspace", id="acme", time_zone="UTC", kind="automation"))
    for thing in _things():
        before = {stream: len(facts) for stream, facts in story.streams.items()}
        story.given(thing)
        new: list[Any] = [
            (stream._replace(workspace=workspace), event)
            for stream, facts in story.streams.items()
            if stream.kind in KEPT
            for event in facts[before.get(stream, 0) :]
        ]
        if new:
            yield new


def _things() -> Iterator[Any]:
    yield from (job("contacts"), job("extension"), job("own", schedule=DAILY))
    yield from (command("ActivateJob", id=one) for one in ("contacts", "extension", "own"))
    yield from (saved("CreateGroup", schedule=DAILY), activate(), run("lists-by-hand"))
    for ended in ((), (end(1),), (end(2),)):
        yield _advanced("lists-by-hand", *ended)
    yield answer("2026-12-01 14:00")
    yield _advanced("group.lists.1.20261201t140000z")
    yield _advanced("group.lists.1.20261201t140000z", end(1, "failed", reason="error"))
    owner = {"kind": "group", "id": "lists"}
    yield from (command("PauseOwner", owner=owner), command("UnpauseOwner", owner=owner))
    yield command("DeactivateGroup", id="lists")
    yield saved(schedule=DAILY, jobs=["contacts"])


def _advanced(run_id: str, *ended: Any) -> Any:
    def move(story: Story) -> None:
        assert advance(story, run_id, *ended).refusal is None

    return move
