"""
`csv.import`: loads a CSV file or URL into a table, all or nothing.

Clean data is copied as it comes. Where Postgres refuses some of it, the source is read again record by record, what
cannot be loaded goes into a rejects file with its line and reason, and the rest is loaded. Either way it happens in one
transaction together with the load's row, so a second attempt of the same job run finds it and loads nothing.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Final

from eventjobs.errors import JobFailed, NotPlain
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.csv_columns import target_of
from eventjobs.handlers.csv_config import CsvImportConfig, RejectLimit
from eventjobs.handlers.csv_records import FieldSplitter, RecordReader
from eventjobs.handlers.csv_rejects import write_rejects
from eventjobs.handlers.csv_source import BAD, Pass, Source, open_source
from eventjobs.handlers.csv_staging import Staging
from eventjobs.handlers.registry import Handler
from eventjobs.postgres.tables import Loaded, LoadKey, TableLoad, Target

_REPORT_S: Final = 0.2
_COUNT_FILE_BYTES_MAX: Final = 4096
_END_OF_COPY: Final = b"\\."


async def run(context: HandlerContext, config: CsvImportConfig) -> Result:
    """Load the source, unless this job run has loaded already."""
    key = LoadKey(
        run=context.run,
        row=context.row,
        job=f"{context.job.kind}/{context.job.id}",
        attempt=context.attempt,
        term=context.term,
    )
    async with context.tables.open_load(
        context.workspace, key, database=config.database, schema=config.db_schema, date_order=config.date_order
    ) as load:
        loaded = await load.find_loaded()
        if loaded is not None:
            return _told(context, config, loaded)
        async with open_source(context, config) as source:
            return _told(context, config, await _Import(context, config, load, source).loaded())


class _Import:
    def __init__(self, context: HandlerContext, config: CsvImportConfig, load: TableLoad, source: Source) -> None:
        self._context = context
        self._config = config
        self._load = load
        self._source = source
        self._dialect = config.dialect.plain()
        self._reported_at = context.monotonic()

    async def loaded(self) -> Loaded:
        target = target_of(self._config, await self._header() if self._config.has_header else None)
        await self._context.progress(0.0, "waiting for the table")
        loaded = await self._load.prepare(target)
        if loaded is not None:
            return loaded
        sha256 = await self._copied() or await self._checked(target)
        self._source.check_unchanged()
        await self._compare_count()
        processed = self._load.counts["processed"]
        await self._context.progress(1.0, f"{processed:,} rows", processed=processed)
        return await self._load.commit(sha256)

    async def _header(self) -> list[str | None]:
        reader = RecordReader(self._dialect)
        async for text in Pass(self._source, self._moved).texts():
            for record in reader.feed(text):
                return self._header_fields(record.text, is_open=record.is_open)
        for record in reader.finish():
            return self._header_fields(record.text, is_open=record.is_open)
        raise JobFailed("the source is empty", retryable=False)

    def _header_fields(self, text: str, *, is_open: bool) -> list[str | None]:
        if is_open or BAD in text or "\0" in text:
            raise JobFailed("the header cannot be read: check the encoding and the quotes", retryable=False)
        return FieldSplitter(self._dialect).fields(text)

    async def _copied(self) -> str | None:
        """Copy the source as it is; returns its SHA-256, or `None` if it has to be taken apart."""
        reading = Pass(self._source, self._moved)
        try:
            refused = await self._load.copy_clean(_plain(reading), self._dialect, has_header=self._config.has_header)
        except (NotPlain, UnicodeError) as turn:
            refused = str(turn)
        if refused is None:
            return reading.sha256
        self._context.log("info", "some of the source cannot be loaded as it is; looking at each record", why=refused)
        return None

    async def _checked(self, target: Target) -> str:
        """Stage every record, write the rejects, load the rest; returns the source's SHA-256."""
        reading = Pass(self._source, self._moved)
        staging = Staging(self._dialect, len(target.columns), has_header=self._config.has_header)
        await self._load.stage(staging.lines(reading.texts()))
        await self._context.progress(0.9, "checking values", processed=self._load.counts["processed"])
        if await self._load.judge():
            name = rejects_name(self._context, self._config)
            await write_rejects(self._context, name, self._load.rejects(), self._dialect)
            self._refuse_too_many(name)
        await self._load.apply()
        return reading.sha256

    def _refuse_too_many(self, name: str) -> None:
        counts = self._load.counts
        rejected, processed = counts["rejected"], counts["processed"]
        self._context.log("warning", f"{rejected} of {processed} records were rejected", rejects_file=name)
        limit = self._config.reject_limit
        if isinstance(limit, RejectLimit) and limit.exceeded(rejected, processed):
            raise JobFailed(
                f"{rejected} of {processed} records were rejected, more than allowed; nothing was loaded, see {name}",
                reason="reject_threshold",
                counts={"processed": processed, "added": 0, "updated": 0, "rejected": rejected},
                output={"rejects_file": name},
                retryable=False,
            )

    async def _compare_count(self) -> None:
        name = self._config.count_file
        if name is None:
            return
        expected = await asyncio.to_thread(_announced, self._context, name)
        processed = self._load.counts["processed"]
        if expected != processed:
            raise JobFailed(
                f"the source has {processed} records and {name} says {expected}; nothing was loaded",
                reason="count_mismatch",
                counts={"processed": processed, "added": 0, "updated": 0, "rejected": self._load.counts["rejected"]},
                retryable=False,
            )

    async def _moved(self, bytes_read: int, lines: int) -> None:
        now = self._context.monotonic()
        if now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            # The last tenth is left for what comes after the last byte.
            await self._context.progress(0.9 * bytes_read / self._source.size, f"{lines:,} lines", processed=lines)


async def _plain(reading: Pass) -> AsyncIterator[bytes]:
    """Pass UTF-8 on, but stop at what older servers take for the end of the data."""
    before = b""
    async for chunk in reading.utf8():
        if _END_OF_COPY in before + chunk:
            raise NotPlain("the source holds \\., which can mean the end of the data")
        before = chunk[-1:]
        yield chunk


def rejects_name(context: HandlerContext, config: CsvImportConfig) -> str:
    """Return the name of the rejects file of this job run."""
    return config.rejects_file or f"rejects/{context.run}-{context.row}.csv"


def _announced(context: HandlerContext, name: str) -> int:
    with context.files.open_read(name) as file:
        found = re.search(rb"\d{1,15}", file.read(_COUNT_FILE_BYTES_MAX))
    if found is None:
        raise JobFailed(f"the count file {name} holds no number", reason="count_mismatch", retryable=False)
    return int(found[0])


def _told(context: HandlerContext, config: CsvImportConfig, loaded: Loaded) -> Result:
    if loaded.replayed:
        context.log("info", "this job run has loaded already; nothing was loaded again")
    output = {"table": config.table, "mode": config.mode, "sha256": loaded.sha256, "replayed": loaded.replayed}
    if loaded.counts.get("rejected"):
        output["rejects_file"] = rejects_name(context, config)
    return Result(counts=loaded.counts, output=output)


HANDLER: Final = Handler(
    name="csv.import",
    summary="Loads a CSV file into a table",
    config=CsvImportConfig,
    run=run,
    delivery="at_least_once",
    interruption_counts=False,
)
