import csv
import gzip
import hashlib
import io
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import ValidationError

from eventjobs.errors import JobFailed
from eventjobs.handlers.csv_export import HANDLER
from eventjobs.handlers.csv_export_config import CsvExportConfig
from eventjobs.handlers.perform import perform
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from tests.handlers.conftest import Attempt

Connection = asyncpg.Connection
Export = Callable[..., Awaitable[Any]]
_runs = count(1)


@pytest.fixture
def export(loading: Workbench, attempt: Callable[..., Attempt]) -> Export:
    """Export as a new job run each time, unless `run` is given."""

    async def run(*, of: dict[str, Any] | None = None, **config: Any) -> Any:
        made = attempt(loading, **{"run": f"export-{next(_runs)}", **(of or {})})
        return await perform(HANDLER, {"target": "out/people.csv", **config}, made.context, loading.secrets)

    return run


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., bytes]:
    return lambda name="out/people.csv": (tmp_path / "files/acme" / name).read_bytes()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[], list[str]]:
    """Tell the names in the folder that is exported into."""
    return lambda: sorted(path.name for path in (tmp_path / "files/acme/out").iterdir())


@pytest.fixture
async def people(acme: Connection) -> Connection:
    await acme.execute("CREATE TABLE people (id integer PRIMARY KEY, name text, joined date)")
    await acme.execute("INSERT INTO people VALUES (1, 'Ada', '2026-01-01'), (2, 'Béa, the 2nd', NULL), (3, '', NULL)")
    return acme


@pytest.mark.usefixtures("people")
async def test_a_table_is_written_with_its_header(export: Export, written: Any, folder: Any) -> None:
    result = await export(table="people")
    content = 'id,name,joined\n1,Ada,2026-01-01\n2,"Béa, the 2nd",\n3,"",\n'.encode()
    assert written() == content
    assert folder() == ["people.csv"]
    assert result.counts == {"processed": 3}
    sha256 = hashlib.sha256(content).hexdigest()
    assert result.output == {"target": "out/people.csv", "sha256": sha256, "bytes": len(content), "form": "exact"}


@pytest.mark.usefixtures("people")
async def test_columns_are_written_in_the_order_in_which_they_are_named(export: Export, written: Any) -> None:
    await export(table="people", columns=["name", "id"], has_header=False)
    assert written().decode() == 'Ada,1\n"Béa, the 2nd",2\n"",3\n'


@pytest.mark.usefixtures("people")
async def test_a_query_is_written_as_it_answers(export: Export, written: Any) -> None:
    query = "-- those who are known\nWITH known AS (SELECT id, lower(name) AS name FROM people WHERE name <> '')\n"
    result = await export(query=query + "SELECT name, count(*) OVER () FROM known ORDER BY id -- in order")
    assert written().decode() == 'name,count\nada,2\n"béa, the 2nd",2\n'
    assert result.counts == {"processed": 2}


@pytest.mark.usefixtures("people")
async def test_the_dialect_is_the_import_s(export: Export, written: Any) -> None:
    dialect = {"delimiter": ";", "quote": "'", "escape": "\\", "null": "NULL"}
    await export(query="SELECT * FROM people UNION ALL SELECT 4, 'a''s;', NULL ORDER BY 1", dialect=dialect)
    assert written().decode().splitlines()[1:] == [
        "1;Ada;2026-01-01",
        "2;Béa, the 2nd;NULL",
        "3;;NULL",
        "4;'a\\'s;';NULL",
    ]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize(("encoding", "begins"), [("latin-1", b"id"), ("utf-8-sig", b"\xef\xbb\xbf"), ("utf-16", b"")])
async def test_the_encoding_is_the_import_s(export: Export, written: Any, encoding: str, begins: bytes) -> None:
    await export(table="people", encoding=encoding)
    assert written().startswith(begins)
    assert written().decode(encoding).splitlines()[2] == '2,"Béa, the 2nd",'


