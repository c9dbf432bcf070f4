"""Records as lines of COPY's text format, for the staging table in which they are judged one by one."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable
from typing import Final

from eventjobs.handlers.csv_records import FieldSplitter, Record, RecordReader
from eventjobs.handlers.csv_source import BAD
from eventjobs.postgres.tables import Dialect

_RECORD_CHARS_KEPT: Final = 8 * 1024
_SPECIAL: Final = re.compile(r"[\\\t\n\r]")
_ESCAPES: Final = {ord("\\"): "\\\\", ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}
_NULL: Final = "\\N"


class Staging:
    """Turns the text of one source of `width` fields a record into lines `line, defect, record, fields …`."""

    def __init__(self, dialect: Dialect, width: int, *, has_header: bool) -> None:
        self._reader = RecordReader(dialect)
        self._splitter = FieldSplitter(dialect)
        self._width = width
        self._skip_header = has_header
        self._no_fields = "\t".join([_NULL] * width)

    async def lines(self, texts: AsyncIterator[str]) -> AsyncIterator[bytes]:
        """Yield the lines, a batch for every piece of text; the work is done in threads."""
        async for text in texts:
            batch = await asyncio.to_thread(self._batch, text)
            if batch:
                yield batch
        rest = await asyncio.to_thread(self._written, self._reader.finish())
        if rest:
            yield rest

    def _batch(self, text: str) -> bytes:
        return self._written(self._reader.feed(text))

    def _written(self, records: Iterable[Record]) -> bytes:
        lines = []
        for record in records:
            if self._skip_header:
                self._skip_header = False
            elif record.text or self._width == 1:
                # An empty line is no record, except where it is the one missing value.
                lines.append(self._line(record))
        return "".join(lines).encode()

    def _line(self, record: Record) -> str:
        defect = _defect(record)
        fields = [] if defect else self._splitter.fields(record.text)
        if not defect and len(fields) != self._width:
            defect = f"has {len(fields)} fields instead of {self._width}"
        if defect:
            return f"{record.line}\t{defect}\t{_kept(record.text)}\t{self._no_fields}\n"
        if _SPECIAL.search(record.text):
            fields = [field if field is None else field.translate(_ESCAPES) for field in fields]
        return f"{record.line}\t\\N\t\\N\t" + "\t".join([_NULL if field is None else field for field in fields]) + "\n"


def _defect(record: Record) -> str | None:
    if record.is_open:
        return "a quote is never closed"
    if BAD in record.text:
        return "holds bytes that are not of the encoding"
    return "holds a NUL character" if "\0" in record.text else None


def _kept(text: str) -> str:
    return text[:_RECORD_CHARS_KEPT].replace(BAD, "\ufffd").replace("\0", "\ufffd").translate(_ESCAPES)
