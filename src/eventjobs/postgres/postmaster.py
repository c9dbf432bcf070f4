"""
One Postgres server process as our child, and what its `postmaster.pid` says.

That file belongs to Postgres: it is read here and never written or removed. Nothing in here decides when to start or
stop; see `embedded.py`.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from eventjobs.errors import EmbeddedUnavailable
from eventjobs.postgres.placement import Account, Placement

POLL_S: Final = 0.01
WATCH_S: Final = 0.1
FAST_STOP_S: Final = 30.0
IMMEDIATE_STOP_S: Final = 10.0

_LAUNCHER: Final = Path(__file__).with_name("launch.py")
_KEPT_VARIABLES: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


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


class Child:
    """A program running as our direct child in its own session, perhaps under another account; reaped when it ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    @classmethod
    def spawn(
        cls,
        command: Sequence[str],
        *,
        account: Account | None,
        output: IO[bytes],
        extra_environment: Mapping[str, str] | None = None,
    ) -> "Child":
        """
        Start it; on Linux the kernel interrupts it when we die.

        It sees none of our environment but what a program needs: ours may hold secrets.
        """
        uid, gid = (account.uid, account.gid) if account else (-1, -1)
        launcher = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), str(uid), str(gid)]
        environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
        process = subprocess.Popen(  # noqa: S603  our own launcher, no shell
            [*launcher, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**environment, "LC_ALL": "C", **(extra_environment or {})},
            start_new_session=True,  # Ctrl-C in the terminal is for us; we stop it in our own time
        )
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Its exit code once it has ended (negative: a signal); asking reaps it."""
        return self._process.poll()

    async def wait(self, poll_s: float = POLL_S) -> int:
        """Wait for its end and return the exit code."""
        while (code := self.exit_code) is None:
            await asyncio.sleep(poll_s)
        return code

    async def stop(self) -> None:
        """Stop a postmaster: fast, then immediate, then by force; returns when it is reaped."""
        for signal_number, patience_s in (
            (signal.SIGINT, FAST_STOP_S),
            (signal.SIGQUIT, IMMEDIATE_STOP_S),
            (signal.SIGKILL, None),
        ):
            if self.exit_code is not None:
                return
            self._process.send_signal(signal_number)
            try:
                async with asyncio.timeout(patience_s):
                    await self.wait()
            except TimeoutError:
                continue
            return


async def make_cluster(initdb: Path, placement: Placement, *, durable: bool) -> None:
    """
    Make a new cluster beside its place and move it there, so that a half-made one is never taken for a whole.

    Raises `EmbeddedUnavailable` with what initdb said.
    """
    partial = placement.cluster.with_name(f"{placement.cluster.name}.partial")
    said_file = placement.cluster.with_name("initdb.log")
    _fresh_folder(partial, placement.account)
    command = [str(initdb), "-D", str(partial), "-U", "postgres", "--auth-local=trust", "--auth-host=reject"]
    command += ["--encoding=UTF8", "--locale=C", "--data-checksums", *([] if durable else ["--no-sync"])]
    with said_file.open("w+b") as said:
        code = await Child.spawn(command, account=placement.account, output=said).wait()
        said.seek(0)
        text = said.read().decode("utf-8", "replace").strip()
    if code != 0:
        raise EmbeddedUnavailable(f"initdb failed with exit code {code}: {text[-1000:]}")
    said_file.unlink()
    _move_into_place(partial, placement.cluster)


def holder(cluster: Path) -> int | None:
    """Return the pid in `postmaster.pid` if, as far as can be told, it is this cluster's living postmaster."""
    left = read_pid_file(cluster)
    return left.pid if left is not None and _lives(left.pid) and not _is_foreign(left.pid, cluster) else None


def foreign_pid(cluster: Path) -> int | None:
    """
    Return the pid in a stale `postmaster.pid` where a living process has it that is not this cluster's postmaster.

    After a restart of a container small pids come back, and Postgres would take that process for its predecessor.
    """
    left = read_pid_file(cluster)
    return left.pid if left is not None and _lives(left.pid) and _is_foreign(left.pid, cluster) else None


def is_orphan(pid: int) -> bool:
    """Tell whether the process has lost the one that started it."""
    parent = _parent(pid)
    return parent == 1 or (parent is not None and _command(parent) in {"systemd", "init"})


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[1])
    except OSError:
        pass
    said = subprocess.run(["ps", "-o", "ppid=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout  # noqa: S603, S607
    return int(said) if said.strip().isdecimal() else None


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
    if command not in {"", "postgres"}:
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
