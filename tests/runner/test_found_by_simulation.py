"""Defects that simulations found, each as the shortest story that shows it."""

from typing import Any

from eventjobs.domain.run import State
from eventjobs.handlers.context import HandlerContext
from eventjobs.log.memory import Fault
from eventjobs.log.port import Append
from tests.runner.plant import Instance, Plant
from tests.support.bodies import row, run_now
from tests.support.time import virtually


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
