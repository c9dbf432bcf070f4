"""Faults of the log lose nothing and double nothing."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventjobs.domain.run import State
from eventjobs.errors import LogFault, LogUnavailable
from eventjobs.events.recorded import Recorded
from eventjobs.log.memory import Fault, MemoryEventLog
from eventjobs.log.port import EVERYTHING, Append, Filter
from tests.runner.plant import Instance, Plant
from tests.runner.test_runs import slow
from tests.support.bodies import row, run_now
from tests.support.logs import Planned
from tests.support.time import virtually


def of_a_worker(append: Append) -> bool:
    """Whether an append comes from a worker: it writes to a run that is open already."""
    kinds = {event.TYPE for _, event in append.events}
    return bool(kinds & {"attempt.started", "attempt.ended", "job_run.ended", "run.ended"})


async def a_run_with(faults: Planned) -> Plant:
    plant = Plant(faults=faults)
    one = Instance(plant, "one").start()
    services = {"a": slow(5, attempts=2), "b": slow(6), "c": slow(1)}
    await plant.furnish(one, [row("a", seq=1), row("b", seq=1), row("c", seq=2)], services)
    await one.do(run_now(id="mine"))
    await plant.ended("mine")
    return plant


def check(plant: Plant) -> None:
    """Each job ran once, and each thing that happened is in the log once."""
    assert plant.run("mine").state is State.SUCCEEDED
    assert Counter(plant.floor.order()) == {"a": 1, "b": 1, "c": 1}
    kinds = Counter(fact.type for fact in plant.facts("run:mine"))
    assert kinds == {"run.opened": 1, "attempt.started": 3, "attempt.ended": 3, "job_run.ended": 3, "run.ended": 1}
    assert plant.schedule().open_run is None
    assert all(plant.service(name).holder is None for name in "abc")


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: str(fault.value))
@pytest.mark.parametrize("place", range(4))
def test_one_fault_at_any_append_of_a_worker(fault: Fault, place: int) -> None:
    async def story() -> None:
        faults = Planned([*[None] * place, fault], of_a_worker)
        check(await a_run_with(faults))
        assert not faults.left, "the fault did not happen"

    virtually(story())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from([None, None, *Fault]), max_size=30))
def test_any_faults_in_any_order(faults: list[Fault | None]) -> None:
    async def story() -> None:
        check(await a_run_with(Planned(faults, of_a_worker)))

    virtually(story())


class Unreadable(MemoryEventLog):
    """A log whose reading fails while `away`."""

    away: LogFault | None = None

    async def read(
        self, after: int, limit: int, *, before: int | None = None, matching: Filter = EVERYTHING
    ) -> Sequence[Recorded[Any]]:
        if self.away is not None:
            raise self.away
        return await super().read(after, limit, before=before, matching=matching)


def test_a_log_that_cannot_be_read_for_a_while_delays_the_runs_and_loses_none() -> None:
    async def story() -> None:
        plant = Plant()
        plant.log = log = Unreadable(plant.log._codec, plant.clock)
        one = Instance(plant, "one").start()
        await plant.furnish(one, [row("a")], {"a": slow(1)})
        log.away = LogUnavailable("away")
        await one.do(run_now(id="mine"))
        await plant.clock.sleep(30)
        assert plant.floor.calls == []
        log.away = None
        assert (await plant.ended("mine", within_s=10)).state is State.SUCCEEDED

    virtually(story())


def test_a_drain_ends_although_the_log_is_away() -> None:
    async def story() -> None:
        faults = Planned()
        plant = Plant(faults=faults)
        one = Instance(plant, "one", grace_s=5.0).start()
        await plant.furnish(one, [row("a")], {"a": slow(1)})
        await one.do(run_now(id="mine"))
        await plant.clock.sleep(0.5)
        faults.left.extend([Fault.UNAVAILABLE] * 10_000)
        await one.supervisor.drain(grace_s=10.0)
        assert plant.clock.monotonic() == pytest.approx(13.5, abs=0.5)
        assert plant.run("mine").open

    virtually(story())
