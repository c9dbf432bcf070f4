"""A link to Postgres that knows its messages, and ends the connection in the place of a chosen one."""

import asyncio
import struct
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

PORT: Final = 5432


@dataclass
class CutLink:
    """
    Forwards whole messages both ways and counts them, over all connections together.

    With `cut_at` set to k, message k is not forwarded: its connection ends on both sides, at once and without a word.
    """

    folder: str
    count: int = 0
    cut_at: int | None = None
    cut_kind: str = ""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    def arm(self, cut_at: int | None) -> None:
        """Count from one again, and cut there."""
        self.count, self.cut_at, self.cut_kind = 0, cut_at, ""

    def sever_all(self) -> None:
        """End every connection, so that the next command needs new ones."""
        for writer in tuple(self._open):
            writer.transport.abort()

    async def end(self) -> None:
        """End everything."""
        for task in tuple(self._serving):
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            server_reader, server_writer = await asyncio.open_unix_connection(f"{self.folder}/.s.PGSQL.{PORT}")
        except OSError:
            writer.transport.abort()
            self._serving.discard(task)
            return
        pair = (writer, server_writer)
        self._open.update(pair)
        ways = [
            asyncio.ensure_future(self._forward(reader, server_writer, pair, typed=False)),
            asyncio.ensure_future(self._forward(server_reader, writer, pair, typed=True)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pass  # whoever cancels is the end of the suite; nothing follows here
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            for side in pair:
                side.transport.abort()
            self._open.difference_update(pair)
            self._serving.discard(task)

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pair: tuple[asyncio.StreamWriter, ...],
        *,
        typed: bool,
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await reader.readexactly(5 if typed else 4)
                rest = await reader.readexactly(struct.unpack(">I", head[-4:])[0] - 4)
                self.count += 1
                if self.count == self.cut_at:
                    self.cut_kind = ("" if typed else "startup ") + (head[:1].decode("latin-1") if typed else "")
                    for side in pair:
                        side.transport.abort()
                    return
                writer.write(head + rest)
                typed = True


@asynccontextmanager
async def cut_link(url: str) -> AsyncIterator[tuple[CutLink, str]]:
    """A link to a server on a unix socket, and the URL that leads through it."""
    parts = urlsplit(url)
    upstream = parse_qs(parts.query)["host"][0]
    with tempfile.TemporaryDirectory(prefix="ejk-") as folder:
        link = CutLink(upstream)
        server = await asyncio.start_unix_server(link.serve, Path(folder) / f".s.PGSQL.{PORT}")
        query = urlencode({"host": folder, "port": PORT})
        user = parts.netloc.rpartition("@")[0]
        try:
            yield link, urlunsplit(parts._replace(netloc=f"{user}@" if user else "", query=query))
        finally:
            server.close()
            await link.end()
