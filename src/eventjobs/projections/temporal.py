"""
Rows that remember: what a projection writes, and how a batch of facts moves the present and the past.

A projection is pure: it turns a fact into `Put`s and `Remove`s. A batch is folded in memory over the present rows, and
every version inside the batch is kept, so the rows are the same whatever the size of the batches.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, Literal, NamedTuple, TypeAlias

import orjson

from eventjobs.events.recorded import Recorded

PRESENT: Final = 2**63 - 1
"""The position that stands for "now" in reads."""

Type: TypeAlias = Literal["text", "integer", "bigint", "boolean", "timestamptz", "double precision", "json"]
Key: TypeAlias = tuple[Any, ...]
Row: TypeAlias = list[Any]
"""Key columns, then the others, then `from_position`."""


class Keeps(StrEnum):
    """
    What a table keeps of a row that changes.

    `VERSIONS`: closed rows `[from, to)` in its past table. `FIRST`: rows are written once. `LAST`: the present only.
    """

    VERSIONS = "versions"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, kw_only=True, eq=False)
class Table:
    """A table as the migration made it; the order of columns is that of the migration."""

    name: str
    key: Mapping[str, Type]
    columns: Mapping[str, Type]
    keeps: Keeps = Keeps.VERSIONS

    @property
    def past(self) -> str:
        """The table of its closed rows."""
        return f"{self.name}_past"

    @property
    def names(self) -> Sequence[str]:
        """Its own name, and that of its past where it has one."""
        return [self.name, self.past] if self.keeps is Keeps.VERSIONS else [self.name]

    @cached_property
    def all_columns(self) -> Mapping[str, Type]:
        """Key, columns and `from_position`, in order."""
        return {**self.key, **self.columns, "from_position": "bigint"}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Where each column stands in a row."""
        return {name: place for place, name in enumerate(self.all_columns)}

    def renamed(self, name: str) -> "Table":
        """The same table under another name."""
        return Table(name=name, key=self.key, columns=self.columns, keeps=self.keeps)


class Put(NamedTuple):
    """
    Merge columns onto the row of a key, which is made if it is not there.

    `add` raises numbers. With `only_if` it happens only where the row has these values (a missing row has none). `new`
    promises that there was no row before, which spares looking for it.
    """

    table: Table
    key: Key
    values: Mapping[str, Any]
    only_if: Mapping[str, Any] | None = None
    add: Mapping[str, int] | None = None
    new: bool = False


class Remove(NamedTuple):
    """Take the row away; only for tables that keep the present alone. Rows of others are marked, never removed."""

    table: Table
    key: Key


Write: TypeAlias = Put | Remove


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection:
    """
    One view: its tables, the facts that are its business, and the pure function between them.

    Another `version` has other tables and is built beside the old one.
    """

    name: str
    version: int
    tables: Sequence[Table]
    events: Sequence[type[Any]]
    project: Callable[[Recorded[Any]], Iterator[Write]]

    @cached_property
    def types(self) -> frozenset[str]:
        """The stored names of its facts."""
        return frozenset(event.TYPE for event in self.events)


class Live:
    """
    The present row of one key while a batch is folded; `row` is `None` where there is none.

    `stored`: there is a row in the table. `changed`: it is not this one any more.
    """

    __slots__ = ("changed", "row", "stored")

    def __init__(self) -> None:
        self.row: Row | None = None
        self.stored = False
        self.changed = False


@dataclass(slots=True)
class Moved:
    """
    What a batch did to one table: the rows that it closed (each with `to_position` at its end) and the present.

    `stored` are the keys whose rows may have been there before.
    """

    table: Table
    rows: dict[Key, Live] = field(default_factory=dict)
    stored: list[Key] = field(default_factory=list)
    past: list[tuple[Any, ...]] = field(default_factory=list)

    def created(self) -> list[Row]:
        """Return the present rows that are not stored yet, by key."""
        return [row for _, live in sorted(self.rows.items()) if not live.stored and (row := live.row) is not None]

    def updated(self) -> list[Row]:
        """Return the stored rows that changed, by key."""
        return [
            row
            for _, live in sorted(self.rows.items())
            if live.stored and live.changed and (row := live.row) is not None
        ]

    def removed(self) -> list[Key]:
        """Return the keys whose stored rows are no more."""
        return sorted(key for key, live in self.rows.items() if live.changed and live.stored and live.row is None)


class Batch:
    """The writes of a batch of facts in order, and the present rows that they move."""

    def __init__(self) -> None:
        self._writes: list[tuple[int, Write, Moved, Live]] = []
        self.tables: dict[Table, Moved] = {}

    def extend(self, position: int, writes: Iterable[Write]) -> None:
        """Take the writes that the fact at `position` makes."""
        for write in writes:
            moved = self.tables.get(write.table)
            if moved is None:
                moved = self.tables[write.table] = Moved(write.table)
            live = moved.rows.get(write.key)
            if live is None:
                live = moved.rows[write.key] = Live()
                if not (isinstance(write, Put) and write.new):
                    moved.stored.append(write.key)
            self._writes.append((position, write, moved, live))

    def keys(self, table: Table) -> list[Key]:
        """Return the keys whose present rows the fold needs."""
        return sorted(self.tables[table].stored)

    def load(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """Take the present rows as they are stored."""
        width = len(table.key)
        lives = self.tables[table].rows
        for row in rows:
            live = lives[tuple(row[:width])]
            live.row, live.stored = list(row), True

    def fold(self) -> Sequence[Moved]:
        """Apply every write; call once, after the present rows were loaded."""
        for position, write, moved, live in self._writes:
            if isinstance(write, Put):
                _put(moved, live, write, position)
            elif write.table.keeps is Keeps.LAST:
                live.changed = live.changed or live.row is not None
                live.row = None
            else:
                raise TypeError(f"rows of {write.table.name} are marked, not removed")
        return list(self.tables.values())


def _put(moved: Moved, live: Live, put: Put, position: int) -> None:
    table, key, values, only_if, add, _ = put
    row = live.row
    places = table.places
    if only_if is not None and not _has(row, places, only_if):
        return
    if row is None:
        row = live.row = [*key, *[None] * len(table.columns), position]
    elif row[-1] != position:
        if table.keeps is Keeps.VERSIONS:
            moved.past.append((*row, position))
        row[-1] = position
    live.changed = True
    for name, value in values.items():
        row[places[name]] = value
    if add is not None:
        for name, step in add.items():
            row[places[name]] = (row[places[name]] or 0) + step


def _has(row: Row | None, places: Mapping[str, int], values: Mapping[str, Any]) -> bool:
    return row is not None and all(row[places[name]] == value for name, value in values.items())


def json_text(value: Any) -> str:
    """Return a value as the text of a json column; instants end with `Z`."""
    return orjson.dumps(value, _plain, orjson.OPT_UTC_Z).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__qualname__} is no JSON value")
