"""
The program in a process of its own that need not read it first, which takes most of a short command's second.

Each process is forked from one that has read every command. That a command can be read by itself, other tests show.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from multiprocessing.connection import wait
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol

import orjson

from eventjobs.__main__ import main
from eventjobs.cli.main import COMMANDS, MODULES

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess

LIMIT_S = 60.0
READ_AT_ONCE = {"LD_PRELOAD", "SSL_CERT_FILE"}
"""What libraries look at when they are loaded: a process that is to go by these has to begin by itself."""

_ENDS = threading.Lock()
"""Held while ends are read: each can be read once, and whoever starts a process reads those of all others as well."""
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [__name__, "eventjobs.app", *(f"eventjobs.cli.{MODULES.get(name, name)}" for name, *_ in COMMANDS)]
)


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return orjson.loads(self.out)


def eventjobs(*arguments: str, env: Mapping[str, str] | None = None, told: str = "") -> Ended:
    """Run a command to its end, with no settings but those in `env` and with `told` as its standard input."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EVENTJOBS_")}
    environment = {**clean, "EVENTJOBS_DATA_DIR": "/nowhere", **(env or {})}
    with tempfile.TemporaryDirectory(prefix="ej-") as name:
        given, out, err = streams = [Path(name) / stream for stream in ("in", "out", "err")]
        given.write_text(told)
        process = _FORKS.Process(target=_become, args=(arguments, environment, streams))
        _start(process)
        if not wait([process.sentinel], LIMIT_S):
            process.kill()
            wait([process.sentinel])
        code = _exit_code(process)
        return Ended(code or 0, out.read_text(), err.read_text())


async def eventjobs_beside(*arguments: str, env: Mapping[str, str] | None = None, told: str = "") -> Ended:
    """Do the same while this process answers it."""
    return await asyncio.to_thread(eventjobs, *arguments, env=env, told=told)


class Running(Protocol):
    """What can be done to a process that runs, as asyncio names it."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def send_signal(self, signal: int, /) -> None: ...

    def terminate(self) -> None: ...

    def kill(self) -> None: ...

    async def wait(self) -> int: ...


class Forked:
    """A command that goes on beside the test. Its process is nobody's child here, and is ended with this one."""

    def __init__(self, process: "ForkServerProcess") -> None:
        self._process = process
        assert process.pid is not None
        self.pid = process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code; that of a signal is negative."""
        return _exit_code(self._process)

    def send_signal(self, signal: int, /) -> None:
        """Send a signal to a process that has not ended; raises `ProcessLookupError` else, as asyncio does."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, signal)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end and return the exit code."""
        with os.fdopen(os.dup(self._process.sentinel)) as ends:  # one descriptor can be watched for one waiter
            ended = asyncio.Event()
            loop = asyncio.get_running_loop()
            loop.add_reader(ends, ended.set)
            try:
                await ended.wait()
            finally:
                loop.remove_reader(ends)
        code = self.returncode
        assert code is not None
        return code


async def begin(*arguments: str, env: Mapping[str, str], stderr: IO[bytes]) -> Running:
    """Run a command in this environment until it ends or is ended; what it writes to the standard output is lost."""
    if READ_AT_ONCE & env.keys():
        return await execute(*arguments, env=env, stderr=stderr)
    streams = Path(os.devnull), Path(os.devnull), Path(stderr.name)
    process = _FORKS.Process(target=_become, args=(arguments, dict(env), streams), daemon=True)
    await asyncio.to_thread(_start, process)
    return Forked(process)


async def execute(*arguments: str, env: Mapping[str, str], stderr: IO[bytes]) -> Running:
    """Do the same in a process that begins as those of users do."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "eventjobs", *arguments),
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=stderr,
    )


def _start(process: "ForkServerProcess") -> None:
    with _ENDS:
        process.start()


def _exit_code(process: "ForkServerProcess") -> int | None:
    with _ENDS:
        return process.exitcode


def _become(arguments: tuple[str, ...], environment: Mapping[str, str], streams: tuple[Path, Path, Path]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, (path, mode) in enumerate(zip(streams, "raa", strict=True)):
        with path.open(mode) as file:
            os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 ends with the process
    sys.argv = ["eventjobs", *arguments]
    main()
