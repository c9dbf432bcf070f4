"""Sessions in memory and in Postgres keep the same promises."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from eventjobs.auth.people import Identity
from eventjobs.auth.sessions import (
    LASTS,
    PER_KEY_MAX,
    KeySession,
    PersonSession,
    PostgresSessions,
    Sessions,
    digest_of,
)
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import open_pool
from tests.support.sessions import MemorySessions

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ONE, OTHER = digest_of("one"), digest_of("other")
ALICE, BOB = KeySession("alice"), KeySession("bob")
ADA = PersonSession(identity=Identity("https://id.example.org", "ada"), position=7, id_token="a token")
UNTIL = NOW + timedelta(minutes=10)


@pytest.fixture(params=["memory", "postgres"])
async def sessions(request: pytest.FixtureRequest, database_url: str) -> AsyncIterator[Sessions]:
    if request.param == "memory":
        yield MemorySessions()
        return
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1) as pool:
        await pool.execute("DELETE FROM sessions")
        await pool.execute("DELETE FROM used_sign_ins")
        yield PostgresSessions(pool)


async def test_a_session_stands_for_its_key_until_its_time_is_over(sessions: Sessions) -> None:
    await sessions.begin(ONE, ALICE, NOW)
    await sessions.begin(OTHER, BOB, NOW)

    assert await sessions.find(ONE, NOW + LASTS - SECOND) == ALICE
    assert await sessions.find(OTHER, NOW) == BOB
    assert await sessions.find(ONE, NOW + LASTS) is None


async def test_one_that_was_ended_or_never_was_stands_for_nothing(sessions: Sessions) -> None:
    await sessions.begin(ONE, ALICE, NOW)

    await sessions.end(ONE)
    await sessions.end(ONE)

    assert await sessions.find(ONE, NOW) is None
    assert await sessions.find(digest_of("never"), NOW) is None


async def test_one_too_many_ends_the_keys_oldest_and_nobody_elses(sessions: Sessions) -> None:
    await sessions.begin(OTHER, BOB, NOW - SECOND)
    for n in range(PER_KEY_MAX + 1):
        await sessions.begin(digest_of(f"{n}"), ALICE, NOW + n * SECOND)

    found = [await sessions.find(digest_of(f"{n}"), NOW) for n in range(PER_KEY_MAX + 1)]
    assert found == [None] + [ALICE] * PER_KEY_MAX
    assert await sessions.find(OTHER, NOW) == BOB


async def test_those_that_are_over_are_not_kept(sessions: Sessions) -> None:
    await sessions.begin(ONE, ALICE, NOW)
    await sessions.begin(OTHER, BOB, NOW + LASTS)

    assert await sessions.find(ONE, NOW) is None


async def test_a_persons_session_is_had_once_by_a_sign_in(sessions: Sessions) -> None:
    assert await sessions.begin_once(ONE, ADA, NOW, sign_in=b"first", until=UNTIL)
    assert not await sessions.begin_once(OTHER, ADA, NOW, sign_in=b"first", until=UNTIL)

    found = await sessions.find(ONE, NOW + LASTS - SECOND)
    assert found == ADA
    assert "a token" not in repr(found)
    assert await sessions.find(OTHER, NOW) is None
    assert await sessions.find(ONE, NOW + LASTS) is None
    await sessions.end(ONE)
    assert not await sessions.begin_once(ONE, ADA, NOW, sign_in=b"first", until=UNTIL)


async def test_one_too_many_ends_the_persons_oldest_and_nobody_elses(sessions: Sessions) -> None:
    other = replace(ADA, identity=Identity("https://other.example.org", "ada"))
    await sessions.begin_once(OTHER, other, NOW - SECOND, sign_in=b"other", until=UNTIL)
    for n in range(PER_KEY_MAX + 1):
        await sessions.begin_once(digest_of(f"{n}"), ADA, NOW + n * SECOND, sign_in=b"%d" % n, until=UNTIL)

    found = [await sessions.find(digest_of(f"{n}"), NOW) for n in range(PER_KEY_MAX + 1)]
    assert found == [None] + [ADA] * PER_KEY_MAX
    assert await sessions.find(OTHER, NOW) == other
