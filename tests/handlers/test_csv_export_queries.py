"""A query reads its workspace's own tables, and does nothing else."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from eventjobs.errors import JobFailed
from eventjobs.handlers.csv_export import HANDLER
from eventjobs.handlers.perform import perform
from eventjobs.handlers.workbench import Workbench
from eventjobs.postgres.loads import DataTables
from eventjobs.postgres.tables import Selection
from tests.handlers.conftest import Attempt

Connection = asyncpg.Connection
Export = Callable[..., Awaitable[Any]]

REFUSED = {
    "a write": "INSERT INTO people VALUES (9) RETURNING id",
    "a write in a WITH": "WITH gone AS (DELETE FROM people RETURNING id) SELECT * FROM gone",
    "a merge": "MERGE INTO people p USING people q ON p.id = q.id WHEN MATCHED THEN DELETE RETURNING 1",
    "a lock of rows": "SELECT * FROM people FOR UPDATE",
    "a table": "SELECT id INTO copied FROM people",
    "two statements": "SELECT 1; DELETE FROM people",
    "two statements, the first empty": "; DELETE FROM people",
    "an end and a beginning": "SELECT 1; COMMIT; DELETE FROM people; BEGIN; SELECT 1",
    "a program behind a bracket": "SELECT 1) TO PROGRAM 'touch /tmp/hacked' --",
    "a program in a comment": "SELECT 1 /* ) TO PROGRAM 'true' */) TO STDOUT; DELETE FROM people; COPY (SELECT 1",
    "COPY itself": "COPY (SELECT 1) TO PROGRAM 'true'",
    "another role": "SET ROLE eventjobs_app",
    "the log": "SELECT * FROM public.events",
    "another workspace": 'SELECT * FROM "data_o.ther".eventjobs_loads',
    "a parameter": "SELECT $1",
    "what is no query": "VACUUM",
    "a trailing option": "SELECT 1 AS id WITH LOCAL CHECK OPTION",
}
REACHES = {
    "another role by a function": "SELECT set_config('role', 'eventjobs_app', false)",
    "writing again": "SELECT set_config('transaction_read_only', 'off', true) FROM people",
    "no end": "SELECT set_config('statement_timeout', '0', false)",
    "the names of others": "SELECT rolname FROM pg_roles",
    "the tables of others": "SELECT relname FROM pg_class",
    "the tables of others, by the standard": "SELECT table_name FROM information_schema.tables",
    "the tables of others, in a subquery": "SELECT (SELECT max(relname::text) FROM pg_class) AS most FROM people",
    "the tables of others, by number": "SELECT (16384 + id)::regclass::text AS name FROM people",
    "the roles of others, by number": "SELECT (16384 + id)::oid::regrole AS name FROM people",
    "a catalogue in a text": "SELECT table_to_xml(id, true, true, '')::text AS xml FROM people",
    "a file": "SELECT pg_read_file('/etc/passwd')",
    "a folder": "SELECT * FROM pg_ls_dir('.')",
    "a large object": "SELECT lo_import('/etc/passwd')",
    "a lock that others wait for": "SELECT pg_try_advisory_lock(1)",
    "such a lock under another name": 'SELECT U&"pg_try_\\0061dvisory_lock"(1)',
    "such a lock in a text": "SELECT query_to_xml('SELECT pg_advisory_lock(1)', true, true, '')::text AS xml",
    "such a lock in an aggregate's order": "SELECT array_agg(id ORDER BY pg_try_advisory_lock(id)) FROM people",
    "a sleep in a condition": "SELECT 1 AS one FROM people WHERE pg_sleep(60) IS NULL",
    "a sleep in FROM": "SELECT 1 AS one FROM pg_sleep(60)",
    "a sleep in a nested WITH": "SELECT 1 AS one FROM (WITH w AS (SELECT 1 AS i FROM pg_sleep(60)) TABLE w) AS t",
    "another session": "SELECT pg_terminate_backend(1)",
    "a message": "SELECT 1 AS one FROM pg_notify('eventjobs', 'x')",
    "a number of a sequence": "SELECT nextval('numbers')",
}


@pytest.fixture
async def people(acme: Connection, owner: Connection, tables: DataTables) -> Connection:
    await tables._roles.login("o.ther")
    await acme.execute("CREATE TABLE people (id integer); INSERT INTO people VALUES (1)")
    await acme.execute("CREATE SEQUENCE IF NOT EXISTS numbers")
    await owner.execute('GRANT SELECT ON ALL TABLES IN SCHEMA "data_o.ther" TO current_user')
    return acme


@pytest.fixture
def export(loading: Workbench, attempt: Callable[..., Attempt]) -> Export:
    async def run(query: str, **config: Any) -> Any:
        made = attempt(loading, run=f"query-{uuid4()}")
        return await perform(HANDLER, {"target": "out.csv", "query": query, **config}, made.context, loading.secrets)

    return run


@pytest.mark.parametrize("query", REFUSED.values(), ids=REFUSED)
async def test_a_query_can_only_read_and_only_its_own(
    export: Export, people: Connection, tmp_path: Path, query: str
) -> None:
    with pytest.raises(JobFailed, match=r"the database refused|only read") as failed:
        await export(query)
    assert not failed.value.retryable
    assert [row["id"] for row in await people.fetch("SELECT id FROM people")] == [1]
    assert list((tmp_path / "files/acme").iterdir()) == []


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("query", REACHES.values(), ids=REACHES)
async def test_a_query_reaches_nothing_but_its_own_tables(export: Export, query: str) -> None:
    with pytest.raises(JobFailed, match=r"the query may not use the (function|relation|type) ") as failed:
        await export(query, timeout="PT5S")
    assert not failed.value.retryable


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM people -- all",
        "SELECT ')' AS bracket, $$;$$ AS semicolon, now() - interval '1 day' AS yesterday",
        "TABLE people",
        "VALUES (1, 'a'), (2, 'b')",
        "SELECT extract(year FROM now()), to_char(now(), 'YYYY'), jsonb_build_object('id', id) FROM people",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i, sum(i) OVER () FROM n",
        "SELECT p.id, q.n FROM people p CROSS JOIN LATERAL generate_series(1, p.id) AS q(n) WHERE p.id::text LIKE '1%'",
        "SELECT id FROM data_acme.people WHERE id IN (SELECT count(*) FROM people)",
        'SELECT id AS ":relid 1259" FROM people',
    ],
)
async def test_what_reads_is_allowed(export: Export, query: str) -> None:
    await export(query)


@pytest.mark.usefixtures("people")
async def test_a_query_that_never_ends_is_ended(export: Export) -> None:
    query = "SELECT count(*) FROM generate_series(1, 1000000000000) AS n"
    with pytest.raises(JobFailed, match="statement timeout"):
        await export(query, timeout="PT1S")


async def test_the_rows_are_read_by_the_workspace_s_role_in_a_transaction_that_cannot_write(
    people: Connection, tables: DataTables
) -> None:
    async with tables.open_export("acme", Selection(table="people"), timeout=timedelta(seconds=5)) as export:
        session = export._connection
        role = (await tables._roles.login("acme")).role
        assert await session.fetchval("SELECT session_user::text || current_user") == role + role
        assert await session.fetchval("SHOW transaction_read_only") == "on"
        assert await session.fetchval("SHOW statement_timeout") == "5s"
        assert await session.fetchval("SELECT count(*) FROM data_acme.people") == 1
        await people.execute("INSERT INTO people VALUES (2)")
        assert await session.fetchval("SELECT count(*) FROM data_acme.people") == 1
        with pytest.raises(asyncpg.ActiveSQLTransactionError):
            await session.execute("SET TRANSACTION READ WRITE")


@pytest.mark.usefixtures("people")
async def test_a_query_of_another_database_has_the_rights_of_its_login(
    export: Export, tables: DataTables, database_url: str, tmp_path: Path, owner: Connection
) -> None:
    login = await tables._roles.login("acme")
    await owner.execute("CREATE SCHEMA sales")
    await owner.execute("CREATE TABLE sales.orders AS SELECT 7 AS id")
    await owner.execute(f'GRANT USAGE ON SCHEMA sales TO "{login.role}"')
    await owner.execute(f'GRANT SELECT ON sales.orders TO "{login.role}"')
    (tmp_path / "secrets/acme").mkdir(parents=True)
    dsn = f"postgresql://{login.role}:{login.password or ''}@{database_url.rpartition('@')[2]}"
    (tmp_path / "secrets/acme/dsn").write_text(dsn)
    query = "SELECT o.id, p.id AS person FROM orders o, data_acme.people p"
    await export(query, database="secret://dsn", schema="sales")
    assert (tmp_path / "files/acme/out.csv").read_text() == "id,person\n7,1\n"
    with pytest.raises(JobFailed, match="may not use the function pg_sleep"):
        await export("SELECT 1 AS one FROM pg_sleep(1)", database="secret://dsn")
    with pytest.raises(JobFailed, match=r"may not use the relation sales\.orders"):
        await export("SELECT * FROM sales.orders")
