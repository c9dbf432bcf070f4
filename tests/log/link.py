"""A link to Postgres that can be cut at a chosen moment."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

CHUNK = 65_536


class Link:
    """
    Forwards bytes both ways. With `cut_request` the next request that holds these bytes is dropped with its
    connection; with `cut_answer` it is forwarded and the connection ends when the answer comes. While `flowing` is
    cleared nothing passes and nothing ends, as on a link that drops packets; new connections are made and stay silent.
    """

    def __init__(self, upstream: str) -> None:
        self._upstream = urlsplit(upstream)
        self._serving: set[asyncio.Task[None]] = set()
        self.cut_request: bytes | None = None
        self.cut_answer: bytes | None = None
        self.cuts = 0
        self.flowing = asyncio.Event()
        self.flowing.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.current_task()
        assert serving is not None
        self._serving.add(serving)
        server_reader, server_writer = await self._connect()
        cut = asyncio.Event()
        answering = asyncio.ensure_future(self._answer(server_reader, writer, cut))
        try:
            with suppress(OSError, asyncio.CancelledError):
                while chunk := await reader.read(CHUNK):
                    if self.cut_request is not None and self.cut_request in chunk:
                        self.cut_request = None
                        self.cuts += 1
                        break
                    if self.cut_answer is not None and self.cut_answer in chunk:
                        self.cut_answer = None
                        self.cuts += 1
                        cut.set()
                    await self.flowing.wait()
                    server_writer.write(chunk)
                    await server_writer.drain()
            if cut.is_set():
                await asyncio.wait([answering])
        finally:
            answering.cancel()
            await asyncio.wait([answering])
            for side in (server_writer, writer):
                side.close()
            self._serving.discard(serving)

    async def end(self) -> None:
        for serving in tuple(self._serving):
            serving.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, cut: asyncio.Event) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                if cut.is_set():
                    break
                await self.flowing.wait()
                writer.write(chunk)
                await writer.drain()
        writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        folder = parse_qs(self._upstream.query).get("host", [""])[0]
        port = self._upstream.port or 5432
        if folder:
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        return await asyncio.open_connection(self._upstream.hostname, port)


@asynccontextmanager
async def link_to(url: str) -> AsyncIterator[tuple[Link, str]]:
    """A link and the URL that leads through it."""
    link, parts = Link(url), urlsplit(url)
    with tempfile.TemporaryDirectory(prefix="ejl-") as folder:
        server = await asyncio.start_unix_server(link.serve, Path(folder) / ".s.PGSQL.5432")
        user = parts.netloc.rpartition("@")[0]
        netloc = f"{user}@" if user else ""
        yield link, urlunsplit(parts._replace(netloc=netloc, query=urlencode({"host": folder})))
        server.close()
        await link.end()
