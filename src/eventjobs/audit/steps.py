"""
An owner's facts as steps: a definition that changed, or what was due and how it was answered.

A settling answers everything that has passed: moments that stay missed, those that fell into a pause or hold, the one
that ran, waits or was skipped, and those that its run covers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Final, TypeAlias

from eventjobs.domain.schedule import Schedule, evolve
from eventjobs.events.cadence import NextDue, TimingState
from eventjobs.events.schedule import (
    ScheduleOccurrenceDropped,
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    ScheduleRunOpened,
)

AnswerFact: TypeAlias = (
    ScheduleRunOpened | ScheduleOccurrenceQueued | ScheduleOccurrencesSkipped | ScheduleOccurrencesMissed
)

RAN: Final = "ran"
QUEUED: Final = "queued"
SKIPPED: Final = "skipped"
MISSED: Final = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """
    Due moments that were answered alike: `ran`, `queued` (its outcome comes later), `skipped` or `missed`.

    `covered_by` is the run that stands for missed ones, `open_run` the one that stood in the way.
    """

    outcome: str
    reason: str | None = None
    count: int = 1
    first: datetime
    last: datetime
    anchor_day: int | None = None
    cadence_version: int
    covered_by: str | None = None
    open_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """One answer to all that was due, in the order of the moments, and where the cadence stands afterwards."""

    facts: tuple[Any, ...]
    parts: tuple[Part, ...]
    timing: TimingState
    next: NextDue | None

    @property
    def head(self) -> ScheduleRunOpened | ScheduleOccurrenceQueued | None:
        """The fact of the moment that runs, now or later."""
        found = (fact for fact in self.facts if isinstance(fact, (ScheduleRunOpened, ScheduleOccurrenceQueued)))
        return next(found, None)


Step: TypeAlias = Settling | Any
"""A settling, or any other fact of the owner."""


def steps_of(events: Iterable[Any], cadence_version: int) -> Iterator[Step]:
    """Take the facts of one act apart into steps; a run's own fact does not name the cadence version."""
    for settles, group in groupby(events, _settles):
        facts = tuple(group)
        if settles and any(_is_answer(fact) for fact in facts):
            yield _settling(facts, cadence_version)
            continue
        for fact in facts:
            cadence_version = getattr(fact, "cadence_version", cadence_version)
            yield fact


def moved(owner: Schedule, step: Step) -> Schedule:
    """Move the owner by a step, as its facts say; what an audit has no use for is let go."""
    for event in step.facts if isinstance(step, Settling) else (step,):
        owner = evolve(owner, event)
    return owner if len(owner.jobs) <= 1 and not owner.description else replace(owner, jobs=(), description="")


def _settles(event: Any) -> bool:
    return _is_answer(event) or isinstance(event, ScheduleOccurrenceDropped)


def _is_answer(event: Any) -> bool:
    if isinstance(event, ScheduleRunOpened):
        return event.timing is not None  # neither by hand nor out of the queue
    return isinstance(event, (ScheduleOccurrenceQueued, ScheduleOccurrencesSkipped, ScheduleOccurrencesMissed))


def _settling(facts: tuple[Any, ...], cadence_version: int) -> Settling:
    answers: list[AnswerFact] = [fact for fact in facts if _is_answer(fact)]
    parts = sorted((_part(fact, cadence_version) for fact in answers), key=lambda part: part.first)
    last = answers[-1]
    return Settling(facts=facts, parts=tuple(parts), timing=last.timing or TimingState(), next=last.next)


def _part(fact: AnswerFact, cadence_version: int) -> Part:
    match fact:
        case ScheduleRunOpened():
            assert fact.due is not None  # noqa: S101 only answers come here
            return Part(outcome=RAN, first=fact.due, last=fact.due, cadence_version=cadence_version)
        case ScheduleOccurrenceQueued():
            return Part(
                outcome=QUEUED,
                reason=fact.reason,
                first=fact.due,
                last=fact.due,
                cadence_version=fact.cadence_version,
                open_run=fact.open_run,
            )
        case ScheduleOccurrencesSkipped():
            return _span(fact, SKIPPED, open_run=fact.open_run)
        case ScheduleOccurrencesMissed():
            return _span(fact, MISSED, covered_by=fact.covered_by)


def _span(fact: ScheduleOccurrencesSkipped | ScheduleOccurrencesMissed, outcome: str, **others: str | None) -> Part:
    return Part(
        outcome=outcome,
        reason=fact.reason,
        count=fact.count,
        first=fact.first,
        last=fact.last,
        anchor_day=fact.anchor_day,
        cadence_version=fact.cadence_version,
        **others,
    )
