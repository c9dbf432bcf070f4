"""How many due moments of each owner wait for a run before them."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.owner import OccurrenceDropped, OccurrenceQueued, OwnerRunOpened
from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import ScheduleOccurrenceDropped, ScheduleOccurrenceQueued, ScheduleRunOpened
from eventjobs.projections.slot_events import of_slots
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
        case OccurrenceQueued():
            yield Put(QUEUES, owner, {}, add={"waiting": 1})
        case OccurrenceDropped():
            yield Put(QUEUES, owner, {}, add={"waiting": -1})
        case OwnerRunOpened() as event if event.due is not None and event.timing is None:
            yield Put(QUEUES, owner, {}, add={"waiting": -1})
        case _:
            pass  # nobody waited


PROJECTION: Final = Projection(
    name="queues",
    version=1,
    tables=(QUEUES,),
    events=(
        ScheduleOccurrenceQueued,
        ScheduleOccurrenceDropped,
        ScheduleRunOpened,
        *of_slots(OccurrenceDropped, OccurrenceQueued, OwnerRunOpened),
    ),
    project=project,
)
