"""
Schedules, in four tables that change at different rates.

The definition and the job table change when a person edits them, the next due moment with every answer, the runs twice
as often.
"""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.cadence import NextDue, TimingState
from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import (
    ScheduleActivated,
    ScheduleCadenceEdited,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleDescribed,
    ScheduleInactivated,
    ScheduleJobsEdited,
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePoliciesEdited,
    ScheduleRunClosed,
    ScheduleRunOpened,
    ScheduleZoneDataAdopted,
)
from eventjobs.projections.owner_runs import closed, opened, runs_table
from eventjobs.projections.temporal import Key, Projection, Put, Table, Write, json_text

SCHEDULES: Final = Table(
    name="view_schedules_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "version": "integer",
        "description": "text",
        "active": "boolean",
        "cadence": "json",
        "policies": "json",
        "cadence_version": "integer",
        "created_at": "timestamptz",
        "deleted_at": "timestamptz",
    },
)
JOBS: Final = Table(name="view_schedule_jobs_1", key={"workspace": "text", "id": "text"}, columns={"jobs": "json"})
NEXT: Final = Table(
    name="view_schedule_next_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "due": "timestamptz",
        "local": "text",
        "fold": "integer",
        "asked": "text",
        "zone_data": "text",
        "timing": "json",
    },
)
RUNS: Final = runs_table("view_schedule_runs_1")


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a schedule writes."""
    key = (recorded.workspace, recorded.stream.id)
    event = recorded.event
    match event:
        case ScheduleRunOpened():
            yield opened(RUNS, key, event.run)
            if event.timing is not None:
                yield _stands(key, event.timing, event.next)
        case ScheduleRunClosed():
            yield from closed(RUNS, key, event, recorded.at, still_open=event.open_run)
        case ScheduleOccurrencesSkipped() | ScheduleOccurrencesMissed() | ScheduleOccurrenceQueued():
            yield _stands(key, event.timing, event.next)
        case _:
            yield Put(SCHEDULES, key, _defined(recorded), add={"version": 1})
            yield from _other_tables(key, event)


def _defined(recorded: Recorded[Any]) -> dict[str, Any]:
    """Return what changes in the row of the definition."""
    match recorded.event:
        case ScheduleCreated() as event:
            return {
                "description": event.description,
                "active": event.active,
                "cadence": json_text(event.cadence),
                "policies": json_text(event.policies),
                "cadence_version": event.cadence_version,
                "created_at": recorded.at,
            }
        case ScheduleDescribed() as event:
            return {"description": event.description}
        case ScheduleCadenceEdited() as event:
            return {"cadence": json_text(event.cadence), "cadence_version": event.cadence_version}
        case SchedulePoliciesEdited() as event:
            return {"policies": json_text(event.policies), "cadence_version": event.cadence_version}
        case ScheduleActivated():
            return {"active": True}
        case ScheduleInactivated():
            return {"active": False}
        case ScheduleDeleted():
            return {"active": False, "deleted_at": recorded.at}
        case _:
            return {}


def _other_tables(key: Key, event: Any) -> Iterator[Write]:
    match event:
        case ScheduleCreated():
            yield Put(JOBS, key, {"jobs": json_text(event.jobs)})
            yield _stands(key, event.timing, event.next)
        case ScheduleJobsEdited():
            yield Put(JOBS, key, {"jobs": json_text(event.jobs)})
        case ScheduleCadenceEdited() | SchedulePoliciesEdited() | ScheduleActivated() | ScheduleZoneDataAdopted():
            yield _stands(key, event.timing, event.next)
        case ScheduleInactivated():
            yield _stands(key, event.timing, None)
        case ScheduleDeleted():
            yield Put(NEXT, key, _moment(None))
        case _:
            pass  # nothing but the definition


def _stands(key: Key, timing: TimingState, next_due: NextDue | None) -> Write:
    return Put(NEXT, key, {**_moment(next_due), "timing": json_text(timing)})


def _moment(next_due: NextDue | None) -> dict[str, Any]:
    if next_due is None:
        return {"due": None, "local": None, "fold": None, "asked": None, "zone_data": None}
    return {
        "due": next_due.due,
        "local": next_due.local,
        "fold": next_due.fold,
        "asked": next_due.asked,
        "zone_data": next_due.zone_data,
    }


PROJECTION: Final = Projection(
    name="schedules",
    version=1,
    tables=(SCHEDULES, JOBS, NEXT, RUNS),
    events=(
        ScheduleCreated,
        ScheduleDescribed,
        ScheduleCadenceEdited,
        ScheduleJobsEdited,
        SchedulePoliciesEdited,
        ScheduleActivated,
        ScheduleInactivated,
        ScheduleDeleted,
        ScheduleRunOpened,
        ScheduleRunClosed,
        ScheduleOccurrencesSkipped,
        ScheduleOccurrencesMissed,
        ScheduleOccurrenceQueued,
        ScheduleZoneDataAdopted,
    ),
    project=project,
)
