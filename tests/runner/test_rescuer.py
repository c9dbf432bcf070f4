"""Runs of instances that are gone are taken over, those of the living are not."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from eventjobs.domain.run import State
from eventjobs.errors import LogUnavailable
from eventjobs.projections.upcoming import OpenRun
from eventjobs.runner.rescuer import Rescuer
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import OK, running, slow
from tests.support.bodies import row, run_now, schedule
from tests.support.time import virtually
from tests.support.waiting import eventually


class Hearts:
    """The beats as everybody reads them: those that live beat with the seconds."""

    def __init__(self, plant: Plant, *living: str) -> None:
        self.plant = plant
        self.living = set(living)
        self.stopped: dict[str, int] = {}
        self.away = False

    def stop(self, name: str) -> None:
        self.living.discard(name)
        self.stopped[name] = int(self.plant.clock.monotonic())

    async def read(self) -> Mapping[str, int]:
        if self.away:
            raise OSError("the table is away")
        return {**dict.fromkeys(self.living, int(self.plant.clock.monotonic())), **self.stopped}


def rescuer(instance: Instance, hearts: Any, runs: Any = None) -> Rescuer:
    plant = instance.plant
    made = Rescuer(
        instance.dispatcher, instance.surroundings, plant.clock, instance.lease, hearts, runs or plant, instance.name
    )
    _ = instance.tasks.start(made.watch_for_ever(), name=f"rescuer {instance.name}")
    return made


def test_a_killed_instance_is_seen_after_ten_seconds_and_its_run_goes_on() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": slow(100, attempts=2)})
        hearts = Hearts(plant, "one", "two", "three")
        for name in ("two", "three"):
            rescuer(Instance(plant, name).start(), hearts)
        await plant.clock.sleep(30)
        assert plant.run("mine").term == 1

        await one.kill()
        hearts.stop("one")
        run = await plant.ended("mine")
        assert (run.state, run.term) == (State.SUCCEEDED, 2)
        taken = plant.facts(type_="run.taken_over")
        assert len(taken) == 1
        assert 40 <= (taken[0].at - plant.after(seconds=-plant.clock.monotonic())).total_seconds() <= 42

    virtually(story())


def test_an_instance_that_left_in_order_is_followed_at_once() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": OK, "b": slow(5, attempts=2)})
        await eventually(lambda: plant.floor.of("b"))
        hearts = Hearts(plant, "one", "two")
        rescuer(Instance(plant, "two").start(), hearts)
        await one.supervisor.drain(grace_s=1.0)
        hearts.living.discard("one")
        left = plant.clock.monotonic()
        await eventually(lambda: plant.facts(type_="run.taken_over"))
        assert plant.clock.monotonic() - left < 3

    virtually(story())


def test_while_beats_cannot_be_read_nobody_takes_over_anybody() -> None:
    async def story() -> None:
        plant = Plant()
        await running(plant, {"a": slow(500)})
        hearts = Hearts(plant, "one", "two")
        rescuer(Instance(plant, "two").start(), hearts)
        await plant.clock.sleep(20)
        hearts.away = True
        await plant.clock.sleep(100)
        hearts.away = False
        assert (await plant.ended("mine")).term == 1

    virtually(story())


def test_a_read_that_failed_starts_the_ten_seconds_afresh() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": slow(100, attempts=2)})
        hearts = Hearts(plant, "one", "two")
        rescuer(Instance(plant, "two").start(), hearts)
        await plant.clock.sleep(30)
        await one.kill()
        hearts.stop("one")
        await plant.clock.sleep(6)
        hearts.away = True
        await plant.clock.sleep(1.5)
        hearts.away = False
        back = plant.clock.now()
        await plant.ended("mine")
        assert 9 <= (plant.facts(type_="run.taken_over")[0].at - back).total_seconds() <= 12

    virtually(story())


def test_who_is_not_trusted_itself_takes_over_nothing() -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": slow(100, attempts=2)})
        hearts = Hearts(plant, "one", "two")
        two = Instance(plant, "two").start()
        rescuer(two, hearts)
        two.lease.is_trusted = False
        await one.kill()
        hearts.stop("one")
        await plant.clock.sleep(60)
        assert plant.run("mine").term == 1
        two.lease.is_trusted = True
        assert (await plant.ended("mine")).term == 2

    virtually(story())


def test_the_run_of_an_instance_that_has_just_joined_is_left_alone() -> None:
    """It joins, then opens a run, while another one is between its two reads."""

    async def story() -> None:
        plant = Plant()
        hearts = Hearts(plant, "two")
        one, two = Instance(plant, "one").start(), Instance(plant, "two")
        await plant.furnish(one, [row("a")], {"a": slow(100)})

        class JoinsMeanwhile:
            """What `one` does stands between the first read and the second."""

            def __init__(self) -> None:
                self.met = False

            async def _meet(self) -> None:
                if not self.met:
                    self.met = True
                    hearts.living.add("one")
                    await one.do(run_now(id="mine"))

            async def read(self) -> Mapping[str, int]:
                found = await hearts.read()
                await self._meet()
                return found

            async def open_runs(self) -> Sequence[OpenRun]:
                found = await plant.open_runs()
                await self._meet()
                return found

        both = JoinsMeanwhile()
        watching = Rescuer(two.dispatcher, two.surroundings, plant.clock, two.lease, both, both, "two")
        await watching.look()
        await watching.look()
        assert plant.run("mine").term == 1

    virtually(story())


@pytest.mark.parametrize("error", [LogUnavailable("away"), RuntimeError("broken")])
def test_one_run_that_cannot_be_taken_over_does_not_keep_the_others(error: Exception) -> None:
    async def story() -> None:
        plant = Plant()
        one = await running(plant, {"a": slow(100, attempts=2), "b": slow(100, attempts=2)}, [row("a")])
        await one.do(schedule("other", jobs=[row("b")]))
        await one.do(run_now("other", id="theirs"))
        await eventually(lambda: len(plant.floor.calls) == 2)
        two = Instance(plant, "two").start()
        real = two.dispatcher.dispatch

        async def broken(spec: Any, command: Any, context: Any) -> Any:
            if getattr(command, "run", "") == "mine" and spec.name == "TakeOverRun":
                raise error
            return await real(spec, command, context)

        two.dispatcher.dispatch = broken  # type: ignore[method-assign, assignment]
        hearts = Hearts(plant, "one", "two")
        rescuer(two, hearts)
        await plant.clock.sleep(2)
        await one.kill()
        hearts.stop("one")
        assert (await plant.ended("theirs")).term == 2
        assert plant.run("mine").term == 1

    virtually(story())


class Order:
    """Peers that say who goes first, and note whom they forgot."""

    def __init__(self, *, first: bool) -> None:
        self.first = first
        self.forgotten: list[str] = []

    def goes_first(self, *_what: str) -> bool:
        return self.first

    async def forget(self, instance: str) -> None:
        self.forgotten.append(instance)


async def rescued_after(plant: Plant, *, first: bool, left: bool) -> tuple[float, Instance, Order]:
    one = await running(plant, {"a": slow(200, attempts=2)})
    hearts, two, order = Hearts(plant, "one", "two"), Instance(plant, "two").start(), Order(first=first)
    peers: Any = order
    made = Rescuer(
        two.dispatcher,
        two.surroundings,
        plant.clock,
        two.lease,
        hearts,
        plant,
        "two",
        peers=peers,
        metrics=two.metrics,
    )
    _ = two.tasks.start(made.watch_for_ever(), name="rescuer two")
    await plant.clock.sleep(5)
    await one.kill()
    hearts.stop("one")
    if left:
        del hearts.stopped["one"]
    began = plant.clock.monotonic()
    await eventually(lambda: plant.facts(type_="run.taken_over"), 30)
    return plant.clock.monotonic() - began, two, order


@pytest.mark.parametrize(
    ("first", "left", "within"),
    [(True, False, (10, 10.6)), (False, False, (11, 11.6)), (True, True, (0, 0.6)), (False, True, (1, 2.1))],
)
def test_who_does_not_go_first_takes_over_a_second_later(first: bool, left: bool, within: tuple[float, float]) -> None:
    async def story() -> None:
        after_s, two, _ = await rescued_after(Plant(), first=first, left=left)
        assert within[0] <= after_s <= within[1]
        counted = next(
            metric for metric in two.metrics.take_over_s.collect()[0].samples if metric.name[-6:] == "_count"
        )
        assert counted.value == (0 if left else 1)

    virtually(story())


def test_the_row_of_a_killed_instance_is_removed_when_nothing_of_it_is_left() -> None:
    async def story() -> None:
        plant = Plant()
        _, _, order = await rescued_after(plant, first=True, left=False)
        await plant.clock.sleep(45)
        assert order.forgotten == []
        await plant.clock.sleep(10)
        assert set(order.forgotten) == {"one"}

    virtually(story())
