"""
An owner's facts as steps: a definition that changed, or what was due and how it was answered.

A settling answers everything that has passed, in one to three facts: moments that stay missed, the one that ran or was
skipped, and those that the run covers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, TypeAlias

from eventjobs.domain.schedule import Schedule, evolve
from eventjobs.events.cadence import NextDue, TimingState
from eventjobs.events.schedule import ScheduleOccurrencesMissed, ScheduleOccurrencesSkipped, ScheduleRunOpened

AnswerFact: TypeAlias = ScheduleRunOpened | ScheduleOccurrencesSkipped | ScheduleOccurrencesMissed


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """Due moments that share an outcome: `run` names the one that ran, `covered_by` the run that stands for them."""

    outcome: str
    reason: str | None = None
    count: int
    first: datetime
    last: datetime
    cadence_version: int
    anchor_day: int | None = None
    run: str | None = None
    covered_by: str | None = None
    open_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """One answer to all that was due, in the order of the moments, and where the cadence stands afterwards."""

    facts: tuple[AnswerFact, ...]
    parts: tuple[Answered, ...]
    timing: TimingState
    next: NextDue | None

    @property
    def ran(self) -> Answered | None:
        """The moment whose run opened."""
        return next((part for part in self.parts if part.outcome == "ran"), None)

    def of(self, outcome: str, *, covered: bool = False) -> Answered | None:
        """The moments with an outcome, those that a run covers or the others."""
        found = (part for part in self.parts if part.outcome == outcome)
        return next((part for part in found if (part.covered_by is not None) == covered), None)


Step: TypeAlias = Settling | Any
"""A settling, or any other fact of the owner."""


def steps_of(events: Iterable[Any], cadence_version: int) -> Iterator[Step]:
    """Take the facts of one act apart into steps; a run's own fact does not name the cadence version."""
    for answers, group in groupby(events, _is_answer):
        if not answers:
            for event in group:
                cadence_version = getattr(event, "cadence_version", cadence_version)
                yield event
            continue
        yield _settling(tuple(group), cadence_version)


def moved(owner: Schedule, step: Step) -> Schedule:
    """Move the owner by a step, as its facts say; what an audit has no use for is let go."""
    for event in step.facts if isinstance(step, Settling) else (step,):
        owner = evolve(owner, event)
    return replace(owner, jobs=owner.jobs[:1], description="")


def _is_answer(event: Any) -> bool:
    match event:
        case ScheduleRunOpened():
            return event.due is not None
        case _:
            return isinstance(event, (ScheduleOccurrencesSkipped, ScheduleOccurrencesMissed))


def _settling(facts: tuple[AnswerFact, ...], cadence_version: int) -> Settling:
    parts = sorted((_part(fact, cadence_version) for fact in facts), key=lambda part: part.first)
    last = facts[-1]
    return Settling(facts=facts, parts=tuple(parts), timing=last.timing or TimingState(), next=last.next)


def _part(fact: AnswerFact, cadence_version: int) -> Answered:
    if isinstance(fact, ScheduleRunOpened):
        assert fact.due is not None  # noqa: S101 only answers come here
        return Answered(
            outcome="ran", count=1, first=fact.due, last=fact.due, cadence_version=cadence_version, run=fact.run
        )
    return Answered(
        outcome="skipped" if isinstance(fact, ScheduleOccurrencesSkipped) else "missed",
        reason=fact.reason,
        count=fact.count,
        first=fact.first,
        last=fact.last,
        cadence_version=fact.cadence_version,
        anchor_day=fact.anchor_day,
        covered_by=fact.covered_by if isinstance(fact, ScheduleOccurrencesMissed) else None,
        open_run=fact.open_run if isinstance(fact, ScheduleOccurrencesSkipped) else None,
    )
