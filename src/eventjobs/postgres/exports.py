"""
Exports over asyncpg: logged in as the workspace's data role, read only, all rows from one snapshot.

A query is a text of its user, and COPY takes none but by pasting it. So the server first makes it a temporary view:
that is one statement or none, its rule tells what the query reaches, and COPY then names the view. Nothing of it is
ever committed.
"""

from datetime import timedelta
from typing import Final

import asyncpg

from eventjobs.errors import JobFailed
from eventjobs.postgres import table_sql
from eventjobs.postgres.pool import Connection
from eventjobs.postgres.statements import statement
from eventjobs.postgres.tables import Dialect, Selection, Span, Take

BEGIN_EXPORT: Final = statement("data/begin_export")
QUERY_REACH: Final = statement("data/query_reach")

_RISING: Final = ("timestamptz", "timestamp", "int8", "int4", "int2", "numeric")
"""A day is too coarse: a row of today may come after today's export, and a text rises with the server's alphabet."""
_ENDLESS: Final = frozenset({"NaN", "Infinity"})


class PostgresExport:
    """
    The real `TableExport`.

    A query may use relations of `only_schema` alone; where that is `None` the rights of the login decide.
    """

    def __init__(self, connection: Connection, selection: Selection, schema: str, only_schema: str | None) -> None:
        self._connection = connection
        self._selection = selection
        self._schema = schema
        self._only_schema = only_schema

    async def begin(self, timeout: timedelta) -> None:
        """Take the snapshot; from here on each statement has the timeout, and none can write."""
        await self._connection.fetchrow(BEGIN_EXPORT, str(int(timeout.total_seconds() * 1000)))
        await self._connection.transaction(isolation="repeatable_read").start()
        if self._selection.query is not None:
            await self._check_query(self._selection.query)
        # Nothing can take this back: once a snapshot is taken, the server refuses to let the transaction write again.
        await self._connection.execute("SET TRANSACTION READ ONLY")

    async def _check_query(self, query: str) -> None:
        # `fetch` sends a statement by itself, so a second one behind a semicolon is refused; `execute` would run it.
        await self._connection.fetch(table_sql.create_query(query))
        reached = await self._connection.fetchval(QUERY_REACH, self._only_schema)
        if reached is not None:
            raise JobFailed(f"the query may not use {reached}", retryable=False)

    async def kind_of(self, column: str) -> str:
        """Ask the server how it would answer."""
        query = table_sql.select_column(self._schema, self._selection, column)
        (attribute,) = (await self._connection.prepare(query)).get_attributes()
        if attribute.type.name not in _RISING:
            raise JobFailed(
                f"the column {column} is a {attribute.type.name}; what is new is told by one of {', '.join(_RISING)}",
                retryable=False,
            )
        return attribute.type.name

    async def newest(self, column: str, kind: str, after: str | None) -> str | None:
        """Look in the snapshot that the rows are read from."""
        query = table_sql.find_newest(self._schema, self._selection, column, kind)
        row = await self._connection.fetchrow(query, after)
        newest: str | None = row["newest"] if row else None
        if row and row["has_null"]:
            raise JobFailed(
                f"there are rows without a value in {column}, which would never be exported; give them one, or export"
                f" a query that does, such as SELECT *, coalesce({column}, …) AS …",
                retryable=False,
            )
        if newest in _ENDLESS:
            raise JobFailed(f"the highest value of {column} is {newest}; nothing can be newer", retryable=False)
        return newest

    async def copy(
        self, take: Take, dialect: Dialect, *, has_header: bool, span: Span | None = None, spreadsheet: bool = False
    ) -> int:
        """Copy the rows out; the server waits while they are taken."""
        rows = table_sql.select_all(self._schema, self._selection)
        if spreadsheet:
            columns = (await self._connection.prepare(rows)).get_attributes()
            types = {column.name: column.type.name for column in columns}
            rows = table_sql.select_guarded(self._schema, self._selection, types)
        try:
            status = await self._connection.copy_from_query(
                table_sql.bounded(rows, span),
                *table_sql.span_values(span),
                output=take,
                force_quote=spreadsheet,
                **table_sql.copy_options(dialect, has_header=has_header),
            )
        except asyncpg.ReadOnlySQLTransactionError as error:
            raise JobFailed(f"the query can only read: {error}", retryable=False) from None
        return table_sql.row_count(status)
