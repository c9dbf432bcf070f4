"""
What an incremental export exported until now.

The watermark is in the output of the job's newest run that succeeded, so the log's word that a run succeeded and the
watermark's rise are one fact: a run that failed, was stopped or was cut off has neither, whatever its file became.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext
from eventjobs.handlers.csv_export_config import CsvExportConfig, Incremental
from eventjobs.postgres.table_sql import TIMES
from eventjobs.postgres.tables import Span, TableExport


@dataclass(frozen=True, slots=True, kw_only=True)
class Watermark:
    """`value` of a column of type `kind`; `of` tells what the rows came from, so that another source begins anew."""

    of: str
    kind: str
    value: str | None

    @classmethod
    async def read(cls, context: HandlerContext, config: CsvExportConfig, column: str, kind: str) -> Self:
        """Return the present one; without a value where nothing was exported of this source."""
        source = _source(config, column)
        output = await context.history.last_output(context.workspace, context.job.kind, context.job.id)
        found = output.get("incremental") if isinstance(output, Mapping) else None
        if not isinstance(found, Mapping) or (found.get("of"), found.get("type")) != (source, kind):
            return cls(of=source, kind=kind, value=None)
        return cls(of=source, kind=kind, value=found.get("to"))

    def shown(self, span: Span) -> Mapping[str, Any]:
        """Return what the output of the run says: `to` is the watermark when the run has succeeded."""
        return {"column": span.column, "type": self.kind, "from": self.value, "to": span.until, "of": self.of}


async def new_rows(
    context: HandlerContext, config: CsvExportConfig, incremental: Incremental, export: TableExport
) -> tuple[Span, Mapping[str, Any]]:
    """Return which rows are new in the export's snapshot, and what to say of them."""
    kind = await export.kind_of(incremental.column)
    if incremental.overlap and kind not in TIMES:
        raise JobFailed(f"an overlap is for times, and {incremental.column} is a {kind}", retryable=False)
    watermark = await Watermark.read(context, config, incremental.column, kind)
    span = Span(
        column=incremental.column,
        kind=kind,
        after=watermark.value,
        until=await export.newest(incremental.column, kind, watermark.value),
        overlap=f"{incremental.overlap.total_seconds()} seconds" if incremental.overlap else None,
    )
    context.log("info", "rows that are new", column=span.column, above=span.after, until=span.until)
    return span, watermark.shown(span)


def _source(config: CsvExportConfig, column: str) -> str:
    parts = (str(config.database is not None), config.db_schema, config.table, config.query, column)
    return hashlib.sha256("\n".join(part or "" for part in parts).encode()).hexdigest()[:16]
