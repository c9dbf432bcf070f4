"""
Views in Postgres: a folded batch is one fetch, one insert of closed rows and one upsert a table.

The statements are the files `views/*_rows.sql`, filled in with the names of declared tables and columns.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from eventjobs.postgres.pool import Connection
from eventjobs.postgres.statements import quote_identifier, statement
from eventjobs.projections.temporal import Batch, Moved, Table, Type

Link: TypeAlias = "Connection | PoolConnectionProxy[asyncpg.Record]"
"""A connection of one's own, or one that a pool lent."""

FETCH_ROWS: Final = statement("views/fetch_rows")
CLOSE_ROWS: Final = statement("views/close_rows")
WRITE_ROWS: Final = statement("views/write_rows")
REMOVE_ROWS: Final = statement("views/remove_rows")


async def apply(connection: Link, batch: Batch, suffix: str = "") -> int:
    """
    Fold a batch over the stored rows and write what changed, in the caller's transaction; return how many rows.

    `suffix` is added to the names of all tables.
    """
    for table in batch.tables:
        keys = batch.keys(table)
        if keys:
            rows = await connection.fetch(_filled(FETCH_ROWS, table, suffix), *_columns_of(keys))
            batch.load(table, map(tuple, rows))
    return sum([await _write(connection, moved, suffix) for moved in batch.fold()])


async def _write(connection: Link, moved: Moved, suffix: str) -> int:
    present, removed = moved.changed(), moved.removed()
    if moved.past:
        await connection.execute(_filled(CLOSE_ROWS, moved.table, suffix, closed=True), *_columns_of(moved.past))
    if present:
        await connection.execute(_filled(WRITE_ROWS, moved.table, suffix), *_columns_of(present))
    if removed:
        await connection.execute(_filled(REMOVE_ROWS, moved.table, suffix), *_columns_of(removed))
    return len(moved.past) + len(present) + len(removed)


def _columns_of(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return list(zip(*rows, strict=True))


@cache
def _filled(sql: str, table: Table, suffix: str, *, closed: bool = False) -> str:
    names = [quote_identifier(name) for name in table.all_columns]
    typed = list(zip(names, table.all_columns.values(), strict=True))
    key = [quote_identifier(name) for name in table.key]
    types = [*table.all_columns.values(), *(["bigint"] if closed else [])]
    others = names[len(key) :]
    parts = {
        "table": quote_identifier(table.name + suffix),
        "past": quote_identifier(table.past + suffix),
        "columns": ", ".join(names),
        "key": ", ".join(key),
        "others": ", ".join(others),
        "read": ", ".join(_cast("text", name, kind) for name, kind in typed),
        "written": ", ".join(_cast("json", name, kind) for name, kind in typed),
        "excluded": ", ".join(f"EXCLUDED.{name}" for name in others),
        "same_key": " AND ".join(f"x.{name} = gone.{name}" for name in key),
        "keys_in": _parameters(list(table.key.values())),
        "rows_in": _parameters(types),
    }
    for name, text in parts.items():
        sql = sql.replace("{{" + name + "}}", text)
    return sql


def _cast(to: str, name: str, kind: Type) -> str:
    # json travels as text, so that rows mean the same whatever a connection makes of json
    return f"{name}::{to}" if kind == "json" else name


def _parameters(types: Sequence[str]) -> str:
    return ", ".join(f"${place}::{'text' if kind == 'json' else kind}[]" for place, kind in enumerate(types, 1))
