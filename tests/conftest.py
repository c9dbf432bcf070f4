"""Fixtures that every test may use; each worker of a parallel run has its own server."""

import gc
import os
from collections.abc import AsyncIterator, Iterator
from itertools import count
from uuid import uuid4

import pytest
from hypothesis import settings

from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import TimedPool, open_pool
from eventjobs.telemetry.garbage import THRESHOLDS
from tests.support.capturing import logging_put_back
from tests.support.database import database, server, set_up

_numbers = count(1)
settings.register_profile("the same examples each time", derandomize=True, database=None)
if "EVENTJOBS_TEST_EXAMPLES" not in os.environ:
    settings.load_profile("the same examples each time")
LONGEST = ("simulation", "chaos", "acceptance", "mutants", "browser")
"""What takes long begins first, or all would wait for it in the end: what computes beside what mostly waits."""


def pytest_configure() -> None:
    """Collect garbage seldom: what loading the tests makes stays, and looking through it takes a part of each test."""
    gc.set_threshold(*THRESHOLDS)


def pytest_collection_finish() -> None:
    """Look no more at what is loaded."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the order but for what takes long."""
    items.sort(key=lambda item: next((at for at, name in enumerate(LONGEST) if name in item.path.parts), len(LONGEST)))


@pytest.fixture(autouse=True)
def _logging_of_its_own() -> Iterator[None]:
    with logging_put_back():
        yield


@pytest.fixture(scope="session")
async def postgres_url() -> AsyncIterator[str]:
    """The owner's URL of the session's server."""
    async with server() as url:
        yield url


@pytest.fixture(scope="session")
async def template_database(postgres_url: str) -> AsyncIterator[str]:
    """The name of a migrated database that nobody connects to."""
    name = f"template_{os.getpid()}_{uuid4().hex[:8]}"
    async with database(postgres_url, name) as url:
        await set_up(url)
        yield name


@pytest.fixture(scope="module")
async def database_url(postgres_url: str, template_database: str) -> AsyncIterator[str]:
    """The owner's URL of this module's own, migrated database."""
    async with database(postgres_url, f"test_{os.getpid()}_{next(_numbers)}", template=template_database) as url:
        yield url


@pytest.fixture(scope="module")
async def pool(database_url: str) -> AsyncIterator[TimedPool]:
    """Connections to the module's database as the application's role."""
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=8) as opened:
        yield opened
