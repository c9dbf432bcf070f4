"""
The bytes of an import: a file of the workspace, or a URL that is downloaded first.

A source can be read again from its start, since data that Postgres refuses is read a second time, record by record.
"""

import asyncio
import codecs
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO, Final

import aiohttp

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext
from eventjobs.handlers.csv_config import URL, CsvImportConfig
from eventjobs.handlers.outbound import refusal

CHUNK_BYTES: Final = 256 * 1024
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
_SERVER_ERRORS: Final = 500

Moved = Callable[[int, int], Awaitable[None]]
"""Called with the bytes read and the lines seen so far."""


def _mark(error: UnicodeError) -> tuple[str, int]:
    if isinstance(error, UnicodeDecodeError):
        return BAD, error.end
    raise error


codecs.register_error(_MARK, _mark)


@dataclass(frozen=True, slots=True)
class Source:
    """An open source; `encoding` is the declared one, or what its byte order mark says."""

    file: BinaryIO
    size: int
    encoding: str

    @property
    def is_utf8(self) -> bool:
        """Whether its bytes can go to the database as they are."""
        return self.encoding in _UTF8

    def check_unchanged(self) -> None:
        """Raise `JobFailed` if the file has another size now than when it was opened."""
        if os.fstat(self.file.fileno()).st_size != self.size:
            raise JobFailed("the source changed while it was read")


class Pass:
    """One reading of a source from its start, with the digest of its bytes."""

    def __init__(self, source: Source, moved: Moved) -> None:
        self._source = source
        self._moved = moved
        self._digest = hashlib.sha256()
        self._bytes = 0
        self._lines = 0

    @property
    def sha256(self) -> str:
        """The digest of what was read, in hex."""
        return self._digest.hexdigest()

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
        self._source.file.seek(0)
        while chunk := await asyncio.to_thread(self._read):
            self._bytes += len(chunk)
            self._lines += chunk.count(b"\n")
            yield chunk
            await self._moved(self._bytes, self._lines)

    def _read(self) -> bytes:
        chunk = self._source.file.read(CHUNK_BYTES)
        self._digest.update(chunk)
        return chunk


@asynccontextmanager
async def open_source(context: HandlerContext, config: CsvImportConfig) -> AsyncIterator[Source]:
    """Open what the job names; raises `JobFailed` if it is missing or empty."""
    if URL.match(config.source):
        with context.files.scratch() as file:
            await _download(context, config, file)
            yield await _opened(file, config)
        return
    with await asyncio.to_thread(context.files.open_read, config.source) as file:
        yield await _opened(file, config)


async def _opened(file: BinaryIO, config: CsvImportConfig) -> Source:
    size = os.fstat(file.fileno()).st_size
    if size == 0:
        raise JobFailed("the source is empty", retryable=False)
    file.seek(0)
    head = await asyncio.to_thread(file.read, 4)
    encoding: str = config.encoding
    if encoding in _UTF8:
        # No UTF-8 text begins with the byte order mark of another encoding.
        encoding = next((found for mark, found in _BYTE_ORDER_MARKS if head.startswith(mark)), encoding)
    return Source(file, size, encoding)


async def _download(context: HandlerContext, config: CsvImportConfig, file: BinaryIO) -> None:
    context.outbound.check(config.source)
    try:
        async with (
            context.outbound.session(total_s=config.timeout.total_seconds()) as session,
            session.get(config.source, allow_redirects=False) as answer,
        ):
            if answer.status != _HTTP_OK:
                retryable = answer.status >= _SERVER_ERRORS or answer.status in {408, 425, 429}
                raise JobFailed(f"the source's server answered {answer.status}", retryable=retryable)
            await _save(context, answer, file)
    except TimeoutError:
        raise JobFailed(f"the source was not there within {config.timeout.total_seconds():g} s") from None
    except (aiohttp.ClientError, ConnectionError) as error:
        refused = refusal(error)
        detail = str(refused or error) or type(error).__name__
        raise JobFailed(f"the source cannot be fetched: {detail}", retryable=refused is None) from None


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
