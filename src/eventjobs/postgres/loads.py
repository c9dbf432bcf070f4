"""
Loads into tables over asyncpg: logged in as the workspace's data role, in one transaction, recorded in it.

Clean data is copied as it comes: straight into the table for `replace` and `append`, through a temporary table for
`merge`. Only when Postgres refuses it are the records taken apart, staged as texts and judged one by one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

import asyncpg
import orjson

from eventjobs.errors import JobFailed
from eventjobs.postgres import table_sql
from eventjobs.postgres.data_roles import DataLogin, DataRoles
from eventjobs.postgres.exports import PostgresExport
from eventjobs.postgres.load_failures import explained, unreachable
from eventjobs.postgres.pool import Connection
from eventjobs.postgres.statements import quote_identifier, statement
from eventjobs.postgres.table_shape import Shape, fitting_shape
from eventjobs.postgres.tables import (
    DateOrder,
    Dialect,
    Loaded,
    LoadKey,
    Reject,
    Selection,
    TableExport,
    TableLoad,
    Target,
)

SESSION: Final = statement("data/session")
CREATE_LOADS: Final = statement("data/create_loads")
FIND_LOAD: Final = statement("data/find_load")
CREATE_SOURCES: Final = statement("data/create_sources")
FIND_SOURCE: Final = statement("data/find_source")
INSERT_LOAD: Final = statement("data/insert_load")
INSERT_SOURCE: Final = statement("data/insert_source")
LOCK_TABLE: Final = statement("data/lock_table")
TRY_CAST: Final = statement("data/try_cast")

_CONNECT_S: Final = 10.0
_CLOSE_S: Final = 5.0
_LOCK_WAIT: Final = "10min"
_REJECTS_AT_ONCE: Final = 500
_OF: Final = "/"
"""Stands between a workspace and its run or job; no run's id holds it."""
_NOTHING: Final = {"processed": 0, "added": 0, "updated": 0, "rejected": 0}

# What another way of loading the same data may avoid: values, missing ones, repeated keys.
_REFUSALS: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.CardinalityViolationError)


class DataTables:
    """The real `TableAccess`: `url` names the server itself (not a pooler) and the database of the log."""

    def __init__(self, url: str, roles: DataRoles) -> None:
        self._url = url
        self._roles = roles

    @asynccontextmanager
    async def open_load(
        self,
        workspace: str,
        key: LoadKey,
        *,
        database: str | None = None,
        schema: str | None = None,
        date_order: DateOrder = "ymd",
    ) -> AsyncIterator[TableLoad]:
        """Open a load in the workspace's schema, or in `schema` (`public`) of the database that a DSN names."""
        async with self._session(workspace, database, schema, date_order) as (connection, where, version):
            if database is not None:
                # Runs and jobs of other workspaces may have the same ids, and their loads stand in the same list there.
                owner = self._roles.name(workspace)
                key = replace(key, run=f"{owner}{_OF}{key.run}", job=f"{owner}{_OF}{key.job}")
                await _make(connection, CREATE_LOADS)
                await _make(connection, CREATE_SOURCES)
            yield PostgresLoad(connection, key, where, version)

    @asynccontextmanager
    async def open_export(
        self,
        workspace: str,
        selection: Selection,
        *,
        timeout: timedelta,
        database: str | None = None,
        schema: str | None = None,
    ) -> AsyncIterator[TableExport]:
        """Open an export from the workspace's schema, or from `schema` (`public`) of the database that a DSN names."""
        async with self._session(workspace, database, schema, "ymd") as (connection, where, _):
            export = PostgresExport(connection, selection, where, where if database is None else None)
            await export.begin(timeout)
            yield export

    @asynccontextmanager
    async def _session(
        self, workspace: str, database: str | None, schema: str | None, date_order: DateOrder
    ) -> AsyncIterator[tuple[Connection, str, int]]:
        with unreachable(), explained():
            connection, where, version = await self._opened(workspace, database, schema, date_order)
        try:
            with explained():
                yield connection, where, version
        except BaseException:
            # What was not committed ends with its connection, also in the middle of a COPY.
            connection.terminate()
            raise
        await connection.close(timeout=_CLOSE_S)

    async def _opened(
        self, workspace: str, database: str | None, schema: str | None, date_order: DateOrder
    ) -> tuple[Connection, str, int]:
        arguments: dict[str, Any] = {"timeout": _CONNECT_S, "server_settings": {"application_name": "eventjobs data"}}
        if database is None:
            login, connection = await self._logged_in(workspace, arguments)
            where, expected = login.schema, login.role
        else:
            connection = await asyncpg.connect(database, **arguments)
            where, expected = schema or "public", None
        try:
            return connection, where, await self._prepared(connection, where, date_order, expected)
        except BaseException:
            connection.terminate()
            raise

    async def _logged_in(self, workspace: str, arguments: Mapping[str, Any]) -> tuple[DataLogin, Connection]:
        login = await self._roles.login(workspace)
        try:
            return login, await asyncpg.connect(self._url, user=login.role, password=login.password, **arguments)
        except asyncpg.InvalidAuthorizationSpecificationError:
            # The role may have been dropped, or the owner's password changed, since this process made it.
            login = await self._roles.login(workspace, refused=True)
            return login, await asyncpg.connect(self._url, user=login.role, password=login.password, **arguments)

    async def _prepared(self, connection: Connection, schema: str, date_order: DateOrder, expected: str | None) -> int:
        row = await connection.fetchrow(SESSION, quote_identifier(schema), date_order, _LOCK_WAIT)
        if row is None or expected not in {None, row["role"]}:
            raise JobFailed("the server made this connection act as another role", retryable=False)
        version: int = row["server_version"]
        return version


