"""The file that tells people which records were not loaded, and why."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from typing import Final

from eventjobs.handlers.context import HandlerContext
from eventjobs.postgres.tables import Dialect, Reject

HEADER: Final = ("line", "reason", "record")

LINES_TOLD: Final = 100
"""How many rejected lines are told by their number besides."""

_ROWS_AT_ONCE: Final = 500


async def write_rejects(
    context: HandlerContext, name: str, rejects: AsyncIterator[Reject], dialect: Dialect
) -> Sequence[int]:
    """
    Write the file whole or not at all; a former one of the same name is replaced.

    Returns the numbers of the first rejected lines.
    """
    lines: list[int] = []
    with context.files.replace(name) as file:
        rows: list[Sequence[object]] = [HEADER]
        async for reject in rejects:
            if len(lines) < LINES_TOLD:
                lines.append(reject.line)
            rows.append((reject.line, reject.reason, reject.record or _joined(reject.fields, dialect)))
            if len(rows) >= _ROWS_AT_ONCE:
                await asyncio.to_thread(file.write, _written(rows))
                rows = []
        await asyncio.to_thread(file.write, _written(rows))
    return lines


def _written(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _joined(fields: Sequence[str | None], dialect: Dialect) -> str:
    """Write a record again as its source does, so that it can be repaired and loaded."""
    return dialect.delimiter.join(dialect.null if field is None else _quoted(field, dialect) for field in fields)


def _quoted(field: str, dialect: Dialect) -> str:
    special = {dialect.delimiter, dialect.quote, "\n", "\r"}
    if field != dialect.null and not any(char in field for char in special):
        return field
    if dialect.escape != dialect.quote:
        field = field.replace(dialect.escape, dialect.escape * 2)
    return dialect.quote + field.replace(dialect.quote, dialect.escape + dialect.quote) + dialect.quote
