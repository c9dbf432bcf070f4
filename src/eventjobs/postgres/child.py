"""A program as our direct child: started under another account if need be, ended with us, reaped."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

from eventjobs.postgres.placement import Account

POLL_S: Final = 0.01
FAST_STOP_S: Final = 30.0
IMMEDIATE_STOP_S: Final = 10.0

_LAUNCHER: Final = Path(__file__).with_name("launch.py")
_KEPT_VARIABLES: Final = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR")


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
