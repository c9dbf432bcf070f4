import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import count

import asyncpg
import pytest

from eventjobs.errors import MigrationRefused
from eventjobs.postgres.migrate import APP_ROLE, migrate
from eventjobs.postgres.pool import LIMITS, connect, open_pool
from eventjobs.postgres.statements import migrations, read_migration
from tests.support.database import database, execute, url_of

_numbers = count(1)

FIRST = read_migration(
    "0001_first.sql", "-- migrate:up\nCREATE TABLE one (n int); GRANT SELECT ON one TO {{app_role}};"
)
SECOND = read_migration("0002_second.sql", "-- migrate:up\nCREATE TABLE two (n int);\nCREATE TABLE three (n int);")


@pytest.fixture
async def empty_url(postgres_url: str) -> AsyncIterator[str]:
    async with database(postgres_url, f"test_migrate_{next(_numbers)}") as url:
        yield url


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        rows = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relowner = current_user::regrole"
        )
        return {row["relname"] for row in rows}
    finally:
        await connection.close(timeout=5)


async def test_every_step_of_this_version_runs_once(empty_url: str) -> None:
    first = await migrate(empty_url)
    assert list(first.applied) == [step.name for step in migrations()]
    again = await migrate(empty_url)
    assert (again.applied, again.already) == ([], len(migrations()))


async def test_only_what_is_missing_runs(empty_url: str) -> None:
    await migrate(empty_url, steps=[FIRST])
    assert (await migrate(empty_url, steps=[FIRST, SECOND])).applied == ["0002_second"]
    assert {"one", "two", "three"} <= await tables(empty_url)


async def test_many_at_once_run_each_step_once(empty_url: str) -> None:
    done = await asyncio.gather(*(migrate(empty_url, steps=[FIRST, SECOND]) for _ in range(5)))
    assert sorted(len(one.applied) for one in done) == [0, 0, 0, 0, 2]


async def test_a_step_that_was_changed_after_it_ran_is_refused(empty_url: str) -> None:
    await migrate(empty_url, steps=[FIRST])
    changed = replace(FIRST, checksum=SECOND.checksum)
    with pytest.raises(MigrationRefused, match="0001_first was changed after it ran"):
        await migrate(empty_url, steps=[changed, SECOND])
    assert "two" not in await tables(empty_url)


async def test_a_database_of_a_newer_version_is_refused(empty_url: str) -> None:
    await migrate(empty_url, steps=[FIRST, SECOND])
    with pytest.raises(MigrationRefused, match="0002_second, which this version does not know"):
        await migrate(empty_url, steps=[FIRST])


