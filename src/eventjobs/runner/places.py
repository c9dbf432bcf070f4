"""
How many runs one process works on at once (SPEC decision 13).

A place is held while an attempt of a run is under way here, or its result not recorded yet. A run that waits for a
retry, or for a job that is busy, holds none: so nobody who holds a place waits for somebody who needs one. Who comes
when all are taken stands in line and is woken when it is its turn, the first first. The limit protects this process
and nobody else's, so it stands here and not in the log; that a run waited for it is told by the run.
"""

from collections.abc import Callable
from typing import Protocol


class Seeker(Protocol):
    """Who needs a place."""

    def wake(self) -> None:
        """Hear that there is one."""
        ...


class Places:
    """The places of a process: `limit` of them, `None` for any number. `on_line` hears how many stand in line."""

    def __init__(self, limit: int | None = None, on_line: Callable[[float], object] | None = None) -> None:
        self.limit = limit
        self._on_line = on_line
        self._taken: set[Seeker] = set()
        self._line: dict[Seeker, None] = {}

    @property
    def full(self) -> bool:
        """Whether who came now would have to wait."""
        return self.limit is not None and len(self._taken) >= self.limit

    def holds(self, seeker: Seeker) -> bool:
        """Tell whether `seeker` has a place."""
        return seeker in self._taken

    def take(self, seeker: Seeker) -> bool:
        """Give a place, or let `seeker` stand in line once. Tell whether it has a place."""
        if self.limit is None or seeker in self._taken:
            return True
        if self.full:
            if seeker not in self._line:
                self._line[seeker] = None
                self._tell()
            return False
        self._taken.add(seeker)
        return True

    def leave(self, seeker: Seeker) -> None:
        """Give up its place or its turn in the line; nothing where it has neither."""
        self._taken.discard(seeker)
        self._line.pop(seeker, None)
        while self._line and not self.full:
            following = next(iter(self._line))
            del self._line[following]
            self._taken.add(following)
            following.wake()
        self._tell()

    def _tell(self) -> None:
        if self._on_line is not None:
            self._on_line(len(self._line))
