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

from eventjobs.domain.owner import Owner
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import OWNER_FOLDS
from eventjobs.events.cadence import NextDue, TimingState
from eventjobs.events.owner import (
    OccurrenceDropped,
    OccurrenceQueued,
    OccurrencesMissed,
    OccurrencesSkipped,
    OwnerRunOpened,
)

AnswerFact: TypeAlias = OwnerRunOpened | OccurrenceQueued | OccurrencesSkipped | OccurrencesMissed

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
    def head(self) -> OwnerRunOpened | OccurrenceQueued | None:
        """The fact of the moment that runs, now or later."""
        found = (fact for fact in self.facts if isinstance(fact, (OwnerRunOpened, OccurrenceQueued)))
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


def moved(kind: str, owner: Owner, step: Step) -> Owner:
    """Move the owner of a kind by a step, as its facts say; what an audit has no use for is let go."""
    for event in step.facts if isinstance(step, Settling) else (step,):
        owner = OWNER_FOLDS[kind].evolve(owner, event)
    return _lean(owner)


def _lean(owner: Owner) -> Owner:
    if isinstance(owner, Schedule) and (len(owner.jobs) > 1 or owner.description):
        return replace(owner, jobs=(), description="")
    return owner


def _settles(event: Any) -> bool:
    return _is_answer(event) or isinstance(event, OccurrenceDropped)


def _is_answer(event: Any) -> bool:
    if isinstance(event, OwnerRunOpened):
        return event.timing is not None  # neither by hand nor out of the queue
    return isinstance(event, (OccurrenceQueued, OccurrencesSkipped, OccurrencesMissed))


def _settling(facts: tuple[Any, ...], cadence_version: int) -> Settling:
    answers: list[AnswerFact] = [fact for fact in facts if _is_answer(fact)]
    parts = sorted((_part(fact, cadence_version) for fact in answers), key=lambda part: part.first)
    last = answers[-1]
    return Settling(facts=facts, parts=tuple(parts), timing=last.timing or TimingState(), next=last.next)


def _part(fact: AnswerFact, cadence_version: int) -> Part:
    match fact:
        case OwnerRunOpened():
            assert fact.due is not None  # noqa: S101 only answers come here
            return Part(outcome=RAN, first=fact.due, last=fact.due, cadence_version=cadence_version)
        case OccurrenceQueued():
            return Part(
                outcome=QUEUED,
                reason=fact.reason,
                first=fact.due,
                last=fact.due,
                cadence_version=fact.cadence_version,
                open_run=fact.open_run,
            )
        case OccurrencesSkipped():
            return _span(fact, SKIPPED, open_run=fact.open_run)
        case OccurrencesMissed():
            return _span(fact, MISSED, covered_by=fact.covered_by)


def _span(fact: OccurrencesSkipped | OccurrencesMissed, outcome: str, **others: str | None) -> Part:
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
