"""Answers come before jobs and starts before ends while many moments are due, and all come soon in any case."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from eventjobs.commands.answer_due import AnswerDue
from eventjobs.domain.run import State
from eventjobs.runner.answered import Moment
from eventjobs.runner.calm import LONGEST_S, STORM, STORM_S, Calm
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import slow
from tests.runner.test_ticker import SOON, ticking
from tests.support.bodies import row, run_now, schedule, service
from tests.support.story import at, command
from tests.support.time import virtually

DUE = datetime(2026, 12, 1, tzinfo=UTC)


def moments(number: int, due: datetime = DUE) -> list[Moment]:
    return [("acme", "schedule", f"s{place}", due) for place in range(number)]


async def waited(calm: Calm) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await calm.wait(asyncio.Event())
    return loop.time() - began


def test_nobody_waits_while_little_is_due() -> None:
    async def story() -> None:
        calm = Calm()
        assert await waited(calm) == 0
        calm.note(moments(STORM - 1), 0.0)
        assert await waited(calm) == 0

    virtually(story())


def test_in_a_storm_an_end_waits_until_it_is_over_or_three_seconds() -> None:
    async def story() -> None:
        calm = Calm()
        calm.note(moments(STORM), 0.0)
        assert await waited(calm) == pytest.approx(LONGEST_S)
        asyncio.get_running_loop().call_later(1, calm.note, (), 1.0)
        assert await waited(calm) == pytest.approx(1)

    virtually(story())


def test_who_is_called_waits_no_longer() -> None:
    async def story() -> None:
        calm, called = Calm(), asyncio.Event()
        calm.note(moments(STORM), 0.0)
        asyncio.get_running_loop().call_later(0.5, called.set)
        began = asyncio.get_running_loop().time()
        await calm.wait(called)
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.5)
        assert await waited(calm) == pytest.approx(LONGEST_S), "the others do"

    virtually(story())


async def begun(calm: Calm, due: datetime | None) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await calm.wait_to_begin(due, asyncio.Event())
    return loop.time() - began


def test_first_jobs_wait_for_the_answers_to_what_was_due_by_then_and_three_seconds_at_most() -> None:
    async def story() -> None:
        calm = Calm()
        assert await begun(calm, DUE) == 0
        due, after = moments(STORM + 1), moments(STORM, DUE + timedelta(seconds=1))
        calm.note([*due, *after], 0.0)
        assert await begun(calm, DUE - timedelta(seconds=1)) == 0
        assert await begun(calm, None) == 0, "what a person started"
        assert await begun(calm, DUE) == pytest.approx(LONGEST_S)
        loop = asyncio.get_running_loop()
        loop.call_later(0.3, calm.answered, due[0])
        loop.call_later(0.4, calm.answered, due[0])
        loop.call_later(0.5, calm.answered, after[0])
        loop.call_later(0.6, calm.answered, due[1])
        first, later = await asyncio.gather(begun(calm, DUE), begun(calm, DUE))
        assert first == later == pytest.approx(0.6)
        assert await begun(calm, DUE) == 0
        assert await begun(calm, DUE + timedelta(seconds=1)) == pytest.approx(LONGEST_S)
        loop.call_later(0.3, lambda: [calm.answered(moment) for moment in moments(STORM + 1)])
        assert await waited(calm) == pytest.approx(0.3), "the storm is over"

    virtually(story())


def test_a_look_that_finds_most_of_it_answered_lets_first_jobs_begin() -> None:
    async def story() -> None:
        calm, after = Calm(), moments(STORM, DUE + timedelta(seconds=1))
        calm.note(moments(STORM), 0.0)
        asyncio.get_running_loop().call_later(1, calm.note, [*moments(STORM - 1), *after], 1.0)
        assert await begun(calm, DUE) == pytest.approx(1)

    virtually(story())


async def in_a_storm(plant: Plant) -> Instance:
    """Open a run of what was due with many others that wait for their answer."""
    one = Instance(plant, "one").start()
    await plant.furnish(one, [row("a")], {"a": {}}, cadence=SOON)
    due = at("2026-12-01 12:10")
    await plant.clock.sleep((due - plant.clock.now()).total_seconds())
    one.calm.note(moments(STORM, due), plant.clock.monotonic())
    await one.do(AnswerDue(kind="schedule", id="nightly", begin=True))
    await plant.clock.sleep(1)
    (started,) = plant.facts(type_="attempt.started")
    assert (started.at - due).total_seconds() < 0.1
    assert plant.floor.calls == []
    return one


def test_a_run_of_a_storm_begins_in_the_log_and_its_jobs_a_little_later() -> None:
    async def story() -> None:
        plant = Plant()
        one = await in_a_storm(plant)
        one.calm.answered(moments(1, at("2026-12-01 12:10"))[0])
        (opened,) = plant.facts(type_="run.opened")
        assert (await plant.ended(opened.stream.id, within_s=2)).state is State.SUCCEEDED
        assert len(plant.floor.calls) == 1

    virtually(story())


def test_who_stops_a_run_before_its_jobs_begin_has_none_begin() -> None:
    async def story() -> None:
        plant = Plant()
        one = await in_a_storm(plant)
        (opened,) = plant.facts(type_="run.opened")
        await one.do(command("StopRun", run=opened.stream.id, mode="now"))
        await plant.clock.sleep(0.2)
        assert plant.run(opened.stream.id).state is State.ABORTED
        assert plant.floor.calls == []

    virtually(story())


def test_whose_lease_ends_before_the_jobs_begin_calls_none() -> None:
    async def story() -> None:
        plant = Plant()
        one = await in_a_storm(plant)
        one.lease.is_trusted = False
        await plant.clock.sleep(LONGEST_S)
        assert plant.floor.calls == []

    virtually(story())


def test_a_stop_is_heard_at_once_although_a_job_that_ended_waits_for_calm() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a", seq=1), row("b", seq=1)], {"a": {}, "b": slow(600)})
        one.calm.note(moments(STORM), plant.clock.monotonic())
        await one.do(run_now(id="mine"))
        await plant.clock.sleep(0.2)
        assert plant.events("job_run.ended") == [], "the first has ended and waits"
        await one.do(command("StopRun", run="mine", mode="now"))
        await plant.clock.sleep(0.2)
        assert plant.run("mine").state is State.ABORTED

    virtually(story())


def test_what_does_not_end_is_no_storm_but_the_load() -> None:
    async def story() -> None:
        calm = Calm()
        for second in range(60):
            calm.note(moments(5 * STORM), float(second))
            assert (await waited(calm) > 0) == (second < STORM_S)
        calm.note(moments(STORM - 1), 60.0)
        calm.note(moments(STORM), 61.0)
        assert await waited(calm) > 0, "another storm"
        calm.end()
        assert await waited(calm) == 0

    virtually(story())


def test_a_drain_lets_go_of_those_who_wait() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], {"a": {}})
        ticker = ticking(one)
        one.calm.note(moments(STORM), plant.clock.monotonic())
        ticker.drain()
        assert await waited(one.calm) == 0

    virtually(story())


def test_what_ended_is_told_when_all_that_is_due_has_begun() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], {"a": {}}, active=False)
        names = [f"due-{number}" for number in range(STORM + 60)]
        for name in names:
            await one.do(service(name))
            await one.do(schedule(name, cadence=SOON, jobs=[row(name)]))
        # Somebody else is first for most of them and does not answer, so this one does, a few each second.
        ticking(one, peers=Most())
        await plant.clock.sleep(640)
        facts = [fact for fact in plant.facts() if fact.type in ("run.opened", "run.ended")]
        assert len(facts) == 2 * len(names)
        due = facts[0].event.due
        began = [(fact.at - due).total_seconds() for fact in facts if fact.type == "run.opened"]
        ended = [(fact.at - due).total_seconds() for fact in facts if fact.type == "run.ended"]
        assert min(began) < 0.1
        assert min(ended) >= LONGEST_S - 0.1
        assert max(ended) < max(began) + LONGEST_S + 2

    virtually(story())


class Most:
    """Peers that are first for most of the schedules."""

    def turn(self, *what: str) -> int:
        return int(what[-1] > "due-15")

    def others(self) -> bool:
        return True
