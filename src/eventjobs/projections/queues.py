"""How many due moments of each owner wait for a run before them."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import ScheduleOccurrenceDropped, ScheduleOccurrenceQueued, ScheduleRunOpened
from eventjobs.projections.temporal import Projection, Put, Table, Write

QUEUES: Final = Table(
    name="view_queues_1",
    key={"workspace": "text", "owner_kind": "text", "owner_id": "text"},
    columns={"waiting": "integer"},
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a moment that begins or ends to wait writes."""
    owner = (recorded.workspace, recorded.stream.kind, recorded.stream.id)
    match recorded.event:
        case ScheduleOccurrenceQueued():
            yield Put(QUEUES, owner, {}, add={"waiting": 1})
        case ScheduleOccurrenceDropped():
            yield Put(QUEUES, owner, {}, add={"waiting": -1})
        case ScheduleRunOpened() as event if event.due is not None and event.timing is None:
            yield Put(QUEUES, owner, {}, add={"waiting": -1})
        case _:
            pass  # nobody waited


PROJECTION: Final = Projection(
    name="queues",
    version=1,
    tables=(QUEUES,),
    events=(ScheduleOccurrenceQueued, ScheduleOccurrenceDropped, ScheduleRunOpened),
    project=project,
)
