"""What all judges go by: how they say that something does not hold, and what they know of the database's clock."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from eventjobs.events.recorded import Recorded
from tests.simulation.figures import Seen
from tests.simulation.options import Options

Address = tuple[str, str]

CLOCKS_S = 5
"""By how much a machine's clock may be ahead of the database's."""
DECIDING_S = 60
"""How long it may take from a decision to its commit."""


class Violation(AssertionError):
    """Something that must never be."""


def instant(text: str) -> datetime:
    """Read an instant as facts hold it."""
    return datetime.fromisoformat(text)


class Rules:
    """What was seen, what was asked for, and how far the clock may be trusted."""

    def __init__(self, seen: Seen, options: Options) -> None:
        self.seen = seen
        self.options = options
        self.set_back_s: Callable[[], float] = lambda: 0.0
        self.is_stepping: Callable[[], bool] = lambda: False
        self.shown: Callable[[], datetime] | None = None
        self.given: dict[str, datetime] = {}
        """What the clock showed when a client's command was given, by the command's id."""

    def hold(self, holds: object, fact: Recorded[Any], otherwise: str) -> None:
        """Raise `Violation` unless it holds."""
        if not holds:
            raise Violation(f"{otherwise}: {fact!r} at {fact.at} by {fact.actor}: {fact.data.decode()[:600]}")

    def in_time(self, fact: Recorded[Any], due: datetime, otherwise: str) -> None:
        """Not before its instant, but where the clock was set back between a decision and its commit."""
        if 0 < (due - fact.at).total_seconds() <= self.set_back_s():
            self.seen.note("decided_before_the_clock_was_set_back")
            return
        self.hold(fact.at >= due, fact, otherwise)

    def is_astray(self, fact: Recorded[Any]) -> bool:
        """
        Tell whether a fact's time may be another than that of its decision.

        The clock was set, or set back, so that the log's time waits for it.
        """
        if self.is_stepping():
            return True
        return self.shown is not None and (fact.at - self.shown()).total_seconds() > CLOCKS_S

    def within(self, limit: int | None, number: int, fact: Recorded[Any]) -> None:
        """Not more runs than a limit allows."""
        self.hold(limit is None or number <= limit, fact, "one run too many")
