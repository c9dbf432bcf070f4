"""
A child process in a group of its own, read to its end, and never left behind.

Its pipes are ours and not the process object's, whose `wait` would last as long as anybody holds one of them.
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
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
    async with AsyncExitStack() as stack:
        stdout, write_stdout = await stack.enter_async_context(_pipe())
        stderr, write_stderr = await stack.enter_async_context(_pipe())
        try:
            process = await _started(argv, environment, stdin, write_stdout, write_stderr)
        finally:
            os.close(write_stdout)
            os.close(write_stderr)
        try:
            async with asyncio.TaskGroup() as group:
                readers = [
                    group.create_task(_lines(stdout, output, "info")),
                    group.create_task(_lines(stderr, output, "warning")),
                ]
                code = await process.wait()
                _, open_pipes = await asyncio.wait(readers, timeout=_LINGER_S)
                for reader in open_pipes:
                    reader.cancel()
            return code
        finally:
            await _end(process, grace_s)


async def _started(
    argv: Sequence[str], environment: Mapping[str, str], stdin: bytes, stdout: int, stderr: int
) -> asyncio.subprocess.Process:
    # A file cannot fill up as a pipe does, so nobody has to feed a program that does not read.
    with tempfile.TemporaryFile() as document:
        document.write(stdin)
        document.seek(0)
        try:
            return await asyncio.create_subprocess_exec(
                *argv,
                stdin=document,
                stdout=stdout,
                stderr=stderr,
                env=dict(environment),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise JobFailed(f"{argv[0]} cannot be started: {error.strerror}", retryable=False) from None


@asynccontextmanager
async def _pipe() -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """Give a reader of our end and the descriptor of the other end, which the caller closes."""
    read, write = os.pipe()
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(read, "rb", buffering=0)
    )
    try:
        yield reader, write
    finally:
        transport.close()


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


async def _lines(stream: asyncio.StreamReader, output: CommandOutput, level: Level) -> None:
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
