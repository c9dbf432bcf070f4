"""
Answered occurrences: each due moment that ran, was skipped or was missed.

A storm of one outcome is one row with its first and last moment and their number.
"""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.domain.occurrence import occurrence_id
from eventjobs.events.owner import OccurrenceDropped, OccurrencesMissed, OccurrencesSkipped
from eventjobs.events.recorded import Recorded
from eventjobs.events.run import RunOpened
from eventjobs.events.schedule import (
    ScheduleOccurrenceDropped,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
)
from eventjobs.projections.slot_events import of_slots
from eventjobs.projections.temporal import Keeps, Projection, Put, Table, Write

RAN: Final = "ran"
SKIPPED: Final = "skipped"
MISSED: Final = "missed"

OCCURRENCES: Final = Table(
    name="view_occurrences_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "owner_kind": "text",
        "owner_id": "text",
        "cadence_version": "integer",
        "due": "timestamptz",
        "last": "timestamptz",
        "count": "integer",
        "anchor_day": "integer",
        "outcome": "text",
        "reason": "text",
        "run": "text",
        "covered_by": "text",
        "open_run": "text",
        "answered_at": "timestamptz",
    },
    keeps=Keeps.FIRST,
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return the answered occurrence of a fact; what has an own stream is told by its owner's stream too."""
    match recorded.event:
        case RunOpened() as event if event.due is not None:
            yield _ran(recorded, event)
        case OccurrencesSkipped() as event:
            yield _not_run(recorded, event, {"outcome": SKIPPED, "open_run": event.open_run})
        case OccurrencesMissed() as event:
            yield _not_run(recorded, event, {"outcome": MISSED, "covered_by": event.covered_by})
        case OccurrenceDropped() as event:
            yield _dropped(recorded, event)
        case _:
            pass  # a manual run is no occurrence


def _ran(recorded: Recorded[Any], event: RunOpened) -> Write:
    run = recorded.stream.id
    ran = {
        "owner_kind": event.owner.kind,
        "owner_id": event.owner.id,
        "cadence_version": event.cadence_version,
        "due": event.due,
        "last": event.due,
        "count": 1,
        "outcome": RAN,
        "run": run,
        "answered_at": recorded.at,
    }
    return Put(OCCURRENCES, (recorded.workspace, run), ran, new=True)


def _not_run(
    recorded: Recorded[Any],
    event: OccurrencesSkipped | OccurrencesMissed,
    outcome: dict[str, Any],
) -> Write:
    owner = recorded.stream
    named = occurrence_id(owner.kind, owner.id, event.cadence_version, event.first)
    answered = {
        "owner_kind": _kind(recorded),
        "owner_id": owner.id,
        "cadence_version": event.cadence_version,
        "due": event.first,
        "last": event.last,
        "count": event.count,
        "anchor_day": event.anchor_day,
        "reason": event.reason,
        "answered_at": recorded.at,
    }
    return Put(OCCURRENCES, (recorded.workspace, named), {**answered, **outcome}, new=True)


def _dropped(recorded: Recorded[Any], event: OccurrenceDropped) -> Write:
    owner = recorded.stream
    answered = {
        "owner_kind": _kind(recorded),
        "owner_id": owner.id,
        "cadence_version": event.cadence_version,
        "due": event.due,
        "last": event.due,
        "count": 1,
        "outcome": event.outcome,
        "reason": event.reason,
        "open_run": event.open_run,
        "answered_at": recorded.at,
    }
    named = occurrence_id(owner.kind, owner.id, event.cadence_version, event.due)
    return Put(OCCURRENCES, (recorded.workspace, named), answered, new=True)


def _kind(recorded: Recorded[Any]) -> str:
    """Return the owner's kind as its runs name it: the facts of a Connect job say which it is."""
    kind: str = getattr(recorded.event, "kind", recorded.stream.kind)
    return kind


PROJECTION: Final = Projection(
    name="occurrences",
    version=1,
    tables=(OCCURRENCES,),
    events=(
        RunOpened,
        ScheduleOccurrencesSkipped,
        ScheduleOccurrencesMissed,
        ScheduleOccurrenceDropped,
        *of_slots(OccurrencesSkipped, OccurrencesMissed, OccurrenceDropped),
    ),
    project=project,
)
