"""The words in which a load into a table is described."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

Mode: TypeAlias = Literal["replace", "append", "merge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadKey:
    """Which attempt loads: unique by (run, row) for ever; a higher `term` of the run refuses lower ones."""

    run: str
    row: int
    job: str
    attempt: int
    term: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a load did: the source's SHA-256 (hex) and `processed, added, updated, rejected`."""

    sha256: str
    counts: Mapping[str, int]
    replayed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    A table and how rows get into it.

    `columns` are those of the file in its order, `None` where a field is not loaded; `types` are the declared types of
    those that have one. `keys` identify a row for `merge`.
    """

    table: str
    mode: Mode
    columns: Sequence[str | None]
    types: Mapping[str, str] = field(default_factory=dict)
    keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the source writes a record; each is one ASCII character but `null`, the text of a missing value."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    null: str = ""


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was not loaded: its first line in the source, why, and its text."""

    line: int
    reason: str
    record: str


class TableLoad(Protocol):
    """
    One load, on one connection and in one transaction: all of it or nothing.

    The order is `find_loaded`, `prepare`, then `copy_clean` or, where that refuses the data, `copy_checked` and
    `rejects`, then `swap`. Leaving the block without `swap` leaves the table as it was.
    """

    async def find_loaded(self) -> Loaded | None:
        """Return what this (run, row) has loaded before; raises `JobFailed` (`superseded`) under a higher term."""
        ...

    async def prepare(self, target: Target) -> None:
        """Compare the target with the table that is there, and make the staging table."""
        ...

    async def copy_clean(self, chunks: AsyncIterator[bytes], dialect: Dialect) -> str | None:
        """Stage UTF-8 records as they come; returns why the data was refused, or `None` when all are staged."""
        ...

    async def copy_checked(self, chunks: AsyncIterator[bytes]) -> None:
        """Stage records that were parsed already (COPY text format: line, defect, raw, fields …)."""
        ...

    def rejects(self) -> AsyncIterator[Reject]:
        """Return what cannot be loaded, by line, and take it out of the staged rows."""
        ...

    async def swap(self, sha256: str, *, rejected: int) -> Loaded:
        """Move the staged rows into the table, write the load's row, commit."""
        ...
