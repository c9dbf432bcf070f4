"""The bodies of what is shown of definitions and registrations."""

from datetime import datetime
from typing import Any

from eventjobs.api.schemas import Reference
from eventjobs.api.view_schemas import Actions, CadenceShown, CronShown, OverrideMark, Read, Shown


class SyncFailure(Shown):
    """To which version a sync was refused, and why."""

    version: int
    at: datetime
    code: str
    detail: str


class SyncShown(Shown):
    """How far a registration is: `in_sync`, `out_of_sync`, or `sync_failed` for the newest version (R71)."""

    state: str
    version: int | None
    at: datetime | None
    failure: SyncFailure | None


class FeatureShown(Shown):
    """A feature and its status here; `lifecycle` is the definition's and informs people alone (R55)."""

    id: str
    name: str
    description: str
    lifecycle: str
    status: str
    since: datetime | None
    set_by: str | None


class Feature(Read, FeatureShown):
    """
    A feature of a registration; its `id` is `<integration>.<feature>`.

    `version` is the registration's, which is what a change of the status compares.
    """

    feature: str
    integration: str
    version: int


class Drifted(Shown):
    """
    In what a workspace differs from the definition.

    `cadence` with what is overridden, `deleted` for what was deleted here, `own` for what a customer's workspace built.
    """

    thing: Reference
    what: str
    overrides: dict[str, OverrideMark] | None = None
    defined: CadenceShown | CronShown | None = None
    here: CadenceShown | CronShown | None = None
    actions: Actions


class DefinitionRef(Shown):
    """A definition where it is published, at its newest version."""

    workspace: str
    id: str
    version: int


class IntegrationItem(Shown):
    """A registration of a definition in this workspace, and what the caller may do with it."""

    id: str
    version: int
    name: str
    definition: DefinitionRef
    status: str
    configuration: dict[str, Any]
    registered_at: datetime
    sync: SyncShown
    features: list[FeatureShown]
    actions: Actions


class Integration(Read, IntegrationItem):
    """A registration with its drift report."""

    drift: list[Drifted]


class Integrations(Read):
    """A part of the registrations."""

    items: list[IntegrationItem]
    next: str | None


class RegistrationShown(Shown):
    """A registration as the definition's publisher sees it: `overridden` are schedules whose cadence was set there."""

    workspace: str
    status: str
    sync: SyncShown
    features: dict[str, str]
    overridden: list[str]


class DefinitionItem(Shown):
    """A definition at its newest version."""

    id: str
    version: int
    name: str
    published_at: datetime
    published_by: str


class Definition(Read, DefinitionItem):
    """A definition with its content, and its registrations in the workspaces that the caller may see."""

    content: dict[str, Any]
    registrations: list[RegistrationShown]


class Definitions(Read):
    """A part of the definitions."""

    items: list[DefinitionItem]
    next: str | None
