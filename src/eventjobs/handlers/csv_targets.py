"""
Where an export goes.

Each target is a block: what is written in it is there, whole, when the block ends well, and not at all otherwise.
Unfinished files have a name that tells the job, so the next attempt removes what a killed one left; one that lost its
run to another instance, and does not know yet, then has nothing to publish any more.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import BinaryIO, Final

import aiohttp

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import HandlerContext
from eventjobs.handlers.csv_config import URL
from eventjobs.handlers.csv_export_config import PLACES, CsvExportConfig
from eventjobs.handlers.csv_packing import Packing
from eventjobs.handlers.http import may_come_right, own_headers
from eventjobs.outbound.guarded import refusal, told
from eventjobs.outbound.sftp_login import SFTP_URL, SftpPlace

Write = Callable[[bytes], Awaitable[object]]

_CHUNK_BYTES: Final = 256 * 1024
_OK: Final = range(200, 300)


async def filled(context: HandlerContext, target: str) -> str:
    """Return a target with what stands in its braces: date and time of the run's moment, and its id."""
    of_run = {"run": context.run}
    if "{date}" in target or "{time}" in target:
        moment = await context.history.moment(context.workspace, context.run)
        of_run |= {"date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H%M%S}"}
    return PLACES.sub(lambda place: of_run[place[1]], target)


def open_target(
    context: HandlerContext, config: CsvExportConfig, target: str, packing: Packing
) -> AbstractAsyncContextManager[Write]:
    """Open the target for writing; `packing` is what is written."""
    if SFTP_URL.match(target):
        return _remote_file(context, config, target, packing)
    if URL.match(target):
        return _request(context, config, target, packing)
    return _file(context, config, target)


@asynccontextmanager
async def _file(context: HandlerContext, config: CsvExportConfig, target: str) -> AsyncIterator[Write]:
    part, litter = _unfinished(context)
    unfinished = context.files.begin(target, part, litter)
    replace = config.exists == "replace"
    try:
        if not replace:
            unfinished.check_free()
        yield lambda data: asyncio.to_thread(unfinished.file.write, data)
        await asyncio.to_thread(unfinished.sync)
        # Not in a thread, where a cancelled attempt would go on and publish all the same.
        unfinished.publish(replace=replace)
        await asyncio.to_thread(unfinished.settle)
    finally:
        unfinished.discard()


@asynccontextmanager
async def _remote_file(
    context: HandlerContext, config: CsvExportConfig, target: str, packing: Packing
) -> AsyncIterator[Write]:
    if config.sftp is None:
        raise JobFailed("the target is an sftp:// URL, and the job has no sftp to log in with", retryable=False)
    place = SftpPlace.parse(target)
    part, litter = _unfinished(context)
    async with (
        context.outbound.sftp(place, config.sftp, total_s=config.timeout.total_seconds()) as session,
        session.replace(place.path, part=part, litter=litter, may_replace=config.exists == "replace") as file,
    ):
        yield file.write
        await file.sync()
        size = (await file.facts()).size
        if size != packing.bytes:
            raise JobFailed(f"the SFTP server {place.server} has {size} of {packing.bytes} bytes")


@asynccontextmanager
async def _request(
    context: HandlerContext, config: CsvExportConfig, target: str, packing: Packing
) -> AsyncIterator[Write]:
    """Keep the file until it is complete: a receiver that gets half of it might take it for the whole."""
    context.outbound.check(target)
    with context.files.scratch() as file:
        yield lambda data: asyncio.to_thread(file.write, data)
        await _send(context, config, target, file, packing)


async def _send(
    context: HandlerContext, config: CsvExportConfig, target: str, file: BinaryIO, packing: Packing
) -> None:
    kind = "application/gzip" if config.gzip else f"text/csv; charset={config.encoding}"
    headers = {"Content-Type": kind} | dict(config.headers) | own_headers(context)
    headers |= {"Content-Length": str(packing.bytes), "Eventjobs-Form": config.form}
    # Who drops what carries a key that it has seen must not drop an attempt with newer rows.
    headers["Idempotency-Key"] = f"{context.idempotency_key}-{packing.sha256[:16]}"
    try:
        async with (
            context.outbound.session(total_s=config.timeout.total_seconds()) as session,
            session.request(
                config.method, target, headers=headers, data=_chunks(file), allow_redirects=False
            ) as answer,
        ):
            if answer.status not in _OK:
                raise JobFailed(
                    f"the target's server answered {answer.status}", retryable=may_come_right(answer.status)
                )
    except TimeoutError:
        raise JobFailed(f"the target took nothing within {config.timeout.total_seconds():g} s") from None
    except (aiohttp.ClientError, ConnectionError) as error:
        raise JobFailed(f"the target cannot be reached: {told(error)}", retryable=refusal(error) is None) from None


async def _chunks(file: BinaryIO) -> AsyncIterator[bytes]:
    file.seek(0)
    while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
        yield chunk


def _unfinished(context: HandlerContext) -> tuple[str, str]:
    """Name this attempt's unfinished file, and how those of the job begin, on this installation alone."""
    job = f"{context.installation}\n{context.workspace}\n{context.job.kind}\n{context.job.id}"
    litter = f".eventjobs-{hashlib.sha256(job.encode()).hexdigest()[:16]}"
    return f"{litter}-{context.idempotency_key[:12]}-{context.term}-{context.attempt}.part", litter
