# ruff: noqa: S608  building SQL is this file's only task; every name in it is checked and quoted
"""
Statements that name a user's table and columns: the one place where SQL is put together.

Names were checked against `NAME` and are quoted all the same; types come from the catalogue or from `canonical_type`.
Staging tables call their columns `c1`, `c2` … by their place in the source, so that no user's name meets one of ours.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from eventjobs.postgres.statements import quote_identifier
from eventjobs.postgres.tables import Dialect, Selection, Span, Target, length_limit

TEXTS: Final = "eventjobs_texts"
VALUES: Final = "eventjobs_values"
REFUSED: Final = "eventjobs_refused"
QUERY: Final = "eventjobs_query"

TIMES: Final = frozenset({"timestamp", "timestamptz"})
HARMLESS: Final = TIMES | {
    "bool", "int2", "int4", "int8", "numeric", "float4", "float8", "date", "time", "timetz", "interval", "uuid",
}  # fmt: skip
"""Types whose values no spreadsheet takes for formulas, though a number may begin with a sign."""
FORMULA: Final = r"^[-=+@\t\r\n\uff1d\uff0b\uff0d\uff20]"
"""How a text begins that a spreadsheet takes for a formula, or would once it has dropped white space before it."""

SOFT_ERRORS_SINCE: Final = 160000


def copy_options(dialect: Dialect, *, has_header: bool) -> Mapping[str, Any]:
    """Return what the driver puts into a COPY, in either direction."""
    return {
        "format": "csv",
        "header": has_header,
        "delimiter": dialect.delimiter,
        "quote": dialect.quote,
        "escape": dialect.escape,
        "null": dialect.null,
        "encoding": "utf-8",
    }


def row_count(status: str) -> int:
    """Read the number of rows from a statement's tag (`COPY 12`, `INSERT 0 12`)."""
    return int(status.rsplit(" ", 1)[-1])


def create_query(query: str) -> str:
    """Make the view through which a query is exported. Whoever runs this lets the server take it as one statement."""
    return f"CREATE TEMP VIEW {QUERY} AS {query}\n"


def select_all(schema: str, selection: Selection) -> str:
    """Read the rows of an export as they are."""
    columns = _names(selection.columns) if selection.columns else "*"
    return f"SELECT {columns} FROM {_source(schema, selection)}"


def select_guarded(schema: str, selection: Selection, types: Mapping[str, str]) -> str:
    """Read them with a `'` before each text, names of columns too, that a spreadsheet would take for a formula."""
    columns = [_guarded(name, kind) for name, kind in types.items()]
    return f"SELECT {', '.join(columns)} FROM {_source(schema, selection)}"


def _guarded(name: str, kind: str) -> str:
    column, shown = quote_identifier(name), quote_identifier(f"'{name}" if re.match(FORMULA, name) else name)
    if kind in HARMLESS:
        return f"{column} AS {shown}"
    text = f"{column}::text"
    guard = f'{text} COLLATE "C" ~ {_literal(FORMULA)}'
    return f"CASE WHEN {guard} THEN '''' || {text} ELSE {text} END AS {shown}"


def bounded(rows: str, span: Span | None) -> str:
    """Read those rows alone that a span means; its values are `span_values`, as texts."""
    if span is None:
        return rows
    column = quote_identifier(span.column)
    tests = ["false" if span.until is None else f"{column} <= $1::text::{span.kind}"]
    if span.after is not None:
        after = f"$2::text::{span.kind}"
        tests.append(f"{column} > {after}" + (" - $3::text::interval" if span.overlap else ""))
    return f"{rows} WHERE {' AND '.join(tests)}"


def span_values(span: Span | None) -> Sequence[str]:
    """Return the values of `bounded`."""
    if span is None or span.until is None:
        return ()
    if span.after is None:
        return (span.until,)
    return [value for value in (span.until, span.after, span.overlap) if value is not None]


def select_column(schema: str, selection: Selection, column: str) -> str:
    """Read one column of an export's rows."""
    return f"SELECT {quote_identifier(column)} FROM {_source(schema, selection)}"


def find_newest(schema: str, selection: Selection, column: str, kind: str) -> str:
    """
    Find the highest value of a column, at least $1 (text or null), and whether a row has none.

    A time that is yet to come is no bound: every row that is written until then would be below it.
    """
    name, source = quote_identifier(column), _source(schema, selection)
    past = f" WHERE {name} <= now()" if kind in TIMES else ""
    return (
        f"SELECT greatest((SELECT max({name}) FROM {source}{past}), $1::text::{kind})::text AS newest,"
        f" EXISTS (SELECT FROM {source} WHERE {name} IS NULL) AS has_null"
    )


def create_table(target: Target) -> str:
    """Make the table with its declared types, text where none is, and its keys as primary key."""
    columns = [f"{quote_identifier(name)} {target.types.get(name, 'text')}" for name in target.loaded]
    if target.keys:
        columns.append(f"PRIMARY KEY ({_names(target.keys)})")
    return f"CREATE TABLE {quote_identifier(target.table)} ({', '.join(columns)})"


def drop_table(table: str) -> str:
    """Remove the table; fails if something depends on it."""
    return f"DROP TABLE {quote_identifier(table)}"


def create_unique_index(target: Target) -> str:
    """Make merging on the keys possible."""
    return f"CREATE UNIQUE INDEX ON {quote_identifier(target.table)} ({_names(target.keys)})"


def has_rows(table: str) -> str:
    """Tell whether a table holds anything."""
    return f"SELECT EXISTS (SELECT FROM {quote_identifier(table)})"


