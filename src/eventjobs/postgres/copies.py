"""
A database as one file and back, with Postgres' own `pg_dump` and `pg_restore`.

The copy is of one moment: whatever is written meanwhile is in the log after it. Roles belong to the server and not to
the database, so those that the copy's tables belong to are made before it is read.
"""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import asyncpg

from eventjobs.errors import CopyRefused
from eventjobs.postgres.binaries import Binaries
from eventjobs.postgres.data_roles import password_of
from eventjobs.postgres.pool import Connection, connect
from eventjobs.postgres.statements import quote_identifier, statement

EXPORT_SNAPSHOT: Final = statement("postgres/export_snapshot")
HAS_LOG: Final = statement("postgres/has_log")
BEGIN_RESTORE: Final = statement("postgres/begin_restore")
END_RESTORE: Final = statement("postgres/end_restore")

OPTIONS: Final = (
    "--format=custom",
    "--no-password",
    "--exclude-table-data=public.instances",
    "--exclude-table-data=public.sessions",
)
"""
Of the instances none is connected to what is made of a copy; so the runs that they had are nobody's at once. And who
signed out since is not signed in again.
"""

_UNHURRIED: Final = {"statement_timeout": "0", "idle_in_transaction_session_timeout": "0", "lock_timeout": "60s"}
_CLOSE_S: Final = 5.0
_SAID_MAX: Final = 2_000
_DATA_ROLE: Final = re.compile(r'^(?:GRANT|ALTER) .* TO "?(data_[a-z0-9._-]+_[0-9a-f]{8})"?;$', re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A copy that was made: the log's last position in it, and its size in bytes."""

    position: int
    size: int


async def copy_out(programs: Binaries, url: str, file: Path) -> Copied:
    """
    Write the database behind `url` to a new file, while others use it.

    The role of `url` has to see every table. Raises `CopyRefused`; what was begun is removed then.
    """
    partial = file.with_name(f"{file.name}.partial")
    connection = await connect(url, role=None, settings=_UNHURRIED)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            moment = await connection.fetchrow(EXPORT_SNAPSHOT)
            if moment is None or moment["position"] is None:
                raise CopyRefused("there is no log in this database")
            partial.touch(mode=0o600)
            options = [*OPTIONS, f"--snapshot={moment['snapshot']}", f"--file={partial}", *_address(url)]
            await _run(programs, "pg_dump", options, url)
        return Copied(position=moment["position"], size=_keep(partial, file))
    finally:
        partial.unlink(missing_ok=True)
        await connection.close(timeout=_CLOSE_S)


async def data_roles_in(programs: Binaries, file: Path) -> Sequence[str]:
    """Return the workspaces' roles that a copy names; raises `CopyRefused` for a file that is no copy."""
    schema = await _run(programs, "pg_restore", ["--schema-only", "--file=-", str(file)], None)
    return sorted({found[1] for found in _DATA_ROLE.finditer(schema)})


async def copy_in(programs: Binaries, file: Path, *, owner_url: str, reader_url: str, app_role: str) -> None:
    """
    Read a copy into the empty database of the owner, all or nothing.

    `reader_url` is who reads it in: whoever may give tables to other roles. No instance starts on the database before
    `end_restore`: a copy that nobody held must not do anything. Raises `CopyRefused`, also where there is a log.
    """
    roles = await data_roles_in(programs, file)
    owner = await connect(owner_url, role=None, settings=_UNHURRIED)
    try:
        if await owner.fetchval(HAS_LOG):
            raise CopyRefused("this database has a log already; a copy is read into an empty one")
        for role, what in [(app_role, "NOLOGIN"), *((role, "LOGIN NOINHERIT") for role in roles)]:
            await _make_role(owner, role, what)
        await owner.execute(BEGIN_RESTORE)
    finally:
        await owner.close(timeout=_CLOSE_S)
    options = ["--exit-on-error", "--single-transaction", "--no-password", *_address(reader_url), str(file)]
    await _run(programs, "pg_restore", options, reader_url)


async def end_restore(owner_url: str) -> None:
    """Let instances start on what `copy_in` read."""
    owner = await connect(owner_url, role=None)
    try:
        await owner.execute(END_RESTORE)
    finally:
        await owner.close(timeout=_CLOSE_S)


async def _make_role(owner: Connection, role: str, what: str) -> None:
    try:
        await owner.execute(f"CREATE ROLE {quote_identifier(role)} {what}")
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        return  # roles belong to all databases of a server
    except asyncpg.InsufficientPrivilegeError as error:
        raise CopyRefused(f"the role {role} cannot be made: {error}") from error


def _address(url: str) -> Sequence[str]:
    """Name the database without its password, which everybody on the machine could read in a list of processes."""
    parts = urlsplit(url)
    _, at, place = parts.netloc.rpartition("@")
    user = f"{parts.username}@" if at and parts.username else ""
    query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name != "password"])
    return [f"--dbname={urlunsplit(parts._replace(netloc=f'{user}{place}', query=query))}"]


async def _run(programs: Binaries, name: str, arguments: Sequence[str], url: str | None) -> str:
    password = None if url is None else password_of(url)
    environment = {**os.environ, "LC_ALL": "C", **({} if password is None else {"PGPASSWORD": password})}
    try:
        process = await asyncio.create_subprocess_exec(
            str(programs.program(name)),
            *arguments,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise CopyRefused(
            f"{name} cannot be run ({error.strerror}); set EVENTJOBS_PG_BIN to a folder with it"
        ) from error
    try:
        out, said = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        raise CopyRefused(f"{name} failed: {said.decode(errors='replace').strip()[-_SAID_MAX:]}")
    return out.decode(errors="replace")


def _keep(partial: Path, file: Path) -> int:
    """See that a copy is on the disk before it gets its name; return its size in bytes."""
    descriptor = os.open(partial, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    partial.rename(file)
    return file.stat().st_size
