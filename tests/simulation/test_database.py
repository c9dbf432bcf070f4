"""What the simulated database knows about its own clock, for the judge."""

import asyncio
from dataclasses import replace

import pytest

from tests.simulation.database import STEPPING_S
from tests.simulation.options import derive
from tests.simulation.world import World
from tests.simulation.zone_data import by_machine

CUT_S = 45.0


def test_who_reads_late_that_the_clock_was_set_back_has_decided_by_the_old_one_until_then() -> None:
    """Seed 66: an outage kept an instance from the clock for longer than the judge made allowance for."""
    world = World(replace(derive(1), faults={}, drift=0.0, upgrade_h=None))
    database, rules = world.database, world.judge.rules

    async def story() -> None:
        world._member()
        (member,) = world.members
        await asyncio.sleep(5)
        assert member.is_up
        database.step(-3_600)
        database.cut.add(member.machine)
        await asyncio.sleep(CUT_S)
        assert (rules.is_stepping(), rules.set_back_s()) == (False, 0.0)
        assert (member.clock.now() - database.now()).total_seconds() == pytest.approx(3_600, abs=0.1)
        database.cut.clear()
        while (member.clock.now() - database.now()).total_seconds() > 1:
            await asyncio.sleep(0.5)
        assert (rules.is_stepping(), rules.set_back_s()) == (True, pytest.approx(3_600, abs=0.1))
        database.step(5)
        assert rules.set_back_s() > 3_599, "what was decided before does not become right by another step"
        await asyncio.sleep(STEPPING_S)
        assert rules.set_back_s() == 0.0

    with by_machine():
        try:
            world.loop.run_until_complete(story())
        finally:
            world.loop.bury()
            world.loop.close()