def empty_table(table: str) -> str:
    """
    Delete all rows.

    Unlike TRUNCATE it stops no reader, and they see the old rows until the commit.
    """
    return f"DELETE FROM {quote_identifier(table)}"


def create_values(target: Target, types: Mapping[str, str], *, with_line: bool) -> str:
    """Make the typed staging table; a key must have a value, or it could never be met again."""
    columns = ["line bigint"] if with_line else []
    for n, name in enumerate(target.columns, 1):
        type_ = "text" if name is None else types[name]
        columns.append(f"c{n} {type_}{' NOT NULL' if name in target.keys else ''}")
    return f"CREATE TEMP TABLE {VALUES} ({', '.join(columns)}) ON COMMIT DROP"


def create_texts(count: int) -> str:
    """Make the staging table for records as texts: line, defect, raw record, fields."""
    columns = ", ".join(f"c{n} text" for n in range(1, count + 1))
    return f"CREATE TEMP TABLE {TEXTS} (line bigint, defect text, record text, {columns}) ON COMMIT DROP"


def refuse_texts(target: Target, types: Mapping[str, str], required: Sequence[str], server_version: int) -> str:
    """Note every staged record that has a defect or a field that is no value of its column, with all reasons."""
    tests = ["defect"]
    for n, name in enumerate(target.columns, 1):
        if name is not None:
            tests += _tests(n, name, types[name], server_version, required=name in required)
    return (
        f"CREATE TEMP TABLE {REFUSED} ON COMMIT DROP AS SELECT line, reason FROM {TEXTS},"
        f" LATERAL (SELECT concat_ws('; ', {', '.join(tests)}) AS reason) AS judged WHERE reason <> ''"
    )


def fill_values(target: Target, types: Mapping[str, str]) -> str:
    """Convert the staged records that were not refused."""
    fields = [
        f"c{n}" if name is None or types[name] == "text" else f"CAST(c{n} AS {types[name]})"
        for n, name in enumerate(target.columns, 1)
    ]
    return (
        f"INSERT INTO {VALUES} SELECT line, {', '.join(fields)} FROM {TEXTS} AS t"
        f" WHERE NOT EXISTS (SELECT FROM {REFUSED} AS r WHERE r.line = t.line)"
    )


def refuse_repeated(target: Target) -> str:
    """Take out all but the last of the records that share a key."""
    names = ", ".join(f"c{n}" for n, name in enumerate(target.columns, 1) if name in target.keys)
    return (
        f"WITH repeated AS (SELECT line, max(line) OVER (PARTITION BY {names}) AS last FROM {VALUES}),"
        f" gone AS (DELETE FROM {VALUES} USING repeated WHERE {VALUES}.line = repeated.line AND last > repeated.line"
        f" RETURNING repeated.line, last)"
        f" INSERT INTO {REFUSED} SELECT line, 'a later record has the same key, on line ' || last FROM gone"
    )


def select_refused(count: int) -> str:
    """Read the refused records by line."""
    fields = ", ".join(f"t.c{n}" for n in range(1, count + 1))
    return (
        f"SELECT line, reason, record, ARRAY[{fields}] AS fields"
        f" FROM {REFUSED} JOIN {TEXTS} AS t USING (line) ORDER BY line"
    )


def count_refused() -> str:
    """Count the refused records."""
    return f"SELECT count(*) FROM {REFUSED}"


def insert_values(target: Target) -> str:
    """Append what is staged as values."""
    table = quote_identifier(target.table)
    return f"INSERT INTO {table} ({_names(target.loaded)}) SELECT {_staged(target)} FROM {VALUES}"


def merge_values(target: Target) -> str:
    """Add or update what is staged as values; answers how many rows were added and how many there were."""
    others = [quote_identifier(name) for name in target.loaded if name not in target.keys]
    if others:
        action = "UPDATE SET " + ", ".join(f"{name} = excluded.{name}" for name in others)
    else:
        # Nothing to change, but the row must come back to be counted.
        key = quote_identifier(target.keys[0])
        action = f"UPDATE SET {key} = excluded.{key}"
    return (
        f"WITH merged AS ({insert_values(target)} ON CONFLICT ({_names(target.keys)}) DO {action}"
        f" RETURNING xmax = 0 AS is_new)"
        f" SELECT count(*) FILTER (WHERE is_new) AS added, count(*) AS merged FROM merged"
    )


def _source(schema: str, selection: Selection) -> str:
    """Name the table of an export, or the view of its query."""
    if selection.table is None:
        return f"pg_temp.{QUERY}"
    return f"{quote_identifier(schema)}.{quote_identifier(selection.table)}"


def _tests(n: int, name: str, type_: str, server_version: int, *, required: bool) -> list[str]:
    says = _literal(f"{name}: ")
    tests = []
    if required:
        tests.append(f"CASE WHEN c{n} IS NULL AND defect IS NULL THEN {says} || 'is empty' END")
    if type_ == "text":
        return tests
    kind = _literal(type_)
    if server_version >= SOFT_ERRORS_SINCE:
        wrong = f"(pg_input_error_info(c{n}, {kind})).message"
        tests.append(f"CASE WHEN NOT pg_input_is_valid(c{n}, {kind}) THEN {says} || {wrong} END")
        return tests
    tests.append(f"{says} || pg_temp.eventjobs_cast_error(c{n}, {kind})")
    limit = length_limit(type_)
    if limit is not None:
        # A cast cuts what is too long, and says nothing.
        tests.append(f"CASE WHEN length(rtrim(c{n})) > {limit} THEN {says} || 'value too long for type {type_}' END")
    return tests


def _staged(target: Target) -> str:
    return ", ".join(f"c{n}" for n, name in enumerate(target.columns, 1) if name is not None)


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(quote_identifier, names))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
