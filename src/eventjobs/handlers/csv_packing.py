"""What a CSV file is made of: records in its encoding, packed, counted and digested."""

import hashlib
import zlib
from codecs import getincrementalencoder
from typing import Final

from eventjobs.errors import JobFailed
from eventjobs.handlers.csv_config import NO_QUOTE
from eventjobs.handlers.csv_export_config import CsvExportConfig

_GZIP: Final = 31
"""zlib's word for its gzip form. That has no time or name in it here: the same rows make the same file."""


class Packing:
    """Turns records as UTF-8 into the bytes of the file, in order."""

    def __init__(self, config: CsvExportConfig) -> None:
        self._encoding = config.encoding
        self._encode = None if config.encoding == "utf-8" else getincrementalencoder(config.encoding)("strict").encode
        self._gzip = zlib.compressobj(wbits=_GZIP) if config.gzip else None
        self._is_unquoted = config.dialect.quote is None
        self._digest = hashlib.sha256()
        self.bytes = 0
        self.lines = 0

    @property
    def sha256(self) -> str:
        """The digest of all bytes of the file until now, in hex."""
        return self._digest.hexdigest()

    def pack(self, records: bytes) -> bytes:
        """Return what the next whole records add to the file; raises `JobFailed` where they cannot be written."""
        if self._is_unquoted and NO_QUOTE.encode() in records:
            raise JobFailed("a value would need quotes, and the dialect has none", retryable=False)
        self.lines += records.count(b"\n")
        return self._taken(self._encoded(records))

    def finish(self) -> bytes:
        """Return the end of the file."""
        packed = self._taken(self._encoded(b""))
        return packed if self._gzip is None else packed + self._counted(self._gzip.flush())

    def _encoded(self, records: bytes) -> bytes:
        if self._encode is None:
            return records
        try:
            return self._encode(records.decode())
        except UnicodeEncodeError as error:
            text = error.object[error.start : error.start + 1]
            raise JobFailed(f"the character {text!r} cannot be written in {self._encoding}", retryable=False) from None

    def _taken(self, encoded: bytes) -> bytes:
        return self._counted(encoded if self._gzip is None else self._gzip.compress(encoded))

    def _counted(self, packed: bytes) -> bytes:
        self._digest.update(packed)
        self.bytes += len(packed)
        return packed
