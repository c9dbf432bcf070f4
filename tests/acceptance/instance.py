"""The real program in a process of its own, to be called over HTTP and killed."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from types import TracebackType
from typing import Any, Self

import aiohttp

from eventjobs.postgres.pid_file import holder
from tests.support.program import Running, begin
from tests.support.waiting import eventually

START_S = 60.0
STOP_S = 30.0
POSTGRES_S = 10.0
ADMIN_KEY = "an-administrators-key-for-tests"


PORTS = range(15_000, 30_000)
"""Below those that systems give to who connects, or one of them might take it before the service listens."""


def free_port() -> int:
    while True:
        port = SystemRandom().choice(PORTS)
        with socket.socket() as one, suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


@dataclass
class Instance:
    """
    One `eventjobs serve` on a data folder of its own, or on a database that is given.

    In `async with` it is up, and however the block ends, neither it nor its database's server is left running.
    """

    data_dir: Path
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str] = field(default_factory=dict)
    process: Running | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        try:
            await self.start()
        except BaseException:
            await self.end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()

    async def start(self) -> None:
        """Start it and wait until it is ready."""
        self.data_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        with self.serve_log.open("ab") as lines:
            self.process = await begin(
                *("serve", "--data-dir", str(self.data_dir), "--port", str(self.port)),
                env={**os.environ, "EVENTJOBS_ADMIN_KEY": ADMIN_KEY, **self.environment},
                stderr=lines,
            )
        async with aiohttp.ClientSession() as session:
            await eventually(lambda: self._is_ready(session), timeout_s=START_S)

    @property
    def serve_log(self) -> Path:
        return self.data_dir / "serve.log"

    async def _is_ready(self, session: aiohttp.ClientSession) -> bool:
        assert self.process is not None
        if self.process.returncode is not None:
            raise RuntimeError(f"it ended: {self.serve_log.read_text()[-3000:]}")
        try:
            async with session.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def kill(self) -> None:
        """End it as a power cut would end the process."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        await self.process.wait()

    async def stop(self) -> int:
        """Ask it to stop, and wait until it has; returns its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(STOP_S):
            return await self.process.wait()

    async def end(self) -> None:
        """End whatever is left of it: asked first, then by force."""
        if self.process is not None and self.process.returncode is None:
            try:
                await self.stop()
            except TimeoutError:
                await self.kill()
        try:
            await eventually(lambda: self.postgres_pid is None, timeout_s=POSTGRES_S)
        except AssertionError:
            if (left := self.postgres_pid) is not None:
                os.kill(left, signal.SIGKILL)
            raise

    @property
    def postgres_pid(self) -> int | None:
        """The postmaster of its own cluster, while one lives."""
        recorded = self.data_dir / "pg.path"
        return holder(Path(recorded.read_text().strip()) if recorded.exists() else self.data_dir / "pg")


class Client:
    """A client of one workspace, with a key."""

    def __init__(self, session: aiohttp.ClientSession, url: str, workspace: str) -> None:
        self.session = session
        self.url = url
        self.workspace = workspace

    async def do(
        self, command: str, body: Mapping[str, Any], *, expect: int | tuple[int, ...] = (200, 201), **headers: str
    ) -> dict[str, Any]:
        path = f"/v1/{self.workspace}/commands/{command}"
        return await self.post(path, body, expect=expect, headers=headers)

    async def post(
        self,
        path: str,
        body: Any,
        *,
        expect: int | tuple[int, ...] = (200, 201),
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        async with self.session.post(self.url + path, json=body, headers=named) as answer:
            text = await answer.text()
            wanted = (expect,) if isinstance(expect, int) else expect
            assert answer.status in wanted, (path, answer.status, text)
            return {**json.loads(text), "_headers": dict(answer.headers)} if text.startswith("{") else json.loads(text)

    async def get(self, path: str, *, expect: int = 200) -> Any:
        async with self.session.get(f"{self.url}/v1/{self.workspace}{path}") as answer:
            text = await answer.text()
            assert answer.status == expect, (path, answer.status, text)
            return json.loads(text)

    async def run_ended(self, run: str, timeout_s: float = 30.0) -> dict[str, Any]:
        """Wait for a run's end and return its detail."""

        async def ended() -> dict[str, Any]:
            detail: dict[str, Any] = await self.get(f"/runs/{run}")
            assert detail["ended_at"] is not None
            return detail

        return await eventually(ended, timeout_s=timeout_s)


@asynccontextmanager
async def client_of(instance: Instance, workspace: str, key: str = ADMIN_KEY) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        yield Client(session, instance.url, workspace)