@pytest.mark.usefixtures("people")
async def test_a_packed_file_is_the_same_for_the_same_rows(export: Export, written: Any) -> None:
    first = await export(table="people", target="out/people.csv.gz", gzip=True)
    once = written("out/people.csv.gz")
    again = await export(table="people", target="out/people.csv.gz", gzip=True)
    assert gzip.decompress(once).decode().splitlines()[1] == "1,Ada,2026-01-01"
    assert written("out/people.csv.gz") == once
    assert first.output == again.output
    assert first.output["sha256"] == hashlib.sha256(once).hexdigest()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
async def test_what_was_exported_can_be_imported(
    export: Export, people: Connection, loading: Workbench, attempt: Callable[..., Attempt], packed: bool
) -> None:
    dialect = {"delimiter": "\t", "null": "NULL"}
    await people.execute("INSERT INTO people VALUES (4, E'\"two\nlines\"\tand a tab', NULL), (5, 'NULL', NULL)")
    await export(table="people", dialect=dialect, encoding="utf-16", gzip=packed)
    config = {"source": "out/people.csv", "table": "again", "dialect": dialect, "encoding": "utf-16"}
    columns = {"id": "integer", "name": "text", "joined": "date"}
    await attempt(loading, run=f"back-{next(_runs)}").perform("csv.import", {**config, "columns": columns})
    difference = await people.fetch("TABLE again EXCEPT TABLE people UNION ALL (TABLE people EXCEPT TABLE again)")
    assert difference == []
    assert await people.fetchval("SELECT count(*) FROM again") == 5


@pytest.mark.usefixtures("people")
async def test_a_character_that_the_encoding_has_not_ends_the_export(export: Export, tmp_path: Path) -> None:
    with pytest.raises(JobFailed, match="'Ω' cannot be written in latin-1") as failed:
        await export(query="SELECT 'Ω' AS sign FROM people", encoding="latin-1")
    assert not failed.value.retryable
    assert list((tmp_path / "files/acme/out").iterdir()) == []


@pytest.mark.usefixtures("people")
async def test_a_value_that_needs_quotes_is_refused_where_there_are_none(export: Export, written: Any) -> None:
    await export(table="people", columns=["id"], dialect={"quote": None})
    assert written() == b"id\n1\n2\n3\n"
    with pytest.raises(JobFailed, match="would need quotes"):
        await export(table="people", dialect={"quote": None})
    assert written() == b"id\n1\n2\n3\n"


async def test_REL96_what_a_spreadsheet_would_take_for_a_formula_is_quoted_and_marked(
    export: Export, acme: Connection, written: Any
) -> None:
    texts = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
        "a=1",
        "'=1",
        "",
    ]
    await acme.execute("CREATE TABLE people (id integer, name varchar)")
    await acme.executemany("INSERT INTO people VALUES ($1, $2)", [(-n, text) for n, text in enumerate(texts)])
    query = 'SELECT id, name AS "=name" FROM people ORDER BY id DESC'

    await export(query=query)
    assert [row[1] for row in read_csv(written())] == ["=name", *texts]
    safe = await export(query=query, spreadsheet=True)
    assert safe.output["form"] == "spreadsheet"
    header, *rows = read_csv(written())
    assert header == ["id", "'=name"]
    assert rows == [[str(-n), text if n > 10 else f"'{text}"] for n, text in enumerate(texts)]
    assert b'\n"-2","\'-1"\n' in written()


