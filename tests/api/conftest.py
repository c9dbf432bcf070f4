from collections.abc import AsyncIterator

import pytest

from tests.api.rig import Rig, started, with_workspace


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    """A server in which the workspace `acme` has the service `load`."""
    async with started() as running:
        await with_workspace(running)
        yield running
