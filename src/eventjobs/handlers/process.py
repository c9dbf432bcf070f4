"""A child process in a group of its own, read to its end, and never left behind."""

import asyncio
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from eventjobs.errors import JobFailed
from eventjobs.handlers.command_output import LINE_BYTES_MAX, CommandOutput
from eventjobs.handlers.context import Level

_READ_BYTES: Final = 64 * 1024
_LINGER_S: Final = 1.0
"""How long the pipes may stay open after the program's end (by processes that it left behind)."""


async def run_process(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: bytes,
    output: CommandOutput,
    grace_s: float,
) -> int:
    """
    Run a program to its end and return its exit code (negative: the signal).

    When the caller is cancelled, the whole process group gets TERM, after `grace_s` seconds KILL, and is gone before
    the cancellation goes on.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(environment),
            cwd="/",
            start_new_session=True,
        )
    except OSError as error:
        raise JobFailed(f"{argv[0]} cannot be started: {error.strerror}", retryable=False) from None
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_feed(process, stdin))
            readers = [
                group.create_task(_lines(process.stdout, output, "info")),
                group.create_task(_lines(process.stderr, output, "warning")),
            ]
            code = await process.wait()
            _, open_pipes = await asyncio.wait(readers, timeout=_LINGER_S)
            if open_pipes:
                _signal(process, signal.SIGKILL)
                for reader in open_pipes:
                    reader.cancel()
        return code
    finally:
        await _end(process, grace_s)


async def _end(process: asyncio.subprocess.Process, grace_s: float) -> None:
    """Leave nothing of the group behind, not even when a second cancellation cuts the grace short."""
    try:
        if process.returncode is None:
            _signal(process, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(grace_s):
                    await process.wait()
    finally:
        _signal(process, signal.SIGKILL)
        await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    # The group carries the leader's pid and outlives it for as long as it has members.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


async def _feed(process: asyncio.subprocess.Process, stdin: bytes) -> None:
    assert process.stdin is not None  # noqa: S101 - asked for above
    with suppress(BrokenPipeError, ConnectionResetError):
        process.stdin.write(stdin)
        await process.stdin.drain()
    process.stdin.close()


async def _lines(stream: asyncio.StreamReader | None, output: CommandOutput, level: Level) -> None:
    assert stream is not None  # noqa: S101 - asked for above
    rest = b""
    while chunk := await stream.read(_READ_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            await output.line(line.rstrip(b"\r"), level)
        if len(rest) > LINE_BYTES_MAX:
            await output.line(rest, level)
            rest = b""
    if rest:
        await output.line(rest, level)
