"""Sources that are packed with gzip, unpacked as they come and never beyond a limit."""

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Any, Final

from eventjobs.errors import BadSource, JobFailed

MAGIC: Final = b"\x1f\x8b\x08"
"""How such a source begins; no text of any of our encodings does."""

_GZIP: Final = 16 + zlib.MAX_WBITS
_PIECE_BYTES: Final = 1024 * 1024
_HEAD_BYTES: Final = 16


def unpacked_head(packed: bytes) -> bytes:
    """Return the first few bytes of what is packed."""
    return _inflated(zlib.decompressobj(_GZIP), packed, _HEAD_BYTES)


async def unpacked(chunks: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    """
    Yield what is packed, in pieces of a mebibyte at most.

    Raises `BadSource` for what is no gzip data or is more than `limit` bytes unpacked, and `JobFailed` if it breaks
    off: the rest may still come.
    """
    inflate, total = zlib.decompressobj(_GZIP), 0
    async for chunk in chunks:
        rest = chunk
        while rest:
            if inflate.eof:
                # Files packed one by one may stand one after the other; zeros fill up blocks of tapes.
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                inflate = zlib.decompressobj(_GZIP)
            piece = await asyncio.to_thread(_inflated, inflate, rest, _PIECE_BYTES)
            rest = inflate.unused_data or inflate.unconsumed_tail
            total += len(piece)
            if total > limit:
                raise BadSource(
                    f"the source unpacks to more than {limit:,} bytes; raise unpacked_max if it is meant to be so large"
                )
            if piece:
                yield piece
    if not inflate.eof:
        raise JobFailed("the source breaks off in the middle of its gzip data")


def _inflated(inflate: Any, packed: bytes, limit: int) -> bytes:
    try:
        piece: bytes = inflate.decompress(packed, limit)
    except zlib.error as error:
        raise BadSource(f"the source's gzip data is damaged: {error}") from None
    return piece
