"""
What a server promises and what it can do, found out at start.

The audit reads its settings: a server that may lose what it acknowledged is `unsafe`, one whose commits wait for a
standby `replicated`, any other `local`. The capabilities are tried, not guessed from names: everything that is probed
is a speed-up, and the service also works without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import asyncpg

from eventjobs.errors import DatabaseFault, UnsafeDatabase
from eventjobs.postgres.binaries import NEWEST_MAJOR, OLDEST_MAJOR
from eventjobs.postgres.pool import LIMITS, Connection, Link, connect
from eventjobs.postgres.statements import statement

AUDIT: Final = statement("postgres/audit")

Level: TypeAlias = Literal["local", "replicated", "unsafe"]

_LISTEN: Final = ("LISTEN eventjobs_probe", "UNLISTEN eventjobs_probe")
_SKIP_LOCKED: Final = ("SELECT 1 FROM (SELECT 1) AS one FOR UPDATE SKIP LOCKED",)
_INPUT_IS_VALID: Final = ("SELECT pg_input_is_valid('1', 'integer')",)
_CLOSE_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """
    What the server said.

    `reasons` says what makes it unsafe, as sentences; `notes` what an operator may want to know besides.
    """

    level: Level
    version: str
    reasons: Sequence[str]
    notes: Sequence[str]
    has_checksums: bool
    is_pooled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """Which optional speed-ups the server has."""

    listen: bool
    copy: bool
    skip_locked: bool
    input_is_valid: bool


async def audit(url: str, *, accept_unsafe: bool = False) -> Audit:
    """
    Look at the server behind `url`, as the application reaches it.

    Raises `DatabaseFault` for a server that cannot be used (version, encoding, a standby), `UnsafeDatabase` for one
    that may lose what it acknowledged, unless that is accepted.
    """
    is_pooled, connection = await _reach(url)
    try:
        row = await connection.fetchrow(AUDIT)
    finally:
        await connection.close(timeout=_CLOSE_S)
    if row is None:
        raise DatabaseFault("the server did not answer the questions about its settings")
    _check_usable(row)
    is_pooled = is_pooled or row["statement_timeout"] != LIMITS["statement_timeout"]
    reasons = _unsafe_reasons(row)
    if reasons and not accept_unsafe:
        raise UnsafeDatabase(
            f"this server may lose what it acknowledged: {'; '.join(reasons)}. Change that, or start with --unsafe"
        )
    return Audit(
        level="unsafe" if reasons else "replicated" if row["waits_for_standby"] else "local",
        version=row["version"],
        reasons=reasons,
        notes=_notes(row, is_pooled=is_pooled),
        has_checksums=row["data_checksums"] == "on",
        is_pooled=is_pooled,
    )


async def probe_capabilities(connection: Link) -> Capabilities:
    """Try each speed-up on a connection that is in no transaction."""
    return Capabilities(
        listen=await _works(connection, _LISTEN),
        copy=await _copies(connection),
        skip_locked=await _works(connection, _SKIP_LOCKED),
        input_is_valid=await _works(connection, _INPUT_IS_VALID),
    )


async def _reach(url: str) -> tuple[bool, Connection]:
    """Connect; a pooler refuses startup parameters, or drops them without a word."""
    try:
        return False, await connect(url, role=None)
    except asyncpg.ProtocolViolationError:
        return True, await connect(url, role=None, pooler=True)


def _check_usable(row: asyncpg.Record) -> None:
    major = row["version_number"] // 10_000
    if major < OLDEST_MAJOR:
        raise DatabaseFault(f"PostgreSQL {row['version']} is too old; {OLDEST_MAJOR} to {NEWEST_MAJOR} are supported")
    if row["encoding"] != "UTF8":
        raise DatabaseFault(f"the database's encoding is {row['encoding']}; events need a database in UTF8")
    if row["is_standby"]:
        raise DatabaseFault("this server is a standby and takes no writes; name the primary")


def _unsafe_reasons(row: asyncpg.Record) -> Sequence[str]:
    settings = ("fsync", "full_page_writes", "synchronous_commit")
    return [f"{name} is off" for name in settings if row[name] == "off"]


def _notes(row: asyncpg.Record, *, is_pooled: bool) -> Sequence[str]:
    notes = []
    if row["version_number"] // 10_000 > NEWEST_MAJOR:
        notes.append(f"PostgreSQL {row['version']} is newer than what this version was tried with")
    if row["data_checksums"] != "on":
        notes.append("data checksums are off: silent damage of the disk would not be noticed")
    if is_pooled:
        notes.append("a pooler stands before the server: EVENTJOBS_DIRECT_URL has to name the server itself")
    return notes


async def _works(connection: Link, statements: Sequence[str]) -> bool:
    try:
        for sql in statements:
            await connection.execute(sql)
    except asyncpg.PostgresError:
        return False
    return True


async def _copies(connection: Link) -> bool:
    async def discard(_: bytes) -> None:
        pass

    try:
        await connection.copy_from_query("SELECT 1", output=discard)
    except asyncpg.PostgresError:
        return False
    return True
