"""How many runs one process works on at once (SPEC decision 13): others of its runs wait, and the log says so once."""

from collections.abc import Sequence
from typing import Any

import pytest

from eventjobs.audit.occurrences import audit_facts
from eventjobs.domain.run import State
from eventjobs.events.recorded import Recorded
from eventjobs.runner.heirs import Heirs
from eventjobs.runner.leases import Watch
from eventjobs.runner.places import Places
from eventjobs.runner.rescuer import Rescuer
from tests.runner.plant import Instance, Plant
from tests.runner.test_hand_over import Table
from tests.runner.test_runs import OK, slow
from tests.runner.test_ticker import ticking
from tests.support.bodies import QUARTERLY, advance, row, run_now, schedule
from tests.support.logs import facts_of
from tests.support.story import command
from tests.support.time import virtually
from tests.support.waiting import eventually

NAMES = ("a", "b", "c")


class Someone:
    """Who needs a place, and counts how often it was woken."""

    def __init__(self) -> None:
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1


def test_who_comes_when_all_places_are_taken_is_woken_in_the_order_of_coming() -> None:
    seen: list[float] = []
    places, (one, two, three) = Places(1, seen.append), (Someone(), Someone(), Someone())
    assert [places.take(who) for who in (one, two, three, two, one)] == [True, False, False, False, True]
    assert (places.full, seen[-1]) == (True, 2)
    places.leave(one)
    assert (two.woken, three.woken, places.holds(two), places.take(two), seen[-1]) == (1, 0, True, True, 1)
    places.leave(three)  # it waits no more
    places.leave(two)
    assert (three.woken, places.full, seen[-1]) == (0, False, 0)


def test_without_a_limit_nobody_waits() -> None:
    places = Places()
    assert all(places.take(Someone()) for _ in range(1_000))
    assert not places.full


async def furnished(plant: Plant, *instances: Instance, seconds: float = 100.0, **fields: Any) -> None:
    """Make the services and schedules `a`, `b`, `c`, each of one job that takes so long."""
    first, *_ = instances
    services = {name: slow(seconds, **fields) for name in NAMES}
    await plant.furnish(first, [row("a")], services)
    for name in NAMES:
        await first.do(schedule(name, jobs=[row(name)]))


async def limited(plant: Plant, at_once: int = 1, **fields: Any) -> Instance:
    one = Instance(plant, "one", at_once=at_once).start()
    await furnished(plant, one, **fields)
    return one


async def side_by_side(
    plant: Plant, at_once: int = 1, ticks: Sequence[str] = ("one", "two")
) -> tuple[Table, list[Instance]]:
    """Two instances with so many places each, which know and watch each other; `ticks` answer what is due."""
    table, instances = Table(plant, "one", "two"), []
    for name in table.names:
        watch = Watch()
        peers = Heirs(table, watch, plant.clock, name)
        one = Instance(plant, name, peers=peers, at_once=at_once).start()
        common = (one.dispatcher, one.surroundings, plant.clock, one.lease)
        rescuer = Rescuer(*common, table, plant, name, watch=watch, peers=peers, places=one.places)
        _ = one.tasks.start(rescuer.watch_for_ever(), name=f"rescuer {name}")
        if name in ticks:
            ticking(one, peers=peers)
        instances.append(one)
    await furnished(plant, *instances)
    await plant.clock.sleep(2)
    return table, instances


def delays(plant: Plant) -> Sequence[Recorded[Any]]:
    return plant.facts(type_="run.delayed")


def at_work(plant: Plant, instance: str = "one") -> set[str]:
    return {call.run for call in plant.floor.calls if call.instance == instance and call.ended is None}


def test_a_run_without_a_place_starts_nothing_until_one_is_free_and_says_so_once() -> None:
    async def story() -> None:
        plant = Plant()
        one = await limited(plant)
        for name in NAMES:
            await one.do(run_now(name, id=f"run-{name}"))
        await plant.clock.sleep(50)
        assert at_work(plant) == {"run-a"}
        assert [(fact.stream.id, fact.event.reason, fact.event.limit) for fact in delays(plant)] == [
            ("run-b", "instance_limit", 1),
            ("run-c", "instance_limit", 1),
        ]
        assert {(fact.event.instance, fact.event.term) for fact in delays(plant)} == {("one", 1)}
        await plant.ended("run-c")
        began = [(call.run, round(call.began)) for call in plant.floor.calls]
        assert began == [("run-a", 0), ("run-b", 100), ("run-c", 200)]
        assert len(delays(plant)) == 2

    virtually(story())


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_never_more_runs_are_worked_on_than_there_are_places(at_once: int) -> None:
    async def story() -> None:
        plant = Plant()
        one = await limited(plant, at_once, attempts=2)
        most = 0

        async def watch() -> None:
            nonlocal most
            while True:
                most = max(most, len(at_work(plant)))
                await plant.clock.sleep(1)

        watching = one.tasks.start(watch(), name="watch")
        for turn in range(2):
            for name in NAMES:
                await one.do(run_now(name, id=f"{turn}-{name}"))
            for name in NAMES:
                await plant.ended(f"{turn}-{name}")
        watching.cancel()
        assert most == at_once

    virtually(story())


