"""The whole of SQL, guarded: each statement is one that Postgres accepts, and Python names each exactly once."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from eventjobs.postgres.pool import Connection, connect
from eventjobs.postgres.statements import statement
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.storage import _filled
from eventjobs.projections.temporal import Keeps

ROOT = Path(__file__).parents[2]
QUERIES = ROOT / "sql" / "queries"
NAMES = sorted(file.relative_to(QUERIES).with_suffix("").as_posix() for file in QUERIES.rglob("*.sql"))
PYTHON = [file.read_text("utf-8") for file in (ROOT / "src").rglob("*.py")]
NAMED = [name for text in PYTHON for name in re.findall(r'\bstatement\(\s*"([^"]+)"\s*\)', text)]

TEMPLATES = [name for name in NAMES if "{{" in statement(name)]

every_statement = pytest.mark.parametrize("name", NAMES)
every_whole_statement = pytest.mark.parametrize("name", [name for name in NAMES if name not in TEMPLATES])
every_template = pytest.mark.parametrize("name", TEMPLATES)


@pytest.fixture(scope="module")
async def connection(database_url: str) -> AsyncIterator[Connection]:
    """A connection that also sees the tables made where they are needed: for loads and for large appends."""
    connection = await connect(database_url, role=None, settings={"idle_in_transaction_session_timeout": "60s"})
    try:
        async with connection.transaction():
            await connection.execute(statement("data/create_loads"))
            await connection.execute(statement("data/create_sources"))
            await connection.execute(statement("log/create_copied_events"))
            yield connection
    finally:
        connection.terminate()


@every_whole_statement
async def test_postgres_can_prepare(connection: Connection, name: str) -> None:
    async with connection.transaction():
        await connection.prepare(statement(name))


@every_template
async def test_postgres_can_prepare_a_template_for_every_table_of_a_view(connection: Connection, name: str) -> None:
    closes = name == "views/close_rows"
    tables = [table for projection in PROJECTIONS for table in projection.tables]
    for table in tables:
        if closes and table.keeps is not Keeps.VERSIONS:
            continue
        async with connection.transaction():
            await connection.prepare(_filled(statement(name), table, "", closed=closes))


@every_statement
def test_python_names_it_exactly_once(name: str) -> None:
    assert NAMED.count(name) == 1


def test_python_names_no_statement_that_does_not_exist() -> None:
    assert sorted(set(NAMED) - set(NAMES)) == []


@every_statement
def test_a_file_is_one_statement_without_its_semicolon(name: str) -> None:
    assert not statement(name).endswith(";")
