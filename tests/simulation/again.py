"""What people run again: failed runs from where they stopped, and schedules for moments of the past."""

import asyncio
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.clients import Clients

if TYPE_CHECKING:
    from tests.simulation.world import World

LATELY = 40
"""Among how many of the newest runs one is chosen."""
MOMENTS_MAX = 6


class Again:
    """Draws what is run again, and by how many people at once."""

    def __init__(self, world: "World", clients: Clients, random: Random) -> None:
        self._world = world
        self._clients = clients
        self._random = random

    async def resume(self) -> None:
        """Go on with a run that did not succeed; sometimes two people want that at the same time."""
        draw, runs = self._random, self._world.judge.work.runs
        lately = list(runs)[-LATELY:]
        ended = [run for workspace, run in lately if runs[workspace, run].state in ("failed", "aborted")]
        if not ended:
            return
        run, people = draw.choice(ended), draw.choice((1, 1, 2))
        keyed = draw.random() < 0.7
        await asyncio.gather(*(self._clients.send("ResumeRun", keyed=keyed, run=run) for _ in range(people)))

    async def backfill(self, schedule: str) -> None:
        """Run a schedule for the last moments of its cadence; sometimes the rest of them is let go soon."""
        draw = self._random
        until = self._world.database.now() - timedelta(minutes=draw.choice((1, 60, 1_440)))
        since = until - timedelta(hours=draw.choice((1, 2)) * (36 if self._world.options.sparse else 1))
        owner = {"kind": "schedule", "id": schedule}
        window = {"since": f"{since:%Y-%m-%dT%H:%M:%SZ}", "until": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
        await self._clients.send("Backfill", keyed=draw.random() < 0.7, owner=owner, **window, max=MOMENTS_MAX)
        if draw.random() < 0.4:
            await asyncio.sleep(10.0 * draw.random())
            await self._clients.send("StopBackfill", owner=owner)
