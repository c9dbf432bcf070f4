"""
The program in a process of its own that need not read it first, which takes most of a short command's second.

Each process is forked from one that has read every command. That a command can be read by itself, other tests show.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from eventjobs.cli.main import COMMANDS, MODULES, run

LIMIT_S = 60.0

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["eventjobs.app", *(f"eventjobs.cli.{MODULES.get(name, name)}" for name, *_ in COMMANDS)])


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
        process.start()
        process.join(LIMIT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        code = process.exitcode
        process.close()
        return Ended(code or 0, out.read_text(), err.read_text())


async def eventjobs_beside(*arguments: str, env: Mapping[str, str] | None = None, told: str = "") -> Ended:
    """Do the same while this process answers it."""
    return await asyncio.to_thread(eventjobs, *arguments, env=env, told=told)


def _become(arguments: tuple[str, ...], environment: Mapping[str, str], streams: tuple[Path, Path, Path]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, (path, mode) in enumerate(zip(streams, "rww", strict=True)):
        with path.open(mode) as file:
            os.dup2(file.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115 ends with the process
    sys.exit(run(arguments))
