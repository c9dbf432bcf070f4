"""
Where the text of an import comes from: a file of the workspace, one on an SFTP server, or a URL.

A source can be read again from its start, since data that Postgres refuses is read a second time, record by record. A
file on an SFTP server is fetched again for that: most data is clean, and goes from the server into the table without
touching a disk. An answer to a URL may be another one the second time, so it is kept in a nameless file first.
"""

import asyncio
import codecs
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

import aiohttp

from eventjobs.errors import BadSource, JobFailed
from eventjobs.handlers.context import HandlerContext
from eventjobs.handlers.csv_config import CsvImportConfig
from eventjobs.handlers.csv_folder import CHUNK_BYTES, FileFacts, OpenFile, OpenLocal
from eventjobs.handlers.csv_gzip import MAGIC, unpacked, unpacked_head
from eventjobs.handlers.csv_place import Place
from eventjobs.handlers.http import may_come_right
from eventjobs.outbound.guarded import refusal, told

BAD: Final = "\udcff"
"""Stands in a decoded text for bytes that the encoding does not know; no decoder produces it otherwise."""

_MARK: Final = "eventjobs.mark"
_UTF8: Final = frozenset({"utf-8", "utf-8-sig"})
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HTTP_OK: Final = 200

Moved = Callable[[float, int], Awaitable[None]]
"""Called with the share of the source that is read and the lines seen so far."""


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return BAD, error.end
    raise error


codecs.register_error(_MARK, _mark)


@dataclass(frozen=True, slots=True)
class Source:
    """
    An open source; `encoding` is the declared one, or what its byte order mark says.

    `unpacked_max` is given where it is packed: how many bytes it may be without that.
    """

    file: OpenFile
    facts: FileFacts
    encoding: str
    unpacked_max: int | None = None

    @property
    def is_utf8(self) -> bool:
        """Whether its bytes can go to the database as they are."""
        return self.encoding in _UTF8

    async def check_unchanged(self) -> None:
        """Raise `JobFailed` if the file was written to since it was opened."""
        if await self.file.facts() != self.facts:
            raise JobFailed("the source changed while it was read")


class Pass:
    """One reading of a source from its start, with the digest of its bytes, unpacked."""

    def __init__(self, source: Source, moved: Moved) -> None:
        self._source = source
        self._moved = moved
        self._digest = hashlib.sha256()
        self._lines = 0
        self._at = 0

    @property
    def sha256(self) -> str:
        """The digest of what was read, in hex."""
        return self._digest.hexdigest()

    async def digest(self) -> str:
        """Read all of it, for the digest alone."""
        async for _ in self._chunks():
            pass
        return self.sha256

    async def utf8(self) -> AsyncIterator[bytes]:
        """Yield UTF-8 without a byte order mark; raises `UnicodeError` for bytes that the encoding does not know."""
        if not self._source.is_utf8:
            async for text in self.texts(errors="strict"):
                yield text.encode()
            return
        is_first = True
        async for chunk in self._chunks():
            yield chunk.removeprefix(codecs.BOM_UTF8) if is_first else chunk
            is_first = False

    async def texts(self, *, errors: str = _MARK) -> AsyncIterator[str]:
        """Yield decoded text without a byte order mark; unknown bytes show as `BAD`."""
        decoder = codecs.getincrementaldecoder(self._source.encoding)(errors)
        is_first = True
        async for chunk in self._chunks():
            text = decoder.decode(chunk)
            yield text.removeprefix("\ufeff") if is_first else text
            is_first = is_first and not text
        yield decoder.decode(b"", final=True)

    async def _chunks(self) -> AsyncIterator[bytes]:
        limit = self._source.unpacked_max
        async for chunk in self._stored() if limit is None else unpacked(self._stored(), limit):
            await asyncio.to_thread(self._see, chunk)
            yield chunk
            await self._moved(self._at / self._source.facts.size, self._lines)

    async def _stored(self) -> AsyncIterator[bytes]:
        size = self._source.facts.size
        # No further than it was at first, or a file that is written to would never end.
        while self._at < size and (chunk := await self._source.file.read(self._at)):
            self._at += len(chunk)
            yield chunk
        if self._at < size:
            raise JobFailed(f"the source ended after {self._at} of {size} bytes")

    def _see(self, chunk: bytes) -> None:
        self._digest.update(chunk)
        self._lines += chunk.count(b"\n")


@asynccontextmanager
async def open_source(
    context: HandlerContext, config: CsvImportConfig, place: Place, expected: FileFacts | None
) -> AsyncIterator[Source]:
    """
    Open what the job names, packed or not, as it was when it was `expected` to be read.

    Raises `JobFailed` if it is missing or has changed since, `BadSource` if it is empty.
    """
    async with _opened(context, config, place) as file:
        facts = await file.facts()
        if expected not in {None, facts}:
            raise JobFailed("the source changed before it was read")
        head = await file.read(0)
        is_packed = head.startswith(MAGIC)
        if is_packed:
            head = unpacked_head(head)
        if not head:
            raise BadSource("the source is empty")
        encoding: str = config.encoding
        if encoding in _UTF8:
            # No UTF-8 text begins with the byte order mark of another encoding.
            encoding = next((found for mark, found in _BYTE_ORDER_MARKS if head.startswith(mark)), encoding)
        yield Source(file, facts, encoding, config.unpacked_max if is_packed else None)


@asynccontextmanager
async def _opened(context: HandlerContext, config: CsvImportConfig, place: Place) -> AsyncIterator[OpenFile]:
    if place.name is None:
        with context.files.scratch() as file:
            await _download(context, config, file)
            yield OpenLocal(file)
    else:
        async with place.folder.open(place.name) as opened:
            yield opened


async def _download(context: HandlerContext, config: CsvImportConfig, file: BinaryIO) -> None:
    context.outbound.check(config.source)
    try:
        async with (
            context.outbound.session(total_s=config.timeout.total_seconds()) as session,
            session.get(config.source, allow_redirects=False) as answer,
        ):
            if answer.status != _HTTP_OK:
                raise JobFailed(
                    f"the source's server answered {answer.status}", retryable=may_come_right(answer.status)
                )
            await _save(context, answer, file)
    except TimeoutError:
        raise JobFailed(f"the source was not there within {config.timeout.total_seconds():g} s") from None
    except (aiohttp.ClientError, ConnectionError) as error:
        raise JobFailed(f"the source cannot be fetched: {told(error)}", retryable=refusal(error) is None) from None


async def _save(context: HandlerContext, answer: aiohttp.ClientResponse, file: BinaryIO) -> None:
    received, reported_at = 0, context.monotonic()
    async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
        await asyncio.to_thread(file.write, chunk)
        received += len(chunk)
        if context.monotonic() - reported_at >= 0.5:  # noqa: PLR2004 - seconds between two reports
            reported_at = context.monotonic()
            await context.progress(None, f"fetched {received:,} bytes")
    if answer.content_length is not None and received != answer.content_length:
        raise JobFailed(f"the source ended after {received} of {answer.content_length} bytes")
