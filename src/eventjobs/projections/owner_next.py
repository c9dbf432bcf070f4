"""What an owner shows of its next due moment, and of what its cadence counts from."""

from collections.abc import Mapping
from typing import Any, Final

from eventjobs.events.cadence import NextDue, TimingState
from eventjobs.projections.temporal import Key, Put, Table, Type, Write, json_text

_COLUMNS: Final[Mapping[str, Type]] = {
    "due": "timestamptz",
    "local": "text",
    "fold": "integer",
    "asked": "text",
    "zone_data": "text",
    "timing": "json",
}


def next_table(name: str, key: Mapping[str, Type]) -> Table:
    """Return the table of next due moments of one kind of owner."""
    return Table(name=name, key=key, columns=_COLUMNS)


def stands(table: Table, key: Key, timing: TimingState, next_due: NextDue | None) -> Write:
    """Say where a cadence stands, and what is due next by it."""
    return Put(table, key, {**moment(next_due), "timing": json_text(timing)})


def moment(next_due: NextDue | None) -> dict[str, Any]:
    """Return the columns of a next due moment."""
    return {name: getattr(next_due, name, None) for name in _COLUMNS if name != "timing"}
