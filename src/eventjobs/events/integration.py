"""
Facts about one registration of a definition in a workspace: its features' statuses, and how far it is synced.

What it manages are ordinary schedules and services with facts of their own, written in the same append. These classes
are a storage format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from eventjobs.events.run import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationRegistered:
    """
    The workspace has the definition of `definition_workspace`; the `features` that were chosen begin in Onboarding.

    `configuration` holds, by service, what this workspace sets otherwise than the definition. Nothing of it triggers by
    itself while it is not `active` (R67).
    """

    TYPE: ClassVar[str] = "integration.registered"
    SCHEMA: ClassVar[int] = 1

    definition_workspace: str
    features: tuple[str, ...]
    configuration: Mapping[str, Any]
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationConfigured:
    """Another configuration takes the place of what the definition says."""

    TYPE: ClassVar[str] = "integration.configured"
    SCHEMA: ClassVar[int] = 1

    configuration: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationActivated:
    """The schedules of its Active features trigger by themselves from now on."""

    TYPE: ClassVar[str] = "integration.activated"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationInactivated:
    """Nothing that it manages triggers by itself any more, whatever the status of its feature."""

    TYPE: ClassVar[str] = "integration.inactivated"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationFeatureStatusSet:
    """A feature is `off`, `onboarding`, `active` or in `maintenance` in this workspace (R56)."""

    TYPE: ClassVar[str] = "integration.feature_status_set"
    SCHEMA: ClassVar[int] = 1

    feature: str
    status: str
    before: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationSynced:
    """
    All that it manages is as `version` of the definition says, but for what was overridden or deleted here.

    `added` came under its management with this sync, `archived` left it: the definition has them no more (R79).
    """

    TYPE: ClassVar[str] = "integration.synced"
    SCHEMA: ClassVar[int] = 1

    version: int
    added: tuple[Ref, ...] = ()
    archived: tuple[Ref, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationSyncFailed:
    """A sync to `version` was refused with `code`, and changed nothing."""

    TYPE: ClassVar[str] = "integration.sync_failed"
    SCHEMA: ClassVar[int] = 1

    version: int
    code: str
    detail: str


IntegrationEvent: TypeAlias = (
    IntegrationRegistered
    | IntegrationConfigured
    | IntegrationActivated
    | IntegrationInactivated
    | IntegrationFeatureStatusSet
    | IntegrationSynced
    | IntegrationSyncFailed
)
