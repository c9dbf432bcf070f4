import asyncio

import asyncpg
import pytest

from eventjobs.errors import WrongRole
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import LIMITS, TimedPool, connect, open_pool


async def test_connections_act_as_the_application_and_belong_to_the_owner(pool: TimedPool) -> None:
    row = await pool.fetchrow("SELECT current_user AS acting, session_user AS login")
    assert row["acting"] == APP_ROLE
    assert row["login"] != APP_ROLE


async def test_every_limit_is_in_force_on_the_server(pool: TimedPool) -> None:
    for name, value in LIMITS.items():
        assert await pool.fetchval("SELECT current_setting($1)", name) == value


async def test_a_role_nobody_has_is_refused(database_url: str) -> None:
    with pytest.raises(asyncpg.PostgresError, match="nobody_has_this"):
        await connect(database_url, role="nobody_has_this")


async def test_a_server_that_gives_another_role_is_refused(database_url: str) -> None:
    with pytest.raises(WrongRole, match="not as eventjobs_app"):
        await connect(database_url, role=APP_ROLE, pooler=True)
    with pytest.raises(WrongRole, match="not as eventjobs_app"):
        await open_pool(database_url, role=APP_ROLE, pooler=True, min_size=1, max_size=1)


async def test_taking_a_connection_from_an_exhausted_pool_times_out(database_url: str) -> None:
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1) as small, small.acquire():
        with pytest.raises(TimeoutError):
            await small.fetchval("SELECT 1")


async def test_how_long_a_connection_was_waited_for_is_heard_also_where_none_was_to_be_had(database_url: str) -> None:
    waits: list[float] = []
    opened = open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1, acquire_s=0.2, on_wait=waits.append)
    async with await opened as small, small.acquire():
        with pytest.raises(TimeoutError):
            await small.fetchval("SELECT 1")
    assert len(waits) == 2
    assert waits[0] < 0.2 <= waits[1]


async def test_a_released_connection_has_no_open_transaction(database_url: str) -> None:
    async with await open_pool(database_url, role=APP_ROLE, min_size=1, max_size=1) as small:
        async with small.acquire() as connection:
            await connection.execute("BEGIN")
        async with small.acquire() as connection:
            assert not connection.is_in_transaction()


async def test_json_keeps_its_exact_bytes_unless_asked_otherwise(database_url: str) -> None:
    exact = '{"b": 1.0,  "a":"é"}'
    wanted = {"text": exact, "bytes": exact.encode(), "python": {"b": 1.0, "a": "é"}}
    for json, expected in wanted.items():
        connection = await connect(database_url, role=APP_ROLE, json=json)
        try:
            assert await connection.fetchval(f"SELECT '{exact}'::json") == expected
            assert await connection.fetchval("SELECT $1::json", expected) in (expected, {"a": "é", "b": 1.0})
        finally:
            await connection.close(timeout=5)


async def test_a_statement_that_takes_too_long_is_ended_by_the_server(database_url: str) -> None:
    connection = await connect(database_url, role=APP_ROLE, settings={"statement_timeout": "50ms"})
    try:
        async with asyncio.timeout(3):
            with pytest.raises(asyncpg.QueryCanceledError):
                await connection.execute("SELECT pg_sleep(10)")
        assert await connection.fetchval("SELECT 1") == 1
    finally:
        await connection.close(timeout=5)
