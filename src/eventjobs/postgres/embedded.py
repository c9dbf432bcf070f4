"""
A private Postgres server for one data folder.

`EmbeddedPostgres` is its only keeper: the process that holds `<data-dir>/pg.lock` runs the server as its child, starts
it again when it dies, and stops it with itself. A second process with the same data folder uses the server of the
first and takes over when that one goes.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

import asyncpg
import structlog

from eventjobs.errors import EmbeddedUnavailable
from eventjobs.postgres.binaries import Binaries, find_binaries
from eventjobs.postgres.keeper_lock import KeeperLock
from eventjobs.postgres.placement import ELSEWHERE, PORT, Placement, place, usable_binaries
from eventjobs.postgres.postmaster import (
    POLL_S,
    WATCH_S,
    Child,
    foreign_pid,
    holder,
    is_orphan,
    make_cluster,
    read_pid_file,
)
from eventjobs.postgres.statements import statement
from eventjobs.telemetry.tasks import Tasks

OWNER: Final = "eventjobs"
"""The role that owns the database `eventjobs`: no superuser, as on a server of the user's own."""

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "pglz",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "client_connection_check_interval": "5s",
    "password_encryption": "scram-sha-256",
}
NOT_DURABLE: Final[Mapping[str, str]] = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "128MB",
}

CREATE_OWNER_ROLE: Final = statement("postgres/create_owner_role")
CREATE_OWNER_DATABASE: Final = statement("postgres/create_owner_database")

_CONNECT_S: Final = 5.0
_PREDECESSOR_S: Final = 60.0
_RETRY_S: Final = 10.0
_TAKEOVER_POLL_S: Final = 0.5
_BACKOFF_S_MIN: Final = 0.05
_BACKOFF_S_MAX: Final = 5.0
_STEADY_S: Final = 60.0
_REPORT_S: Final = 10.0
_LOG_BYTES_MAX: Final = 10_000_000
_TRANSIENT: Final = ("already exists", "shared memory block")

_log: Final = structlog.get_logger("eventjobs.postgres")


