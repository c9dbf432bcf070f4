"""HTTP commands against the real process: one a request, and a hundred a request, beside a bare handler."""

import asyncio
import json
import os
import socket
import statistics
import sys
import tempfile
import uuid
from typing import Any

import aiohttp

from benchmarks.load import Load, drive, request

ROUNDS = 5
SINGLE = 4_000
BATCHES = 40
BATCH = 100
KEY = "bench-key-that-is-long-enough"


def _service(service_id: str) -> dict[str, Any]:
    return {"id": service_id, "name": "Nothing", "handler": "sleep", "config": {"seconds": 0}}


def _single(host: str, count: int) -> list[bytes]:
    return [
        request(
            "/v1/bench/commands/AddService",
            json.dumps(_service(f"s-{uuid.uuid4().hex}")).encode(),
            {"Authorization": f"Bearer {KEY}", "Idempotency-Key": uuid.uuid4().hex},
            host,
        )
        for _ in range(count)
    ]


def _batches(host: str, count: int) -> list[bytes]:
    return [
        request(
            "/v1/bench/commands",
            json.dumps(
                [
                    {"command": "AddService", "data": _service(f"b-{uuid.uuid4().hex}"), "key": uuid.uuid4().hex}
                    for _ in range(BATCH)
                ]
            ).encode(),
            {"Authorization": f"Bearer {KEY}"},
            host,
        )
        for _ in range(count)
    ]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def ready(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(600):
            try:
                async with session.get(url) as answer:
                    if answer.status < 500:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


async def _views_caught_up(url: str) -> float:
    """Seconds until the views stand at the head."""
    started = asyncio.get_running_loop().time()
    await ready(f"{url}/readyz")
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return asyncio.get_running_loop().time() - started
            await asyncio.sleep(0.05)


async def measure() -> dict[str, Any]:
    """Return the figures `http_one_vs_bare` and `http_batch_100_vs_one` with their raw values."""
    with tempfile.TemporaryDirectory() as folder:
        port, bare_port = free_port(), free_port()
        environment = {**os.environ, "EVENTJOBS_ADMIN_KEY": KEY}
        serve = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "eventjobs", "serve", "--data-dir", folder, "--port", str(port), env=environment,
            stderr=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        bare = await asyncio.create_subprocess_exec(sys.executable, "-m", "benchmarks.bare", str(bare_port))
        try:
            return await _measured(port, bare_port)
        finally:
            for process in (bare, serve):
                if process.returncode is None:
                    process.terminate()
                    await process.wait()


async def _measured(port: int, bare_port: int) -> dict[str, Any]:
    url, host = f"http://127.0.0.1:{port}", f"127.0.0.1:{port}"
    await ready(f"{url}/readyz")
    await ready(f"http://127.0.0.1:{bare_port}/")
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session,
        session.post(f"{url}/v1/workspaces", json={"id": "bench"}) as answer,
    ):
        assert answer.status in (200, 201), await answer.text()
    ones: list[Load] = []
    bares: list[Load] = []
    hundreds: list[Load] = []
    lags: list[float] = []
    await drive("127.0.0.1", port, _single(host, 500))
    for _ in range(ROUNDS):
        bares.append(await drive("127.0.0.1", bare_port, _single(host, SINGLE)))
        ones.append(await drive("127.0.0.1", port, _single(host, SINGLE)))
        hundreds.append(await drive("127.0.0.1", port, _batches(host, BATCHES), 8))
        lags.append(await _views_caught_up(url))
    middle = statistics.median
    one_vs_bare = middle([one.per_s / bare.per_s for one, bare in zip(ones, bares, strict=True)])
    batch_vs_one = middle([hundred.per_s * BATCH / one.per_s for hundred, one in zip(hundreds, ones, strict=True)])
    return {
        "figures": {"http_one_vs_bare": one_vs_bare, "http_batch_100_vs_one": batch_vs_one},
        "raw": {
            "http_bare_per_s": [one.per_s for one in bares],
            "http_one_per_s": [one.per_s for one in ones],
            "http_one_p50_ms": [one.p50_ms for one in ones],
            "http_one_p99_ms": [one.p99_ms for one in ones],
            "http_batch_commands_per_s": [one.per_s * BATCH for one in hundreds],
            "http_statuses": [one.statuses for one in (*ones, *hundreds)],
            "views_caught_up_after_s": lags,
        },
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure()), indent=2))
