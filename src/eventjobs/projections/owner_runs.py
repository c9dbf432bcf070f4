"""What an owner shows of its runs: the open one and the last one that ended."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, Protocol

from eventjobs.projections.temporal import Key, Put, Table, Type, Write

_BY_ID: Final[Mapping[str, Type]] = {"workspace": "text", "id": "text"}


class RunClosed(Protocol):
    """What the closing fact of a run says in every owner's stream."""

    @property
    def run(self) -> str:
        """The run's id."""
        ...

    @property
    def state(self) -> str:
        """How it ended."""
        ...

    @property
    def reason(self) -> str | None:
        """Why, where there is a reason."""
        ...


def runs_table(name: str, key: Mapping[str, Type] = _BY_ID) -> Table:
    """Return the table of open and last runs of one kind of owner."""
    return Table(
        name=name,
        key=key,
        columns={
            "open_run": "text",
            "last_run": "text",
            "last_state": "text",
            "last_reason": "text",
            "last_ended_at": "timestamptz",
        },
    )


def opened(table: Table, key: Key, run: str) -> Write:
    """A run of the owner is open."""
    return Put(table, key, {"open_run": run})


def closed(table: Table, key: Key, event: RunClosed, at: datetime, *, still_open: str | None = None) -> Iterator[Write]:
    """Remember how the run ended; the open one may be another by now, or `still_open` becomes it."""
    last = {
        "last_run": event.run,
        "last_state": event.state,
        "last_reason": event.reason,
        "last_ended_at": at,
    }
    yield Put(table, key, last)
    yield Put(table, key, {"open_run": still_open}, only_if={"open_run": event.run})
