"""
Pages that are open, in a process of their own: each has a live stream, and reads as a browser's page does.

What a page is concerned by, and how often it reads at most, is said in `web/src/live`; this repeats it. A page that has
no address to read only listens.
"""

import asyncio
import multiprocessing
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

import orjson

GATHER_S = 0.2
BUSY_S = 1.0
POLL_S = 0.05
OPEN_S = 120
BUSY_FACTS = frozenset(
    (
        *("awaited", "claimed", "joined", "minute_drawn", "occurrence_dropped", "occurrence_queued"),
        *("occurrences_missed", "occurrences_skipped", "released", "run_closed", "run_opened"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """
    A page: what it reads, and the kinds of streams that concern it.

    `rows` leads to its rows in the answer: of facts that are many only those about its rows concern it; without rows
    all do.
    """

    path: str = ""
    kinds: tuple[str, ...] = ()
    rows: tuple[str, ...] | None = None


@dataclass(slots=True)
class Seen:
    """What all pages saw together."""

    facts: int = 0
    chunks: int = 0
    reads: int = 0
    unchanged: int = 0
    bytes_read: int = 0
    late_ms: list[float] = field(default_factory=list)
    read_ms: list[float] = field(default_factory=list)


class _Page:
    def __init__(self, opened: Opened, url: str, cookie: str) -> None:
        parts = urlsplit(url)
        self.seen = Seen()
        self._opened = opened
        self._where = (parts.hostname, parts.port)
        self._head = f"Host: {parts.netloc}\r\nCookie: {cookie}\r\nSec-Fetch-Site: same-origin\r\n"
        self._shown: frozenset[str] = frozenset()
        self._etag = ""
        self._heard = 0
        self._is_old = asyncio.Event()
        self._read_at = 0.0

    async def open(self) -> None:
        if self._opened.path:
            self._api = await asyncio.open_connection(*self._where)
            await self._read()
        self._live = await asyncio.open_connection(*self._where)
        self._live[1].write(f"GET /v1/acme/live HTTP/1.1\r\n{self._head}\r\n".encode())
        assert b" 200 " in await self._live[0].readuntil(b"\r\n\r\n")

    async def stay(self) -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(self._hear())
            if self._opened.path:
                both.create_task(self._keep_up())

    async def _hear(self) -> None:
        reader = self._live[0]
        while True:
            size = int(await reader.readline(), 16)
            chunk = await reader.readexactly(size + 2)
            self.seen.chunks += 1
            now = datetime.now(UTC)
            for line in chunk.splitlines():
                if line.startswith(b"data: "):
                    self._heed(orjson.loads(line[6:]), now)

    def _heed(self, fact: dict[str, Any], now: datetime) -> None:
        if "at" in fact:
            self.seen.facts += 1
            self.seen.late_ms.append(1_000 * (now - datetime.fromisoformat(fact["at"])).total_seconds())
        if self._is_concerned(fact):
            self._heard = max(self._heard, fact.get("position", 0))
            self._is_old.set()

    def _is_concerned(self, fact: dict[str, Any]) -> bool:
        kind, _, the_id = fact.get("stream", f"run:{fact.get('run')}").partition(":")
        if kind not in self._opened.kinds:
            return False
        is_busy = kind == "run" or fact.get("type", "").partition(".")[2] in BUSY_FACTS
        return self._opened.rows is None or not is_busy or the_id in self._shown

    async def _keep_up(self) -> None:
        while True:
            await self._is_old.wait()
            await asyncio.sleep(max(GATHER_S, self._read_at + BUSY_S - time.monotonic()))
            self._is_old.clear()
            await self._read()

    async def _ask(self, request: bytes) -> tuple[str, asyncio.StreamReader]:
        """Send a request, over a new connection where the service closed one that was silent; return the head."""
        while True:
            reader, writer = self._api
            try:
                writer.write(request)
                return (await reader.readuntil(b"\r\n\r\n")).decode(), reader
            except (ConnectionError, asyncio.IncompleteReadError):
                writer.close()
                self._api = await asyncio.open_connection(*self._where)

    async def _read(self) -> None:
        path, began = self._opened.path, time.monotonic()
        if self._heard:
            path += f"{'&' if '?' in path else '?'}wait_for={self._heard}"
        known = f"If-None-Match: {self._etag}\r\n" if self._etag else ""
        head, reader = await self._ask(f"GET {path} HTTP/1.1\r\n{self._head}{known}\r\n".encode())
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines()[1:])}
        body = await reader.readexactly(int(fields.get("content-length", 0)))
        status, self._etag = int(head[9:12]), fields.get("etag", "")
        self._read_at = time.monotonic()
        self.seen.reads += 1
        self.seen.bytes_read += len(body)
        self.seen.read_ms.append(1_000 * (self._read_at - began))
        if status == 304:
            self.seen.unchanged += 1
            return
        assert status == 200, (path, body)
        if self._opened.rows is not None:
            self._shown = frozenset(_shown(orjson.loads(body), self._opened.rows))


def _shown(document: Any, rows: Sequence[str]) -> Iterable[str]:
    """The ids of what is shown, and of the runs that are open."""
    for part in rows:
        document = document[part]
    for row in document if isinstance(document, list) else [document]:
        yield row["id"]
        if row.get("open_run"):
            yield row["open_run"]["id"]


async def _watch(pipe: Connection, url: str, cookies: Sequence[str], opened: Sequence[Opened]) -> None:
    pages = [_Page(page, url, cookies[place % len(cookies)]) for place, page in enumerate(opened)]
    for page in pages:
        await page.open()
    async with asyncio.TaskGroup() as all_of_them:
        tasks = [all_of_them.create_task(page.stay()) for page in pages]
        await _told(pipe, "they are open")
        seen = Seen()
        for page in pages:
            page.seen = seen
        await _told(pipe, "they are counted")
        for task in tasks:
            task.cancel()
    pipe.send(seen)


async def _told(pipe: Connection, answer: str) -> None:
    """Answer, and wait to be told to go on."""
    pipe.send(answer)
    while not pipe.poll():
        await asyncio.sleep(POLL_S)
    pipe.recv()


def _child(pipe: Connection, url: str, cookies: Sequence[str], opened: Sequence[Opened]) -> None:
    asyncio.run(_watch(pipe, url, cookies, opened))


class Audience:
    """The pages of another process."""

    def __init__(self, pipe: Connection, is_alive: Callable[[], bool]) -> None:
        self._pipe = pipe
        self._is_alive = is_alive

    async def say(self, word: str) -> Any:
        """Have the process go on, and return its answer."""
        self._pipe.send(word)
        return await self.hear()

    async def hear(self) -> Any:
        """Return what the process says next."""
        async with asyncio.timeout(OPEN_S):
            while not self._pipe.poll():
                if not self._is_alive():
                    raise RuntimeError("the pages broke")
                await asyncio.sleep(POLL_S)
        return self._pipe.recv()


@asynccontextmanager
async def audience(url: str, cookies: Sequence[str], opened: Sequence[Opened]) -> AsyncIterator[Audience]:
    """Open the pages, signed in with these cookies by turns; they are open when this yields."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_child, args=(theirs, url, cookies, opened), daemon=True
    )
    process.start()
    try:
        pages = Audience(ours, process.is_alive)
        await pages.hear()
        yield pages
    finally:
        process.kill()
        process.join()
