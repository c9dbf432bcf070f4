"""
A real Postgres for the tests, by this order: `EVENTJOBS_TEST_DATABASE_URL`, a container if an engine answers, else the
embedded one with safety off. Each test module gets its own database, copied from a migrated template.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from eventjobs.postgres.binaries import inspect
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.migrate import migrate
from tests.support.waiting import eventually

TIMEOUT_S = 30.0
MEMORY, ROOM = Path("/dev/shm"), 6 * 2**30


@asynccontextmanager
async def server() -> AsyncIterator[str]:
    """Yield the URL of an owner who may create databases and roles and is no superuser."""
    given = os.environ.get("EVENTJOBS_TEST_DATABASE_URL")
    if given:
        yield given
    elif _engine_answers():
        async with _container() as url:
            yield url
    else:
        async with embedded_server() as url:
            yield url


@asynccontextmanager
async def embedded_server() -> AsyncIterator[str]:
    """Yield the owner's URL of a throw-away embedded server; `EVENTJOBS_TEST_PG_BIN` picks another version."""
    pg_bin = os.environ.get("EVENTJOBS_TEST_PG_BIN")
    with data_folder() as folder:
        embedded = EmbeddedPostgres(folder, durable=False, binaries=inspect(Path(pg_bin)) if pg_bin else None)
        try:
            yield await embedded.start()
        finally:
            await embedded.stop()


class data_folder:  # noqa: N801  reads as a function in `with`
    """A new short folder that the account of an embedded server can enter, removed at the end; in memory if it fits."""

    def __init__(self, *, on_disk: bool = False) -> None:
        self._parent = None if on_disk else in_memory()

    def __enter__(self) -> Path:
        self._above = Path(tempfile.mkdtemp(prefix="ej-", dir=self._parent))
        self._above.chmod(0o755)
        return self._above / "data"

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._above)


def in_memory() -> Path | None:
    """
    Return a folder that is in memory, if this machine has one with room for what tests write.

    Each database is a thousand files. ext4 passes over the inodes of those deleted in the last minutes, one by one, so
    that there a new database soon costs ten times as much.
    """
    has_room = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if has_room else None


@asynccontextmanager
async def database(owner_url: str, name: str, *, template: str | None = None) -> AsyncIterator[str]:
    """Yield the owner's URL of a new database, dropped at the end whoever is still connected."""
    how = f' TEMPLATE "{template}" STRATEGY file_copy' if template else ""
    await execute(owner_url, f'CREATE DATABASE "{name}"{how}')
    try:
        yield url_of(owner_url, name)
    finally:
        await _everybody_left(owner_url, name)
        await execute(owner_url, f'DROP DATABASE "{name}"')


async def _everybody_left(owner_url: str, name: str) -> None:
    """
    Let nobody in any more, end the owner's own sessions and wait for those of others: a job's, cut off a moment ago.

    `DROP DATABASE … WITH (FORCE)` would refuse where autovacuum is at work; without it Postgres sends that one away.
    """
    connection = await asyncpg.connect(owner_url, timeout=TIMEOUT_S)
    try:
        await connection.execute(f'ALTER DATABASE "{name}" WITH ALLOW_CONNECTIONS false')
        own = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1
            AND pg_has_role(current_user, usesysid, 'USAGE')"""
        there = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usesysid IS NOT NULL"

        async def left() -> bool:
            await connection.fetch(own, name)
            return await connection.fetchval(there, name) == 0

        await eventually(left, timeout_s=TIMEOUT_S)
    finally:
        await connection.close(timeout=TIMEOUT_S)


async def set_up(url: str) -> None:
    """Make the schema and, once there is a log, its first position."""
    if find_spec("eventjobs.log.setup") is not None:
        await import_module("eventjobs.log.setup").set_up(url)
    else:
        await migrate(url)


def url_of(url: str, database_name: str) -> str:
    """Return the same URL for another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database_name}"))


async def execute(url: str, sql: str) -> None:
    """Run one statement on a connection of its own."""
    connection = await asyncpg.connect(url, timeout=TIMEOUT_S)
    try:
        await connection.execute(sql, timeout=TIMEOUT_S)
    finally:
        await connection.close(timeout=TIMEOUT_S)


def _engine_answers() -> bool:
    where = urlsplit(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))
    if where.scheme != "unix" or not Path(where.path).is_socket():
        return False
    with socket.socket(socket.AF_UNIX) as link:
        link.settimeout(2)
        try:
            link.connect(where.path)
            link.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in link.recv(64)
        except OSError:
            return False


@asynccontextmanager
async def _container() -> AsyncIterator[str]:
    from testcontainers.postgres import PostgresContainer

    image = os.environ.get("EVENTJOBS_TEST_IMAGE", "postgres:18")
    with PostgresContainer(image, driver=None) as container:
        admin = container.get_connection_url()
        await execute(admin, "CREATE ROLE eventjobs LOGIN CREATEDB CREATEROLE PASSWORD 'eventjobs'")
        await execute(admin, "CREATE DATABASE eventjobs OWNER eventjobs")
        parts = urlsplit(admin)
        yield urlunsplit(parts._replace(netloc=f"eventjobs:eventjobs@{parts.hostname}:{parts.port}", path="/eventjobs"))
