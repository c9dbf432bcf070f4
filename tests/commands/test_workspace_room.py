"""A workspace has so many schedules and Connect jobs at most, whatever makes them (SPEC decision 13)."""

from dataclasses import replace
from typing import Any

import pytest

from eventjobs.commands import create_schedule
from eventjobs.commands.batch import AtomicRefusal, Entry, run_all, run_each
from eventjobs.commands.census import CONNECT_JOB, FAR, SCHEDULE, Census
from eventjobs.commands.context import Limits
from eventjobs.commands.outcomes import Outcome
from eventjobs.errors import Rejected
from eventjobs.events.integration import IntegrationSynced, IntegrationSyncFailed
from eventjobs.events.job import JobSaved
from eventjobs.events.schedule import ScheduleCreated
from tests.runner.plant import Instance, Plant
from tests.support.bodies import schedule, service, workspace
from tests.support.connect import job
from tests.support.definitions import feature, publish, register, scheduled, sync
from tests.support.story import WORKSPACE, Fact, Story, command
from tests.support.time import virtually


def limited(to: int) -> Story:
    return Story(limits=Limits(schedules_per_workspace=to)).given(workspace(), service())


def delete(schedule_id: str) -> Any:
    return command("DeleteSchedule", id=schedule_id)


def test_one_more_than_there_may_be_is_refused_until_one_is_deleted() -> None:
    story = limited(2).given(schedule("a"), schedule("b"))
    story.when(schedule("c")).then_refused("too_many_schedules", limit=2)
    story.when(schedule("b")).then_nothing()
    story.given(delete("a")).when(schedule("c", active=False)).then(Fact(ScheduleCreated), Fact(object))


def test_what_is_restored_needs_room_as_well() -> None:
    story = limited(1).given(publish(), register(), delete("crm.nightly"), schedule("a"))
    restore = command("RestoreSchedule", id="crm.nightly")
    story.when(restore).then_refused("too_many_schedules", limit=1)
    assert story.given(delete("a")).when(restore).refusal is None


def test_a_registration_and_a_sync_bring_no_more_than_there_may_be() -> None:
    three = publish(feature("contacts", *(scheduled(name) for name in "abc")))
    limited(2).given(three).when(register()).then_refused("too_many_schedules")
    story = limited(2).given(publish(), register(), three)
    story.when(sync()).then(Fact(IntegrationSyncFailed, version=2, code="too_many_schedules"))
    story.given(publish(feature("contacts", scheduled("a"), scheduled("b"))))
    assert Fact(IntegrationSynced, version=3) in story.when(sync()).facts


def test_G86_one_connect_job_more_than_there_may_be_is_refused_until_one_is_gone() -> None:
    story = Story(limits=Limits(connect_jobs_per_workspace=3)).given(workspace(), job("a"))
    story.given(job("b", expires_on="2026-12-02"), job("c", expires_on="2026-12-02", on_expiry="deactivate"))
    story.when(job("d")).then_refused("too_many_connect_jobs", limit=3)
    story.when(command("CopyJob", id="a", new_id="d")).then_refused("too_many_connect_jobs", limit=3)
    story.when(job("a", name="Renamed")).then(Fact(JobSaved, name="Renamed"))
    story.given(command("DeleteJob", id="a"), job("d")).when(job("e")).then_refused("too_many_connect_jobs")
    story.at("2026-12-03 00:00").given(*(command("AnswerDue", kind="import", id=name) for name in "bc"), job("e"))
    story.when(job("f")).then_refused("too_many_connect_jobs")


async def _furnished(plant: Plant, limit: int) -> tuple[Instance, list[Entry]]:
    """An instance with one schedule, and the commands for three more."""
    one = Instance(plant, "one").start()
    await plant.furnish(one, [{"job": {"kind": "service", "id": "a"}}], {"a": {"config": {}}}, active=False)
    entries = [
        Entry(
            spec=create_schedule.SPEC,
            command=schedule(name, jobs=[{"job": {"kind": "service", "id": "a"}}], active=False),
            context=replace(one.surroundings.context(WORKSPACE), limits=Limits(schedules_per_workspace=limit)),
        )
        for name in "abc"
    ]
    return one, entries


def _codes(answers: Any) -> list[str | None]:
    return [one.code if isinstance(one, Rejected) else None for one in answers if isinstance(one, Outcome | Rejected)]


def test_a_batch_fills_the_last_places_and_not_one_more() -> None:
    async def play() -> None:
        plant = Plant()
        one, entries = await _furnished(plant, limit=3)
        assert _codes(await run_each(one.dispatcher, entries)) == [None, None, "too_many_schedules"]
        with pytest.raises(AtomicRefusal) as refused:
            await run_all(one.dispatcher, entries)
        assert (refused.value.place, refused.value.refusal.code) == (2, "too_many_schedules")
        await one.do(delete("b"))
        assert _codes(await run_each(one.dispatcher, entries[2:])) == [None]
        await one.kill()

    virtually(play())


class _Counted:
    """A view that is asked, and what it answers."""

    def __init__(self) -> None:
        self.asked = 0
        self.answer = (100, 0)

    async def count(self, workspace: str, kind: str) -> tuple[int, int]:
        assert (workspace, kind) == (WORKSPACE, SCHEDULE)
        self.asked += 1
        return self.answer


def test_connect_jobs_are_followed_and_one_whose_expiry_only_deactivated_it_stays() -> None:
    async def play() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [{"job": {"kind": "service", "id": "a"}}], {"a": {"config": {}}}, active=False)
        census = Census(plant.log)
        for name, on_expiry in (("gone", "delete"), ("stays", "deactivate"), ("deleted", "delete")):
            soon = f"{plant.after(days=1):%Y-%m-%d}"
            await one.do(job(name, handler="noop", on_expiry=on_expiry, expires_on=soon))
        assert await census.count(WORKSPACE, CONNECT_JOB) == 3
        await one.do(command("DeleteJob", id="deleted"))
        plant.clock.step(3 * 86_400)
        for name in ("gone", "stays"):
            await one.do(command("AnswerDue", kind="import", id=name))
        assert await census.count(WORKSPACE, CONNECT_JOB) == 1
        await one.kill()

    virtually(play())


def test_schedules_are_counted_once_and_then_followed_until_the_log_has_gone_far(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def play() -> None:
        plant, counted = Plant(), _Counted()
        one, entries = await _furnished(plant, limit=1_000)
        counted.answer = (100, plant.log.known_head.position)
        census = Census(plant.log, counted)
        assert census.known(WORKSPACE, SCHEDULE) is None
        assert await census.count(WORKSPACE, SCHEDULE) == census.known(WORKSPACE, SCHEDULE) == 100
        await run_each(one.dispatcher, entries)
        assert census.known(WORKSPACE, SCHEDULE) is None
        await one.do(delete("a"))
        await census.catch_up(WORKSPACE)
        assert (census.known(WORKSPACE, SCHEDULE), counted.asked) == (102, 1)
        monkeypatch.setattr("eventjobs.commands.census.FAR", 0)
        await one.do(delete("b"))
        counted.answer = (7, plant.log.known_head.position)
        await census.catch_up(WORKSPACE)
        assert (census.known(WORKSPACE, SCHEDULE), counted.asked) == (7, 2)
        await one.kill()

    assert FAR > 0
    virtually(play())
