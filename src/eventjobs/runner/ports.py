"""What the runner needs of its surroundings, besides the log and the dispatcher."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from eventjobs.commands.context import Context
from eventjobs.projections.upcoming import DueTimer, OpenRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an attempt's log, numbered from 1."""

    line: int
    at: datetime
    level: str
    text: str
    fields: Mapping[str, Any]


class LineStore(Protocol):
    """Where the lines of attempts are kept."""

    async def write(self, workspace: str, run: str, row: int, attempt: int, lines: Sequence[Line]) -> None:
        """Keep these lines; again has no effect."""
        ...


class ProgressHub(Protocol):
    """Who wants to see progress at once; nothing of it is kept."""

    def publish(self, workspace: str, progress: Mapping[str, Any]) -> None:
        """Show one progress frame (`run, row, attempt, fraction, text, counts`) to those who watch."""
        ...


class Lease(Protocol):
    """Whether this instance may still trust that the others take it for alive."""

    def trusted(self) -> bool:
        """Tell whether the last good beat is young enough to start something."""
        ...


class Surroundings(Protocol):
    """Where the contexts of the service's own commands come from."""

    def context(self, workspace: str, *, causation: str | None = None, correlation: str | None = None) -> Context:
        """Return a fresh context with this instance as the actor."""
        ...


class Mark(Protocol):
    """How far a follower of the log has come that causes commands, for whichever instance goes on with it."""

    async def find(self) -> int | None:
        """Return the position, `None` where it never came anywhere."""
        ...

    async def save(self, position: int) -> None:
        """Keep a position."""
        ...


class Timers(Protocol):
    """The due moments, from the view."""

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        """Return the earliest due moments at or before `until`, at most `limit`."""
        ...


class OpenRuns(Protocol):
    """The open runs, from the view."""

    async def open_runs(self) -> Sequence[OpenRun]:
        """Return all of them."""
        ...


class Beats(Protocol):
    """The beats of all instances, as the database has them."""

    async def read(self) -> Mapping[str, int]:
        """Return instance → beat."""
        ...


class Roster(Protocol):
    """The table of instances, as far as work can be given to them."""

    @property
    def withdrawn(self) -> Collection[str]:
        """Those that take no more work, as of the last reading."""
        ...

    async def read(self) -> Mapping[str, int]:
        """Return instance → beat."""
        ...

    async def withdraw(self, instance: str) -> None:
        """Let all know that an instance takes no more work."""
        ...

    async def forget(self, instance: str, beat: int) -> None:
        """Remove an instance whose beat still stands there."""
        ...


class Peers(Protocol):
    """The other instances, as this one sees them."""

    def goes_first(self, *what: str) -> bool:
        """Tell whether this instance, of all that live, should try something first. A hint: others may as well."""
        ...

    def turn(self, *what: str) -> int:
        """Return how many of those that live should try something before this instance does; a hint as well."""
        ...

    def others(self) -> bool:
        """Tell whether another instance lives that takes work, as far as this one has seen."""
        ...

    async def withdraw(self) -> None:
        """Let the others know that this instance takes no more work."""
        ...

    async def heir(self, run: str) -> str | None:
        """Return a live instance that takes work, `None` if there is none."""
        ...

    async def forget(self, instance: str) -> None:
        """Remove an instance that is gone and has nothing left to take over."""
        ...
