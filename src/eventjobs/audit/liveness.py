"""
When somebody was up to answer, as far as the log tells.

A moment may be answered late if nobody was up at its instant. Instances say in the log when they come up, and when they
can answer again after a time in which they could not. In a log without such facts a silence is a time in which perhaps
nobody was up.
"""

from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.domain.reference import ON_TIME
from eventjobs.events.log import ClockStepObserved, InstanceResumed, InstanceStarted
from eventjobs.events.recorded import Recorded

SILENCE: Final = timedelta(seconds=10)
"""How long a log is silent before nobody can be supposed to have been up; a lease is lost after as much."""
DECIDING: Final = timedelta(seconds=30)
"""How long at most a command may take from its decision's *now* to its append."""

DISTURBANCES: Final = frozenset({ClockStepObserved.TYPE, InstanceStarted.TYPE, InstanceResumed.TYPE})
"""Facts that explain why something was late. They may be recorded a little after what they explain."""


class Liveness:
    """Follows the log's times; `since` is the instant from which somebody has been up without a break."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        self.at: datetime | None = None
        self.is_told = False
        self.behind = timedelta(0)
        self.leaps: tuple[tuple[datetime, timedelta], ...] = ()

    def take(self, fact: Recorded[Any]) -> None:
        """Take the next fact's time, and what it says about who is up."""
        at = fact.at
        if self.since is None or (not self.is_told and self.at is not None and at - self.at > SILENCE):
            self.since = at
        if self.at is not None and at > self.at:
            self.behind = timedelta(0)
        self.at = at
        if fact.type in DISTURBANCES:
            self.since = at
            self.is_told = self.is_told or fact.type == InstanceStarted.TYPE
        if fact.type == ClockStepObserved.TYPE and fact.event.step_s < 0:
            self.behind += timedelta(seconds=-fact.event.step_s)  # the log's time stands still until it has caught up
        leap = leap_of(fact)
        if leap is not None:
            self.leaps = (*(one for one in self.leaps if at - one[0] <= DECIDING), (at, leap))

    def lateness(self, due: datetime, at: datetime) -> timedelta:
        """Return how much later than it had to be a moment was answered."""
        return at - (due if self.since is None else max(due, self.since))

    def is_late(self, due: datetime, at: datetime) -> bool:
        """Tell whether an answer is later than anything in the log explains (R22: a minute is on time)."""
        return self.lateness(due, at) > ON_TIME

    @property
    def slack(self) -> timedelta:
        """How far back from a fact's time its decision's *now* may lie."""
        lately = [leap for seen_at, leap in self.leaps if self.at is not None and self.at - seen_at <= DECIDING]
        return DECIDING + self.behind + max(lately, default=timedelta(0))


def leap_of(fact: Recorded[Any]) -> timedelta | None:
    """Return by how much a clock was seen to be set forward, if a fact says so."""
    if fact.type != ClockStepObserved.TYPE or fact.event.step_s <= 0:
        return None
    return timedelta(seconds=fact.event.step_s)
