"""What a decision may know about a registration: its features' statuses, what it manages, and how far it is synced."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, assert_never

from eventjobs.events.integration import (
    IntegrationActivated,
    IntegrationConfigured,
    IntegrationEvent,
    IntegrationFeatureStatusSet,
    IntegrationInactivated,
    IntegrationRegistered,
    IntegrationSynced,
    IntegrationSyncFailed,
)
from eventjobs.events.run import Ref


class Status(StrEnum):
    """What a feature is in one workspace (R56)."""

    OFF = "off"
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    MAINTENANCE = "maintenance"


TRANSITIONS: Final[Mapping[Status, frozenset[Status]]] = {
    Status.OFF: frozenset({Status.ONBOARDING}),
    Status.ONBOARDING: frozenset({Status.ACTIVE, Status.OFF}),
    Status.ACTIVE: frozenset({Status.MAINTENANCE, Status.OFF}),
    Status.MAINTENANCE: frozenset({Status.ACTIVE, Status.OFF}),
}
"""Where a feature may go from each status (R64)."""


_IN_USE: Final = (Status.ACTIVE, Status.MAINTENANCE, Status.ONBOARDING, Status.OFF)


def foremost(statuses: Iterable[str]) -> Status | None:
    """Return how far a job is in use that is of features with these statuses (R86); of none: `None`."""
    return min((Status(one) for one in statuses), key=_IN_USE.index, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """
    A registration as its stream tells it; it has the id of its definition.

    `synced` is the version of the definition that it follows (0: none yet), `failed` the version to which a sync was
    refused since, with code and detail. `things` are the schedules and services that it manages.
    """

    exists: bool = False
    definition_version: int = 0
    definition_workspace: str = ""
    active: bool = False
    configuration: Mapping[str, Any] = field(default_factory=dict)
    features: Mapping[str, str] = field(default_factory=dict)
    synced: int = 0
    failed: IntegrationSyncFailed | None = None
    things: frozenset[Ref] = frozenset()

    def status(self, feature: str) -> Status:
        """The status of a feature; one that nobody chose is off."""
        return Status(self.features.get(feature, Status.OFF))

    def runs_by_itself(self, feature: str) -> bool:
        """Whether the schedules of a feature are active because of its status (R60, R67)."""
        return self.active and self.status(feature) is Status.ACTIVE


INITIAL = Integration()


def evolve(integration: Integration, event: IntegrationEvent) -> Integration:
    """Move the registration by one fact; a sync changes nothing that a user set, so it does not raise the version."""
    match event:
        case IntegrationSynced():
            things = (integration.things | set(event.added)) - set(event.archived)
            return replace(integration, synced=event.version, failed=None, things=things)
        case IntegrationSyncFailed():
            return replace(integration, failed=event)
        case _:
            moved = _set(integration, event)
            return replace(moved, definition_version=integration.definition_version + 1)


def _set(
    integration: Integration,
    event: IntegrationRegistered
    | IntegrationConfigured
    | IntegrationActivated
    | IntegrationInactivated
    | IntegrationFeatureStatusSet,
) -> Integration:
    match event:
        case IntegrationRegistered():
            return replace(
                integration,
                exists=True,
                definition_workspace=event.definition_workspace,
                active=event.active,
                configuration=event.configuration,
                features=dict.fromkeys(event.features, Status.ONBOARDING),
            )
        case IntegrationConfigured():
            return replace(integration, configuration=event.configuration)
        case IntegrationActivated() | IntegrationInactivated():
            return replace(integration, active=isinstance(event, IntegrationActivated))
        case IntegrationFeatureStatusSet():
            return replace(integration, features={**integration.features, event.feature: event.status})
        case _:
            assert_never(event)