def read_csv(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize("mode", ["replace", "merge"])
async def test_names_that_are_words_of_sql_are_names(
    export: Export,
    acme: Connection,
    loading: Workbench,
    attempt: Callable[..., Attempt],
    put: Any,
    mode: str,
    written: Any,
) -> None:
    put("in.csv", "select,Order,FROM\n1,2,x\n")
    config = {"source": "in.csv", "table": "user", "mode": mode, "keys": ["select"], "columns": {"order": "integer"}}
    await attempt(loading, run=f"words-{next(_runs)}").perform("csv.import", config)
    await export(table="user", columns=["from", "select", "order"])
    assert written() == b"from,select,order\nx,1,2\n"
    assert await acme.fetchval('SELECT count(*) FROM "user"') == 1


@pytest.mark.usefixtures("people")
async def test_an_empty_result_is_a_file_with_a_header(export: Export, written: Any) -> None:
    assert (await export(query="SELECT id FROM people WHERE id > 9")).counts == {"processed": 0}
    assert written() == b"id\n"


@pytest.mark.usefixtures("people")
async def test_a_file_that_is_there_is_replaced_or_is_a_failure(export: Export, written: Any, folder: Any) -> None:
    await export(table="people", columns=["id"])
    before = written()
    with pytest.raises(JobFailed, match=r"out/people\.csv is there already") as failed:
        await export(table="people", exists="fail")
    assert not failed.value.retryable
    assert written() == before
    await export(table="people", columns=["name"])
    assert written().startswith(b"name\n")
    assert folder() == ["people.csv"]


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("target", ["../other/people.csv", "/etc/people.csv", "a//b.csv", ""])
async def test_no_target_leads_out_of_the_folder(export: Export, target: str) -> None:
    with pytest.raises(JobFailed):
        await export(table="people", target=target)


@pytest.mark.usefixtures("people")
async def test_a_table_that_is_not_there_is_said_so(export: Export) -> None:
    with pytest.raises(JobFailed, match=r'"data_acme\.nobody" does not exist') as failed:
        await export(table="nobody")
    assert not failed.value.retryable


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "either a table or a query"),
        ({"table": "t", "query": "SELECT 1"}, "either a table or a query"),
        ({"query": "SELECT 1", "columns": ["a"]}, "names its columns itself"),
        ({"table": "t", "columns": ["a", "a"]}, "named twice"),
        ({"table": "t", "schema": "s"}, "together with a database"),
        ({"table": 't"; DROP TABLE t; --'}, "lower-case letters"),
        ({"table": "t", "columns": ["a) TO PROGRAM 'x'"]}, "lower-case letters"),
        ({"table": "eventjobs_loads"}, "the service's own"),
        ({"table": "t", "spreadsheet": True, "dialect": {"quote": None}}, "no quotes"),
        ({"table": "t", "target": "ftp://x/y"}, "only files"),
        ({"table": "t", "target": "http://10.0.0.1/x.csv"}, "not allowed"),
        ({"table": "t", "target": "x-{week}.csv"}, "braces of a target"),
        ({"table": "t", "target": "x-{date.csv"}, "braces of a target"),
        ({"table": "t", "target": "x-{date!r}.csv"}, "braces of a target"),
        ({"table": "t", "target": "sftp://me@example.org/x.csv"}, "needs sftp"),
        ({"table": "t", "target": "sftp://me:secret@example.org/x.csv"}, "user name or password"),
        ({"table": "t", "target": "https://example.org/x", "exists": "fail"}, "for its server to say"),
        ({"table": "t", "target": "https://example.org/x", "headers": {"Host": "x"}}, "set by the service"),
        ({"table": "t", "incremental": {"column": "at"}}, r"nobody has fetched yet"),
        ({"table": "t", "target": "{date}.csv", "incremental": {"column": "at"}}, r"nobody has fetched yet"),
        ({"table": "t", "target": "{run}.csv", "incremental": {"column": "a-t"}}, "lower-case letters"),
        ({"table": "t", "timeout": "P2D"}, "less than or equal"),
        ({"query": "SELECT " + "1," * 10_000 + "1"}, "at most 20000"),
        ({"table": "t", "database": "postgresql://me:secret@host/db"}, "must be secret://name"),
    ],
)
def test_a_job_that_cannot_be_meant_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        CsvExportConfig.model_validate({"target": "x.csv", **config}, context={"outbound": OutboundRules()})
