"""
Which owners are paused, and where all starts are held.

A row without `since` is an ended one. Whether an end that was given has come is for the reader, who knows the instant.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eventjobs.events.owner import OwnerPaused, OwnerUnpaused
from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import SchedulePaused, ScheduleUnpaused
from eventjobs.events.workspace import WorkspaceStartsHeld, WorkspaceStartsReleased
from eventjobs.projections.slot_events import of_slots
from eventjobs.projections.temporal import Projection, Put, Table, Type, Write

_SPAN: Final[Mapping[str, Type]] = {"since": "timestamptz", "until": "timestamptz", "note": "text"}

PAUSES: Final = Table(
    name="view_pauses_1",
    key={"workspace": "text", "owner_kind": "text", "owner_id": "text"},
    columns={**_SPAN, "paused_by": "text"},
)
HOLDS: Final = Table(name="view_holds_1", key={"workspace": "text"}, columns={**_SPAN, "held_by": "text"})


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what the beginning or end of a pause or hold writes."""
    owner = (recorded.workspace, recorded.stream.kind, recorded.stream.id)
    match recorded.event:
        case OwnerPaused() as event:
            yield Put(PAUSES, owner, {**_span(event), "paused_by": event.by})
        case OwnerUnpaused():
            yield Put(PAUSES, owner, {**dict.fromkeys(_SPAN), "paused_by": None})
        case WorkspaceStartsHeld() as event:
            yield Put(HOLDS, (recorded.workspace,), {**_span(event), "held_by": event.by})
        case WorkspaceStartsReleased():
            yield Put(HOLDS, (recorded.workspace,), {**dict.fromkeys(_SPAN), "held_by": None})
        case _:
            pass  # not this view's business


def _span(event: OwnerPaused | WorkspaceStartsHeld) -> dict[str, Any]:
    return {"since": event.since, "until": event.until, "note": event.note}


PROJECTION: Final = Projection(
    name="halts",
    version=1,
    tables=(PAUSES, HOLDS),
    events=(
        SchedulePaused,
        ScheduleUnpaused,
        WorkspaceStartsHeld,
        WorkspaceStartsReleased,
        *of_slots(OwnerPaused, OwnerUnpaused),
    ),
    project=project,
)
