"""
The ports through which handlers reach the world: files, tables, the network, programs.

Each is a Protocol, so that a test or another executor can supply its own; `workbench.py` puts the real ones together.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

import aiohttp

from eventjobs.outbound.sftp_login import SftpLogin, SftpPlace
from eventjobs.postgres.tables import DateOrder, LoadKey, Selection, TableExport, TableLoad

if TYPE_CHECKING:
    # Slow to import, and not everybody's.
    from eventjobs.outbound.sftp import SftpSession


class UnfinishedFile(Protocol):
    """A file without its name; `publish` or `discard` ends it."""

    @property
    def file(self) -> BinaryIO:
        """What is written to."""
        ...

    def sync(self) -> None:
        """Bring what was written onto the disk."""
        ...

    def publish(self, *, replace: bool = True) -> None:
        """Give the file its name at once; without `replace` only if nothing has that name."""
        ...

    def settle(self) -> None:
        """Bring the name onto the disk too."""
        ...

    def check_free(self) -> None:
        """Refuse (`JobFailed`) a name that something has already."""
        ...

    def discard(self) -> None:
        """Remove the file, unless it was published."""
        ...


class FileAccess(Protocol):
    """
    The workspace's own folder.

    Names are relative, with `/`; absolute ones, `..` and links that lead out are refused (`JobFailed`, not retryable).
    """

    def open_read(self, name: str) -> BinaryIO:
        """Open a regular file for reading, unbuffered."""
        ...

    @contextmanager
    def replace(self, name: str) -> Iterator[BinaryIO]:
        """Write a file that appears under `name` at the end of the block, or not at all."""
        ...

    def begin(self, name: str, part: str, litter: str | None = None) -> UnfinishedFile:
        """Begin a file called `part` beside `name`; other files there whose names begin with `litter` are removed."""
        ...

    def move(self, name: str, to: str) -> None:
        """Give a file another name that nothing has yet; folders are made."""
        ...

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there is no failure."""
        ...

    @contextmanager
    def scratch(self) -> Iterator[BinaryIO]:
        """Give a nameless file for reading and writing that is gone after the block."""
        ...

    def size(self, name: str) -> int:
        """Return a file's size in bytes."""
        ...


class TableAccess(Protocol):
    """Where a workspace's tables are: its own schema, or the database of a resolved DSN."""

    def open_load(
        self,
        workspace: str,
        key: LoadKey,
        *,
        database: str | None = None,
        schema: str | None = None,
        date_order: DateOrder = "ymd",
    ) -> AbstractAsyncContextManager[TableLoad]:
        """Open one load: a connection of the workspace's own role (or of the DSN `database`), and one transaction."""
        ...

    def open_export(
        self,
        workspace: str,
        selection: Selection,
        *,
        timeout: timedelta,
        database: str | None = None,
        schema: str | None = None,
    ) -> AbstractAsyncContextManager[TableExport]:
        """Open one export: such a connection, read only, whose statements take as long as `timeout` at most."""
        ...


class History(Protocol):
    """What the log knows of runs."""

    async def moment(self, workspace: str, run: str) -> datetime:
        """
        Return what a run stands for, else when it was opened, in the zone of its owner where that has one.

        It is the same for all attempts of the run.
        """
        ...

    async def is_superseded(self, workspace: str, run: str, term: int) -> bool:
        """Tell whether another instance has the run by now: whoever has `term` must put nothing anywhere any more."""
        ...

    async def last_output(self, workspace: str, kind: str, job_id: str) -> Any:
        """Return the output of the job's newest run that succeeded, `None` if there is none."""
        ...


class Outbound(Protocol):
    """HTTP and SFTP to others, guarded: only addresses that are allowed, no proxies, no redirects, known host keys."""

    def session(self, *, total_s: float) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
        """Open a session whose requests take `total_s` seconds at most."""
        ...

    def check(self, url: str) -> None:
        """Refuse (`JobFailed`) a URL that may not be called, as far as its text says."""
        ...

    def sftp(self, place: SftpPlace, login: SftpLogin, *, total_s: float) -> AbstractAsyncContextManager["SftpSession"]:
        """Log in at an SFTP server for `total_s` seconds at most."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandRules:
    """
    What `command` jobs may start.

    `programs` are absolute paths or names looked up on `path`; `environment` is all that a program sees besides what
    its job names; `grace_s` seconds lie between TERM and KILL.
    """

    programs: Sequence[str] = ()
    environment: Mapping[str, str] | None = None
    grace_s: float = 10.0
