"""Bytes on a connection, for what no client would send."""

import asyncio
from dataclasses import dataclass

import orjson

from tests.api.rig import Rig


@dataclass(frozen=True)
class Raw:
    """What came back, and whether the server then closed the connection."""

    status: int
    head: str
    body: bytes
    closed: bool

    @property
    def code(self) -> str:
        return orjson.loads(self.body)["code"]


def head(rig: Rig, target: str = "/v1/acme/commands/AddService", *extra: str, method: str = "POST") -> bytes:
    """Return a request's head with a valid key; `extra` are whole header lines."""
    lines = [
        f"{method} {target} HTTP/1.1",
        *([] if any(line.lower().startswith("host:") for line in extra) else [f"Host: 127.0.0.1:{rig.port}"]),
        f"Authorization: Bearer {rig.key}",
        *extra,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def send(rig: Rig, *parts: bytes, pause_s: float = 0.0, timeout_s: float = 10.0) -> Raw:
    """Send the parts and read one answer; `status` 0 means that the connection was closed without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
    try:
        async with asyncio.timeout(timeout_s):
            sending = asyncio.ensure_future(_send(writer, parts, pause_s))
            try:
                return await _read(reader)
            finally:
                sending.cancel()
    finally:
        writer.close()


async def _send(writer: asyncio.StreamWriter, parts: tuple[bytes, ...], pause_s: float) -> None:
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
    except ConnectionError:
        pass


async def _read(reader: asyncio.StreamReader) -> Raw:
    try:
        text = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        length = next((int(line[15:]) for line in text.lower().split("\r\n") if line.startswith("content-length:")), 0)
        body = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return Raw(0, "", b"", closed=True)
    status = int(text.split(" ", 2)[1])
    may_close = status == 400 or text.startswith("HTTP/1.0") or "connection: close" in text.lower()
    return Raw(status, text, body, closed=may_close and await _is_closed(reader))


async def _is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(5.0):
            return not await reader.read(1)
    except TimeoutError:
        return False
    except ConnectionError:
        return True
