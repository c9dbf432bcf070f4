"""
What is due next, for the ticker: a row for each coming moment, each end of a pause, each expiry.

Only the present is kept.
"""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.cadence import NextDue
from eventjobs.events.group import GroupCreated, GroupDeleted
from eventjobs.events.job import JobCreated, JobDeleted
from eventjobs.events.owner import (
    OccurrenceQueued,
    OccurrencesMissed,
    OccurrencesSkipped,
    OwnerExpirationSet,
    OwnerExpired,
    OwnerExpiryDeferred,
    OwnerExpiryWarned,
    OwnerMinuteDrawn,
    OwnerPaused,
    OwnerRunOpened,
    OwnerScheduled,
    OwnerUnpaused,
    OwnerUnscheduled,
    OwnerZoneDataAdopted,
)
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
    ScheduleSynced,
    ScheduleUnpaused,
    ScheduleZoneDataAdopted,
)
from eventjobs.projections.slot_events import of_slots
from eventjobs.projections.temporal import Keeps, Key, Projection, Put, Remove, Table, Write

NEXT_DUE: Final = "next_due"
"""The kind of a timer that stands for an owner's next due moment."""
PAUSE_END: Final = "pause_end"
"""The kind of a timer that stands for the end of an owner's pause."""
EXPIRY: Final = "expiry"
"""The kind of a timer that stands for an owner's next warning, or its end."""

TIMERS: Final = Table(
    name="view_timers_1",
    key={"workspace": "text", "owner_kind": "text", "owner_id": "text", "kind": "text"},
    columns={"due_at": "timestamptz", "zone_data": "text"},
    keeps=Keeps.LAST,
)


MOVING: Final = (
    GroupCreated,
    GroupDeleted,
    JobCreated,
    JobDeleted,
    OccurrenceQueued,
    OccurrencesMissed,
    OccurrencesSkipped,
    OwnerExpirationSet,
    OwnerExpired,
    OwnerExpiryDeferred,
    OwnerExpiryWarned,
    OwnerMinuteDrawn,
    OwnerPaused,
    OwnerRunOpened,
    OwnerScheduled,
    OwnerUnpaused,
    OwnerUnscheduled,
    OwnerZoneDataAdopted,
)
"""The facts of groups and jobs that concern their timers."""


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about an owner's next due moment writes."""
    key = (recorded.workspace, recorded.stream.kind, recorded.stream.id, NEXT_DUE)
    match recorded.event:
        case (
            ScheduleCreated()
            | ScheduleSynced()
            | ScheduleCadenceEdited()
            | SchedulePoliciesEdited()
            | ScheduleActivated()
            | OccurrencesSkipped()
            | OccurrencesMissed()
            | OccurrenceQueued()
            | OwnerZoneDataAdopted()
            | OwnerScheduled()
            | OwnerMinuteDrawn()
        ) as event:
            yield _set(key, event.next)
        case OwnerRunOpened() as event if event.timing is not None:
            yield _set(key, event.next)
        case ScheduleInactivated() | OwnerUnscheduled():
            yield Remove(TIMERS, key)
        case ScheduleDeleted() | GroupDeleted() | JobDeleted() | OwnerExpired():
            yield from (Remove(TIMERS, (*key[:3], kind)) for kind in (NEXT_DUE, PAUSE_END, EXPIRY))
        case OwnerExpirationSet() as event:
            yield from _expires(key, event)
            yield _set(key, event.next)
        case GroupCreated() | JobCreated() | OwnerExpiryWarned() as event:
            yield from _expires(key, event)
        case OwnerExpiryDeferred():
            yield Remove(TIMERS, (*key[:3], EXPIRY))
        case OwnerPaused() as event if event.until is not None:
            end = {"due_at": event.until, "zone_data": ""}
            yield Put(TIMERS, (*key[:3], PAUSE_END), end)
        case OwnerPaused() | OwnerUnpaused():
            yield Remove(TIMERS, (*key[:3], PAUSE_END))
        case _:
            pass  # a manual run moves nothing (R19)


def _expires(key: Key, event: GroupCreated | JobCreated | OwnerExpirationSet | OwnerExpiryWarned) -> Iterator[Write]:
    """Look at it again when people are to be warned, else when it expires."""
    at = min(event.warn_at, default=event.expires_at)
    if at is None:
        yield Remove(TIMERS, (*key[:3], EXPIRY))
    else:
        expiry = {"due_at": at, "zone_data": ""}
        yield Put(TIMERS, (*key[:3], EXPIRY), expiry)


def _set(key: Key, next_due: NextDue | None) -> Write:
    if next_due is None:
        return Remove(TIMERS, key)
    timer = {"due_at": next_due.due, "zone_data": next_due.zone_data}
    return Put(TIMERS, key, timer)


PROJECTION: Final = Projection(
    name="timers",
    version=1,
    tables=(TIMERS,),
    events=(
        ScheduleCreated,
        ScheduleSynced,
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
        *of_slots(*MOVING),
    ),
    project=project,
)
