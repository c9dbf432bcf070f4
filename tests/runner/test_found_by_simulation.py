"""Defects that simulations found, each as the shortest story that shows it."""

from typing import Any

from eventjobs.domain.run import State
from eventjobs.handlers.context import HandlerContext
from eventjobs.log.memory import Fault
from eventjobs.log.port import Append
from eventjobs.log.prepared import prepare
from tests.runner.plant import Instance, Plant
from tests.runner.test_places import at_work, delays
from tests.runner.test_runs import doing, running, slow
from tests.support.bodies import row, run_now, schedule
from tests.support.logs import Planned
from tests.support.time import virtually
from tests.support.waiting import eventually


class Returning:
    """A lease that comes back while the end of a job is written."""

    def __init__(self) -> None:
        self.instance: Instance | None = None

    async def next(self, append: Append) -> Fault | None:
        if self.instance is not None and any(event.TYPE == "job_run.ended" for _, event in append.events):
            self.instance.lease.is_trusted = True
        return None


def test_a_run_goes_on_when_the_lease_comes_back_while_its_words_are_written() -> None:
    """Seed 217: nothing was begun for want of a lease, and nobody looked again, for the lease was there."""

    async def story() -> None:
        returning = Returning()
        plant = Plant(faults=returning)
        one = returning.instance = Instance(plant, "one").start()

        async def lose_the_lease(_context: HandlerContext, _config: Any) -> None:
            one.lease.is_trusted = False

        plant.floor.doings["lose"] = lose_the_lease
        services = {"a": {"handler": "noop", "config": {"do": "lose"}}, "b": {"handler": "noop"}}
        await plant.furnish(one, [row("a", seq=1), row("b", seq=2)], services)
        await one.do(run_now(id="mine"))
        assert (await plant.ended("mine", within_s=5)).state is State.SUCCEEDED

    virtually(story())


def test_a_retry_is_not_late_by_the_hour_that_the_clock_was_wrong() -> None:
    """Seed 5: an attempt failed while the clock was an hour behind, and waited that hour when it was right again."""

    async def story() -> None:
        plant = Plant()
        backoff = {"initial": "PT10S", "jitter": 0.0}
        await running(plant, {"a": doing("fail", attempts=2, backoff=backoff)})
        await eventually(lambda: plant.facts(type_="attempt.ended"), 5)
        plant.clock.step(-3_600)
        await plant.clock.sleep(20)
        assert len(plant.floor.calls) == 1
        plant.clock.step(3_600)
        run = await plant.ended("mine", within_s=5)
        assert (run.rows[1].attempt, len(plant.floor.calls)) == (2, 2)

    virtually(story())


class Late:
    """A link that is lost around the beginning of a second try, which is in the log only when `arrive` is called."""

    def __init__(self) -> None:
        self.append: Append | None = None
        self.plant: Plant | None = None

    async def next(self, append: Append) -> Fault | None:
        again = any(event.TYPE == "attempt.started" and event.attempt == 2 for _, event in append.events)
        if self.plant is None or self.append is not None or not again:
            return None
        self.append = append
        self.plant.clock.step(-3_600)
        return Fault.UNKNOWN_LOST

    def arrive(self, plant: Plant) -> None:
        """Write what was under way all the time."""
        assert self.append is not None
        plant.log._write(prepare(plant.log._codec, self.append))


def test_what_begins_later_than_anybody_knew_has_its_place_and_is_done_at_once() -> None:
    """Seed 112: nothing was to be begun by the clock that was set back, and the place was given to another run."""

    async def story() -> None:
        late = Late()
        plant = late.plant = Plant(faults=late)
        one = Instance(plant, "one", at_once=1).start()

        async def fail_then_work(context: HandlerContext, _config: Any) -> None:
            if context.attempt == 1:
                raise RuntimeError("the first time")
            await plant.clock.sleep(100)

        plant.floor.doings["again"] = fail_then_work
        tried = doing("again", attempts=2, backoff={"initial": "PT10S", "jitter": 0.0})
        await plant.furnish(one, [row("a")], {"a": tried, "b": slow(50)})
        await one.do(schedule("other", jobs=[row("b")]))
        await one.do(run_now(id="mine"))
        await eventually(lambda: late.append, 20)
        await plant.clock.sleep(4)
        late.arrive(plant)
        await one.do(run_now("other", id="theirs"))
        await plant.clock.sleep(2)
        assert at_work(plant) == {"mine"}
        assert [fact.stream.id for fact in delays(plant)] == ["theirs"]
        assert (await plant.ended("mine")).state is State.SUCCEEDED
        assert (await plant.ended("theirs")).state is State.SUCCEEDED

    virtually(story())


def test_words_that_never_arrive_keep_a_place_for_some_seconds_only() -> None:
    async def story() -> None:
        late = Late()
        plant = late.plant = Plant(faults=late)
        one = Instance(plant, "one", at_once=1).start()
        failing = doing("fail", attempts=2, backoff={"initial": "PT10S", "jitter": 0.0})
        await plant.furnish(one, [row("a")], {"a": failing, "b": slow(50)})
        await one.do(schedule("other", jobs=[row("b")]))
        await one.do(run_now(id="mine"))
        await eventually(lambda: late.append, 20)
        await one.do(run_now("other", id="theirs"))
        await plant.clock.sleep(8)
        assert at_work(plant) == set()
        await eventually(lambda: at_work(plant) == {"theirs"}, 5)

    virtually(story())


def test_words_that_were_said_again_leave_no_doubt_and_keep_no_place() -> None:
    async def story() -> None:
        ends = lambda append: any(event.TYPE == "attempt.ended" for _, event in append.events)  # noqa: E731
        plant = Plant(faults=Planned([Fault.UNKNOWN_LOST], ends))
        one = Instance(plant, "one", at_once=1).start()
        failing = doing("fail", attempts=2, backoff={"initial": "PT1M", "jitter": 0.0})
        await plant.furnish(one, [row("a")], {"a": failing, "b": slow(50)})
        await one.do(schedule("other", jobs=[row("b")]))
        await one.do(run_now(id="mine"))
        await one.do(run_now("other", id="theirs"))
        await eventually(lambda: at_work(plant) == {"theirs"}, 2)

    virtually(story())
