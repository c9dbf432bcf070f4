"""
The log's facts, put together as they were decided: what one command wrote stands in consecutive positions.

Only what says something about occurrences is kept: owners, the beginnings of runs, and occurrences that did not run.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from eventjobs.domain.streams import OWNER_FOLDS
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.run import RunMissed, RunOpened, RunSkipped

OWNERS: Final = tuple(f"{kind}:" for kind in OWNER_FOLDS)
"""How the streams of those begin that may have due moments."""
OUTCOMES: Final = frozenset({RunOpened.TYPE, RunSkipped.TYPE, RunMissed.TYPE})
"""With which of them an occurrence's stream begins."""


@dataclass(slots=True)
class Act:
    """
    What one command wrote, at one instant: each owner's facts in order, and the occurrences' own.

    `stood` says that the fact before has the same time: one batch, or a clock that went back and has to catch up.
    """

    command_id: str
    at: datetime
    stood: bool
    owners: dict[StreamId, list[Recorded[Any]]] = field(default_factory=dict)
    outcomes: list[Recorded[Any]] = field(default_factory=list)


class Acts:
    """Puts them together one fact at a time."""

    def __init__(self) -> None:
        self._open: Act | None = None
        self._at: datetime | None = None

    def take(self, fact: Recorded[Any]) -> Act | None:
        """Take the next fact; return the act that is complete with it."""
        complete = self.end() if self._open is not None and self._open.command_id != fact.command_id else None
        stood, self._at = self._at == fact.at, fact.at
        is_owners = fact.stream.name.startswith(OWNERS)
        if not is_owners and fact.type not in OUTCOMES:
            return complete
        if self._open is None:
            self._open = Act(fact.command_id, fact.at, stood)
        if is_owners:
            self._open.owners.setdefault(fact.stream, []).append(fact)
        else:
            self._open.outcomes.append(fact)
        return complete

    def end(self) -> Act | None:
        """Return the act that no further fact can belong to: an append is visible whole."""
        complete, self._open = self._open, None
        return complete
