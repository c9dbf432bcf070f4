"""Which run has a job for itself: one job run at a time, whichever schedule it belongs to (R46)."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.flow import FlowClaimed, FlowReleased
from eventjobs.events.job import JobClaimed, JobReleased
from eventjobs.events.recorded import Recorded
from eventjobs.events.service import ServiceClaimed, ServiceReleased
from eventjobs.projections.temporal import Projection, Put, Table, Write

TURNS: Final = Table(
    name="view_turns_1",
    key={"workspace": "text", "kind": "text", "id": "text"},
    columns={"run": "text", "row": "integer"},
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a turn that is taken or given up writes; who waits or joins is no business of this view."""
    job = (recorded.workspace, recorded.stream.kind, recorded.stream.id)
    match recorded.event:
        case ServiceClaimed() | FlowClaimed() | JobClaimed() as event:
            yield Put(TURNS, job, {"run": event.turn.run, "row": event.turn.row})
        case ServiceReleased() | FlowReleased() | JobReleased() as event:
            held = {"run": event.turn.run, "row": event.turn.row}
            yield Put(TURNS, job, {"run": None, "row": None}, only_if=held)
        case _:
            pass  # not this view's business


PROJECTION: Final = Projection(
    name="turns",
    version=1,
    tables=(TURNS,),
    events=(ServiceClaimed, ServiceReleased, FlowClaimed, FlowReleased, JobClaimed, JobReleased),
    project=project,
)
