"""A step of the clock is in the log, also where the log takes nothing for a while."""

from datetime import timedelta

import pytest

from eventjobs.log.clock import ClockStep
from eventjobs.log.memory import Fault
from eventjobs.runner.clock_steps import TRIES_MAX, record_step
from tests.runner.plant import Instance, Plant
from tests.support.logs import Planned
from tests.support.time import virtually


@pytest.mark.parametrize(("faults", "recorded"), [(0, True), (5, True), (TRIES_MAX, False)])
def test_a_step_is_recorded_as_soon_as_the_log_takes_it(faults: int, recorded: bool) -> None:
    async def story() -> None:
        plant = Plant(faults=Planned([Fault.UNAVAILABLE] * faults))
        one = Instance(plant, "one")
        now = plant.clock.now()
        step = ClockStep(expected=now, reading=now + timedelta(hours=1), step_s=3600.0)

        assert await record_step(one.dispatcher, one.surroundings, plant.clock, step) is recorded

        assert [fact.event.step_s for fact in plant.facts("log:log") if fact.type == "log.clock_step_observed"] == (
            [3600.0] if recorded else []
        )

    virtually(story())
