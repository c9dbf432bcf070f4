"""The real program in a process of its own, to be called over HTTP and killed."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

START_S = 60.0
STOP_S = 30.0
ADMIN_KEY = "an-administrators-key-for-tests"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class Instance:
    """One `eventjobs serve` on a data folder of its own, or on a database that is given."""

    data_dir: Path
    port: int = field(default_factory=free_port)
    environment: Mapping[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        with (self.data_dir / "serve.log").open("ab") as lines:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "eventjobs",
                "serve",
                "--data-dir",
                str(self.data_dir),
                "--port",
                str(self.port),
                env={**os.environ, "EVENTJOBS_ADMIN_KEY": ADMIN_KEY, **self.environment},
                stdout=asyncio.subprocess.DEVNULL,
                stderr=lines,
            )
        async with asyncio.timeout(START_S):
            await self._ready()

    async def _ready(self) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                assert self.process is not None
                assert self.process.returncode is None, (self.data_dir / "serve.log").read_text()[-3000:]
                try:
                    async with session.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                await asyncio.sleep(0.05)

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
        async with asyncio.timeout(timeout_s):
            while True:
                async with self.session.get(f"{self.url}/v1/{self.workspace}/runs/{run}") as answer:
                    if answer.status == 200:
                        detail: dict[str, Any] = await answer.json()
                        if detail["ended_at"] is not None:
                            return detail
                await asyncio.sleep(0.05)


@asynccontextmanager
async def client_of(instance: Instance, workspace: str, key: str = ADMIN_KEY) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
        yield Client(session, instance.url, workspace)
