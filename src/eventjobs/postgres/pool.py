"""
Connections with a role, and a limit on every edge: connect, acquire, statement, lock, idle in a transaction.

The role is a startup parameter, so no connection is ever without it, and it is checked. Behind a pooler, which refuses
startup parameters, role and limits are stored in the database (`migrate --pooler`), and only the check remains.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeAlias

import asyncpg
import orjson
from asyncpg.pool import PoolAcquireContext, PoolConnectionProxy

from eventjobs.errors import WrongRole

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Link: TypeAlias = "Connection | PoolConnectionProxy[asyncpg.Record]"
"""A connection of one's own, or one that a pool lent."""
Reads: TypeAlias = "TimedPool | Link"
"""What a read asks: a pool for a statement, or a connection where several are of one transaction."""
JsonAs: TypeAlias = Literal["text", "bytes", "python"]
"""How `json` and `jsonb` are given and taken: exact text, exact bytes (`json` only), or decoded values."""

CONNECT_S: Final = 5.0
ACQUIRE_S: Final = 2.0
COMMAND_S: Final = 7.0
"""What a statement may take as seen from here; above the server's own limit, which leaves a clean connection."""

LIMITS: Final[Mapping[str, str]] = {
    "statement_timeout": "5s",
    "lock_timeout": "2s",
    "idle_in_transaction_session_timeout": "5s",
}
KEEPALIVE: Final[Mapping[str, str]] = {
    "client_connection_check_interval": "5s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15s",
}

_SESSION: Final[Mapping[str, str]] = {"application_name": "eventjobs", "timezone": "UTC"}


class TimedPool(asyncpg.Pool):
    """A pool in which nobody waits for ever: taking a connection raises `TimeoutError` after `acquire_s` seconds."""

    acquire_s: float = ACQUIRE_S
    on_wait: Callable[[float], None] | None = None
    """Hears how many seconds somebody waited for a connection, also where none was to be had."""

    def acquire(self, *, timeout: float | None = None) -> "PoolAcquireContext[asyncpg.Record]":
        """Take a connection within `timeout` seconds (`acquire_s` if none are given)."""
        return _Measured(self, self.acquire_s if timeout is None else timeout)


class _Measured(PoolAcquireContext):
    """Taking a connection, and telling how long that took."""

    def __init__(self, pool: TimedPool, timeout: float) -> None:
        super().__init__(pool, timeout)
        self._on_wait = pool.on_wait

    async def __aenter__(self) -> "PoolConnectionProxy[asyncpg.Record]":
        if self._on_wait is None:
            return await super().__aenter__()
        now = asyncio.get_running_loop().time
        began = now()
        try:
            return await super().__aenter__()
        finally:
            self._on_wait(now() - began)


async def open_pool(
    url: str,
    *,
    role: str | None,
    min_size: int,
    max_size: int,
    json: JsonAs = "text",
    settings: Mapping[str, str] | None = None,
    pooler: bool = False,
    acquire_s: float = ACQUIRE_S,
    on_wait: Callable[[float], None] | None = None,
) -> TimedPool:
    """
    Open a pool whose connections have `role` (`None`: the URL's own).

    Its users leave no session state behind (`SET LOCAL` only): an open transaction is rolled back on release and
    nothing else is reset, which saves a round trip each time. `settings` override the limits of the server side;
    `acquire_s` is how long who asks waits for a connection, `on_wait` hears how long it was.
    Raises `WrongRole` if the server gives another role.
    """

    async def prepare(connection: Connection) -> None:
        await _check_role(connection, role)
        await _speak_json(connection, json)

    pool = TimedPool(
        url,
        min_size=min_size,
        max_size=max_size,
        init_size=min_size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        init=prepare,
        reset=_keep,
        **_connect_arguments(role, settings, pooler=pooler),
    )
    pool.acquire_s, pool.on_wait = acquire_s, on_wait
    return await pool


async def connect(
    url: str,
    *,
    role: str | None,
    timeout: float = CONNECT_S,
    json: JsonAs = "text",
    settings: Mapping[str, str] | None = None,
    pooler: bool = False,
) -> Connection:
    """Open one connection as `open_pool` does, within `timeout` seconds; the caller closes it, with a timeout."""
    arguments = {**_connect_arguments(role, settings, pooler=pooler), "timeout": timeout}
    connection: Connection = await asyncpg.connect(url, **arguments)
    try:
        await _check_role(connection, role)
        await _speak_json(connection, json)
    except BaseException:
        connection.terminate()
        raise
    return connection


def _connect_arguments(role: str | None, settings: Mapping[str, str] | None, *, pooler: bool) -> dict[str, Any]:
    if pooler:
        return {"timeout": CONNECT_S, "command_timeout": COMMAND_S, "statement_cache_size": 0}
    server_settings = {**_SESSION, **LIMITS, **KEEPALIVE, **(settings or {})}
    if role is not None:
        server_settings["role"] = role
    return {"timeout": CONNECT_S, "command_timeout": COMMAND_S, "server_settings": server_settings}


async def _check_role(connection: Connection, role: str | None) -> None:
    if role is None:
        return
    current = await connection.fetchval("SELECT current_user", timeout=CONNECT_S)
    if current != role:
        raise WrongRole(
            f"the server made this connection act as {current}, not as {role}; behind a pooler run "
            "'eventjobs migrate --pooler' once"
        )


async def _speak_json(connection: Connection, json: JsonAs) -> None:
    match json:
        case "text":
            return
        case "bytes":
            await connection.set_type_codec("json", schema="pg_catalog", encoder=bytes, decoder=bytes, format="binary")
        case "python":
            for name in ("json", "jsonb"):
                await connection.set_type_codec(name, schema="pg_catalog", encoder=_dump, decoder=orjson.loads)


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _keep(connection: Connection) -> None:
    """Leave the session as it is."""
