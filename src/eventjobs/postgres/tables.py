"""The words in which a load into a table and an export from one are described, and what both do, as ports."""

import re
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeAlias

Mode: TypeAlias = Literal["replace", "append", "merge"]
DateOrder: TypeAlias = Literal["ymd", "dmy", "mdy"]

NAME: Final = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")
"""What a table or column may be called."""

_ALIASES: Final = {
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "decimal": "numeric",
    "float": "double precision",
    "float4": "real",
    "float8": "double precision",
    "bool": "boolean",
    "varchar": "character varying",
    "char": "character",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "time": "time without time zone",
    "timetz": "time with time zone",
}
_PLAIN: Final = frozenset(
    {"text", "smallint", "integer", "bigint", "numeric", "real", "double precision", "boolean", "date", "interval"}
    | {"timestamp without time zone", "timestamp with time zone", "time without time zone", "time with time zone"}
    | {"uuid", "json", "jsonb", "bytea", "inet"}
)
_SIZED: Final = re.compile(r"^(character varying|character)\(([1-9][0-9]{0,6})\)$")
_PRECISE: Final = re.compile(r"^numeric\(([1-9][0-9]{0,3})(?:,([0-9]{1,3}))?\)$")


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

    `columns` are those of the source in its order, `None` where a field is not loaded; `types` are the declared types
    of those that have one, in Postgres's own spelling (`canonical_type`). `keys` identify a row: `merge` needs them,
    and a table that is made gets them as its primary key. `recipe` tells apart the ways to read one source.
    """

    table: str
    mode: Mode
    columns: Sequence[str | None]
    types: Mapping[str, str] = field(default_factory=dict)
    keys: Sequence[str] = ()
    recipe: str = ""

    @property
    def loaded(self) -> Sequence[str]:
        """The columns that get values, in the source's order."""
        return [name for name in self.columns if name is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How the source writes a record; each is one ASCII character but `null`, the text of a missing value."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    null: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows to export: those of a table, with these columns or all, or those of a query."""

    table: str | None = None
    columns: Sequence[str] = ()
    query: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """
    Rows by the values of one column, as texts: above `after` (all, if `None`) and up to `until` (none, if `None`).

    `kind` is the column's type; `overlap` is an interval below `after` that is looked at again. `until` is at least
    `after`.
    """

    column: str
    kind: str
    after: str | None
    until: str | None
    overlap: str | None = None


Take: TypeAlias = Callable[[bytes], Coroutine[Any, Any, None]]
"""What is given whole records, in order."""


@dataclass(frozen=True, slots=True)
class Reject:
    """
    A record that was not loaded: its first line in the source and why.

    `record` is its text where it could not be taken apart, else `fields` are its values.
    """

    line: int
    reason: str
    record: str | None
    fields: Sequence[str | None]


class TableLoad(Protocol):
    """
    One load, on one connection and in one transaction: all of it or nothing.

    The order is `find_loaded`, `prepare`, then `copy_clean` or, where that refuses the data, `stage`, `rejects` and
    `apply`; at last `commit`, or `undo` and `commit` for a source that was loaded before (`loaded_before`). Leaving the
    block without it leaves the table as it was. Failures are `JobFailed`.
    """

    async def find_loaded(self) -> Loaded | None:
        """Return what this (run, row) has loaded before; fails (`superseded`) if a higher term of the run has."""
        ...

    async def prepare(self, target: Target) -> Loaded | None:
        """Wait for the table's turn, compare it with the target, make it if absent; answers as `find_loaded`."""
        ...

    async def copy_clean(self, chunks: AsyncIterator[bytes], dialect: Dialect, *, has_header: bool) -> str | None:
        """Load UTF-8 records as they are; returns why the data was refused (nothing is loaded then), or `None`."""
        ...

    async def stage(self, chunks: AsyncIterator[bytes]) -> None:
        """Take records that are apart already: COPY's text format with line, defect, raw text, then the fields."""
        ...

    async def judge(self) -> int:
        """Decide which staged records cannot be loaded; returns how many."""
        ...

    def rejects(self) -> AsyncIterator[Reject]:
        """Return those records by line."""
        ...

    async def apply(self) -> None:
        """Load the other staged records."""
        ...

    @property
    def counts(self) -> Mapping[str, int]:
        """`processed, added, updated, rejected` of what is loaded and not yet committed."""
        ...

    async def loaded_before(self, sha256: str) -> str | None:
        """
        Return the run of this job that loaded the same content into the table as it is.

        For `append` that is any run since the table held nothing; for the other modes the last one that loaded into
        the table, if it read the source by the same recipe. A table that holds nothing was loaded with nothing.
        """
        ...

    async def undo(self) -> None:
        """Leave the table as it was; nothing is processed."""
        ...

    async def commit(self, sha256: str) -> Loaded:
        """Write the load's row, after a look for a higher term, and commit both."""
        ...


class TableExport(Protocol):
    """One export: rows as one snapshot shows them, by a connection that changes nothing. Failures are `JobFailed`."""

    async def kind_of(self, column: str) -> str:
        """Return the type of a column by which rows can be told new; any other is a failure."""
        ...

    async def newest(self, column: str, kind: str, after: str | None) -> str | None:
        """Return the highest value there is, at least `after`; rows without a value are a failure."""
        ...

    async def copy(
        self, take: Take, dialect: Dialect, *, has_header: bool, span: Span | None = None, spreadsheet: bool = False
    ) -> int:
        """
        Give the rows as UTF-8 CSV to `take`, whole records at a time; returns how many there were.

        With `spreadsheet` all is quoted, and a `'` stands before what a spreadsheet would take for a formula.
        """
        ...


def canonical_type(declared: str) -> str | None:
    """Return Postgres's own spelling of a column type that may be declared, or `None` if it may not."""
    spelled = re.sub(r"\s*([(),])\s*", r"\1", " ".join(declared.lower().split()))
    base, bracket, rest = spelled.partition("(")
    full = _ALIASES.get(base, base) + bracket + rest
    precise = _PRECISE.fullmatch(full)
    if precise:
        return f"numeric({precise[1]},{precise[2] or 0})"
    return full if full in _PLAIN or _SIZED.fullmatch(full) else None


def length_limit(column_type: str) -> int | None:
    """Return how many characters a character type takes at most."""
    sized = _SIZED.fullmatch(column_type)
    return int(sized[2]) if sized else None
