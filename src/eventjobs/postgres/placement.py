"""
Where the embedded cluster lives, and under which account it runs.

Postgres refuses to run as root, so root runs it as `postgres` or `nobody`. Only the cluster's folder is given to that
account and no parent's mode is touched: where the account cannot reach `<data-dir>/pg`, the cluster lives in
`/var/lib/eventjobs/<hash of the data folder>`, and `<data-dir>/pg.path` says so.
"""

import hashlib
import os
import pwd
import shutil
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eventjobs.errors import EmbeddedUnavailable
from eventjobs.postgres.binaries import Binaries, inspect

ELSEWHERE: Final = Path("/var/lib/eventjobs")
PORT: Final = 5432

_SOCKET_PATH_MAX: Final = 107 if sys.platform.startswith("linux") else 103
_COPIED: Final = ("bin", "lib", "share")


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the machine by its numbers."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Placement:
    """A cluster's folder, the folder of its socket, and its account (`None`: our own)."""

    cluster: Path
    socket_folder: Path
    account: Account | None


def place(data_dir: Path, *, elsewhere: Path = ELSEWHERE) -> Placement:
    """
    Make the data folder if it is not there, and choose; the same data folder always gives the same answer.

    Raises `EmbeddedUnavailable` where no account may run Postgres or a cluster belongs to somebody else.
    """
    root = os.geteuid() == 0
    if not data_dir.is_dir():
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        data_dir.mkdir(mode=0o711 if root else 0o700, exist_ok=True)
    cluster = _recorded(data_dir) or data_dir / "pg"
    account = _account(cluster) if root else None
    if account is None:
        _check_ourselves(cluster)
    if account is not None and not reachable(cluster.parent, account):
        if (cluster / "PG_VERSION").exists():
            raise EmbeddedUnavailable(
                f"the cluster {cluster} belongs to {_name(account.uid)}, who cannot enter {cluster.parent}; "
                "make the folders above it enterable for that account"
            )
        cluster = elsewhere / _hash(data_dir) / "pg"
        cluster.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        (data_dir / "pg.path").write_text(f"{cluster}\n", "utf-8")
    return Placement(cluster, _socket_folder(cluster, account), account)


def reachable(path: Path, account: Account) -> bool:
    """Tell whether the account may enter `path` and everything above it, by their modes."""
    resolved = path.resolve()
    return all(_may(folder, account, stat.S_IXOTH) for folder in (resolved, *resolved.parents))


def usable_binaries(binaries: Binaries, placement: Placement) -> Binaries:
    """Return the binaries themselves or, where the account cannot reach them, a copy beside the cluster."""
    account = placement.account
    if account is None or (
        reachable(binaries.folder, account) and _may(binaries.program("postgres").resolve(), account, stat.S_IXOTH)
    ):
        return binaries
    home = placement.cluster.parent / f"postgres-{binaries.version}"
    folder = home.joinpath(*binaries.folder.parts[-3:])
    if not folder.is_dir():
        _copy_installation(binaries.folder.parent, home)
    copied = inspect(folder)
    if copied is None:
        raise EmbeddedUnavailable(f"the copy of PostgreSQL in {home} does not run; remove it and start again")
    return copied


def _recorded(data_dir: Path) -> Path | None:
    try:
        return Path((data_dir / "pg.path").read_text("utf-8").strip())
    except FileNotFoundError:
        return None


def _account(cluster: Path) -> Account:
    """As root: the account that owns the cluster already, else `postgres`, else `nobody`."""
    if cluster.is_dir() and (owner := cluster.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedUnavailable("PostgreSQL does not run as root, and there is no account postgres or nobody to run it")


def _check_ourselves(cluster: Path) -> None:
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EmbeddedUnavailable(
            f"PostgreSQL needs a named account and uid {os.geteuid()} has none; add one or give EVENTJOBS_DATABASE_URL"
        ) from None
    if cluster.exists() and (owner := cluster.stat().st_uid) != os.geteuid():
        raise EmbeddedUnavailable(f"the cluster {cluster} belongs to {_name(owner)}; run as that account or as root")


def _socket_folder(cluster: Path, account: Account | None) -> Path:
    """Return the cluster's own folder; a hashed one where a socket's path in it would be too long for the system."""
    if len(os.fsencode(cluster / f".s.PGSQL.{PORT}.lock")) <= _SOCKET_PATH_MAX:
        return cluster
    uid, gid = (account.uid, account.gid) if account else (os.geteuid(), os.getegid())
    folder = Path("/tmp") / f"eventjobs-{uid}-{_hash(cluster)}"  # noqa: S108  the owner and mode are checked
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, uid, gid)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != uid or stat.S_IMODE(found.st_mode) != stat.S_IRWXU:
            raise EmbeddedUnavailable(f"{folder} is not a private folder of {_name(uid)}; remove it") from None
    return folder


def _may(path: Path, account: Account, bit: int) -> bool:
    found = path.stat()
    if found.st_uid == account.uid:
        bit <<= 6
    elif found.st_gid == account.gid:
        bit <<= 3
    return bool(found.st_mode & bit)


def _copy_installation(source: Path, home: Path) -> None:
    """Copy `<package>/<source>` and the wheel's libraries in `<package>.libs`, which its programs find by that path."""
    partial = home.with_name(f"{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    package = source.parent
    for name in _COPIED:
        shutil.copytree(source / name, partial / package.name / source.name / name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, partial / libraries.name)
    for folder, _, files in os.walk(partial):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder) / name
            if not file.is_symlink():
                file.chmod(0o755 if file.parent.name == "bin" else 0o644)
    partial.rename(home)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _hash(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:16]
