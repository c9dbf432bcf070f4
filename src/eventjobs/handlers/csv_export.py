"""
`csv.export`: writes the rows of a table or query into a CSV file, whole or not at all.

The rows come from one snapshot, in one read-only transaction, and pass through a bounded buffer into a file that has
its name only when it is complete. What an attempt before left unfinished is of no use: each begins anew.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.csv_config import URL
from eventjobs.handlers.csv_export_config import CsvExportConfig
from eventjobs.handlers.csv_packing import Packing
from eventjobs.handlers.csv_targets import Write, filled, open_target
from eventjobs.handlers.csv_watermark import new_rows
from eventjobs.handlers.registry import Handler
from eventjobs.postgres.tables import Selection

_BUFFER_BYTES: Final = 256 * 1024
_REPORT_S: Final = 0.2


async def run(context: HandlerContext, config: CsvExportConfig) -> Result:
    """Export all rows, or those that are new."""
    packing = Packing(config)
    target = await filled(context, config.target)
    async with open_target(context, config, target, packing) as write:
        rows, span = await _poured(context, config, packing, write)
    # A URL may come from a secret, and is blanked as that only if it is left as it is.
    shown = config.target if URL.match(target) else target
    output = {"target": shown, "sha256": packing.sha256, "bytes": packing.bytes, "form": config.form}
    return Result(counts={"processed": rows}, output=output if span is None else {**output, "incremental": span})


async def _poured(
    context: HandlerContext, config: CsvExportConfig, packing: Packing, write: Write
) -> tuple[int, Mapping[str, Any] | None]:
    """Write all records; returns how many rows there were, and which were meant if not all."""
    selection = Selection(table=config.table, columns=config.columns, query=config.query)
    pour = _Pour(context, packing, write)
    async with context.tables.open_export(
        context.workspace, selection, timeout=config.timeout, database=config.database, schema=config.db_schema
    ) as export:
        span, shown = None, None
        if config.incremental is not None:
            span, shown = await new_rows(context, config, config.incremental, export)
        rows = await export.copy(
            pour.add,
            config.dialect.plain(),
            has_header=config.has_header,
            span=span,
            spreadsheet=config.spreadsheet,
        )
    await pour.finish()
    if await context.history.is_superseded(context.workspace, context.run, context.term):
        raise JobFailed("a newer worker of this run exports", reason="superseded", retryable=False)
    await context.progress(1.0, f"{rows:,} rows", processed=rows)
    return rows, shown


class _Pour:
    """Takes records as the server sends them, and writes them in larger pieces."""

    def __init__(self, context: HandlerContext, packing: Packing, write: Write) -> None:
        self._context = context
        self._packing = packing
        self._write = write
        self._buffer = bytearray()
        self._reported_at = context.monotonic()

    async def add(self, records: bytes) -> None:
        self._buffer += records
        if len(self._buffer) >= _BUFFER_BYTES:
            await self._empty()

    async def finish(self) -> None:
        await self._empty()
        await self._write(self._packing.finish())

    async def _empty(self) -> None:
        records = bytes(self._buffer)
        self._buffer.clear()
        await self._write(await asyncio.to_thread(self._packing.pack, records))
        now = self._context.monotonic()
        if now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            lines = self._packing.lines
            await self._context.progress(None, f"{lines:,} lines", processed=lines)


HANDLER: Final = Handler(
    name="csv.export",
    summary="Writes a table or query into a CSV file",
    config=CsvExportConfig,
    run=run,
    delivery="at_least_once",
    interruption_counts=False,
)
