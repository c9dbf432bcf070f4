"""Databases whose views are empty."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, open_pool
from tests.support.database import database

Fresh = Callable[[], Awaitable[TimedPool]]


@pytest.fixture
async def fresh(postgres_url: str, template_database: str) -> AsyncIterator[Fresh]:
    """Make pools on databases of their own."""
    async with AsyncExitStack() as stack:

        async def make() -> TimedPool:
            name = f"views_{uuid4().hex[:12]}"
            url = await stack.enter_async_context(database(postgres_url, name, template=template_database))
            return await stack.enter_async_context(await open_pool(url, role=APP_ROLE, min_size=1, max_size=4))

        yield make
