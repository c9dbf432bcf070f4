"""
Groups and Connect jobs as whom they have due moments, in three tables that change at different rates.

`kind` is that of the stream, `group` or `job`. What each has besides is in views of its own.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from eventjobs.events.group import GroupCreated, GroupDeleted, GroupReordered, GroupSaved
from eventjobs.events.job import JobCreated, JobDeleted, JobSaved
from eventjobs.events.owner import (
    OccurrenceQueued,
    OccurrencesMissed,
    OccurrencesSkipped,
    OwnerExpirationSet,
    OwnerExpired,
    OwnerMinuteDrawn,
    OwnerRunClosed,
    OwnerRunOpened,
    OwnerScheduled,
    OwnerUnscheduled,
    OwnerZoneDataAdopted,
)
from eventjobs.events.recorded import Recorded
from eventjobs.projections.owner_next import moment, next_table, stands
from eventjobs.projections.owner_runs import closed, opened, runs_table
from eventjobs.projections.slot_events import of_slots
from eventjobs.projections.temporal import Key, Projection, Put, Table, Type, Write, json_text

_KEY: Final[Mapping[str, Type]] = {"workspace": "text", "kind": "text", "id": "text"}

OWNERS: Final = Table(
    name="view_slot_owners_1",
    key=_KEY,
    columns={
        "version": "integer",
        "name": "text",
        "description": "text",
        "drafted": "boolean",
        "active": "boolean",
        "schedule": "json",
        "notification": "json",
        "policies": "json",
        "on_expiry": "text",
        "cadence_version": "integer",
        "created_at": "timestamptz",
        "deleted_at": "timestamptz",
        "expires_on": "text",
        "expires_at": "timestamptz",
        "expired": "boolean",
    },
)
NEXT: Final = next_table("view_slot_next_1", _KEY)
RUNS: Final = runs_table("view_slot_runs_1", _KEY)

DEFINING: Final = (
    GroupCreated,
    GroupSaved,
    GroupReordered,
    GroupDeleted,
    JobCreated,
    JobSaved,
    JobDeleted,
    OwnerScheduled,
    OwnerUnscheduled,
    OwnerExpirationSet,
    OwnerExpired,
)
"""The facts that raise the definition's version."""
MOVING: Final = (
    OccurrenceQueued,
    OccurrencesMissed,
    OccurrencesSkipped,
    OwnerMinuteDrawn,
    OwnerRunClosed,
    OwnerRunOpened,
    OwnerZoneDataAdopted,
)

_NEW: Final = {"drafted": True, "active": False, "cadence_version": 0, "expired": False}


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a group or a job writes."""
    key = (recorded.workspace, recorded.stream.kind, recorded.stream.id)
    match recorded.event:
        case OwnerRunOpened() as event:
            yield opened(RUNS, key, event.run)
            if event.timing is not None:
                yield stands(NEXT, key, event.timing, event.next)
        case OwnerRunClosed() as event:
            yield from closed(RUNS, key, event, recorded.at, still_open=event.open_run)
        case OccurrencesSkipped() | OccurrencesMissed() | OccurrenceQueued() | OwnerZoneDataAdopted() as event:
            yield stands(NEXT, key, event.timing, event.next)
        case OwnerMinuteDrawn() as event:
            yield Put(OWNERS, key, {"schedule": json_text(event.schedule)})
            yield stands(NEXT, key, event.timing, event.next)
        case event:
            yield Put(OWNERS, key, _defined(recorded), add={"version": 1})
            if isinstance(event, GroupSaved | JobSaved):  # an active one has a fact of its own for it
                yield Put(OWNERS, key, {"schedule": json_text(event.schedule)}, only_if={"active": False})
            yield from _next(key, event)


def _defined(recorded: Recorded[Any]) -> dict[str, Any]:
    match recorded.event:
        case GroupCreated() | JobCreated() as event:
            schedule = {"schedule": json_text(event.schedule), "created_at": event.created_at}
            return {**_NEW, **_saved(event), **schedule, **_expiry(event)}
        case GroupSaved() | JobSaved() as event:
            return _saved(event)
        case OwnerScheduled() as event:
            schedule = {"schedule": json_text(event.schedule), "cadence_version": event.cadence_version}
            return {"drafted": False, "active": True, **schedule}
        case OwnerUnscheduled():
            return {"active": False}
        case OwnerExpirationSet() as event:
            return {**_expiry(event), "expired": False}
        case OwnerExpired() as event:
            gone = {"deleted_at": recorded.at} if event.on_expiry == "delete" else {}
            return {"active": False, "expired": True, **gone}
        case GroupDeleted() | JobDeleted():
            return {"active": False, "deleted_at": recorded.at}
        case _:
            return {}


def _saved(event: GroupCreated | GroupSaved | JobCreated | JobSaved) -> dict[str, Any]:
    return {
        "name": event.name,
        "description": event.description,
        "notification": json_text(event.notification),
        "policies": json_text(event.policies),
        "on_expiry": event.on_expiry,
    }


def _expiry(event: GroupCreated | JobCreated | OwnerExpirationSet) -> dict[str, Any]:
    return {"expires_on": event.expires_on, "expires_at": event.expires_at}


def _next(key: Key, event: Any) -> Iterator[Write]:
    match event:
        case OwnerScheduled():
            yield stands(NEXT, key, event.timing, event.next)
        case OwnerUnscheduled() | OwnerExpired():
            yield stands(NEXT, key, event.timing, None)
        case OwnerExpirationSet():
            yield Put(NEXT, key, moment(event.next))
        case GroupDeleted() | JobDeleted():
            yield Put(NEXT, key, moment(None))
        case _:
            pass  # nothing but the definition


PROJECTION: Final = Projection(
    name="slot_owners",
    version=1,
    tables=(OWNERS, NEXT, RUNS),
    events=of_slots(*DEFINING, *MOVING),
    project=project,
)
