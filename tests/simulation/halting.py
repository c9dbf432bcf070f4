"""People who let somebody, or everybody, start nothing for a while."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation.clients import Clients

if TYPE_CHECKING:
    from tests.simulation.world import World


async def halt(world: "World", clients: Clients, draw: Random, owner: Mapping[str, str]) -> None:
    """Pause an owner, or hold the workspace, for a while."""
    paused: dict[str, Any] = {"owner": owner}
    begin, end, fields = draw.choice((("PauseOwner", "UnpauseOwner", paused), ("HoldStarts", "ReleaseStarts", {})))
    for_s = 90.0 * draw.random()
    until = world.database.now() + timedelta(seconds=for_s)
    ends = {"until": f"{until:%Y-%m-%dT%H:%M:%SZ}"} if draw.random() < 0.3 else {}
    await clients.send(begin, **fields, **ends)
    await asyncio.sleep(for_s)
    await clients.send(end, patient=True, **fields)
