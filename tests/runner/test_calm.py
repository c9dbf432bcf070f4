"""Starts come before ends while many moments are due, and ends come soon in any case."""

import asyncio

import pytest

from eventjobs.domain.run import State
from eventjobs.runner.calm import LONGEST_S, STORM, STORM_S, Calm
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import slow
from tests.runner.test_ticker import SOON, ticking
from tests.support.bodies import row, run_now, schedule, service
from tests.support.story import command
from tests.support.time import virtually


async def waited(calm: Calm) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await calm.wait(asyncio.Event())
    return loop.time() - began


def test_nobody_waits_while_little_is_due() -> None:
    async def story() -> None:
        calm = Calm()
        assert await waited(calm) == 0
        calm.note(STORM - 1, 0.0)
        assert await waited(calm) == 0

    virtually(story())


def test_in_a_storm_an_end_waits_until_it_is_over_or_three_seconds() -> None:
    async def story() -> None:
        calm = Calm()
        calm.note(STORM, 0.0)
        assert await waited(calm) == pytest.approx(LONGEST_S)
        asyncio.get_running_loop().call_later(1, calm.note, 0, 1.0)
        assert await waited(calm) == pytest.approx(1)

    virtually(story())


def test_who_is_called_waits_no_longer() -> None:
    async def story() -> None:
        calm, called = Calm(), asyncio.Event()
        calm.note(STORM, 0.0)
        asyncio.get_running_loop().call_later(0.5, called.set)
        began = asyncio.get_running_loop().time()
        await calm.wait(called)
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.5)
        assert await waited(calm) == pytest.approx(LONGEST_S), "the others do"

    virtually(story())


def test_a_stop_is_heard_at_once_although_a_job_that_ended_waits_for_calm() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a", seq=1), row("b", seq=1)], {"a": {}, "b": slow(600)})
        one.calm.note(STORM, plant.clock.monotonic())
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
            calm.note(5 * STORM, float(second))
            assert (await waited(calm) > 0) == (second < STORM_S)
        calm.note(STORM - 1, 60.0)
        calm.note(STORM, 61.0)
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
        one.calm.note(STORM, plant.clock.monotonic())
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