class EmbeddedPostgres:
    """
    The server of one data folder, from `start` to `stop`.

    `durable=False` gives up safety for speed, for tests. `pg_bin` is the user's own folder of binaries, tried after
    the wheels; `binaries` overrides the whole search. `settings` are further server settings.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        pg_bin: Path | None = None,
        binaries: Binaries | None = None,
        elsewhere: Path = ELSEWHERE,
    ) -> None:
        self._data_dir = data_dir.absolute()
        self._durable = durable
        self._settings = {**SETTINGS, **({} if durable else NOT_DURABLE), **(settings or {})}
        self._pg_bin = pg_bin
        self._wanted = binaries
        self._elsewhere = elsewhere
        self._lock = KeeperLock(self._data_dir / "pg.lock")
        self._tasks = Tasks()
        self._placement: Placement | None = None
        self._binaries: Binaries | None = None
        self._child: Child | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def is_keeper(self) -> bool:
        """Whether this process runs the server; false while it uses another's."""
        return self._child is not None

    @property
    def pid(self) -> int | None:
        """The pid of the postmaster, if one is known to live."""
        return holder(self.placement.cluster)

    @property
    def placement(self) -> Placement:
        """Where the cluster lives; known after `start`."""
        if self._placement is None:
            raise EmbeddedUnavailable("the embedded server was not started")
        return self._placement

    @property
    def binaries(self) -> Binaries:
        """The programs of the server's version (`psql`, `pg_dump`), reachable for its account; known to the keeper."""
        if self._binaries is None:
            raise EmbeddedUnavailable("the embedded server is kept by another process")
        return self._binaries

    @property
    def url(self) -> str:
        """The owner's URL over the unix socket."""
        return self.url_of(OWNER, OWNER)

    def url_of(self, user: str, database: str) -> str:
        """Return the URL under which `user` reaches `database`."""
        folder = quote(str(self.placement.socket_folder), safe="/")
        return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={folder}&port={PORT}"

    async def start(self) -> str:
        """
        Return the owner's URL of a server that answers.

        Takes as long as crash recovery takes. Raises `EmbeddedUnavailable` where it cannot run here.
        """
        if self._watcher is not None:
            return self.url
        self._placement = place(self._data_dir, elsewhere=self._elsewhere)
        try:
            while not self._lock.take():
                if await self._owner_connects():
                    break
                await asyncio.sleep(WATCH_S)
            else:
                await self._bring_up()
        except BaseException:
            await self._put_down()
            raise
        self._watcher = self._tasks.start(self._watch(), name="postgres-keeper")
        return self.url

    async def stop(self) -> None:
        """Stop the server if it is ours, and wait for its end; leave another's alone. May be called again."""
        await self._tasks.cancel_all()
        self._watcher = None
        await self._put_down()

    async def _put_down(self) -> None:
        if self._child is not None:
            await self._child.stop()
            self._child = None
        self._lock.release()

    async def _watch(self) -> None:
        """Take over when the keeper goes, and start the server again whenever it ends."""
        clock, backoff_s = asyncio.get_running_loop().time, _BACKOFF_S_MIN
        while True:
            up_since = clock()
            await self._until_needed()
            if clock() - up_since > _STEADY_S:
                backoff_s = _BACKOFF_S_MIN
            try:
                await self._bring_up()
            except (EmbeddedUnavailable, OSError) as error:
                _log.error("postgres_not_restarted", error=str(error), retry_in_s=backoff_s)
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, _BACKOFF_S_MAX)

    async def _until_needed(self) -> None:
        while not self._lock.take():
            await asyncio.sleep(_TAKEOVER_POLL_S)
        if self._child is not None:
            code = await self._child.wait(WATCH_S)
            _log.error("postgres_ended", exit_code=code)
            self._child = None
            return
        while holder(self.placement.cluster) is not None:
            await asyncio.sleep(_TAKEOVER_POLL_S)

    async def _bring_up(self) -> None:
        cluster = self.placement.cluster
        await self._find_or_make(cluster)
        if await self._clear_of_predecessor(cluster):
            await self._launch(cluster)
        if not await self._owner_connects():
            await self._make_owner()

    async def _find_or_make(self, cluster: Path) -> None:
        version = _read_version(cluster)
        found = self._wanted or find_binaries(self._pg_bin, major=version)
        self._binaries = usable_binaries(found, self.placement)
        if version is None:
            await make_cluster(self._binaries.program("initdb"), self.placement, durable=self._durable)

    async def _clear_of_predecessor(self, cluster: Path) -> bool:
        """
        Wait for a server that is on its way out and end one that was left behind.

        False: a live one belongs to someone else, who shall keep it; we use it.
        """
        async with _patience(_PREDECESSOR_S, f"another server still holds {cluster}; stop it and start again"):
            asked = False
            while (pid := holder(cluster)) is not None:
                state = read_pid_file(cluster)
                if state is not None and state.is_ready and not asked and await self._is_ours():
                    if not is_orphan(pid):
                        _log.info("postgres_adopted", pid=pid)
                        return False
                    _log.warning("postgres_orphan_stopped", pid=pid)
                    _interrupt(pid)
                    asked = True
                await asyncio.sleep(POLL_S)
        return True

    async def _launch(self, cluster: Path) -> None:
        """Start the server and wait until it says that it is ready; its dying predecessor's memory may delay that."""
        give_up = asyncio.get_running_loop().time() + _RETRY_S
        while True:
            log_file = _open_log(self._data_dir / "postgres.log")
            with log_file:
                begin = log_file.tell()
                self._child = self._spawn(cluster, log_file)
                code = await self._until_ready(cluster, self._child)
                if code is None:
                    return
                self._child = None
                said = _read_from(log_file, begin)
            is_over = asyncio.get_running_loop().time() > give_up
            if is_over or not any(text in said for text in _TRANSIENT):
                raise EmbeddedUnavailable(f"PostgreSQL ended with exit code {code} while it started: {said[-1000:]}")
            await asyncio.sleep(WATCH_S)

    def _spawn(self, cluster: Path, log_file: IO[bytes]) -> Child:
        settings = {
            **self._settings,
            "port": str(PORT),
            "unix_socket_directories": _quoted_in_list(self.placement.socket_folder),
            "unix_socket_permissions": "0700",
        }
        command = [str(self.binaries.program("postgres")), "-D", str(cluster)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        stale = foreign_pid(cluster)
        return Child.spawn(
            command,
            account=self.placement.account,
            output=log_file,
            # Postgres ignores its grandparent's pid in a lock file: so a reused one needs no hand on the file
            extra_environment={} if stale is None else {"PG_GRANDPARENT_PID": str(stale)},
        )

    async def _until_ready(self, cluster: Path, child: Child) -> int | None:
        """Return nothing when it accepts connections, or its exit code."""
        clock = asyncio.get_running_loop().time
        report_at = clock() + _REPORT_S
        while (code := child.exit_code) is None:
            state = read_pid_file(cluster)
            if state is not None and state.pid == child.pid and state.is_ready:
                return None
            if clock() > report_at:
                _log.info("postgres_still_starting", status=state.status if state else "")
                report_at = clock() + _REPORT_S
            await asyncio.sleep(POLL_S)
        return code

    async def _is_ours(self) -> bool:
        """Tell whether the server on the socket is that of our cluster."""
        try:
            connection = await asyncpg.connect(self.url_of("postgres", "postgres"), timeout=_CONNECT_S)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        try:
            folder = await connection.fetchval("SHOW data_directory")
        finally:
            await connection.close(timeout=_CONNECT_S)
        return _same_folder(Path(folder), self.placement.cluster)

    async def _owner_connects(self) -> bool:
        try:
            connection = await asyncpg.connect(self.url, timeout=_CONNECT_S)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            return False
        await connection.close(timeout=_CONNECT_S)
        return True

    async def _make_owner(self) -> None:
        connection = await asyncpg.connect(self.url_of("postgres", "postgres"), timeout=_CONNECT_S)
        try:
            with suppress(asyncpg.DuplicateObjectError):
                await connection.execute(CREATE_OWNER_ROLE)
            with suppress(asyncpg.DuplicateDatabaseError):
                await connection.execute(CREATE_OWNER_DATABASE)
        finally:
            await connection.close(timeout=_CONNECT_S)


@asynccontextmanager
async def _patience(seconds: float, otherwise: str) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise EmbeddedUnavailable(otherwise) from error


def _read_version(cluster: Path) -> int | None:
    try:
        return int((cluster / "PG_VERSION").read_text("utf-8"))
    except FileNotFoundError:
        return None


def _same_folder(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _interrupt(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)


def _open_log(path: Path) -> IO[bytes]:
    """Open the server's log for more; an old long one is kept once as `.1`."""
    if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    return path.open("a+b")


def _read_from(log_file: IO[bytes], begin: int) -> str:
    log_file.seek(begin)
    return log_file.read().decode("utf-8", "replace").strip()


def _quoted_in_list(folder: Path) -> str:
    """Quote a folder as one element of a Postgres list setting."""
    return '"' + str(folder).replace('"', '""') + '"'
