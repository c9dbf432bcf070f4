"""
`csv.import`: loads a CSV file, of the workspace, an SFTP server or a URL, into a table, all or nothing.

Clean data is copied as it comes. Where Postgres refuses some of it, the source is read again record by record, what
cannot be loaded goes into a rejects file with its line and reason, and the rest is loaded. Either way it happens in one
transaction together with the load's row, so a second attempt of the same job run finds it and loads nothing.
"""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Final

from eventjobs.errors import BadSource, JobFailed, NotPlain
from eventjobs.handlers.context import HandlerContext, Result
from eventjobs.handlers.csv_after import loaded_file, put_away
from eventjobs.handlers.csv_columns import target_of
from eventjobs.handlers.csv_config import After, CsvImportConfig, RejectLimit
from eventjobs.handlers.csv_place import Place, open_place, ready_file
from eventjobs.handlers.csv_records import FieldSplitter, RecordReader
from eventjobs.handlers.csv_rejects import write_rejects
from eventjobs.handlers.csv_source import BAD, Pass, Source, open_source
from eventjobs.handlers.csv_staging import Staging
from eventjobs.handlers.registry import Handler
from eventjobs.postgres.tables import Loaded, LoadKey, TableLoad, Target

_REPORT_S: Final = 0.2
_COUNT_FILE_BYTES_MAX: Final = 4096
_KEEP: Final = After(success="keep", bad_source="keep")
_END_OF_COPY: Final = b"\\."


async def run(context: HandlerContext, config: CsvImportConfig) -> Result:
    """Load the source, unless this job run has loaded already, or the job an import whose table has it already."""
    config = config.of(context.job.kind)
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
            return await _finished(context, config, _told(context, config, loaded))
        async with open_place(context, config) as place:
            return await _loaded(context, config, load, place)


async def _loaded(context: HandlerContext, config: CsvImportConfig, load: TableLoad, place: Place) -> Result:
    after = config.after or _KEEP
    facts = await ready_file(context, place, config.ready)
    try:
        async with open_source(context, config, place, facts) as source:
            result = await _Import(context, config, load, place, source).result()
    except BadSource:
        await put_away(context, config, place, facts, after.bad_source)
        raise
    # Where another attempt has loaded meanwhile, the file is its business.
    fate = "keep" if result.output["replayed"] else after.success
    return _told_where(result, await put_away(context, config, place, facts, fate))


async def _finished(context: HandlerContext, config: CsvImportConfig, result: Result) -> Result:
    """Do with the file what the attempt that loaded it did not come to."""
    if config.after is None or config.after.success == "keep":
        return result
    try:
        async with open_place(context, config) as place:
            facts = await loaded_file(context, config, place, result.output["sha256"])
            return _told_where(result, await put_away(context, config, place, facts, config.after.success))
    except JobFailed as failure:
        context.log("warning", f"the source stays where it is: {failure.detail}")
        return result