async def test_a_step_that_fails_leaves_nothing_of_itself_and_all_of_the_steps_before(empty_url: str) -> None:
    broken = read_migration("0002_broken.sql", "-- migrate:up\nCREATE TABLE half (n int);\nSELECT 1/0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(empty_url, steps=[FIRST, broken])
    assert "one" in await tables(empty_url)
    assert "half" not in await tables(empty_url)
    assert (await migrate(empty_url, steps=[FIRST, SECOND])).applied == ["0002_second"]


async def test_a_step_may_run_outside_a_transaction(empty_url: str) -> None:
    index = read_migration(
        "0002_index.sql", "-- migrate:up transaction:false\nCREATE INDEX CONCURRENTLY one_n ON one (n);"
    )
    assert (await migrate(empty_url, steps=[FIRST, index])).applied == ["0001_first", "0002_index"]


async def test_the_application_s_role_may_do_what_a_step_grants_and_no_more(empty_url: str) -> None:
    await migrate(empty_url, steps=[FIRST])
    async with await open_pool(empty_url, role=APP_ROLE, min_size=1, max_size=1) as pool:
        assert await pool.fetch("SELECT n FROM one") == []
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("INSERT INTO one VALUES (1)")


async def test_a_role_s_name_is_never_read_as_sql(empty_url: str) -> None:
    name = 'odd "role"; DROP TABLE one; --'
    try:
        await migrate(empty_url, steps=[FIRST], app_role=name)
        assert "one" in await tables(empty_url)
        connection = await connect(empty_url, role=name)
        assert await connection.fetchval("SELECT count(*) FROM one") == 0
        await connection.close(timeout=5)
    finally:
        quoted = '"' + name.replace('"', '""') + '"'
        await execute(empty_url, f"DROP OWNED BY {quoted}; DROP ROLE {quoted}")


async def test_databases_of_one_server_that_make_the_role_at_once_all_get_it(postgres_url: str) -> None:
    names = [f"test_role_race_{n}" for n in range(4)]
    role = "eventjobs_race"
    for name in names:
        await execute(postgres_url, f'CREATE DATABASE "{name}"')
    urls = [url_of(postgres_url, name) for name in names]
    try:
        for _ in range(25):
            await asyncio.gather(*(migrate(url, steps=[], app_role=role) for url in urls))
            for url in urls:
                await (await connect(url, role=role)).close(timeout=5)
            await execute(postgres_url, f"DROP ROLE {role}")
    finally:
        for name in names:
            await execute(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


async def test_a_role_that_the_owner_may_not_grant_itself_stops_with_the_grant_that_is_needed(
    postgres_url: str,
) -> None:
    await execute(postgres_url, "CREATE ROLE weak_owner LOGIN")
    await execute(postgres_url, "CREATE ROLE somebody_s_role")
    await execute(postgres_url, "GRANT weak_owner TO CURRENT_USER")
    await execute(postgres_url, "CREATE DATABASE weak OWNER weak_owner")
    weak_url = url_of(postgres_url, "weak").replace("//eventjobs@", "//weak_owner@")
    try:
        with pytest.raises(MigrationRefused) as caught:
            await migrate(weak_url, steps=[FIRST], app_role="somebody_s_role")
        assert 'GRANT "somebody_s_role" TO "weak_owner";' in str(caught.value)
        assert "EVENTJOBS_APP_ROLE" in str(caught.value)
        with pytest.raises(MigrationRefused, match='CREATE ROLE "no_such_role" NOLOGIN; GRANT'):
            await migrate(weak_url, steps=[FIRST], app_role="no_such_role")
        await execute(postgres_url, "GRANT somebody_s_role TO weak_owner")
        assert (await migrate(weak_url, steps=[FIRST], app_role="somebody_s_role")).applied == ["0001_first"]
    finally:
        await execute(postgres_url, "DROP DATABASE weak WITH (FORCE)")
        await execute(postgres_url, "DROP ROLE weak_owner")
        await execute(postgres_url, "DROP ROLE somebody_s_role")


async def test_the_owner_cannot_be_the_application(empty_url: str) -> None:
    with pytest.raises(MigrationRefused, match="owns the database"):
        await migrate(empty_url, steps=[FIRST], app_role="eventjobs")


async def test_a_database_that_is_not_utf8_is_refused(postgres_url: str) -> None:
    await execute(postgres_url, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(MigrationRefused, match="encoding is LATIN1"):
            await migrate(url_of(postgres_url, "latin"), steps=[FIRST])
    finally:
        await execute(postgres_url, "DROP DATABASE latin WITH (FORCE)")


async def test_behind_a_pooler_every_connection_of_the_owner_acts_as_the_application(empty_url: str) -> None:
    await migrate(empty_url, steps=[FIRST], pooler=True)
    connection = await connect(empty_url, role=APP_ROLE, pooler=True)
    try:
        for name, value in LIMITS.items():
            assert await connection.fetchval("SELECT current_setting($1)", name) == value
    finally:
        await connection.close(timeout=5)
    again = await migrate(empty_url, steps=[FIRST, SECOND], pooler=True)
    assert again.applied == ["0002_second"]
