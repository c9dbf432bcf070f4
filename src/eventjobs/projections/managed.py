"""What an integration manages, and what of it this workspace set otherwise or deleted (R73, R78, R79)."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.domain.overriding import BUNDLES
from eventjobs.events.flow import FlowAdded, FlowDeleted, FlowEdited, FlowRestored
from eventjobs.events.integration import IntegrationSynced
from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import (
    ScheduleCadenceOverridden,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleOrigin,
    ScheduleOverrideCleared,
    ScheduleRestored,
    ScheduleSynced,
)
from eventjobs.events.service import JobOrigin, ServiceAdded, ServiceConfigured, ServiceDeleted, ServiceRestored
from eventjobs.projections.temporal import Key, Projection, Put, Table, Write, json_text

MANAGED: Final = Table(
    name="view_managed_1",
    key={"workspace": "text", "kind": "text", "id": "text"},
    columns={
        "managed": "boolean",
        "integration": "text",
        "features": "json",
        "feature": "text",
        "definition_version": "integer",
        "cadence": "json",
        "start_by": "text",
        "start_at": "timestamptz",
        "start_position": "bigint",
        "period_by": "text",
        "period_at": "timestamptz",
        "period_position": "bigint",
        "removed": "text",
    },
)
ONLY_MANAGED: Final = {"managed": True}


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact writes about a thing that is managed; about all others nothing."""
    key = (recorded.workspace, recorded.stream.kind, recorded.stream.id)
    match recorded.event:
        case ScheduleCreated() | ScheduleSynced() as event if event.origin is not None:
            yield Put(MANAGED, key, _schedule(event.origin))
        case (ServiceAdded() | ServiceConfigured() | FlowAdded() | FlowEdited()) as event if event.origin is not None:
            yield Put(MANAGED, key, _job(event.origin))
        case ScheduleCadenceOverridden() as event:
            mark = {"by": recorded.actor, "at": recorded.at, "position": recorded.position}
            yield _marked(key, event.bundles, mark)
        case ScheduleOverrideCleared() as event:
            yield _marked(key, event.bundles, {})
        case ScheduleDeleted() as event:
            yield Put(MANAGED, key, {"removed": event.cause}, only_if=ONLY_MANAGED)
        case ServiceDeleted() | FlowDeleted():
            yield Put(MANAGED, key, {"removed": "asked"}, only_if=ONLY_MANAGED)
        case ScheduleRestored() | ServiceRestored() | FlowRestored():
            yield Put(MANAGED, key, {"removed": None}, only_if=ONLY_MANAGED)
        case IntegrationSynced() as event:
            for thing in event.archived:
                yield Put(MANAGED, (recorded.workspace, thing.kind, thing.id), {"removed": "archived"})
        case _:
            pass  # the workspace's own


def _schedule(origin: ScheduleOrigin) -> dict[str, Any]:
    return {
        "managed": True,
        "integration": origin.integration,
        "features": json_text([origin.feature]),
        "feature": origin.feature,
        "definition_version": origin.definition_version,
        "cadence": json_text(origin.cadence),
    }


def _job(origin: JobOrigin) -> dict[str, Any]:
    return {
        "managed": True,
        "integration": origin.integration,
        "features": json_text(origin.features),
        "definition_version": origin.definition_version,
    }


def _marked(key: Key, bundles: tuple[str, ...], mark: dict[str, Any]) -> Write:
    values = {
        f"{bundle}_{name}": mark.get(name)
        for bundle in BUNDLES
        if bundle in bundles
        for name in ("by", "at", "position")
    }
    return Put(MANAGED, key, values)


PROJECTION: Final = Projection(
    name="managed",
    version=1,
    tables=(MANAGED,),
    events=(
        ScheduleCreated,
        ScheduleSynced,
        ScheduleCadenceOverridden,
        ScheduleOverrideCleared,
        ScheduleDeleted,
        ScheduleRestored,
        ServiceAdded,
        ServiceConfigured,
        ServiceDeleted,
        ServiceRestored,
        FlowAdded,
        FlowEdited,
        FlowDeleted,
        FlowRestored,
        IntegrationSynced,
    ),
    project=project,
)