class _Import:
    def __init__(
        self, context: HandlerContext, config: CsvImportConfig, load: TableLoad, place: Place, source: Source
    ) -> None:
        self._context = context
        self._config = config
        self._load = load
        self._place = place
        self._source = source
        self._dialect = config.dialect.plain()
        self._reported_at = context.monotonic()
        self._rejected: Sequence[int] = ()

    async def result(self) -> Result:
        target = target_of(self._config, await self._header() if self._config.has_header else None)
        await self._context.progress(0.0, "waiting for the table")
        loaded = await self._load.prepare(target)
        if loaded is not None:
            return _told(self._context, self._config, loaded)
        sha256 = await self._copied() or await self._checked(target)
        await self._source.check_unchanged()
        same_as = None if self._config.reload else await self._load.loaded_before(sha256)
        if same_as is None:
            await self._compare_count()
        else:
            await self._load.undo()
        processed = self._load.counts["processed"]
        await self._context.progress(1.0, f"{processed:,} rows", processed=processed)
        return _told(self._context, self._config, await self._load.commit(sha256), same_as, self._rejected)

    async def _header(self) -> list[str | None]:
        reader = RecordReader(self._dialect)
        async for text in Pass(self._source, self._moved).texts():
            for record in reader.feed(text):
                return self._header_fields(record.text, is_open=record.is_open)
        for record in reader.finish():
            return self._header_fields(record.text, is_open=record.is_open)
        raise BadSource("the source is empty")

    def _header_fields(self, text: str, *, is_open: bool) -> list[str | None]:
        if is_open or BAD in text or "\0" in text:
            raise BadSource("the header cannot be read: check the encoding and the quotes")
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
            self._rejected = await write_rejects(self._context, name, self._load.rejects(), self._dialect)
            self._refuse_too_many(name)
        await self._load.apply()
        return reading.sha256

    def _refuse_too_many(self, name: str) -> None:
        counts = self._load.counts
        rejected, processed = counts["rejected"], counts["processed"]
        self._context.log("warning", f"{rejected} of {processed} records were rejected", rejects_file=name)
        limit = self._config.reject_limit
        if isinstance(limit, RejectLimit) and limit.exceeded(rejected, processed):
            raise BadSource(
                f"{rejected} of {processed} records were rejected, more than allowed; nothing was loaded, see {name}",
                reason="reject_threshold",
                counts={"processed": processed, "added": 0, "updated": 0, "rejected": rejected},
                output={"rejects_file": name, "rejected_lines": list(self._rejected)},
            )

    async def _compare_count(self) -> None:
        name = self._config.count_file
        if name is None:
            return
        expected = await _announced(self._place, name)
        processed = self._load.counts["processed"]
        if expected != processed:
            raise BadSource(
                f"the source has {processed} records and {name} says {expected}; nothing was loaded",
                reason="count_mismatch",
                counts={"processed": processed, "added": 0, "updated": 0, "rejected": self._load.counts["rejected"]},
            )

    async def _moved(self, share: float, lines: int) -> None:
        now = self._context.monotonic()
        if now - self._reported_at >= _REPORT_S:
            self._reported_at = now
            # The last tenth is left for what comes after the last byte.
            await self._context.progress(0.9 * share, f"{lines:,} lines", processed=lines)


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


async def _announced(place: Place, name: str) -> int:
    async with place.folder.open(place.count_file(name)) as file:
        found = re.findall(rb"\d+", (await file.read(0))[:_COUNT_FILE_BYTES_MAX])
    if len(found) != 1:
        what = "more than one number" if found else "no number"
        raise JobFailed(f"the count file {name} holds {what}", reason="count_mismatch", retryable=False)
    return int(found[0])


def _told(
    context: HandlerContext,
    config: CsvImportConfig,
    loaded: Loaded,
    same_as: str | None = None,
    rejected: Sequence[int] = (),
) -> Result:
    output: dict[str, Any] = {
        "table": config.table,
        "mode": config.mode,
        "sha256": loaded.sha256,
        "replayed": loaded.replayed,
    }
    if loaded.replayed:
        context.log("info", "this job run has loaded already; nothing was loaded again")
    elif same_as is not None:
        context.log("info", f"the source has not changed since run {same_as}; nothing was loaded", run=same_as)
        output["unchanged_since"] = same_as
    if loaded.counts.get("rejected"):
        output["rejects_file"] = rejects_name(context, config)
        if rejected:
            output["rejected_lines"] = list(rejected)
    return Result(counts=loaded.counts, output=output)


def _told_where(result: Result, archived_as: str | None) -> Result:
    return result if archived_as is None else replace(result, output={**result.output, "archived_as": archived_as})


HANDLER: Final = Handler(
    name="csv.import",
    summary="Loads a CSV file into a table",
    config=CsvImportConfig,
    run=run,
    delivery="at_least_once",
    interruption_counts=False,
)
