"""Defects that simulations found, each as the shortest story that shows it."""

from typing import Any

from eventjobs.domain.run import State
from eventjobs.handlers.context import HandlerContext
from eventjobs.log.memory import Fault
from eventjobs.log.port import Append
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import doing, running
from tests.support.bodies import row, run_now
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
