"""
What `postmaster.pid` says and whether it is true.

The file belongs to Postgres: it is read here and never written or removed.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PidFile:
    """What a postmaster wrote about itself."""

    pid: int
    port: int
    socket_folder: str
    status: str

    @property
    def is_ready(self) -> bool:
        """Whether it accepts connections, by its own word."""
        return self.status == "ready"


def read_pid_file(cluster: Path) -> PidFile | None:
    """Return the content of `postmaster.pid`, or nothing while there is none or it is half written."""
    try:
        lines = (cluster / "postmaster.pid").read_text("utf-8").splitlines()
        return PidFile(int(lines[0]), int(lines[3]), lines[4], lines[7].strip())
    except (FileNotFoundError, IndexError, ValueError):
        return None


def holder(cluster: Path) -> int | None:
    """Return the pid in `postmaster.pid` if, as far as can be told, it is this cluster's living postmaster."""
    left = read_pid_file(cluster)
    return left.pid if left is not None and _lives(left.pid) and not _is_foreign(left.pid, cluster) else None


def foreign_pid(cluster: Path) -> int | None:
    """
    Return the pid in a stale `postmaster.pid` where a process has it that is not this cluster's living postmaster.

    After a restart of a container small pids come back, and a dead postmaster may wait to be reaped: Postgres would
    take either for its predecessor.
    """
    left = read_pid_file(cluster)
    return left.pid if left is not None and _lives(left.pid) and _is_foreign(left.pid, cluster) else None


def is_orphan(pid: int) -> bool:
    """Tell whether the process has lost the one that started it."""
    parent = _parent(pid)
    return parent == 1 or (parent is not None and _command(parent) in {"systemd", "init"})


def _parent(pid: int) -> int | None:
    status = _status(pid)
    if status:
        return int(status[1])
    said = subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607
    return int(said) if said.strip().isdecimal() else None


def _is_zombie(pid: int) -> bool:
    status = _status(pid)
    return bool(status) and status[0] == "Z"


def _status(pid: int) -> list[str]:
    """Return what stands after the command in the process' `stat`; first its state, then its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_foreign(pid: int, cluster: Path) -> bool:
    """Postgres stays in its cluster's folder; without /proc nothing can be told, and then nothing is foreign."""
    command = _command(pid)
    if command not in {"", "postgres"} or _is_zombie(pid):
        return True
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) != cluster.resolve()
    except OSError:
        return False


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text("utf-8").strip()
    except OSError:
        return ""
