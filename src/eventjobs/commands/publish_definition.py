"""
Publish a definition: the first version of an integration, or the next one.

No workspace follows it before it is synced (R69). The same content again decides nothing.
"""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.definition_fields import DefinitionFields, check_definition, content_of, stored
from eventjobs.commands.fields import no_such
from eventjobs.commands.spec import CommandSpec
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.integration import Integration, Status
from eventjobs.domain.streams import definition_stream, integration_stream, workspace_stream
from eventjobs.errors import Conflict
from eventjobs.events.definition import DefinitionPublished


class PublishDefinition(DefinitionFields):
    """The whole definition."""


def decide(command: PublishDefinition, world: World, context: Context) -> None:
    """Publish it as the next version, unless it takes a feature away that a workspace uses (R66)."""
    if not world.workspace().exists:
        raise no_such("workspace", context.workspace)
    check_definition(command, context)
    present = world.definition(context.workspace, command.id)
    world.answer["definition_version"] = present.version
    content = DefinitionFields.model_validate(command.model_dump(exclude_unset=True))
    if present.exists and content_of(present) == content:
        return
    if present.exists:
        _refuse_in_use(command, world, context)
    world.answer["definition_version"] = present.version + 1
    world.emit(
        definition_stream(context.workspace, command.id),
        DefinitionPublished(version=present.version + 1, content=stored(content)),
    )


def _refuse_in_use(command: PublishDefinition, world: World, context: Context) -> None:
    present = world.definition(context.workspace, command.id)
    kept = {feature.id for feature in command.features if feature.lifecycle != "archived"}
    going = [feature.id for feature in content_of(present).features if feature.id not in kept]
    if not going:
        return
    streams = {by: integration_stream(by, command.id) for by in present.registered_by}
    world.need(streams.values())
    for feature in going:
        users = [by for by, stream in streams.items() if _uses(world.state(stream), feature)]
        if users:
            seen = [user for user in users if context.grant is None or context.grant.covers(user)]
            raise Conflict(
                "feature_in_use",
                f"the feature {feature!r} is not off in {len(users)} workspaces",
                extra={"feature": feature, "users": [{"kind": "workspace", "id": user} for user in seen]},
            )


def _uses(integration: Integration, feature: str) -> bool:
    return integration.status(feature) is not Status.OFF


SPEC: Final = CommandSpec(
    name="PublishDefinition",
    command=PublishDefinition,
    streams=lambda command, context: [
        definition_stream(context.workspace, command.id),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Publish a version of an integration's definition",
    example={
        "id": "contacts",
        "name": "Contacts",
        "services": [
            {"id": "load", "handler": "csv.import", "config": {"source": "contacts.csv", "table": "contacts"}}
        ],
        "features": [
            {
                "id": "nightly-load",
                "name": "Nightly load",
                "schedules": [
                    {
                        "id": "nightly",
                        "description": "Load all contacts",
                        "cadence": {
                            "start_date": "2026-12-01",
                            "start_time": "02:00",
                            "time_zone": "Europe/Berlin",
                            "every": 1,
                            "unit": "day",
                        },
                        "jobs": [{"job": {"kind": "service", "id": "load"}}],
                    }
                ],
            }
        ],
    },
)
