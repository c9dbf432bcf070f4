"""Where a source lies: the workspace's own folder, or one on an SFTP server. Names are the folder's own."""

import asyncio
import os
import posixpath
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from eventjobs.errors import FileMissing
from eventjobs.handlers.ports import FileAccess

if TYPE_CHECKING:
    # Slow to import, and not everybody's.
    from eventjobs.outbound.sftp import SftpFile, SftpSession

CHUNK_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What tells whether a file is still the same: its size in bytes, and when it was written last."""

    size: int
    modified: float


class OpenFile(Protocol):
    """A file that can be read again from its start."""

    async def read(self, at: int) -> bytes:
        """Return some of what follows the byte `at`; nothing at the end."""
        ...

    async def facts(self) -> FileFacts:
        """Return what the file is like now."""
        ...


class Folder(Protocol):
    """The files of one place. Failures are `JobFailed`."""

    def open(self, name: str) -> AbstractAsyncContextManager[OpenFile]:
        """Open a plain file for reading."""
        ...

    async def facts(self, name: str) -> FileFacts | None:
        """Return what a file is like, `None` if it is not there."""
        ...

    async def move(self, name: str, to: str) -> None:
        """Give a file another name that nothing has yet; folders are made."""
        ...

    async def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no failure."""
        ...

    @property
    def has_our_clock(self) -> bool:
        """Whether its times are of this machine's clock."""
        ...


@dataclass(frozen=True, slots=True)
class OpenLocal:
    """A file of this machine."""

    file: BinaryIO

    async def read(self, at: int) -> bytes:
        """Read in a thread: disks block."""
        return await asyncio.to_thread(os.pread, self.file.fileno(), CHUNK_BYTES, at)

    async def facts(self) -> FileFacts:
        """Return what the open file is like, whatever its name stands for meanwhile."""
        found = os.fstat(self.file.fileno())
        return FileFacts(found.st_size, found.st_mtime_ns / 1e9)


@dataclass(frozen=True, slots=True)
class LocalFolder:
    """The workspace's folder."""

    files: FileAccess

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[OpenFile]:
        """Open a file of the workspace."""
        with await asyncio.to_thread(self.files.open_read, name) as file:
            yield OpenLocal(file)

    async def facts(self, name: str) -> FileFacts | None:
        """Look at a file of the workspace."""
        try:
            async with self.open(name) as file:
                return await file.facts()
        except FileMissing:
            return None

    async def move(self, name: str, to: str) -> None:
        """Move inside the workspace's folder."""
        # Not in a thread, where a cancelled attempt would go on and move it all the same.
        self.files.move(name, to)

    async def remove(self, name: str) -> None:
        """Delete from the workspace's folder."""
        self.files.remove(name)

    @property
    def has_our_clock(self) -> bool:
        """It has."""
        return True


class OpenRemote:
    """A file on an SFTP server. Its first bytes are kept, since they are looked at more than once."""

    def __init__(self, file: "SftpFile") -> None:
        self._file = file
        self._first = b""

    async def read(self, at: int) -> bytes:
        """Fetch what follows; only the second pass over data that Postgres refused fetches anything twice."""
        if at == 0 and self._first:
            return self._first
        found = await self._file.read(at)
        if at == 0:
            self._first = found
        return found

    async def facts(self) -> FileFacts:
        """Ask the server about the open file."""
        found = await self._file.facts()
        return FileFacts(found.size, found.modified)


@dataclass(frozen=True, slots=True)
class RemoteFolder:
    """What an SFTP session sees."""

    session: "SftpSession"

    @asynccontextmanager
    async def open(self, name: str) -> AsyncIterator[OpenFile]:
        """Open a file of the server."""
        async with self.session.open_read(name) as file:
            yield OpenRemote(file)

    async def facts(self, name: str) -> FileFacts | None:
        """Ask the server about a file."""
        found = await self.session.facts(name)
        return None if found is None else FileFacts(found.size, found.modified)

    async def move(self, name: str, to: str) -> None:
        """Move on the server."""
        await self.session.make_folder(posixpath.dirname(to))
        await self.session.rename(name, to)

    async def remove(self, name: str) -> None:
        """Delete from the server."""
        await self.session.remove(name)

    @property
    def has_our_clock(self) -> bool:
        """The server has its own."""
        return False
