"""Definitions with who has them registered, and registrations with their features and how far they are synced."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.domain.integration import Status
from eventjobs.events.definition import DefinitionPublished, DefinitionRegistered
from eventjobs.events.integration import (
    IntegrationActivated,
    IntegrationConfigured,
    IntegrationFeatureStatusSet,
    IntegrationInactivated,
    IntegrationRegistered,
    IntegrationSynced,
    IntegrationSyncFailed,
)
from eventjobs.events.recorded import Recorded
from eventjobs.projections.temporal import Key, Projection, Put, Table, Write, json_text

DEFINITIONS: Final = Table(
    name="view_definitions_1",
    key={"workspace": "text", "id": "text"},
    columns={"version": "integer", "content": "json", "published_at": "timestamptz", "published_by": "text"},
)
REGISTRATIONS: Final = Table(
    name="view_registrations_1",
    key={"workspace": "text", "definition": "text", "registered_by": "text"},
    columns={"registered_at": "timestamptz"},
)
INTEGRATIONS: Final = Table(
    name="view_integrations_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "version": "integer",
        "definition_workspace": "text",
        "active": "boolean",
        "configuration": "json",
        "registered_at": "timestamptz",
        "synced": "integer",
        "synced_at": "timestamptz",
        "failed": "integer",
        "failed_at": "timestamptz",
        "failed_code": "text",
        "failed_detail": "text",
    },
)
FEATURES: Final = Table(
    name="view_features_1",
    key={"workspace": "text", "integration": "text", "feature": "text"},
    columns={"status": "text", "since": "timestamptz", "set_by": "text"},
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a definition or a registration writes."""
    key = (recorded.workspace, recorded.stream.id)
    match recorded.event:
        case DefinitionPublished() as event:
            published = {"published_at": recorded.at, "published_by": recorded.actor}
            yield Put(DEFINITIONS, key, {"version": event.version, "content": json_text(event.content), **published})
        case DefinitionRegistered() as event:
            yield Put(REGISTRATIONS, (*key, event.by), {"registered_at": recorded.at})
        case IntegrationSynced() as event:
            nothing = dict.fromkeys(("failed", "failed_at", "failed_code", "failed_detail"))
            yield Put(INTEGRATIONS, key, {"synced": event.version, "synced_at": recorded.at, **nothing})
        case IntegrationSyncFailed() as event:
            failed = {"failed": event.version, "failed_at": recorded.at}
            yield Put(INTEGRATIONS, key, {**failed, "failed_code": event.code, "failed_detail": event.detail})
        case _:
            yield Put(INTEGRATIONS, key, _set(recorded), add={"version": 1})
            yield from _features(key, recorded)


def _set(recorded: Recorded[Any]) -> dict[str, Any]:
    match recorded.event:
        case IntegrationRegistered() as event:
            return {
                "definition_workspace": event.definition_workspace,
                "active": event.active,
                "configuration": json_text(event.configuration),
                "registered_at": recorded.at,
            }
        case IntegrationConfigured() as event:
            return {"configuration": json_text(event.configuration)}
        case IntegrationActivated():
            return {"active": True}
        case IntegrationInactivated():
            return {"active": False}
        case _:
            return {}


def _features(key: Key, recorded: Recorded[Any]) -> Iterator[Write]:
    match recorded.event:
        case IntegrationRegistered() as event:
            statuses = dict.fromkeys(event.features, str(Status.ONBOARDING))
        case IntegrationFeatureStatusSet() as event:
            statuses = {event.feature: event.status}
        case _:
            statuses = {}
    for feature, status in statuses.items():
        yield Put(FEATURES, (*key, feature), {"status": status, "since": recorded.at, "set_by": recorded.actor})


PROJECTION: Final = Projection(
    name="integrations",
    version=1,
    tables=(DEFINITIONS, REGISTRATIONS, INTEGRATIONS, FEATURES),
    events=(
        DefinitionPublished,
        DefinitionRegistered,
        IntegrationRegistered,
        IntegrationConfigured,
        IntegrationActivated,
        IntegrationInactivated,
        IntegrationFeatureStatusSet,
        IntegrationSynced,
        IntegrationSyncFailed,
    ),
    project=project,
)
