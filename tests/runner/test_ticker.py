"""What is due is answered in time, once, and by whoever is there."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from eventjobs.commands.dispatch import Dispatcher
from eventjobs.domain.streams import starts_stream
from eventjobs.errors import LogUnavailable
from eventjobs.projections.upcoming import DueTimer
from eventjobs.runner.ticker import HELP, Ticker
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import OK, slow
from tests.support.bodies import QUARTERLY, row, run_now, schedule, service
from tests.support.story import WORKSPACE, at, command
from tests.support.time import virtually
from tests.support.waiting import eventually

SOON = {**QUARTERLY, "start_time": "12:10"}


def ticking(instance: Instance, timers: Any = None, peers: Any = None) -> Ticker:
    plant = instance.plant
    ticker = Ticker(
        instance.dispatcher,
        timers or plant,
        instance.surroundings,
        plant.clock,
        instance.lease,
        instance.tasks,
        instance.metrics,
        peers=peers,
        places=instance.places,
        answered=instance.answered,
        calm=instance.calm,
    )
    _ = instance.tasks.start(ticker.tick_for_ever(), name=f"ticker {instance.name}")
    return ticker


async def plant_with(*names: str, **fields: Any) -> tuple[Plant, list[Instance]]:
    plant = Plant()
    instances = [Instance(plant, name).start() for name in names]
    await plant.furnish(instances[0], [row("a")], {"a": OK, "b": OK}, **{"cadence": SOON, **fields})
    return plant, instances


def test_a_due_moment_is_answered_at_its_instant() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        ticking(one)
        await plant.clock.sleep(3_600)
        opened = plant.facts(type_="run.opened")
        assert [fact.event.due for fact in opened] == [
            at("2026-12-01 12:10"),
            at("2026-12-01 12:25"),
            at("2026-12-01 12:40"),
            at("2026-12-01 12:55"),
        ]
        assert all((fact.at - fact.event.due).total_seconds() < 0.1 for fact in opened)
        assert {fact.event.cause for fact in opened} == {"scheduled"}

    virtually(story())


def test_a_moment_is_not_late_by_the_hour_that_the_clock_was_wrong() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        ticking(one)
        await plant.clock.sleep(599)
        plant.clock.step(-3_600)
        await plant.clock.sleep(10)
        assert plant.facts(type_="run.opened") == []
        plant.clock.step(3_600)
        (opened,) = await eventually(lambda: plant.facts(type_="run.opened"), 3)
        assert opened.event.due == at("2026-12-01 12:10")

    virtually(story())


def test_three_instances_answer_each_moment_once() -> None:
    async def story() -> None:
        plant, instances = await plant_with("one", "two", "three")
        for instance in instances:
            ticking(instance)
        await plant.clock.sleep(2 * 3_600)
        dues = Counter(fact.event.due for fact in plant.facts(type_="run.opened"))
        assert len(dues) == 8
        assert set(dues.values()) == {1}
        assert len(plant.floor.calls) == 8

    virtually(story())


class Turn:
    """Peers that say how many go before."""

    def __init__(self, before: int) -> None:
        self.before = before

    def turn(self, *_what: str) -> int:
        return self.before


@pytest.mark.parametrize(("before", "late"), [(0, (0.0, 0.1)), (1, (2.0, 3.1)), (3, (6.0, 7.1))])
def test_each_answers_two_seconds_after_the_one_before_it_if_that_did_not(
    before: int, late: tuple[float, float]
) -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        ticking(one, peers=Turn(before))
        fact = (await eventually(lambda: plant.facts(type_="run.opened"), 700))[0]
        assert late[0] <= (fact.at - fact.event.due).total_seconds() <= late[1]
        assert fact.event.cause == "scheduled"

    virtually(story())


class Behind:
    """A view of timers that goes on showing what was due at first."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.shown: Sequence[DueTimer] = ()

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        self.shown = self.shown or await self.plant.due(until, limit)
        return self.shown


