"""
The ports through which handlers reach the world: files, tables, the network, programs.

Each is a Protocol, so that a test or another executor can supply its own; `workbench.py` puts the real ones together.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import aiohttp

from eventjobs.postgres.tables import DateOrder, LoadKey, TableLoad


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


class Outbound(Protocol):
    """HTTP to others, guarded: only addresses that are allowed, no proxies of the environment, no redirects."""

    def session(self, *, total_s: float) -> AbstractAsyncContextManager[aiohttp.ClientSession]:
        """Open a session whose requests take `total_s` seconds at most."""
        ...

    def check(self, url: str) -> None:
        """Refuse (`JobFailed`) a URL that may not be called, as far as its text says."""
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
