"""Services: their definition, the schedules that use them, and their runs outside any schedule."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from eventjobs.events.service import (
    ServiceAdded,
    ServiceAttached,
    ServiceConfigured,
    ServiceDeleted,
    ServiceDetached,
    ServiceRestored,
    ServiceRunClosed,
    ServiceRunOpened,
)
from eventjobs.projections.owner_runs import closed, opened, runs_table
from eventjobs.projections.temporal import Projection, Put, Table, Write, json_text

SERVICES: Final = Table(
    name="view_services_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "version": "integer",
        "name": "text",
        "handler": "text",
        "config": "json",
        "policy": "json",
        "created_at": "timestamptz",
        "deleted_at": "timestamptz",
    },
)
USES: Final = Table(
    name="view_service_uses_1",
    key={"workspace": "text", "service": "text", "schedule": "text"},
    columns={"attached": "boolean"},
)
RUNS: Final = runs_table("view_service_runs_1")
TYPES: Final = Table(name="view_service_types_1", key={"workspace": "text", "id": "text"}, columns={"type": "text"})


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a service writes; whose turn it is changes often and is in a view of its own."""
    key = (recorded.workspace, recorded.stream.id)
    match recorded.event:
        case ServiceAdded() as event:
            yield Put(SERVICES, key, {"created_at": recorded.at, **_definition(event)}, add={"version": 1})
            if event.type is not None:
                yield Put(TYPES, key, {"type": event.type})
        case ServiceConfigured() as event:
            yield Put(SERVICES, key, _definition(event), add={"version": 1})
            yield Put(TYPES, key, {"type": event.type})
        case ServiceDeleted():
            yield Put(SERVICES, key, {"deleted_at": recorded.at}, add={"version": 1})
        case ServiceRestored():
            yield Put(SERVICES, key, {"deleted_at": None}, add={"version": 1})
        case ServiceAttached() as event:
            yield Put(USES, (*key, event.schedule), {"attached": True})
        case ServiceDetached() as event:
            yield Put(USES, (*key, event.schedule), {"attached": False})
        case ServiceRunOpened() as event:
            yield opened(RUNS, key, event.run)
        case ServiceRunClosed() as event:
            yield from closed(RUNS, key, event, recorded.at)
        case _:
            pass  # turns


def _definition(event: ServiceAdded | ServiceConfigured) -> dict[str, Any]:
    return {
        "name": event.name,
        "handler": event.handler,
        "config": json_text(event.config),
        "policy": json_text(event.policy),
    }


PROJECTION: Final = Projection(
    name="services",
    version=1,
    tables=(SERVICES, USES, RUNS, TYPES),
    events=(
        ServiceAdded,
        ServiceConfigured,
        ServiceDeleted,
        ServiceRestored,
        ServiceAttached,
        ServiceDetached,
        ServiceRunOpened,
        ServiceRunClosed,
    ),
    project=project,
)