@pytest.mark.parametrize("by_another", [False, True])
def test_what_the_log_answers_is_not_asked_again_while_the_view_is_behind(
    by_another: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    dispatch = Dispatcher.dispatch

    async def counted(self: Dispatcher, spec: Any, *rest: Any, **fields: Any) -> Any:
        asked.append(spec.name)
        return await dispatch(self, spec, *rest, **fields)

    async def story() -> None:
        plant, (one, two) = await plant_with("one", "two")
        monkeypatch.setattr(Dispatcher, "dispatch", counted)
        ticking(one, timers=Behind(plant))
        if by_another:
            ticking(two, timers=Behind(plant), peers=Turn(1))
        await plant.clock.sleep(600 + 50)
        assert asked.count("AnswerDue") == 1
        await plant.clock.sleep(30)
        assert asked.count("AnswerDue") > 1

    virtually(story())


class Beside:
    """Timers of a group and of a Connect job beside those of schedules, with the same instants, and ids or another."""

    def __init__(self, plant: Plant, owner: str | None = None) -> None:
        self.plant = plant
        self.owner = owner

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        found = await self.plant.due(until, limit)
        others = [one._replace(kind=kind, owner=self.owner or one.owner) for one in found for kind in ("group", "job")]
        return [*found, *others]


def test_owners_of_different_kinds_with_one_id_are_each_asked_at_their_instant(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    dispatch = Dispatcher.dispatch

    async def counted(self: Dispatcher, spec: Any, command: Any, *rest: Any, **fields: Any) -> Any:
        if spec.name == "AnswerDue":
            asked[command.kind] += 1
        return await dispatch(self, spec, command, *rest, **fields)

    async def story() -> None:
        plant, (one,) = await plant_with("one")
        monkeypatch.setattr(Dispatcher, "dispatch", counted)
        ticking(one, timers=Beside(plant))
        await plant.clock.sleep(600.5)
        assert asked == {"schedule": 1, "group": 1, "job": 1}

    virtually(story())


def test_what_begins_with_its_opening_needs_no_word_of_its_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    dispatch = Dispatcher.dispatch

    async def counted(self: Dispatcher, spec: Any, *rest: Any, **fields: Any) -> Any:
        said.append(spec.name)
        return await dispatch(self, spec, *rest, **fields)

    async def story() -> None:
        plant, (one,) = await plant_with("one")
        monkeypatch.setattr(Dispatcher, "dispatch", counted)
        ticking(one)
        await plant.clock.sleep(601)
        assert said == ["AnswerDue", "AdvanceRun"], "the second tells the end"
        opened, started = plant.facts(type_="run.opened")[0], plant.facts(type_="attempt.started")[0]
        assert started.command_id == opened.command_id

    virtually(story())


def test_what_a_decision_needs_is_read_before_its_instant() -> None:
    async def story() -> None:
        plant, (_, two) = await plant_with("one", "two")
        read, at_s = plant.log.read_streams, []

        async def timed(wanted: Any) -> Any:
            at_s.append(plant.clock.monotonic())
            return await read(wanted)

        plant.log.read_streams = timed  # type: ignore[method-assign, assignment]
        ticking(two)
        await plant.clock.sleep(601)
        assert len(plant.events("run.ended")) == 1
        assert at_s
        assert max(at_s) < 600

    virtually(story())


def test_a_connect_job_keeps_nobody_from_being_read_ahead() -> None:
    async def story() -> None:
        plant, (_, two) = await plant_with("one", "two")
        ticking(two, timers=Beside(plant, "other"))
        await plant.clock.sleep(599)
        assert two.dispatcher.states.in_memory(starts_stream(WORKSPACE)) is not None

    virtually(story())


def test_where_places_are_counted_a_run_begins_when_its_worker_has_one() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one", at_once=1).start()
        await plant.furnish(one, [row("a")], {"a": OK}, cadence=SOON)
        ticking(one)
        await plant.clock.sleep(601)
        opened, started = plant.facts(type_="run.opened")[0], plant.facts(type_="attempt.started")[0]
        assert started.command_id != opened.command_id

    virtually(story())


def test_who_answers_much_itself_leaves_to_the_others_what_is_theirs_first() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one", active=False)
        for name in (*(f"own-{number}" for number in range(HELP + 10)), "theirs"):
            await one.do(service(name))
            await one.do(schedule(name, cadence=SOON, jobs=[row(name)]))
        log = plant.log.append_each

        async def slow_log(appends: Any) -> Any:
            await plant.clock.sleep(5)
            return await log(appends)

        plant.log.append_each = slow_log  # type: ignore[method-assign]
        ticking(one, peers=Shares())
        found = await eventually(lambda: answer_to(plant, "theirs"), 650)
        assert 5.0 <= (found.at - found.event.due).total_seconds() <= 12.0

    virtually(story())


class Shares:
    """Peers that are first for one schedule."""

    def turn(self, *what: str) -> int:
        return int("theirs" in what)

    def others(self) -> bool:
        return True


def answer_to(plant: Plant, owner: str) -> Any:
    return next((fact for fact in plant.facts(type_="run.opened") if fact.event.owner.id == owner), None)


@pytest.mark.parametrize("held_s", [0.3, 2.0])
@pytest.mark.parametrize("handler", [OK, {"handler": "pay"}])
def test_a_drain_waits_for_answers_under_way_for_what_they_open_begins_here(
    held_s: float, handler: dict[str, Any]
) -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        await one.do(command("ConfigureService", id="a", **handler))
        log = plant.log.append_each

        async def slow_log(appends: Any) -> Any:
            await plant.clock.sleep(held_s)
            return await log(appends)

        plant.log.append_each = slow_log  # type: ignore[method-assign]
        ticker = ticking(one)
        await plant.clock.sleep(600.1)
        ticker.drain()
        await one.supervisor.drain(grace_s=10.0, answering=lambda: ticker.answering)
        assert [call.instance for call in plant.floor.calls] == ["one"], "it began with its opening, so it ran"
        assert [event.state for event in plant.events("run.ended")] == ["succeeded"]

    virtually(story())


def test_a_drain_waits_for_no_answer_beyond_its_grace() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        await one.supervisor.drain(grace_s=3.0, answering=lambda: True)
        assert plant.clock.monotonic() == pytest.approx(3.0, abs=0.1)

    virtually(story())


@pytest.mark.parametrize("by", ["StopRun", "TakeOverRun"])
def test_what_was_recorded_before_a_run_is_taken_up_counts_before_it_begins(by: str) -> None:
    async def story() -> None:
        plant, (one, two) = await plant_with("one", "two")
        ticking(one)
        follow, read = asyncio.Event(), plant.log.read

        async def lagging(*args: Any, **fields: Any) -> Any:
            if asyncio.current_task() in behind:
                await follow.wait()
            return await read(*args, **fields)

        await plant.clock.sleep(599)
        behind = {task for task in asyncio.all_tasks() if task.get_name() == "supervisor one"}
        plant.log.read = lagging  # type: ignore[method-assign]
        await eventually(lambda: plant.facts(type_="run.opened"), 5)
        run = plant.facts(type_="run.opened")[0].stream.id
        if by == "StopRun":
            await two.do(command("StopRun", run=run, mode="now"))
        else:
            await two.do(command("TakeOverRun", run=run, seen_term=1, cause="its instance is gone"))
        follow.set()
        await plant.clock.sleep(60)
        assert plant.floor.calls == [], "one try was all it had, and that was cut off before its handler was called"
        assert not plant.run(run).open

    virtually(story())


def test_with_all_places_taken_what_is_its_own_is_answered_all_the_same() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one", at_once=1).start()
        await plant.furnish(one, [row("a")], {"a": slow(300)})
        for number in range(6 * HELP):
            await one.do(service(f"s{number}"))
            await one.do(schedule(f"s{number}", cadence=SOON, jobs=[row(f"s{number}")]))
        ticking(one, peers=Shares())
        await plant.clock.sleep(595)
        await one.do(run_now(id="mine"))
        await plant.clock.sleep(13)
        opened = [fact for fact in plant.facts(type_="run.opened") if fact.event.due is not None]
        assert len(opened) == 6 * HELP
        assert max((fact.at - fact.event.due).total_seconds() for fact in opened) < 6

    virtually(story())


def test_one_that_lives_and_does_not_answer_is_stood_in_for() -> None:
    async def story() -> None:
        plant = Plant()
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], {"a": OK}, active=False)
        for number in range(40 * HELP):
            await one.do(service(f"s{number}"))
            await one.do(schedule(f"s{number}", cadence=SOON, jobs=[row(f"s{number}")]))
        ticking(one, peers=Turn(1))
        await plant.clock.sleep(625)
        late = [(fact.at - fact.event.due).total_seconds() for fact in plant.facts(type_="run.opened")]
        assert len(late) == 40 * HELP
        assert max(late) < 15

    virtually(story())