async def _make(connection: Connection, create: str) -> None:
    # Of two who make it at once the server refuses one, in spite of IF NOT EXISTS: by then the other's is there.
    with suppress(asyncpg.UniqueViolationError, asyncpg.DuplicateTableError):
        await connection.execute(create)


class PostgresLoad:
    """The real `TableLoad`."""

    def __init__(self, connection: Connection, key: LoadKey, schema: str, server_version: int) -> None:
        self._connection = connection
        self._transaction = connection.transaction()
        self._key = key
        self._schema = schema
        self._version = server_version
        self._target = Target(table="", mode="append", columns=())
        self._shape = Shape({}, ())
        self._was_empty = False
        self._is_undone = False
        self._counts = dict(_NOTHING)

    @property
    def counts(self) -> Mapping[str, int]:
        """What is loaded and not yet committed."""
        return dict(self._counts)

    async def find_loaded(self) -> Loaded | None:
        """Look for this (run, row) and for higher terms."""
        found = await self._connection.fetchrow(FIND_LOAD, self._key.run, self._key.row)
        if found is None:
            return None
        if found["highest_term"] > self._key.term:
            raise JobFailed("a newer worker of this run has loaded already", reason="superseded", retryable=False)
        if found["sha256"] is None:
            return None
        return Loaded(sha256=found["sha256"], counts=orjson.loads(found["counts"]), replayed=True)

    async def prepare(self, target: Target) -> Loaded | None:
        """Begin the transaction, and take turns by an advisory lock: the table may not be there to be locked."""
        await self._transaction.start()
        await self._connection.execute(LOCK_TABLE, f"{self._schema}.{target.table}")
        loaded = await self.find_loaded()
        if loaded is None:
            self._target = target
            self._shape = await fitting_shape(self._connection, self._schema, target)
            self._was_empty = await self._is_empty()
        return loaded

    async def copy_clean(self, chunks: AsyncIterator[bytes], dialect: Dialect, *, has_header: bool) -> str | None:
        """Copy inside a savepoint, so that a refusal leaves the transaction as it was."""
        try:
            async with self._connection.transaction():
                await self._copy_clean(chunks, table_sql.copy_options(dialect, has_header=has_header))
        except _REFUSALS as refusal:
            return str(refusal)
        return None

    async def _copy_clean(self, chunks: AsyncIterator[bytes], options: Mapping[str, Any]) -> None:
        target = self._target
        is_direct = target.mode != "merge" and None not in target.columns
        if is_direct:
            await self._empty_if_replaced()
            copied = await self._copy(target.table, chunks, schema_name=self._schema, columns=target.loaded, **options)
            added, updated = copied, 0
        else:
            await self._connection.execute(table_sql.create_values(target, self._shape.types, with_line=False))
            copied = await self._copy(table_sql.VALUES, chunks, schema_name="pg_temp", **options)
            added, updated = await self._move_values()
        self._counts |= {"processed": copied, "added": added, "updated": updated}

    async def _copy(self, table: str, chunks: AsyncIterator[bytes], **options: Any) -> int:
        status = await self._connection.copy_to_table(table, source=chunks, **options)
        return table_sql.row_count(status)

    async def stage(self, chunks: AsyncIterator[bytes]) -> None:
        """Copy records that were taken apart."""
        await self._connection.execute(table_sql.create_texts(len(self._target.columns)))
        copied = await self._copy(table_sql.TEXTS, chunks, schema_name="pg_temp", format="text", encoding="utf-8")
        self._counts["processed"] = copied

    async def judge(self) -> int:
        """Convert what can be converted, and note the rest."""
        target, types = self._target, self._shape.types
        run = self._connection.execute
        if self._version < table_sql.SOFT_ERRORS_SINCE:
            await run(TRY_CAST)
        required = {*self._shape.not_null, *target.keys}
        await run(f"ANALYZE {table_sql.TEXTS}")
        await run(table_sql.refuse_texts(target, types, sorted(required), self._version))
        await run(table_sql.create_values(target, types, with_line=True))
        await run(f"ANALYZE {table_sql.REFUSED}")
        await run(table_sql.fill_values(target, types))
        if target.keys:
            await run(table_sql.refuse_repeated(target))
        self._counts["rejected"] = await self._connection.fetchval(table_sql.count_refused())
        return self._counts["rejected"]

    async def rejects(self) -> AsyncIterator[Reject]:
        """Read by a cursor: there may be many."""
        query = table_sql.select_refused(len(self._target.columns))
        async for row in self._connection.cursor(query, prefetch=_REJECTS_AT_ONCE):
            yield Reject(row["line"], row["reason"], row["record"], row["fields"])

    async def apply(self) -> None:
        """Move the converted records into the table."""
        await self._empty_if_replaced()
        added, updated = await self._move_values()
        self._counts |= {"added": added, "updated": updated}

    async def loaded_before(self, sha256: str) -> str | None:
        """Look for the same content among what this table was loaded with."""
        if self._was_empty:
            return None
        job, target = self._key.job, self._target
        is_last_only = target.mode != "append"
        run: str | None = await self._connection.fetchval(
            FIND_SOURCE, job, target.table, sha256, target.recipe, is_last_only
        )
        return None if run is None else run.rpartition(_OF)[2]

    async def undo(self) -> None:
        """Begin anew: the savepoint of the copy is gone by now."""
        await self._transaction.rollback()
        self._transaction = self._connection.transaction()
        await self._transaction.start()
        self._is_undone = True
        self._counts = dict(_NOTHING)

    async def commit(self, sha256: str) -> Loaded:
        """Write the load's row last: whoever loaded in between, or a higher term, undoes all of it."""
        key = self._key
        counts = orjson.dumps(self._counts).decode()
        written = await self._connection.fetchval(
            INSERT_LOAD, key.run, key.row, key.job, key.attempt, key.term, sha256, counts
        )
        if written is None:
            await self._transaction.rollback()
            loaded = await self.find_loaded()
            if loaded is None:
                raise JobFailed("the load was recorded by another attempt and is gone")
            return loaded
        if not self._is_undone:
            await self._note_source(sha256)
        await self._transaction.commit()
        return Loaded(sha256=sha256, counts=dict(self._counts))

    async def _note_source(self, sha256: str) -> None:
        key, target = self._key, self._target
        is_first = self._was_empty or target.mode == "replace"
        await self._connection.execute(
            INSERT_SOURCE, key.run, key.row, key.job, target.table, sha256, target.recipe, is_first
        )

    async def _is_empty(self) -> bool:
        try:
            async with self._connection.transaction():
                return not await self._connection.fetchval(table_sql.has_rows(self._target.table))
        except asyncpg.InsufficientPrivilegeError:
            # Who may only append to a table cannot know.
            return False

    async def _empty_if_replaced(self) -> None:
        if self._target.mode == "replace":
            await self._connection.execute(table_sql.empty_table(self._target.table))

    async def _move_values(self) -> tuple[int, int]:
        if self._target.mode != "merge":
            status = await self._connection.execute(table_sql.insert_values(self._target))
            return table_sql.row_count(status), 0
        row = await self._connection.fetchrow(table_sql.merge_values(self._target))
        added, merged = (row["added"], row["merged"]) if row else (0, 0)
        return added, merged - added
