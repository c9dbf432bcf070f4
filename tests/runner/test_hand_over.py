"""What was running when its instance went: drained, killed, superseded (SPEC decision 5)."""

import asyncio
from typing import Any

import pytest

from eventjobs.domain.run import State
from eventjobs.handlers.context import HandlerContext
from eventjobs.runner.heirs import Heirs
from eventjobs.runner.leases import Watch
from eventjobs.runner.rescuer import Rescuer
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import OK, deaf, doing, outcome, running, slow
from tests.support.bodies import row, run_now, schedule
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


def test_an_instance_whose_lease_ran_out_cuts_off_what_runs_and_begins_nothing_until_it_is_trusted_again() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": slow(100, attempts=2), "b": OK})
        await eventually(lambda: plant.floor.calls)
        await plant.clock.sleep(10)
        one.lease.is_trusted = False
        await eventually(lambda: plant.events("attempt.ended"), 2)
        ended = plant.events("attempt.ended")[0]
        assert (ended.reason, "could not reach the database" in ended.detail) == ("interrupted", True)
        assert plant.floor.calls[0].ended is not None
        await plant.clock.sleep(30)
        assert plant.floor.order() == ["a"]
        assert one.metrics.leases_lost._value.get() == 1
        one.lease.is_trusted = True
        assert (await plant.ended("mine", within_s=110)).state is State.SUCCEEDED
        assert plant.floor.order() == ["a", "a", "b"]

    virtually(story())


def test_no_handler_is_called_when_the_lease_ran_out_while_its_beginning_was_recorded() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], {"a": {**OK, "attempts": 2}})
        real = one.dispatcher.dispatch

        async def losing(spec: Any, command: Any, context: Any) -> Any:
            outcome = await real(spec, command, context)
            if spec.name == "AdvanceRun" and not plant.floor.calls and one.lease.is_trusted:
                one.lease.is_trusted = False
                one.supervisor._mind_the_lease()  # it may look before the worker hears
            return outcome

        one.dispatcher.dispatch = losing  # type: ignore[method-assign, assignment]
        await one.do(run_now(id="mine"))
        await plant.clock.sleep(30)
        assert ([event.attempt for event in plant.events("attempt.started")], plant.floor.calls) == ([1], [])
        one.dispatcher.dispatch = real  # type: ignore[method-assign]
        one.lease.is_trusted = True
        assert (await plant.ended("mine")).state is State.SUCCEEDED

    virtually(story())


class Table:
    """The table of instances, as everybody reads it; they beat with the seconds."""

    def __init__(self, plant: Plant, *names: str) -> None:
        self.plant = plant
        self.names = names
        self.withdrawn: set[str] = set()
        self.away = False

    async def read(self) -> dict[str, int]:
        if self.away:
            raise OSError("the table is away")
        return dict.fromkeys(self.names, int(self.plant.clock.monotonic()))

    async def withdraw(self, instance: str) -> None:
        if self.away:
            raise OSError("the table is away")
        self.withdrawn.add(instance)

    async def forget(self, instance: str, beat: int) -> None:
        raise AssertionError((instance, beat))


async def side_by_side(plant: Plant, *names: str) -> tuple[Table, list[Instance]]:
    """Instances that know of each other and watch each other."""
    table, instances = Table(plant, *names), []
    for name in names:
        watch = Watch()
        peers = Heirs(table, watch, plant.clock, name)
        one = Instance(plant, name, peers=peers).start()
        rescuer = Rescuer(
            one.dispatcher, one.surroundings, plant.clock, one.lease, table, plant, name, watch=watch, peers=peers
        )
        _ = one.tasks.start(rescuer.watch_for_ever(), name=f"rescuer {name}")
        instances.append(one)
    await plant.clock.sleep(2)
    return table, instances


