"""
What is due next, for the ticker: one row for each owner that has a coming moment, one for each pause that will end.

Only the present is kept. `parked` is the ticker's mark on an owner whose moment could not be answered; the owner's next
fact about time clears it.
"""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.cadence import NextDue
from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import (
    ScheduleActivated,
    ScheduleCadenceEdited,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleInactivated,
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePaused,
    SchedulePoliciesEdited,
    ScheduleRunOpened,
    ScheduleUnpaused,
    ScheduleZoneDataAdopted,
)
from eventjobs.projections.temporal import Keeps, Key, Projection, Put, Remove, Table, Write

NEXT_DUE: Final = "next_due"
"""The kind of a timer that stands for an owner's next due moment."""
PAUSE_END: Final = "pause_end"
"""The kind of a timer that stands for the end of an owner's pause."""

TIMERS: Final = Table(
    name="view_timers_1",
    key={"workspace": "text", "owner_kind": "text", "owner_id": "text", "kind": "text"},
    columns={"due_at": "timestamptz", "zone_data": "text", "parked": "boolean", "parked_reason": "text"},
    keeps=Keeps.LAST,
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about an owner's next due moment writes."""
    key = (recorded.workspace, recorded.stream.kind, recorded.stream.id, NEXT_DUE)
    match recorded.event:
        case (
            ScheduleCreated()
            | ScheduleCadenceEdited()
            | SchedulePoliciesEdited()
            | ScheduleActivated()
            | ScheduleOccurrencesSkipped()
            | ScheduleOccurrencesMissed()
            | ScheduleOccurrenceQueued()
            | ScheduleZoneDataAdopted()
        ) as event:
            yield _set(key, event.next)
        case ScheduleRunOpened() as event if event.timing is not None:
            yield _set(key, event.next)
        case ScheduleInactivated():
            yield Remove(TIMERS, key)
        case ScheduleDeleted():
            yield Remove(TIMERS, key)
            yield Remove(TIMERS, (*key[:3], PAUSE_END))
        case SchedulePaused() as event if event.until is not None:
            end = {"due_at": event.until, "zone_data": "", "parked": False, "parked_reason": None}
            yield Put(TIMERS, (*key[:3], PAUSE_END), end)
        case SchedulePaused() | ScheduleUnpaused():
            yield Remove(TIMERS, (*key[:3], PAUSE_END))
        case _:
            pass  # a manual run moves nothing (R19)


def _set(key: Key, next_due: NextDue | None) -> Write:
    if next_due is None:
        return Remove(TIMERS, key)
    timer = {"due_at": next_due.due, "zone_data": next_due.zone_data, "parked": False, "parked_reason": None}
    return Put(TIMERS, key, timer)


PROJECTION: Final = Projection(
    name="timers",
    version=1,
    tables=(TIMERS,),
    events=(
        ScheduleCreated,
        ScheduleCadenceEdited,
        SchedulePoliciesEdited,
        ScheduleActivated,
        ScheduleInactivated,
        ScheduleDeleted,
        ScheduleRunOpened,
        ScheduleOccurrencesSkipped,
        ScheduleOccurrencesMissed,
        ScheduleOccurrenceQueued,
        SchedulePaused,
        ScheduleUnpaused,
        ScheduleZoneDataAdopted,
    ),
    project=project,
)
