"""Sessions in memory and in Postgres keep the same promises."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from eventjobs.auth.sessions import LASTS, PER_KEY_MAX, PostgresSessions, Sessions, digest_of
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import open_pool
from tests.support.sessions import MemorySessions

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ONE, OTHER = digest_of("one"), digest_of("other")


@pytest.fixture(params=["memory", "postgres"])
async def sessions(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Sessions]:
    if request.param == "memory":
        yield MemorySessions()
        return
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1) as pool:
        await pool.execute("DELETE FROM sessions")
        yield PostgresSessions(pool)


async def test_a_session_stands_for_its_key_until_its_time_is_over(sessions: Sessions) -> None:
    await sessions.begin(ONE, "alice", NOW)
    await sessions.begin(OTHER, "bob", NOW)

    assert await sessions.find(ONE, NOW + LASTS - SECOND) == "alice"
    assert await sessions.find(OTHER, NOW) == "bob"
    assert await sessions.find(ONE, NOW + LASTS) is None


async def test_one_that_was_ended_or_never_was_stands_for_nothing(sessions: Sessions) -> None:
    await sessions.begin(ONE, "alice", NOW)

    await sessions.end(ONE)
    await sessions.end(ONE)

    assert await sessions.find(ONE, NOW) is None
    assert await sessions.find(digest_of("never"), NOW) is None


async def test_one_too_many_ends_the_keys_oldest_and_nobody_elses(sessions: Sessions) -> None:
    await sessions.begin(OTHER, "bob", NOW - SECOND)
    for n in range(PER_KEY_MAX + 1):
        await sessions.begin(digest_of(f"{n}"), "alice", NOW + n * SECOND)

    found = [await sessions.find(digest_of(f"{n}"), NOW) for n in range(PER_KEY_MAX + 1)]
    assert found == [None] + ["alice"] * PER_KEY_MAX
    assert await sessions.find(OTHER, NOW) == "bob"


async def test_those_that_are_over_are_not_kept(sessions: Sessions) -> None:
    await sessions.begin(ONE, "alice", NOW)
    await sessions.begin(OTHER, "bob", NOW + LASTS)

    assert await sessions.find(ONE, NOW) is None