def test_an_owner_that_cannot_be_read_ahead_breaks_nothing() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        load, broken = one.dispatcher.states.load, []

        async def breaks(streams: Any, **fields: Any) -> Any:
            if not broken:
                broken.append(streams)
                raise ZeroDivisionError
            return await load(streams, **fields)

        one.dispatcher.states.load = breaks  # type: ignore[method-assign]
        ticking(one)
        await plant.clock.sleep(601)
        assert broken
        opened = plant.facts(type_="run.opened")
        assert [(fact.at - fact.event.due).total_seconds() < 0.1 for fact in opened] == [True]

    virtually(story())


def test_lateness_is_measured_from_due_to_the_first_job_and_not_for_later_ones() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        await one.do(schedule("two-stages", cadence=SOON, jobs=[row("a", seq=1), row("b", seq=2)]))
        await one.do(command("ConfigureService", id="b", **slow(30)))
        ticking(one)
        await plant.clock.sleep(700)
        await one.do(run_now("nightly"))
        await plant.clock.sleep(60)
        samples = one.metrics.start_lateness_s.collect()[0].samples
        counts = [(one.labels, one.value) for one in samples if one.name.endswith("_count")]
        assert counts == [({"cause": "scheduled"}, 2)]
        assert next(one.value for one in samples if one.name.endswith("_sum")) < 0.1

    virtually(story())


