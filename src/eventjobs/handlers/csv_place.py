"""Where an import's source is, whether it may be read yet, and what lies beside it."""

import posixpath
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from eventjobs.errors import FileMissing, JobFailed
from eventjobs.handlers.context import HandlerContext
from eventjobs.handlers.csv_config import URL, CsvImportConfig, Ready
from eventjobs.handlers.csv_folder import FileFacts, Folder, LocalFolder, RemoteFolder
from eventjobs.outbound.sftp_login import SftpPlace

_MARKER_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """A folder, and the source's name in it; `None` for a URL."""

    folder: Folder
    name: str | None

    def beside(self, name: str) -> str:
        """Return what a file in the source's own folder is called."""
        return posixpath.join(posixpath.dirname(self.name or ""), name)

    def count_file(self, name: str) -> str:
        """Return the count file's name: one of the workspace, or on an SFTP server one beside the source."""
        return name if self.folder.has_our_clock else self.beside(name)


@asynccontextmanager
async def open_place(context: HandlerContext, config: CsvImportConfig) -> AsyncIterator[Place]:
    """Find the source's folder, and log in where it is on a server."""
    if config.sftp is None:
        yield Place(LocalFolder(context.files), None if URL.match(config.source) else config.source)
        return
    there = SftpPlace.parse(config.source)
    async with context.outbound.sftp(there, config.sftp, total_s=config.timeout.total_seconds()) as session:
        yield Place(RemoteFolder(session), there.path)


async def ready_file(context: HandlerContext, place: Place, ready: Ready | None) -> FileFacts | None:
    """
    Return what the source is like once it may be read; `None` for a URL.

    Raises `FileMissing` if it is not there, and `JobFailed` if it was still being written at the end of the wait: both
    may be tried again.
    """
    if place.name is None:
        return None
    give_up_at = context.monotonic() + (ready.wait.total_seconds() if ready else 0.0)
    if ready and ready.marker is not None:
        marker = place.beside(ready.marker)
        while await place.folder.facts(marker) is None:
            await _pause(context, _MARKER_EVERY_S, give_up_at, f"the marker {ready.marker} is not there")
    facts = await _there(place, place.name)
    if ready and ready.stable_for is not None:
        seconds = ready.stable_for.total_seconds()
        # The clock of another machine says nothing about how long ago something was.
        age = context.now().timestamp() - facts.modified if place.folder.has_our_clock else 0.0
        while age < seconds:
            await _pause(context, seconds, give_up_at, "the source is still being written")
            before, facts = facts, await _there(place, place.name)
            if facts == before:
                break
    return facts


async def _there(place: Place, name: str) -> FileFacts:
    facts = await place.folder.facts(name)
    if facts is None:
        raise FileMissing(f"the file {name} is not there")
    return facts


async def _pause(context: HandlerContext, seconds: float, give_up_at: float, why: str) -> None:
    if context.monotonic() >= give_up_at:
        raise JobFailed(why)
    await context.progress(None, f"waiting: {why}")
    await context.clock.sleep(seconds)
