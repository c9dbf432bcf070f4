"""What was running when its instance went: drained, killed, superseded (SPEC decision 5)."""

import asyncio
from typing import Any

import pytest

from eventjobs.domain.run import State
from eventjobs.handlers.context import HandlerContext
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import OK, deaf, doing, outcome, running, slow
from tests.support.bodies import row, run_now
from tests.support.story import command
from tests.support.time import virtually
from tests.support.waiting import eventually


def take_over(term: int = 1) -> Any:
    return command("TakeOverRun", run="mine", seen_term=term, cause="its instance is gone")


def pay(**config: Any) -> dict[str, Any]:
    return {"handler": "pay", "config": config}


def test_a_drain_lets_what_runs_end_and_begins_nothing_new() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": slow(20), "b": OK})
        await eventually(lambda: plant.floor.calls)
        await one.supervisor.drain(grace_s=30.0)
        assert outcome(plant.run("mine")) == {1: ("succeeded", None), 2: ("queued", None)}
        assert (plant.clock.monotonic(), one.supervisor.open_runs) == (pytest.approx(20, abs=0.2), 0)

        two = Instance(plant, "two").start()
        await two.do(take_over())
        assert (await plant.ended("mine")).state is State.SUCCEEDED
        assert [(call.job, call.instance, call.term) for call in plant.floor.calls] == [
            ("a", "one", 1),
            ("b", "two", 2),
        ]

    virtually(story())


@pytest.mark.parametrize(
    ("service", "result", "calls"),
    [
        (slow(100, attempts=2), ("succeeded", None), 2),
        (slow(100), ("failed", "interrupted"), 1),
        ({**slow(100), "handler": "csv.import"}, ("succeeded", None), 2),
        ({**slow(100), "handler": "pay", "attempts": 5}, ("failed", "unknown_end"), 1),
    ],
)
def test_a_drain_interrupts_what_does_not_end_in_time_and_another_goes_on(
    service: dict[str, Any], result: tuple[str, str | None], calls: int
) -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": service, "b": OK})
        await eventually(lambda: plant.floor.calls)
        await one.supervisor.drain(grace_s=10.0)
        assert plant.clock.monotonic() == pytest.approx(10, abs=0.5)
        assert plant.run("mine").open

        two = Instance(plant, "two").start()
        await two.do(take_over())
        run = await plant.ended("mine")
        assert outcome(run) == {1: result, 2: ("succeeded", None)}
        assert len(plant.floor.of("a")) == calls

    virtually(story())


def test_a_drain_does_not_wait_for_ever_for_a_handler_that_ignores_it() -> None:
    async def story() -> None:
        plant = Plant()
        plant.floor.doings["deaf"] = deaf
        one = await running(plant, {"a": doing("deaf")}, grace_s=5.0)
        await eventually(lambda: plant.floor.calls)
        await one.supervisor.drain(grace_s=10.0)
        assert plant.clock.monotonic() < 20
        assert plant.events("attempt.ended")[0].reason == "interrupted"

    virtually(story())


def test_a_drain_takes_up_nothing_new() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], {"a": OK})
        await one.supervisor.drain(grace_s=10.0)
        await one.do(run_now(id="mine"))
        await plant.clock.sleep(10)
        assert (plant.floor.calls, plant.run("mine").open) == ([], True)

    virtually(story())


@pytest.mark.parametrize(
    ("service", "result"),
    [
        (slow(100, attempts=2), ("succeeded", None)),
        ({**slow(100), "handler": "csv.import"}, ("succeeded", None)),
        ({**slow(100), "handler": "pay", "attempts": 5}, ("failed", "unknown_end")),
    ],
)
def test_what_a_killed_instance_was_doing_is_taken_over(
    service: dict[str, Any], result: tuple[str, str | None]
) -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": service, "b": OK})
        two = Instance(plant, "two").start()
        await eventually(lambda: plant.floor.calls)
        await one.kill()
        await two.do(take_over())
        run = await plant.ended("mine")
        assert outcome(run) == {1: result, 2: ("succeeded", None)}
        assert run.term == 2
        assert {call.term for call in plant.floor.calls if call.instance == "two"} == {2}

    virtually(story())


def test_a_worker_that_was_taken_over_is_refused_and_cancels_its_jobs() -> None:
    async def story() -> None:
        plant = Plant()
        ended: list[float] = []

        async def long(context: HandlerContext, _config: object) -> None:
            try:
                await context.clock.sleep(50)
            finally:
                ended.append(plant.clock.monotonic())

        plant.floor.doings["long"] = long
        one = await running(plant, {"a": doing("long", attempts=2)})
        await eventually(lambda: plant.floor.calls)
        two = Instance(plant, "two").start()
        await two.do(take_over())
        run = await plant.ended("mine")
        assert ended[0] < 5
        assert run.state is State.SUCCEEDED
        assert [(fact.event.term, fact.actor) for fact in plant.facts(type_="attempt.ended")] == [
            (1, "instance:two"),
            (2, "instance:two"),
        ]
        assert one.metrics.superseded._value.get() == 1
        assert one.supervisor.open_runs == 0

    virtually(story())


def test_a_run_that_comes_back_to_an_instance_is_worked_on_in_its_new_term() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": slow(50, attempts=3)})
        await eventually(lambda: plant.floor.calls)
        await one.do(take_over())
        run = await plant.ended("mine")
        assert (run.state, run.term) == (State.SUCCEEDED, 2)
        assert [(call.term, call.ended is not None) for call in plant.floor.calls] == [(1, True), (2, True)]

    virtually(story())


def test_an_instance_whose_lease_is_not_trusted_begins_nothing_until_it_is_again() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": slow(10), "b": OK})
        await eventually(lambda: plant.floor.calls)
        one.lease.is_trusted = False
        await eventually(lambda: plant.run("mine").rows[1].ended, 60)
        await plant.clock.sleep(30)
        assert plant.floor.order() == ["a"]
        one.lease.is_trusted = True
        assert (await plant.ended("mine", within_s=5)).state is State.SUCCEEDED

    virtually(story())


def test_two_instances_on_one_log_work_on_their_own_runs_only() -> None:
    async def story() -> None:
        from tests.support.bodies import schedule

        plant = Plant()
        one, two = Instance(plant, "one").start(), Instance(plant, "two").start()
        await plant.furnish(one, [row("a")], {"a": OK, "b": OK})
        await two.do(schedule("other", jobs=[row("b")]))
        await asyncio.gather(one.do(run_now(id="mine")), two.do(run_now("other", id="theirs")))
        await plant.ended("mine")
        await plant.ended("theirs")
        assert {(call.run, call.instance) for call in plant.floor.calls} == {("mine", "one"), ("theirs", "two")}

    virtually(story())
