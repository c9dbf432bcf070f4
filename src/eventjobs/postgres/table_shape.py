"""What a table looks like, and whether a source's columns fit into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eventjobs.errors import JobFailed
from eventjobs.postgres.pool import Connection
from eventjobs.postgres.statements import statement
from eventjobs.postgres.table_sql import create_table, create_unique_index, drop_table
from eventjobs.postgres.tables import Target

COLUMNS: Final = statement("data/columns")
IS_UNIQUE: Final = statement("data/is_unique")


@dataclass(frozen=True, slots=True)
class Shape:
    """A table's types by column, and the columns that must have a value."""

    types: Mapping[str, str]
    not_null: Sequence[str]


async def fitting_shape(connection: Connection, schema: str, target: Target) -> Shape:
    """
    Return the shape of the target's table, which is made if absent.

    A `replace` with declared types makes a table anew that has other columns or types. Raises `JobFailed` (not
    retryable) where source and table do not fit.
    """
    found = await _columns(connection, schema, target.table)
    if found and target.mode == "replace" and target.types and not _is_declared(found, target):
        await connection.execute(drop_table(target.table))
        found = []
    if not found:
        await connection.execute(create_table(target))
        found = await _columns(connection, schema, target.table)
    _check(found, target)
    if target.mode == "merge" and not await connection.fetchval(IS_UNIQUE, schema, target.table, list(target.keys)):
        await connection.execute(create_unique_index(target))
    return Shape({row["name"]: row["type"] for row in found}, [row["name"] for row in found if row["not_null"]])


async def _columns(connection: Connection, schema: str, table: str) -> Sequence[Mapping[str, Any]]:
    return [dict(row) for row in await connection.fetch(COLUMNS, schema, table)]


def _is_declared(found: Sequence[Mapping[str, Any]], target: Target) -> bool:
    present = {row["name"]: row["type"] for row in found}
    wanted = {name: target.types.get(name, present.get(name, "text")) for name in target.loaded}
    return present == wanted


def _check(found: Sequence[Mapping[str, Any]], target: Target) -> None:
    present = {row["name"]: row for row in found}
    for name in target.loaded:
        if name not in present:
            raise _misfit(target, f"has no column {name}; it has {', '.join(present)}")
        if not present[name]["settable"]:
            raise _misfit(target, f"computes the column {name} itself")
    for name, declared in target.types.items():
        if present[name]["type"] != declared:
            raise _misfit(target, f"has {name} as {present[name]['type']}, and the job declares {declared}")
    missing = [name for name, row in present.items() if row["required"] and name not in target.loaded]
    if missing:
        raise _misfit(target, f"needs the column {missing[0]}, which the source has not")


def _misfit(target: Target, why: str) -> JobFailed:
    return JobFailed(f"the table {target.table} {why}", retryable=False)
