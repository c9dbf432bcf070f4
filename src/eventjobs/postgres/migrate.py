"""
Bring a database's schema to this version, once, whoever asks first.

An advisory lock makes others wait; a table remembers each step with its checksum, so a step that was changed after it
ran is refused instead of half believed. The application's role is made here too: the service connects with that role
and never as the owner.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import asyncpg

from eventjobs.errors import MigrationRefused
from eventjobs.postgres.pool import LIMITS, Connection, connect
from eventjobs.postgres.statements import Migration, migrations, quote_identifier, statement

APP_ROLE: Final = "eventjobs_app"

LOCK: Final = statement("postgres/lock_migrations")
CREATE_MIGRATIONS: Final = statement("postgres/create_migrations")
LIST_MIGRATIONS: Final = statement("postgres/list_migrations")
RECORD_MIGRATION: Final = statement("postgres/record_migration")
IS_RESTORING: Final = statement("postgres/is_restoring")
FIND_ROLE: Final = statement("postgres/find_role")

_OWNER_SETTINGS: Final = {"statement_timeout": "0", "lock_timeout": "60s", "idle_in_transaction_session_timeout": "60s"}
_COMMAND_S: Final = 3600.0
_CLOSE_S: Final = 5.0
_SAME_TIME_TRIES: Final = 20
_SAME_TIME_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What was done: the names of the steps that ran now, and how many had run before."""

    applied: Sequence[str]
    already: int


async def migrate(
    url: str,
    *,
    app_role: str = APP_ROLE,
    pooler: bool = False,
    restoring: bool = False,
    steps: Sequence[Migration] | None = None,
) -> Migrated:
    """
    Run the steps that did not run yet, in order; run again it changes nothing.

    `url` names the owner and the server itself, not a pooler. `pooler` stores the role and the limits of connections
    in the database; `restoring` is for who reads a copy into it. Raises `MigrationRefused` with the way out: a step was
    changed, the database is newer than this version, a restore into it did not end, it is not UTF-8, or the
    application's role may not be used.
    """
    connection = await connect(url, role=None, settings=_OWNER_SETTINGS)
    try:
        await connection.execute("SET ROLE NONE")
        await _check_encoding(connection)
        if not restoring:
            await _check_whole(connection)
        await connection.execute(LOCK, timeout=_COMMAND_S)
        await _ensure_role(connection, app_role)
        done = await _run(connection, migrations() if steps is None else steps, app_role)
        if pooler:
            await _store_for_pooler(connection, app_role)
        return done
    finally:
        await connection.close(timeout=_CLOSE_S)


async def _check_encoding(connection: Connection) -> None:
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise MigrationRefused(
            f"the database's encoding is {encoding}, and events need UTF8; make one with\n"
            "    CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0;"
        )


async def _check_whole(connection: Connection) -> None:
    if await connection.fetchval(IS_RESTORING):
        raise MigrationRefused(
            "a restore into this database did not come to its end, so nothing holds its starts; read the copy again "
            "into an empty database or a new data folder"
        )


async def _run(connection: Connection, steps: Sequence[Migration], app_role: str) -> Migrated:
    await connection.execute(CREATE_MIGRATIONS)
    ran = {row["number"]: (row["name"], row["checksum"]) for row in await connection.fetch(LIST_MIGRATIONS)}
    _check_history(ran, steps)
    missing = [step for step in steps if step.number not in ran]
    for step in missing:
        await _apply(connection, step, app_role)
    return Migrated(applied=[step.name for step in missing], already=len(ran))


def _check_history(ran: dict[int, tuple[str, bytes]], steps: Sequence[Migration]) -> None:
    known = {step.number: step for step in steps}
    for number, (name, checksum) in ran.items():
        step = known.get(number)
        if step is None:
            raise MigrationRefused(f"the database has {name}, which this version does not know; run a newer eventjobs")
        if step.checksum != checksum:
            raise MigrationRefused(
                f"{step.name} was changed after it ran here (as {name}); put the file back and write the change as "
                "a new migration"
            )


async def _apply(connection: Connection, step: Migration, app_role: str) -> None:
    sql = step.sql.replace("{{app_role}}", quote_identifier(app_role))
    record = (step.number, step.name, step.checksum)
    if not step.in_transaction:
        await connection.execute(sql, timeout=_COMMAND_S)
        await connection.execute(RECORD_MIGRATION, *record)
        return
    async with connection.transaction():
        await connection.execute(sql, timeout=_COMMAND_S)
        await connection.execute(RECORD_MIGRATION, *record)


async def _ensure_role(connection: Connection, app_role: str) -> None:
    """Make the application's role and take the right to act as it; others on this server may do so at the same time."""
    role = quote_identifier(app_role)
    cause: asyncpg.PostgresError | None = None
    for _ in range(_SAME_TIME_TRIES):
        found = await connection.fetchrow(FIND_ROLE, app_role)
        if found is not None and found["is_owner"]:
            raise MigrationRefused(f"{app_role} owns the database; the application's role must be another one")
        if found is not None and found["is_superuser"]:
            raise MigrationRefused(f"{app_role} is a superuser; name another role with EVENTJOBS_APP_ROLE")
        if found is not None and found["may_be_set"]:
            return
        try:
            if found is None:
                await connection.execute(f"CREATE ROLE {role} NOLOGIN")
            await connection.execute(f"GRANT {role} TO CURRENT_USER")
        except asyncpg.InsufficientPrivilegeError as error:
            raise MigrationRefused(await _way_out(connection, app_role, is_there=found is not None)) from error
        except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError, asyncpg.InternalServerError) as error:
            cause = error
            await asyncio.sleep(_SAME_TIME_S)
        else:
            return  # not asked again: a grant made by another session at this moment may be missing from our cache
    raise MigrationRefused(f"the role {app_role} could not be made: {cause}") from cause


async def _way_out(connection: Connection, app_role: str, *, is_there: bool) -> str:
    owner = await connection.fetchval("SELECT session_user")
    role, to = quote_identifier(app_role), quote_identifier(owner)
    if is_there:
        return (
            f"the role {app_role} exists and {owner} may not grant it to itself; have an administrator run\n"
            f"    GRANT {role} TO {to};\nor name another role with EVENTJOBS_APP_ROLE"
        )
    return (
        f"{owner} may not create the role {app_role}; have an administrator run\n"
        f"    CREATE ROLE {role} NOLOGIN; GRANT {role} TO {to};"
    )


async def _store_for_pooler(connection: Connection, app_role: str) -> None:
    row = await connection.fetchrow("SELECT session_user AS owner, current_database() AS database")
    if row is None:
        return
    target = f"ALTER ROLE {quote_identifier(row['owner'])} IN DATABASE {quote_identifier(row['database'])} SET"
    for name, value in LIMITS.items():
        await connection.execute(f"{target} {name} = '{value}'")
    await connection.execute(f"{target} role = {quote_identifier(app_role)}")
