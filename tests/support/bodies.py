"""The things that most stories are about, as commands."""

from typing import Any

from eventjobs.commands.spec import CommandFields
from tests.support.story import WORKSPACE, command

DAILY = {"start_date": "2026-12-01", "start_time": "20:00", "time_zone": "UTC", "every": 1, "unit": "day"}
"""Due at 20:00 UTC; the stories' clock begins at noon of that day."""
QUARTERLY = {**DAILY, "every": 15, "unit": "minute"}


def workspace(workspace_id: str = WORKSPACE, **fields: Any) -> CommandFields:
    return command("CreateWorkspace", **{"id": workspace_id, "time_zone": "Europe/Berlin", **fields})


def service(service_id: str = "load", **fields: Any) -> CommandFields:
    return command("AddService", **{"id": service_id, "handler": "noop", **fields})


def flow(flow_id: str = "approve", **fields: Any) -> CommandFields:
    return command("AddFlow", **{"id": flow_id, "handler": "python", **fields})


def flow_row(flow_id: str = "approve", **fields: Any) -> dict[str, Any]:
    return {"job": {"kind": "flow", "id": flow_id}, **fields}


def row(service_id: str = "load", **fields: Any) -> dict[str, Any]:
    return {"job": {"kind": "service", "id": service_id}, **fields}


def schedule(schedule_id: str = "nightly", *, jobs: Any = None, **fields: Any) -> CommandFields:
    """Return a schedule that is due daily at 20:00 UTC and runs `load`."""
    content = {"id": schedule_id, "cadence": DAILY, "jobs": [row()] if jobs is None else jobs, **fields}
    return command("CreateSchedule", **content)


def edit(schedule_id: str = "nightly", **cadence: Any) -> CommandFields:
    return command("EditCadence", id=schedule_id, cadence={**DAILY, **cadence})


def policies(schedule_id: str = "nightly", **fields: Any) -> CommandFields:
    return command("EditSchedulePolicies", id=schedule_id, policies=fields)


def tick(schedule_id: str = "nightly") -> CommandFields:
    return command("AnswerDue", kind="schedule", id=schedule_id)


def run_now(owner_id: str = "nightly", kind: str = "schedule", **fields: Any) -> CommandFields:
    return command("RunNow", owner={"kind": kind, "id": owner_id}, **fields)


def advance(run: str, term: int = 1, **fields: Any) -> CommandFields:
    return command("AdvanceRun", run=run, term=term, **fields)


def ended(row: int = 1, state: str = "succeeded", attempt: int = 1, **fields: Any) -> dict[str, Any]:
    return {"row": row, "attempt": attempt, "state": state, **fields}