def test_an_instance_that_stops_answers_nothing_more() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        ticker = ticking(one)
        await plant.clock.sleep(599)  # the answer waits for its instant already
        ticker.drain()
        await plant.clock.sleep(700)
        assert plant.events("run.opened") == []

    virtually(story())


def test_R45_moments_that_meet_an_open_run_are_skipped() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        await one.do(schedule("long", cadence=SOON, jobs=[row("b")]))
        await one.do(command("ConfigureService", id="b", **slow(2_000)))
        ticking(one)
        await plant.clock.sleep(3_600)
        skipped = [fact.event for fact in plant.facts(type_="run.skipped") if fact.event.owner.id == "long"]
        assert [(event.due, event.reason) for event in skipped] == [
            (at("2026-12-01 12:25"), "overlap"),
            (at("2026-12-01 12:40"), "overlap"),
        ]
        assert len(plant.floor.of("b")) == 2

    virtually(story())


def test_R30_after_downtime_one_run_catches_up() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        await plant.clock.sleep(3_600 - 30)
        ticking(one)
        opened = await eventually(lambda: plant.events("run.opened"))
        assert (opened[0].cause, opened[0].due, opened[0].missed_occurrences) == (
            "catch_up",
            at("2026-12-01 12:10"),
            3,
        )
        missed = plant.events("schedule.occurrences_missed")[0]
        assert (missed.count, missed.covered_by) == (3, "schedule.nightly.1.20261201t121000z")

    virtually(story())


def test_who_is_not_trusted_answers_nothing() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        ticking(one)
        one.lease.is_trusted = False
        await plant.clock.sleep(700)
        assert plant.events("run.opened") == []
        one.lease.is_trusted = True
        await eventually(lambda: plant.events("run.opened"))

    virtually(story())


class Broken:
    """Timers that name an owner whose answer breaks, and sometimes cannot be read."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.away: Exception | None = None
        self.asked = 0

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        self.asked += 1
        if self.away is not None:
            raise self.away
        broken = DueTimer(at("2026-12-01 12:00"), "acme", "schedule", "broken")
        return [broken, *await self.plant.due(until, limit)]


def test_an_owner_whose_answer_breaks_is_left_alone_and_the_clock_of_the_others_goes_on() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        real, tried = one.dispatcher.dispatch, []

        async def dispatch(spec: Any, command: Any, context: Any, **options: Any) -> Any:
            if getattr(command, "id", "") == "broken":
                tried.append(plant.clock.monotonic())
                raise RuntimeError("an event that nobody expected")
            return await real(spec, command, context, **options)

        one.dispatcher.dispatch = dispatch  # type: ignore[method-assign]
        ticking(one, Broken(plant))
        await plant.clock.sleep(3_600)
        assert len(plant.events("run.opened")) == 4
        assert 50 < len(tried) < 65

    virtually(story())


@pytest.mark.parametrize("fault", [LogUnavailable("away"), OSError("away")])
def test_timers_that_cannot_be_read_cost_a_look_and_nothing_else(fault: Exception) -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        timers = Broken(plant)
        timers.away = fault
        ticking(one, timers)
        await plant.clock.sleep(599)
        timers.away = None
        opened = await eventually(lambda: plant.events("run.opened"))
        assert opened[0].cause == "scheduled"

    virtually(story())


def test_a_timer_that_fires_early_does_not_make_the_answer_late() -> None:
    async def story() -> None:
        plant, (one,) = await plant_with("one")
        real = plant.clock.sleep

        async def early(seconds: float) -> None:
            await real(seconds * 0.9 if seconds not in (1.0, 60.0) else seconds)

        plant.clock.sleep = early  # type: ignore[method-assign]
        await real(0.5)
        ticking(one)
        await real(700)
        fact = plant.facts(type_="run.opened")[0]
        assert 0 <= (fact.at - fact.event.due).total_seconds() < 0.01

    virtually(story())
