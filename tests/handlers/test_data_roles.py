import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from eventjobs.handlers.csv_config import CsvImportConfig
from eventjobs.postgres.data_roles import DataLogin, DataRoles, derived_password, password_of, scram_verifier
from eventjobs.postgres.loads import DataTables
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.tables import LoadKey
from tests.support.database import execute

Connection = asyncpg.Connection


@pytest.fixture
def roles(tables: DataTables) -> DataRoles:
    return tables._roles


async def connected(url: str, login: DataLogin) -> Connection:
    return await asyncpg.connect(url, user=login.role, password=login.password)


@pytest.fixture
async def acme_login(roles: DataRoles) -> DataLogin:
    return await roles.login("acme")


@pytest.fixture
async def session(database_url: str, acme_login: DataLogin) -> AsyncIterator[Connection]:
    connection = await connected(database_url, acme_login)
    yield connection
    await connection.close()


async def test_the_role_is_named_after_workspace_and_log(acme_login: DataLogin, log_id: str) -> None:
    assert acme_login.role == f"data_acme_{log_id.replace('-', '')[:8]}"
    assert acme_login.schema == "data_acme"


async def test_who_logs_in_is_the_role_itself(session: Connection, acme_login: DataLogin) -> None:
    row = await session.fetchrow("SELECT session_user::text, current_user::text")
    assert tuple(row) == (acme_login.role, acme_login.role)


async def test_the_role_is_a_member_of_nothing_and_has_no_attribute_but_login(
    session: Connection, acme_login: DataLogin
) -> None:
    oid = await session.fetchval("SELECT oid FROM pg_roles WHERE rolname = $1", acme_login.role)
    assert await session.fetchval("SELECT count(*) FROM pg_auth_members WHERE member = $1", oid) == 0
    flags = await session.fetchrow(
        "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolinherit"
        " FROM pg_roles WHERE oid = $1",
        oid,
    )
    assert tuple(flags) == (True, False, False, False, False, False, False)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM public.events",
        "SELECT * FROM public.receipts",
        "INSERT INTO public.receipts (key) VALUES ('x')",
        "SELECT public.extend_log()",
        "SELECT public.eventjobs_data_role('other', NULL)",
        "CREATE TABLE public.mine (id int)",
        "CREATE SCHEMA mine",
        'SELECT * FROM "data_o.ther-1".eventjobs_loads',
        'CREATE TABLE "data_o.ther-1".mine (id int)',
        "SET ROLE eventjobs_app",
        "SET ROLE eventjobs",
        "SET SESSION AUTHORIZATION eventjobs",
        "DELETE FROM data_acme.eventjobs_loads",
        "UPDATE data_acme.eventjobs_loads SET term = 0",
        "DROP TABLE data_acme.eventjobs_loads",
        "DROP SCHEMA data_acme",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "SELECT pg_read_file('/etc/passwd')",
        "CREATE ROLE mine",
    ],
)
async def test_the_role_may_do_nothing_outside_its_own_tables(
    roles: DataRoles, session: Connection, statement: str
) -> None:
    await roles.login("o.ther-1")
    with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
        await session.execute(statement)
    assert await session.fetchval("SELECT current_user = session_user")


async def test_resetting_the_role_leads_nowhere(session: Connection, acme_login: DataLogin) -> None:
    await session.execute("RESET ROLE; RESET SESSION AUTHORIZATION; RESET ALL")
    assert await session.fetchval("SELECT current_user::text") == acme_login.role


async def test_the_role_s_own_tables_are_its_own(session: Connection) -> None:
    await session.execute("CREATE TABLE data_acme.mine (id int); INSERT INTO data_acme.mine VALUES (1)")
    assert await session.fetchval("SELECT count(*) FROM data_acme.mine") == 1
    await session.execute("DROP TABLE data_acme.mine")


async def test_workspaces_with_dots_and_dashes_have_schemas_of_their_own(roles: DataRoles, database_url: str) -> None:
    one, other = await roles.login("a.b-c"), await roles.login("a-b.c")
    connection = await connected(database_url, one)
    try:
        await connection.execute('CREATE TABLE "data_a.b-c".t (id int)')
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f'CREATE TABLE "{other.schema}".t (id int)')
    finally:
        await connection.close()


