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
PROBE_JSON: Final = statement("views/probe_json")

COPIED_ROWS_MIN: Final = 200
"""From how many rows on COPY pays."""


class ViewStorage:
    """
    The tables of views on one connection, in its user's transaction.

    `suffix` is added to the names of all tables. `copy` lets many new rows go through COPY; the connection must then
    take json as text (`takes_json_as_text`).
    """

    def __init__(self, connection: Link, *, suffix: str = "", copy: bool = False) -> None:
        self._connection = connection
        self._suffix = suffix
        self._copy = copy

    async def apply(self, batch: Batch) -> int:
        """Fold a batch over the stored rows and write what changed; return how many rows were written."""
        for table in batch.tables:
            keys = batch.keys(table)
            if keys:
                rows = await self._connection.fetch(_filled(FETCH_ROWS, table, self._suffix), *_columns_of(keys))
                batch.load(table, map(tuple, rows))
        return sum([await self._write(moved) for moved in batch.fold()])

    async def _write(self, moved: Moved) -> int:
        table, created, upserted, removed = moved.table, moved.created(), moved.updated(), moved.removed()
        written = len(moved.past) + len(created) + len(upserted) + len(removed)
        if self._copy and len(moved.past) >= COPIED_ROWS_MIN:
            await self._copy_to(table.past, [*table.all_columns, "to_position"], moved.past)
        elif moved.past:
            await self._execute(CLOSE_ROWS, table, moved.past, closed=True)
        if self._copy and len(created) >= COPIED_ROWS_MIN:
            await self._copy_to(table.name, list(table.all_columns), created)
        else:
            upserted += created
        if upserted:
            await self._execute(WRITE_ROWS, table, upserted)
        if removed:
            await self._execute(REMOVE_ROWS, table, removed)
        return written

    async def _execute(self, sql: str, table: Table, rows: Sequence[Sequence[Any]], *, closed: bool = False) -> None:
        await self._connection.execute(_filled(sql, table, self._suffix, closed=closed), *_columns_of(rows))

    async def _copy_to(self, name: str, columns: list[str], rows: Sequence[Sequence[Any]]) -> None:
        await self._connection.copy_records_to_table(
            name + self._suffix, schema_name="public", columns=columns, records=rows
        )


async def takes_json_as_text(connection: Link) -> bool:
    """Tell whether the connection exchanges json as text, as it does unless told otherwise."""
    return await connection.fetchval(PROBE_JSON) == "0"  # type: ignore[no-any-return]


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
        "read": ", ".join(_cast("text", f"found.{name}", kind) for name, kind in typed),
        "written": ", ".join(_cast("json", name, kind) for name, kind in typed),
        "excluded": ", ".join(f"EXCLUDED.{name}" for name in others),
        "same_key": " AND ".join(f"x.{name} = wanted.{name}" for name in key),
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
