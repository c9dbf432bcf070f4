"""
Why a run waited, and since when: for its owner's runs, or for a place that a limit kept back.

A moment in its owner's queue waits before its run opens; the run is named all the same. When its turn has come it may
wait for room, and one that is open may wait for a place at its instance, once in a term.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.overlap import LIMIT
from eventjobs.events.owner import OccurrenceQueued
from eventjobs.events.recorded import Recorded
from eventjobs.events.run import RunDelayed, RunOpened
from eventjobs.events.schedule import ScheduleOccurrenceQueued
from eventjobs.events.starts import StartsDelayed
from eventjobs.projections.slot_events import of_slots
from eventjobs.projections.temporal import Keeps, Projection, Put, Table, Write

IN_QUEUE: Final = 0
"""The term of a run that has not opened."""
IN_LINE: Final = -1
"""That of one whose turn had come, and for which there was no room."""

DELAYS: Final = Table(
    name="view_delays_1",
    key={"workspace": "text", "run": "text", "term": "integer"},
    columns={
        "reason": "text",
        "limited_to": "integer",
        "open_run": "text",
        "instance": "text",
        "since": "timestamptz",
    },
    keeps=Keeps.FIRST,
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return the delay that a fact tells of."""
    stream = recorded.stream
    match recorded.event:
        case OccurrenceQueued() as event:
            run = occurrence_id(stream.kind, stream.id, event.cadence_version, event.due)
            why = {"reason": event.reason, "limited_to": event.limit, "open_run": event.open_run}
            yield Put(DELAYS, (recorded.workspace, run, IN_QUEUE), {**why, "since": recorded.at}, new=True)
        case StartsDelayed(occurrence=str(run)) as event:
            why = {"reason": LIMIT, "limited_to": event.limit}
            yield Put(DELAYS, (recorded.workspace, run, IN_LINE), {**why, "since": recorded.at})
        case RunOpened(not_before=datetime()):
            why = {"reason": "spread"}
            yield Put(DELAYS, (recorded.workspace, stream.id, IN_QUEUE), {**why, "since": recorded.at}, new=True)
        case RunDelayed() as event:
            why = {"reason": event.reason, "limited_to": event.limit, "instance": event.instance}
            yield Put(DELAYS, (recorded.workspace, stream.id, event.term), {**why, "since": recorded.at}, new=True)
        case _:
            pass  # nobody waits


PROJECTION: Final = Projection(
    name="delays",
    version=1,
    tables=(DELAYS,),
    events=(ScheduleOccurrenceQueued, RunDelayed, RunOpened, StartsDelayed, *of_slots(OccurrenceQueued)),
    project=project,
)