async def test_the_longest_workspace_id_fits_into_postgres_s_names(roles: DataRoles, database_url: str) -> None:
    login = await roles.login("w" * 40)
    connection = await connected(database_url, login)
    assert await connection.fetchval("SELECT current_user::text") == login.role
    await connection.close()


async def test_many_at_once_make_one_role(pool: TimedPool, database_url: str, log_id: str) -> None:
    many = [DataRoles(pool, database_url, log_id) for _ in range(6)]
    logins = await asyncio.gather(*(roles.login(f"many{n % 2}") for n, roles in enumerate(many)))
    assert len({login.role for login in logins}) == 2


@pytest.mark.parametrize("workspace", ["Acme", "a b", "", "a;b", '"x"', "x" * 41, "../x", "-x", "x\n"])
async def test_the_function_takes_only_ids(pool: TimedPool, workspace: str) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await pool.execute("SELECT public.eventjobs_data_role($1, NULL)", workspace)


async def test_the_function_takes_no_plain_password(pool: TimedPool) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await pool.execute("SELECT public.eventjobs_data_role('acme', 'letmein')")


async def test_a_role_that_somebody_made_mightier_is_refused(
    pool: TimedPool, database_url: str, log_id: str, roles: DataRoles
) -> None:
    login = await roles.login("mighty")
    await execute(database_url, f'CREATE ROLE "{login.role}_up" NOLOGIN')
    await execute(database_url, f'GRANT "{login.role}_up" TO "{login.role}"')
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="more rights than a data role may have"):
            await DataRoles(pool, database_url, log_id).login("mighty")
    finally:
        await execute(database_url, f'DROP ROLE "{login.role}_up"')


def test_the_password_follows_from_the_owner_s() -> None:
    expected = hmac.new(b"s3cret/", b"data_acme_0badcafe", hashlib.sha256).hexdigest()
    password = password_of("postgresql://owner:s3cret%2F@db.example.org/eventjobs")
    assert derived_password(password, "data_acme_0badcafe") == expected
    assert password_of("postgresql:///eventjobs?host=/run/pg&password=s3cret%2F") == "s3cret/"
    assert derived_password(password_of("postgresql://owner@/eventjobs?host=/run/pg"), "data_acme_0badcafe") is None


async def test_the_server_takes_the_verifier_as_it_is(pool: TimedPool) -> None:
    verifier = scram_verifier("data_acme_0badcafe", "secret")
    assert verifier is not None
    assert verifier == scram_verifier("data_acme_0badcafe", "secret")
    assert verifier != scram_verifier("data_acme_0badcafe", "other")
    # The server takes a well-formed verifier as it is, and would hash anything else.
    await pool.execute("SELECT public.eventjobs_data_role('verified', $1)", verifier)


async def test_a_role_that_is_gone_is_made_again(tables: DataTables, roles: DataRoles, owner: Connection) -> None:
    login = await roles.login("gone")
    await owner.execute(f'ALTER ROLE "{login.role}" RENAME TO "{login.role}_{uuid4().hex[:8]}"')
    async with tables.open_load("gone", LoadKey(run="r", row=1, job="j", attempt=1, term=1)) as load:
        assert await load.find_loaded() is None


def test_a_login_never_shows_its_password() -> None:
    assert "hush" not in repr(DataLogin("r", "s", "hush"))


@pytest.mark.parametrize("table", ["eventjobs_loads", "Events", "public.events", 'x"y', "x" * 64, "1x", "", "a b"])
def test_a_table_is_called_by_a_plain_name_that_is_not_ours(table: str) -> None:
    from pydantic import ValidationError

    with pytest.raises(ValidationError):
        CsvImportConfig.model_validate({"source": "x.csv", "table": table})


async def test_nothing_else_of_the_log_is_visible(owner: Any, acme_login: DataLogin) -> None:
    visible = await owner.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'data_acme') AND n.nspname NOT LIKE 'pg_%'"
        " AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
        " AND has_schema_privilege($1, n.oid, 'USAGE') AND CASE WHEN c.relkind = 'S'"
        " THEN has_sequence_privilege($1, c.oid, 'USAGE') ELSE has_table_privilege($1, c.oid, 'SELECT') END",
        acme_login.role,
    )
    assert [row["name"] for row in visible] == []
