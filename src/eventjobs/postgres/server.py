"""
One cluster and its server process: made once, launched, waited for, stopped.

Nothing in here decides when; that is the keeper's business (`embedded.py`). Readiness is read from `postmaster.pid` and
has no time limit of its own, because crash recovery may take long.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

import asyncpg
import structlog

from eventjobs.errors import EmbeddedUnavailable
from eventjobs.postgres.binaries import Binaries
from eventjobs.postgres.child import POLL_S, Child
from eventjobs.postgres.pid_file import foreign_pid, holder, is_orphan, read_pid_file
from eventjobs.postgres.placement import PORT, Account, Placement
from eventjobs.postgres.statements import statement

OWNER: Final = "eventjobs"
"""The role that owns the database `eventjobs`: no superuser, as on a server of the user's own."""

CREATE_OWNER_ROLE: Final = statement("postgres/create_owner_role")
CREATE_OWNER_DATABASE: Final = statement("postgres/create_owner_database")

_CONNECT_S: Final = 5.0
_PREDECESSOR_S: Final = 60.0
_RETRY_S: Final = 10.0
_RETRY_PAUSE_S: Final = 0.05
_REPORT_S: Final = 10.0
_LOG_BYTES_MAX: Final = 10_000_000
_TRANSIENT: Final = ("already exists", "shared memory block")

_log: Final = structlog.get_logger("eventjobs.postgres")


def url_of(placement: Placement, user: str, database: str) -> str:
    """Return the URL under which `user` reaches `database` over the server's socket."""
    folder = quote(str(placement.socket_folder), safe="/")
    return f"postgresql://{quote(user, safe='')}@/{quote(database, safe='')}?host={folder}&port={PORT}"


async def owner_connects(placement: Placement) -> bool:
    """Tell whether a server lets the owner into its database."""
    connection = await _try_connect(url_of(placement, OWNER, OWNER))
    if connection is None:
        return False
    await connection.close(timeout=_CONNECT_S)
    return True


async def make_owner(placement: Placement) -> None:
    """Make the owner's role and database, where they are not there yet."""
    connection = await asyncpg.connect(url_of(placement, "postgres", "postgres"), timeout=_CONNECT_S)
    try:
        with suppress(asyncpg.DuplicateObjectError):
            await connection.execute(CREATE_OWNER_ROLE)
        with suppress(asyncpg.DuplicateDatabaseError):
            await connection.execute(CREATE_OWNER_DATABASE)
    finally:
        await connection.close(timeout=_CONNECT_S)


def cluster_version(cluster: Path) -> int | None:
    """Return the major version of a cluster, or nothing where there is none."""
    try:
        return int((cluster / "PG_VERSION").read_text("utf-8"))
    except FileNotFoundError:
        return None


async def make_cluster(binaries: Binaries, placement: Placement, *, durable: bool) -> None:
    """
    Make a new cluster beside its place and move it there, so that a half-made one is never taken for a whole.

    Raises `EmbeddedUnavailable` with what initdb said.
    """
    partial = placement.cluster.with_name(f"{placement.cluster.name}.partial")
    said_file = placement.cluster.with_name("initdb.log")
    _fresh_folder(partial, placement.account)
    command = [str(binaries.program("initdb")), "-D", str(partial), "-U", "postgres"]
    command += ["--auth-local=trust", "--auth-host=reject", "--encoding=UTF8", "--locale=C", "--data-checksums"]
    command += [] if durable else ["--no-sync"]
    with said_file.open("w+b") as said:
        child = Child.spawn(command, account=placement.account, output=said)
        try:
            code = await child.wait()
        finally:
            await child.stop()
        text = _read_from(said, 0)
    if code != 0:
        raise EmbeddedUnavailable(f"initdb failed with exit code {code}: {text[-1000:]}")
    said_file.unlink()
    _move_into_place(partial, placement.cluster)


