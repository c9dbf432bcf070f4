"""
Loads into tables over asyncpg: logged in as the workspace's data role, in one transaction, recorded in it.

Clean data is copied as it comes: straight into the table for `replace` and `append`, through a temporary table for
`merge`. Only when Postgres refuses it are the records taken apart, staged as texts and judged one by one.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
import orjson

from eventjobs.errors import JobFailed
from eventjobs.postgres import table_sql
from eventjobs.postgres.data_roles import DataLogin, DataRoles
from eventjobs.postgres.load_failures import explained, unreachable
from eventjobs.postgres.pool import Connection
from eventjobs.postgres.statements import quote_identifier, statement
from eventjobs.postgres.table_shape import Shape, fitting_shape
from eventjobs.postgres.tables import DateOrder, Dialect, Loaded, LoadKey, Reject, TableLoad, Target

SESSION: Final = statement("data/session")
CREATE_LOADS: Final = statement("data/create_loads")
FIND_LOAD: Final = statement("data/find_load")
INSERT_LOAD: Final = statement("data/insert_load")
LOCK_TABLE: Final = statement("data/lock_table")
TRY_CAST: Final = statement("data/try_cast")

_CONNECT_S: Final = 10.0
_CLOSE_S: Final = 5.0
_LOCK_WAIT: Final = "10min"
_REJECTS_AT_ONCE: Final = 500

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
        with unreachable(), explained():
            connection, where, version = await self._session(workspace, database, schema, date_order)
        try:
            with explained():
                yield PostgresLoad(connection, key, where, version)
        except BaseException:
            # What was not committed ends with its connection, also in the middle of a COPY.
            connection.terminate()
            raise
        await connection.close(timeout=_CLOSE_S)

    async def _session(
        self, workspace: str, database: str | None, schema: str | None, date_order: DateOrder
    ) -> tuple[Connection, str, int]:
        arguments: dict[str, Any] = {"timeout": _CONNECT_S, "server_settings": {"application_name": "eventjobs load"}}
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
        if expected is None:
            await connection.execute(CREATE_LOADS)
        version: int = row["server_version"]
        return version


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
        self._counts = {"processed": 0, "added": 0, "updated": 0, "rejected": 0}

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
        return loaded

    async def copy_clean(self, chunks: AsyncIterator[bytes], dialect: Dialect, *, has_header: bool) -> str | None:
        """Copy inside a savepoint, so that a refusal leaves the transaction as it was."""
        try:
            async with self._connection.transaction():
                await self._copy_clean(chunks, _copy_options(dialect, has_header=has_header))
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
        return _rows(await self._connection.copy_to_table(table, source=chunks, encoding="utf-8", **options))

    async def stage(self, chunks: AsyncIterator[bytes]) -> None:
        """Copy records that were taken apart."""
        await self._connection.execute(table_sql.create_texts(len(self._target.columns)))
        copied = await self._copy(table_sql.TEXTS, chunks, schema_name="pg_temp", format="text")
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
        await self._transaction.commit()
        return Loaded(sha256=sha256, counts=dict(self._counts))

    async def _empty_if_replaced(self) -> None:
        if self._target.mode == "replace":
            await self._connection.execute(table_sql.empty_table(self._target.table))

    async def _move_values(self) -> tuple[int, int]:
        if self._target.mode != "merge":
            status = await self._connection.execute(table_sql.insert_values(self._target))
            return _rows(status), 0
        row = await self._connection.fetchrow(table_sql.merge_values(self._target))
        added, merged = (row["added"], row["merged"]) if row else (0, 0)
        return added, merged - added


def _rows(status: str) -> int:
    """Read the number of rows from a statement's tag (`COPY 12`, `INSERT 0 12`)."""
    return int(status.rsplit(" ", 1)[-1])


def _copy_options(dialect: Dialect, *, has_header: bool) -> Mapping[str, Any]:
    return {
        "format": "csv",
        "header": has_header,
        "delimiter": dialect.delimiter,
        "quote": dialect.quote,
        "escape": dialect.escape,
        "null": dialect.null,
    }
