"""
A load generator of few microseconds a request: raw sockets, requests made beforehand, a process of its own.

A client that costs as much as the server would measure itself.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection


@dataclass(frozen=True, slots=True)
class Load:
    """What one round of load saw: requests a second, latency in milliseconds, statuses counted."""

    per_s: float
    p50_ms: float
    p99_ms: float
    statuses: dict[int, int]


def request(path: str, body: bytes, headers: dict[str, str], host: str) -> bytes:
    """Return the bytes of one POST."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _connection(
    host: str, port: int, requests: Sequence[bytes], times: list[float], statuses: dict[int, int]
) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for one in requests:
        started = time.perf_counter()
        writer.write(one)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        at = lower.index(b"content-length:") + 15
        length = int(lower[at : lower.index(b"\r\n", at)])
        if length:
            await reader.readexactly(length)
        times.append(time.perf_counter() - started)
        status = int(head[9:12])
        statuses[status] = statuses.get(status, 0) + 1
    writer.close()


async def _drive(host: str, port: int, requests: Sequence[bytes], connections: int) -> Load:
    times: list[float] = []
    statuses: dict[int, int] = {}
    started = time.perf_counter()
    await asyncio.gather(
        *(_connection(host, port, requests[one::connections], times, statuses) for one in range(connections))
    )
    took = time.perf_counter() - started
    times.sort()
    return Load(
        per_s=len(times) / took,
        p50_ms=1000 * times[len(times) // 2],
        p99_ms=1000 * times[int(len(times) * 0.99)],
        statuses=statuses,
    )


def _child(pipe: Connection, host: str, port: int, requests: Sequence[bytes], connections: int) -> None:
    pipe.send(asyncio.run(_drive(host, port, requests, connections)))


async def drive(host: str, port: int, requests: Sequence[bytes], connections: int = 64) -> Load:
    """Send the requests over that many kept-alive connections, from another process."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_child, args=(theirs, host, port, requests, connections), daemon=True
    )
    process.start()
    while not ours.poll():
        if not process.is_alive():
            raise RuntimeError("the load generator died")
        await asyncio.sleep(0.01)
    load: Load = ours.recv()
    process.join()
    return load
