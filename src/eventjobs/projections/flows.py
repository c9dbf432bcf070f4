"""Flows: their definition, the schedules that use them, and their runs outside any schedule."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.flow import (
    FlowAdded,
    FlowAttached,
    FlowDeleted,
    FlowDetached,
    FlowEdited,
    FlowRestored,
    FlowRunClosed,
    FlowRunOpened,
)
from eventjobs.events.recorded import Recorded
from eventjobs.projections.owner_runs import closed, opened, runs_table
from eventjobs.projections.temporal import Projection, Put, Table, Write, json_text

FLOWS: Final = Table(
    name="view_flows_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "version": "integer",
        "name": "text",
        "trigger": "text",
        "handler": "text",
        "config": "json",
        "policy": "json",
        "exclusive": "boolean",
        "active": "boolean",
        "created_at": "timestamptz",
        "deleted_at": "timestamptz",
    },
)
USES: Final = Table(
    name="view_flow_uses_1",
    key={"workspace": "text", "flow": "text", "schedule": "text"},
    columns={"attached": "boolean"},
)
RUNS: Final = runs_table("view_flow_runs_1")


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a flow writes."""
    key = (recorded.workspace, recorded.stream.id)
    match recorded.event:
        case FlowAdded() as event:
            yield Put(FLOWS, key, {"created_at": recorded.at, **_definition(event)}, add={"version": 1})
        case FlowEdited() as event:
            yield Put(FLOWS, key, _definition(event), add={"version": 1})
        case FlowDeleted():
            yield Put(FLOWS, key, {"deleted_at": recorded.at}, add={"version": 1})
        case FlowRestored():
            yield Put(FLOWS, key, {"deleted_at": None}, add={"version": 1})
        case FlowAttached() as event:
            yield Put(USES, (*key, event.schedule), {"attached": True})
        case FlowDetached() as event:
            yield Put(USES, (*key, event.schedule), {"attached": False})
        case FlowRunOpened() as event:
            yield opened(RUNS, key, event.run)
        case FlowRunClosed() as event:
            yield from closed(RUNS, key, event, recorded.at, still_open=event.open_run)
        case _:
            pass  # turns


def _definition(event: FlowAdded | FlowEdited) -> dict[str, Any]:
    return {
        "name": event.name,
        "trigger": event.trigger,
        "handler": event.handler,
        "config": json_text(event.config),
        "policy": json_text(event.policy),
        "exclusive": event.exclusive,
        "active": event.active,
    }


PROJECTION: Final = Projection(
    name="flows",
    version=1,
    tables=(FLOWS, USES, RUNS),
    events=(FlowAdded, FlowEdited, FlowDeleted, FlowRestored, FlowAttached, FlowDetached, FlowRunOpened, FlowRunClosed),
    project=project,
)
