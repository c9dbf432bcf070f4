"""
What became of moments: how many of each quarter of an hour have which outcome, and each one that did not go well.

What ran counts when its run is over. Answers that stand for several moments are left out: they are occurrences only.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.run import State
from eventjobs.events.owner import OccurrenceDropped, OccurrencesMissed, OccurrencesSkipped
from eventjobs.events.recorded import Recorded
from eventjobs.events.run import RunEnded
from eventjobs.events.schedule import (
    ScheduleOccurrenceDropped,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
)
from eventjobs.projections.occurrences import MISSED, SKIPPED
from eventjobs.projections.slot_events import of_slots
from eventjobs.projections.temporal import Keeps, Projection, Put, Table, Write
from eventjobs.projections.waiting import Named, named

QUARTER_MIN: Final = 15

OUTCOMES: Final = Table(
    name="view_outcomes_1",
    key={"workspace": "text", "quarter": "timestamptz", "outcome": "text"},
    columns={"count": "integer"},
    keeps=Keeps.LAST,
)
TROUBLES: Final = Table(
    name="view_troubles_1",
    key={"workspace": "text", "outcome": "text", "due": "timestamptz", "id": "text"},
    columns={
        "owner_kind": "text",
        "owner_id": "text",
        "cadence_version": "integer",
        "ran": "boolean",
        "reason": "text",
    },
    keeps=Keeps.FIRST,
)


class _Moment(NamedTuple):
    name: Named
    outcome: str
    ran: bool
    reason: str | None = None


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what the outcome of a single moment writes."""
    moment = _moment(recorded)
    if moment is None:
        return
    name, outcome = moment.name, moment.outcome
    yield Put(OUTCOMES, (recorded.workspace, _quarter(name.due), outcome), {}, add={"count": 1})
    if outcome != State.SUCCEEDED:
        told = {
            "owner_kind": name.kind,
            "owner_id": name.owner,
            "cadence_version": name.cadence_version,
            "ran": moment.ran,
            "reason": moment.reason,
        }
        key = (recorded.workspace, outcome, name.due, occurrence_id(*name))
        yield Put(TROUBLES, key, told, new=True)


def _moment(recorded: Recorded[Any]) -> _Moment | None:
    stream = recorded.stream
    match recorded.event:
        case RunEnded() as event:
            name = named(stream.id)
            return None if name is None else _Moment(name, event.state, ran=True)
        case OccurrencesSkipped(count=1) | OccurrencesMissed(count=1) as event:
            outcome = SKIPPED if isinstance(event, OccurrencesSkipped) else MISSED
            name = Named(stream.kind, stream.id, event.cadence_version, event.first)
            return _Moment(name, outcome, ran=False, reason=event.reason)
        case OccurrenceDropped() as event:
            name = Named(stream.kind, stream.id, event.cadence_version, event.due)
            return _Moment(name, event.outcome, ran=False, reason=event.reason)
        case _:
            return None


def _quarter(due: datetime) -> datetime:
    return due.replace(minute=due.minute - due.minute % QUARTER_MIN, second=0, microsecond=0)


PROJECTION: Final = Projection(
    name="outcomes",
    version=1,
    tables=(OUTCOMES, TROUBLES),
    events=(
        RunEnded,
        ScheduleOccurrencesSkipped,
        ScheduleOccurrencesMissed,
        ScheduleOccurrenceDropped,
        *of_slots(OccurrencesSkipped, OccurrencesMissed, OccurrenceDropped),
    ),
    project=project,
)