@pytest.mark.parametrize("mode", ["now", "after_current"])
def test_a_run_that_waits_for_a_place_is_stopped_at_once(mode: str) -> None:
    async def story() -> None:
        plant = Plant()
        one = await limited(plant)
        await one.do(run_now("a", id="first"))
        await one.do(run_now("b", id="second"))
        await eventually(lambda: delays(plant))
        began = plant.clock.monotonic()
        await one.do(command("StopRun", run="second", mode=mode))
        stopped = await plant.ended("second", within_s=2)
        assert (stopped.state, stopped.reason) == (State.ABORTED, "stopped")
        assert (stopped.rows[1].state, plant.clock.monotonic() - began < 1) == (State.SKIPPED, True)
        assert plant.floor.order() == ["a"]
        await one.do(run_now("c", id="third"))
        await plant.ended("third")  # who was stopped stands in nobody's way

    virtually(story())


def test_who_waits_for_a_retry_has_no_place_and_does_not_keep_others_from_starting() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one", at_once=1).start()
        tried = {"handler": "noop", "config": {"do": "fail"}, "attempts": 2, "backoff": {"initial": "PT1M"}}
        await plant.furnish(one, [row("a")], {"a": tried, "b": slow(300)})
        await one.do(schedule("other", jobs=[row("b")]))
        await one.do(run_now(id="retries"))
        await one.do(run_now("other", id="long"))
        run = await plant.ended("retries")
        assert [(call.job, round(call.began)) for call in plant.floor.calls] == [("a", 0), ("b", 0), ("a", 300)]
        assert run.reason == "error"
        told = [
            (fact.stream.id, round((fact.at - plant.facts("run:long")[0].at).total_seconds())) for fact in delays(plant)
        ]
        assert told[-1] == ("retries", 60)  # the second try could have begun then

    virtually(story())


def test_who_waits_for_a_busy_job_has_no_place_so_nobody_waits_for_ever() -> None:
    async def story() -> None:
        plant = Plant()
        one, two = (Instance(plant, name, at_once=1).start() for name in ("one", "two"))
        await plant.furnish(one, [row("a")], {"a": slow(50), "b": slow(50)})
        await one.do(schedule("other", jobs=[row("a"), row("b")]))
        await two.do(run_now(id="has"))
        await eventually(lambda: plant.floor.calls)
        await one.do(run_now("other", id="waits"))  # for the job that the other instance runs
        await eventually(lambda: plant.events("job_run.waiting"))
        await one.do(run_now("b", "service", id="single"))
        assert (await plant.ended("single")).state is State.SUCCEEDED
        assert (await plant.ended("waits")).state is State.SUCCEEDED
        began = {(call.run, call.job): round(call.began) for call in plant.floor.calls}
        assert began == {("has", "a"): 0, ("single", "b"): 0, ("waits", "a"): 50, ("waits", "b"): 100}

    virtually(story())


def test_a_drain_hands_over_at_once_what_waits_for_a_place() -> None:
    async def story() -> None:
        plant = Plant()
        _, (one, _two) = await side_by_side(plant)
        await one.do(run_now("a", id="first"))
        await one.do(run_now("b", id="second"))
        await eventually(lambda: delays(plant))
        began = plant.clock.monotonic()
        draining = one.tasks.start(one.supervisor.drain(grace_s=110.0), name="drain")
        taken = (await eventually(lambda: plant.facts(type_="run.taken_over")))[0]
        assert (taken.stream.id, taken.event.instance) == ("second", "two")
        assert plant.clock.monotonic() - began < 1
        await eventually(lambda: at_work(plant, "two"))
        assert plant.clock.monotonic() - began < 1.5
        await draining
        assert (await plant.ended("first")).term == 1
        assert (await plant.ended("second")).state is State.SUCCEEDED
        assert len(delays(plant)) == 1

    virtually(story())


def test_what_waits_at_an_instance_that_dies_is_taken_over_and_waits_there_again() -> None:
    async def story() -> None:
        plant = Plant()
        one = await limited(plant)
        two = Instance(plant, "two", at_once=1).start()
        await one.do(run_now("a", id="first"))
        await one.do(run_now("b", id="second"))
        await two.do(run_now("c", id="theirs"))
        await eventually(lambda: delays(plant))
        await one.kill()
        for run in ("second", "first"):
            await two.do(command("TakeOverRun", run=run, seen_term=1, cause="its instance is gone"))
        await plant.ended("second")
        await plant.ended("first")
        told = [(fact.stream.id, fact.event.instance, fact.event.term) for fact in delays(plant)]
        assert told == [("second", "one", 1), ("second", "two", 2)]  # the first had no try left
        began = [(call.run, call.instance, round(call.began)) for call in plant.floor.calls]
        assert began == [("first", "one", 0), ("theirs", "two", 0), ("second", "two", 100)]

    virtually(story())


