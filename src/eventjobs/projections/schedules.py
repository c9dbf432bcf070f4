"""
Schedules, in four tables that change at different rates.

The definition and the job table change when a person edits them, the next due moment with every answer, the runs twice
as often.
"""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import (
    ScheduleActivated,
    ScheduleAlertsEdited,
    ScheduleCadenceEdited,
    ScheduleCadenceOverridden,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleDescribed,
    ScheduleInactivated,
    ScheduleJobsEdited,
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    ScheduleOverrideCleared,
    SchedulePoliciesEdited,
    ScheduleRestored,
    ScheduleRunClosed,
    ScheduleRunOpened,
    ScheduleSynced,
    ScheduleZoneDataAdopted,
)
from eventjobs.projections.owner_next import moment, next_table, stands
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
NEXT: Final = next_table("view_schedule_next_1", {"workspace": "text", "id": "text"})
RUNS: Final = runs_table("view_schedule_runs_1")


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a schedule writes."""
    key = (recorded.workspace, recorded.stream.id)
    event = recorded.event
    match event:
        case ScheduleRunOpened():
            yield opened(RUNS, key, event.run)
            if event.timing is not None:
                yield stands(NEXT, key, event.timing, event.next)
        case ScheduleRunClosed():
            yield from closed(RUNS, key, event, recorded.at, still_open=event.open_run)
        case (
            ScheduleOccurrencesSkipped()
            | ScheduleOccurrencesMissed()
            | ScheduleOccurrenceQueued()
            | ScheduleZoneDataAdopted()
        ):
            yield stands(NEXT, key, event.timing, event.next)
        case _:
            yield Put(SCHEDULES, key, _defined(recorded), add={"version": 1})
            yield from _other_tables(key, event)


def _defined(recorded: Recorded[Any]) -> dict[str, Any]:
    """Return what changes in the row of the definition."""
    match recorded.event:
        case ScheduleCreated() as event:
            return {**_whole(event), "active": event.active, "created_at": recorded.at}
        case ScheduleSynced() as event:
            return _whole(event)
        case ScheduleDescribed() as event:
            return {"description": event.description}
        case ScheduleCadenceEdited() as event:
            policies = {} if event.policies is None else {"policies": json_text(event.policies)}
            return {"cadence": json_text(event.cadence), "cadence_version": event.cadence_version, **policies}
        case SchedulePoliciesEdited() as event:
            return {"policies": json_text(event.policies), "cadence_version": event.cadence_version}
        case _:
            return _activity(recorded)


def _whole(event: ScheduleCreated | ScheduleSynced) -> dict[str, Any]:
    return {
        "description": event.description,
        "cadence": json_text(event.cadence),
        "policies": json_text(event.policies),
        "cadence_version": event.cadence_version,
    }


def _activity(recorded: Recorded[Any]) -> dict[str, Any]:
    match recorded.event:
        case ScheduleActivated():
            return {"active": True}
        case ScheduleInactivated():
            return {"active": False}
        case ScheduleDeleted():
            return {"active": False, "deleted_at": recorded.at}
        case ScheduleRestored():
            return {"deleted_at": None}
        case _:
            return {}


def _other_tables(key: Key, event: Any) -> Iterator[Write]:
    match event:
        case ScheduleCreated() | ScheduleSynced():
            yield Put(JOBS, key, {"jobs": json_text(event.jobs)})
            yield stands(NEXT, key, event.timing, event.next)
        case ScheduleJobsEdited():
            yield Put(JOBS, key, {"jobs": json_text(event.jobs)})
        case ScheduleCadenceEdited() | SchedulePoliciesEdited() | ScheduleActivated():
            yield stands(NEXT, key, event.timing, event.next)
        case ScheduleInactivated():
            yield stands(NEXT, key, event.timing, None)
        case ScheduleDeleted():
            yield Put(NEXT, key, moment(None))
        case _:
            pass  # nothing but the definition


PROJECTION: Final = Projection(
    name="schedules",
    version=1,
    tables=(SCHEDULES, JOBS, NEXT, RUNS),
    events=(
        ScheduleCreated,
        ScheduleSynced,
        ScheduleCadenceOverridden,
        ScheduleOverrideCleared,
        ScheduleDescribed,
        ScheduleCadenceEdited,
        ScheduleJobsEdited,
        ScheduleAlertsEdited,
        SchedulePoliciesEdited,
        ScheduleActivated,
        ScheduleInactivated,
        ScheduleDeleted,
        ScheduleRestored,
        ScheduleRunOpened,
        ScheduleRunClosed,
        ScheduleOccurrencesSkipped,
        ScheduleOccurrencesMissed,
        ScheduleOccurrenceQueued,
        ScheduleZoneDataAdopted,
    ),
    project=project,
)
