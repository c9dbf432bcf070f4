"""
What set the activity of each schedule, by whom and when (R60, R61).

The row's `from_position` is the fact that set it.
"""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import ScheduleActivated, ScheduleCreated, ScheduleDeleted, ScheduleInactivated
from eventjobs.projections.temporal import Projection, Put, Table, Write

SET_BY: Final = {
    "asked": "local",
    "feature": "feature",
    "integration": "integration",
    "archived": "sync",
    "no_jobs": "sync",
}
"""What sets the activity, by the cause in the fact."""

ACTIVITY: Final = Table(
    name="view_activity_1",
    key={"workspace": "text", "owner_kind": "text", "owner_id": "text"},
    columns={"active": "boolean", "set_by": "text", "actor": "text", "at": "timestamptz"},
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact that switches a schedule on or off writes."""
    match recorded.event:
        case ScheduleCreated() as event:
            active, cause = event.active, "asked" if event.origin is None else "feature"
        case ScheduleActivated() as event:
            active, cause = True, event.cause
        case ScheduleInactivated() as event:
            active, cause = False, event.cause
        case ScheduleDeleted() as event:
            active, cause = False, event.cause
        case _:
            return
    owner = (recorded.workspace, recorded.stream.kind, recorded.stream.id)
    values = {"active": active, "set_by": SET_BY[cause], "actor": recorded.actor, "at": recorded.at}
    yield Put(ACTIVITY, owner, values)


PROJECTION: Final = Projection(
    name="activity",
    version=1,
    tables=(ACTIVITY,),
    events=(ScheduleCreated, ScheduleActivated, ScheduleInactivated, ScheduleDeleted),
    project=project,
)