async def clear_of_predecessor(placement: Placement) -> bool:
    """
    Wait for a server that is on its way out and end one that was left behind.

    False: a live one belongs to someone else, who shall keep it, and it is ours to use.
    """
    asked = False
    try:
        async with asyncio.timeout(_PREDECESSOR_S):
            while (pid := holder(placement.cluster)) is not None:
                if not asked and await _answers(placement):
                    if not is_orphan(pid):
                        _log.info("postgres_adopted", pid=pid)
                        return False
                    _log.warning("postgres_orphan_stopped", pid=pid)
                    _interrupt(pid)
                    asked = True
                await asyncio.sleep(POLL_S)
    except TimeoutError as error:
        raise EmbeddedUnavailable(f"another server still holds {placement.cluster}; stop it and start again") from error
    return True


async def launch(binaries: Binaries, placement: Placement, settings: Mapping[str, str], log_path: Path) -> Child:
    """
    Start the server and return it when it says that it is ready; a predecessor's last moments may delay that.

    Raises `EmbeddedUnavailable` with what the server said.
    """
    give_up = asyncio.get_running_loop().time() + _RETRY_S
    while True:
        with _open_log(log_path) as log_file:
            begin = log_file.tell()
            child = _spawn(binaries, placement, settings, log_file)
            try:
                code = await _until_ready(placement.cluster, child)
            except BaseException:
                await child.stop()
                raise
            if code is None:
                return child
            said = _read_from(log_file, begin)
        is_over = asyncio.get_running_loop().time() > give_up
        if is_over or not any(text in said for text in _TRANSIENT):
            raise EmbeddedUnavailable(f"PostgreSQL ended with exit code {code} while it started: {said[-1000:]}")
        await asyncio.sleep(_RETRY_PAUSE_S)


def _spawn(binaries: Binaries, placement: Placement, settings: Mapping[str, str], log_file: IO[bytes]) -> Child:
    where = {
        "port": str(PORT),
        "unix_socket_directories": _quoted_in_list(placement.socket_folder),
        "unix_socket_permissions": "0700",
    }
    command = [str(binaries.program("postgres")), "-D", str(placement.cluster)]
    for name, value in {**settings, **where}.items():
        command += ["-c", f"{name}={value}"]
    stale = foreign_pid(placement.cluster)
    return Child.spawn(
        command,
        account=placement.account,
        output=log_file,
        # Postgres ignores its grandparent's pid in a lock file: so a pid used again needs no hand on the file
        extra_environment={} if stale is None else {"PG_GRANDPARENT_PID": str(stale)},
    )


async def _until_ready(cluster: Path, child: Child) -> int | None:
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


async def _answers(placement: Placement) -> bool:
    """Tell whether a ready server of this very cluster is on the socket."""
    state = read_pid_file(placement.cluster)
    if state is None or not state.is_ready:
        return False
    connection = await _try_connect(url_of(placement, "postgres", "postgres"))
    if connection is None:
        return False
    try:
        folder = await connection.fetchval("SHOW data_directory", timeout=_CONNECT_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return False
    finally:
        connection.terminate()
    return _same_folder(Path(folder), placement.cluster)


async def _try_connect(url: str) -> "asyncpg.Connection[asyncpg.Record] | None":
    try:
        return await asyncpg.connect(url, timeout=_CONNECT_S)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
        return None


def _same_folder(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _interrupt(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)


def _fresh_folder(folder: Path, account: Account | None) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    if account is not None:
        os.chown(folder, account.uid, account.gid)


def _move_into_place(partial: Path, cluster: Path) -> None:
    partial.rename(cluster)
    parent = os.open(cluster.parent, os.O_RDONLY)
    try:
        os.fsync(parent)
    finally:
        os.close(parent)


def _open_log(path: Path) -> IO[bytes]:
    """Open the server's log for more, for our eyes only; a long one is kept once as `.1`."""
    if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "a+b")


def _read_from(file: IO[bytes], begin: int) -> str:
    file.seek(begin)
    return file.read().decode("utf-8", "replace").strip()


def _quoted_in_list(folder: Path) -> str:
    """Quote a folder as one element of a Postgres list setting."""
    return '"' + str(folder).replace('"', '""') + '"'