def test_without_a_trusted_lease_nobody_stands_in_line_and_afterwards_all_go_on() -> None:
    async def story() -> None:
        plant = Plant()
        one = await limited(plant, seconds=50, attempts=3)
        for name in NAMES:
            await one.do(run_now(name, id=f"run-{name}"))
        await eventually(lambda: len(delays(plant)) == 2)
        one.lease.is_trusted = False
        await plant.clock.sleep(30)
        assert at_work(plant) == set()
        one.lease.is_trusted = True
        for name in NAMES:
            assert (await plant.ended(f"run-{name}")).state is State.SUCCEEDED
        assert not one.places.full

    virtually(story())


def lateness(instance: Instance) -> tuple[float, float]:
    """Return how many first jobs were measured, and the seconds from due to each, added up."""
    samples = instance.metrics.start_lateness_s.labels("scheduled").collect()[0].samples
    count, total = (next(one.value for one in samples if one.name.endswith(end)) for end in ("_count", "_sum"))
    return count, total


def test_the_wait_for_a_place_counts_in_the_lateness_of_the_start() -> None:
    async def story() -> None:
        plant = Plant()
        one = await limited(plant)
        ticking(one)
        await one.do(command("EditCadence", id="b", cadence={**QUARTERLY, "start_time": "12:01"}))
        await one.do(run_now("a", id="mine"))
        await eventually(lambda: len(plant.floor.calls) == 2, 120)
        assert lateness(one) == (1, pytest.approx(40, abs=1))

    virtually(story())


def test_it_counts_also_where_the_run_was_handed_over_before_it_began() -> None:
    async def story() -> None:
        plant = Plant()
        _, (one, two) = await side_by_side(plant, ticks=("one",))
        await one.do(command("EditCadence", id="b", cadence={**QUARTERLY, "start_time": "12:01"}))
        await plant.clock.sleep(50)
        await one.do(run_now("a", id="mine"))
        await eventually(lambda: delays(plant), 20)
        await plant.clock.sleep(20)
        await one.supervisor.drain(grace_s=5.0)
        await eventually(lambda: at_work(plant, "two"))
        assert (lateness(one)[0], lateness(two)) == (0, (1, pytest.approx(24, abs=2)))

    virtually(story())


def test_a_full_instance_lets_one_that_has_room_answer_what_is_due() -> None:
    async def story() -> None:
        plant = Plant()
        _, (one, two) = await side_by_side(plant)
        soon = {**QUARTERLY, "start_time": "12:01"}
        for name in ("b", "c"):
            await one.do(command("EditCadence", id=name, cadence=soon))
        await one.do(run_now("a", id="mine"))
        await eventually(lambda: len(plant.events("schedule.run_opened")) == 3, 120)
        opened = [fact for fact in plant.facts(type_="run.opened") if fact.event.due is not None]
        assert opened[0].event.instance == "two"
        assert all((fact.at - fact.event.due).total_seconds() < 5.1 for fact in opened)
        await eventually(lambda: len(plant.events("run.ended")) == 3, 300)
        assert audit_facts(facts_of(plant.log)).clean
        assert two.places.limit == 1

    virtually(story())


def test_a_full_instance_that_is_alone_answers_in_time() -> None:
    async def story() -> None:
        plant = Plant()
        one = await limited(plant)
        ticking(one)
        await one.do(command("EditCadence", id="b", cadence={**QUARTERLY, "start_time": "12:01"}))
        await one.do(run_now("a", id="mine"))
        opened = (await eventually(lambda: plant.facts("schedule:b", "schedule.run_opened"), 120))[0]
        assert (opened.at - opened.event.due).total_seconds() < 0.1
        found = await eventually(lambda: delays(plant))
        assert [fact.stream.id for fact in found] == ["schedule.b.2.20261201t120100z"]

    virtually(story())


def test_a_full_instance_lets_one_that_has_room_take_over() -> None:
    async def story() -> None:
        plant = Plant()
        table, (one, _two) = await side_by_side(plant)
        gone = Instance(plant, "gone").start()
        table.names = (*table.names, "gone")
        await one.do(run_now("a", id="busy"))
        runs = [f"left-{number}" for number in range(2)]
        for run, name in zip(runs, "bc", strict=True):
            await gone.do(run_now(name, id=run))
        await eventually(lambda: len(plant.floor.calls) == 3)
        await gone.kill()
        table.names = ("one", "two")
        taken = await eventually(lambda: plant.facts(type_="run.taken_over"), 10)
        assert taken[0].event.instance == "two"
        for run in runs:
            assert (await plant.ended(run)).term == 2

    virtually(story())


def test_words_of_a_full_instance_decide_nothing_where_nothing_could_begin() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one")
        await plant.furnish(one, [row("a")], {"a": OK})
        await one.do(run_now(id="mine"))
        assert (await one.do(advance("mine", full_at=1))).decided
        assert not (await one.do(advance("mine", full_at=1))).decided
        await one.do(advance("mine"))
        assert not (await one.do(advance("mine", full_at=1))).decided  # it works
        assert [fact.type for fact in plant.facts("run:mine")] == ["run.opened", "run.delayed", "attempt.started"]

    virtually(story())