def test_what_has_not_started_is_handed_over_at_once_and_what_runs_gets_the_grace() -> None:
    async def story() -> None:
        plant = Plant()
        _, (one, two) = await side_by_side(plant, "one", "two")
        await plant.furnish(one, [row("a")], {"a": slow(20), "b": OK})
        await one.do(schedule("other", jobs=[row("a", seq=1), row("b", seq=2)]))
        await one.do(run_now(id="mine"))
        await eventually(lambda: plant.floor.calls)
        await one.do(run_now("other", id="theirs"))  # waits for the job that runs
        began = plant.clock.monotonic()
        draining = one.tasks.start(one.supervisor.drain(grace_s=26.0), name="drain")
        taken = (await eventually(lambda: plant.facts(type_="run.taken_over")))[0]
        assert plant.clock.monotonic() - began < 1
        assert (taken.stream.id, taken.event.instance, taken.event.term) == ("theirs", "two", 2)
        await draining
        assert plant.clock.monotonic() - began < 21
        assert (await plant.ended("mine")).term == 1
        assert (await plant.ended("theirs", within_s=30)).state is State.SUCCEEDED
        assert two.supervisor.open_runs == 0

    virtually(story())


def test_what_a_drain_interrupted_goes_on_elsewhere_at_once() -> None:
    async def story() -> None:
        plant = Plant()
        _, (one, _two) = await side_by_side(plant, "one", "two")
        await plant.furnish(one, [row("a")], {"a": slow(100, attempts=2)})
        await one.do(run_now(id="mine"))
        await eventually(lambda: plant.floor.calls)
        await one.supervisor.drain(grace_s=10.0)
        assert [event.instance for event in plant.events("run.taken_over")] == ["two"]
        assert (await plant.ended("mine", within_s=101)).state is State.SUCCEEDED
        assert [call.instance for call in plant.floor.calls] == ["one", "two"]

    virtually(story())


def test_a_run_that_is_opened_here_during_a_drain_is_handed_over_too() -> None:
    async def story() -> None:
        plant = Plant()
        _, (one, _two) = await side_by_side(plant, "one", "two")
        await plant.furnish(one, [row("a")], {"a": OK})
        await one.supervisor.drain(grace_s=1.0)
        await one.do(run_now(id="mine"))
        assert (await plant.ended("mine", within_s=2)).state is State.SUCCEEDED
        assert {call.instance for call in plant.floor.calls} == {"two"}

    virtually(story())


@pytest.mark.parametrize("together", [True, False])
def test_instances_that_all_stop_do_not_pass_a_run_to_and_fro(together: bool) -> None:
    async def story() -> None:
        plant = Plant()
        _, (one, two) = await side_by_side(plant, "one", "two")
        await plant.furnish(one, [row("a")], {"a": slow(100, attempts=2)})
        await one.do(run_now(id="mine"))
        await eventually(lambda: plant.floor.calls)
        if together:
            await asyncio.gather(one.supervisor.drain(grace_s=5.0), two.supervisor.drain(grace_s=5.0))
        else:
            await two.supervisor.drain(grace_s=5.0)
            await one.supervisor.drain(grace_s=5.0)
        await plant.clock.sleep(1)
        assert len(plant.events("run.taken_over")) <= 1
        assert plant.run("mine").open

    virtually(story())


def test_without_the_table_a_drain_ends_in_time_and_the_run_is_left_to_be_found() -> None:
    async def story() -> None:
        plant = Plant()
        table, (one, _two) = await side_by_side(plant, "one", "two")
        await plant.furnish(one, [row("a")], {"a": slow(100, attempts=2)})
        await one.do(run_now(id="mine"))
        await eventually(lambda: plant.floor.calls)
        table.away = True
        began = plant.clock.monotonic()
        await one.supervisor.drain(grace_s=5.0)
        assert plant.clock.monotonic() - began < 6
        assert (plant.run("mine").open, plant.events("run.taken_over")) == (True, [])

    virtually(story())


def test_two_instances_on_one_log_work_on_their_own_runs_only() -> None:
    async def story() -> None:
        plant = Plant()
        one, two = Instance(plant, "one").start(), Instance(plant, "two").start()
        await plant.furnish(one, [row("a")], {"a": OK, "b": OK})
        await two.do(schedule("other", jobs=[row("b")]))
        await asyncio.gather(one.do(run_now(id="mine")), two.do(run_now("other", id="theirs")))
        await plant.ended("mine")
        await plant.ended("theirs")
        assert {(call.run, call.instance) for call in plant.floor.calls} == {("mine", "one"), ("theirs", "two")}

    virtually(story())
