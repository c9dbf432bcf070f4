"""
Register a definition in a workspace: its services and schedules come with it (R68).

The features that are chosen begin in Onboarding, where nothing triggers by itself, the others are off (R58). Registered
again it changes the configuration, or whether it is active at all (R67); both sync it (R70).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Final

import orjson
from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.definition_fields import FEATURES_MAX, DefinedJob, configured, content_of, refuse_archived
from eventjobs.commands.fields import CONFIG_BYTES_MAX, handler_facts, no_such
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.sync_attempts import stop_using
from eventjobs.commands.syncing import sync
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.definition import Definition
from eventjobs.domain.integration import Integration
from eventjobs.domain.streams import definition_stream, integration_stream, workspace_stream
from eventjobs.errors import Conflict, FieldError, Invalid
from eventjobs.events.definition import DefinitionRegistered
from eventjobs.events.integration import (
    IntegrationActivated,
    IntegrationConfigured,
    IntegrationInactivated,
    IntegrationRegistered,
)
from eventjobs.ids import ID_PATTERN, WORKSPACE_ID_PATTERN

PLACE: Final = f"{WORKSPACE_ID_PATTERN[:-1]}/{ID_PATTERN[1:]}"
"""A definition of another workspace is written `workspace/definition`."""


class RegisterIntegration(CommandFields):
    """
    A definition, the features to begin with, and what this workspace sets otherwise.

    `configuration` holds, by service or flow, fields that take the place of those in the definition's `config`.
    """

    definition: Annotated[str, Field(pattern=f"{ID_PATTERN}|{PLACE}")]
    features: Annotated[tuple[Id, ...], Field(max_length=FEATURES_MAX)] | None = None
    configuration: Mapping[Id, Mapping[str, Any]] | None = None
    active: bool | None = None

    @property
    def id(self) -> str:
        """The registration's id, which is the definition's."""
        return self.definition.rpartition("/")[2]


def place_of(command: RegisterIntegration, context: Context) -> str:
    """The workspace that publishes the definition."""
    return command.definition.rpartition("/")[0] or context.workspace


def decide(command: RegisterIntegration, world: World, context: Context) -> None:
    """Register it, or change the registration; the same again decides nothing."""
    if not world.workspace().exists:
        raise no_such("workspace", context.workspace)
    publisher = place_of(command, context)
    if context.grant is not None and not context.grant.covers(publisher):
        raise no_such("definition", command.definition)
    definition, present = world.definition(publisher, command.id), world.integration(command.id)
    if not definition.exists:
        raise no_such("definition", command.definition)
    _check(command, definition, context)
    if present.exists:
        _change(command, publisher, present, world, context)
        return
    content = content_of(definition)
    for feature in command.features or ():
        refuse_archived(content.feature(feature))
    world.emit(
        integration_stream(context.workspace, command.id),
        IntegrationRegistered(
            definition_workspace=publisher,
            features=command.features or (),
            configuration=command.configuration or {},
            active=command.active is not False,
        ),
    )
    world.emit(definition_stream(publisher, command.id), DefinitionRegistered(by=context.workspace))
    sync(world, context, command.id)


def _check(command: RegisterIntegration, definition: Definition, context: Context) -> None:
    content = content_of(definition)
    known = {job.id: defined for job, defined in content.jobs.items()}
    errors = [
        FieldError(f"features.{place}", "unknown_feature", f"the definition has no feature {feature!r}")
        for place, feature in enumerate(command.features or ())
        if content.feature(feature) is None
    ]
    errors += [
        FieldError(f"configuration.{job}", "unknown_job", f"the definition has no job {job!r}")
        for job in command.configuration or {}
        if job not in known
    ]
    if errors:
        raise Invalid.fields(errors)
    if len(orjson.dumps(command.configuration or {})) > CONFIG_BYTES_MAX:
        raise Invalid.at("configuration", "too_long", f"a configuration has at most {CONFIG_BYTES_MAX} bytes")
    for job, own in (command.configuration or {}).items():
        _check_config(job, configured(known[job], own), context)


def _check_config(job: str, fields: DefinedJob, context: Context) -> None:
    """Say of what a handler refuses where it stands in this command."""
    try:
        handler_facts(fields, context)
    except Invalid as invalid:
        errors = [replace(one, path=f"configuration.{job}{one.path.removeprefix('config')}") for one in invalid.errors]
        raise Invalid.fields(errors) from None


def _change(command: RegisterIntegration, publisher: str, present: Integration, world: World, context: Context) -> None:
    if present.definition_workspace != publisher:
        raise Conflict("id_taken", f"{command.id!r} is registered from the workspace {present.definition_workspace!r}")
    if command.features is not None and set(command.features) - set(present.features):
        raise Conflict("already_registered", "it is registered: SetFeatureStatus puts more features into use")
    stream = integration_stream(context.workspace, command.id)
    changed = False
    if command.configuration is not None and command.configuration != present.configuration:
        world.emit(stream, IntegrationConfigured(configuration=command.configuration))
        changed = True
    if command.active is not None and command.active != present.active:
        world.emit(stream, IntegrationActivated() if command.active else IntegrationInactivated())
        changed = True
    if changed and command.active is False:
        stop_using(world, context, command.id)
    elif changed:
        sync(world, context, command.id)


SPEC: Final = CommandSpec(
    name="RegisterIntegration",
    command=RegisterIntegration,
    streams=lambda command, context: [
        integration_stream(context.workspace, command.id),
        workspace_stream(context.workspace),
        definition_stream(place_of(command, context), command.id),
    ],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Register an integration's definition in a workspace",
    example={"definition": "contacts", "features": ["nightly-load"]},
)
