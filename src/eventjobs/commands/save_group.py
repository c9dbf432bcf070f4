"""Save a group: all of its definition, from its next run on (G10, G76); an active one is not saved with errors."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.group_fields import GroupFields
from eventjobs.commands.saving_groups import alive_group, save, warn_of_errors
from eventjobs.commands.spec import CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import group_stream, groups_stream, workspace_stream


class SaveGroup(GroupFields):
    """The group's whole new definition."""

    id: Id


def decide(command: SaveGroup, world: World, context: Context) -> None:
    """Save it; the same again decides nothing."""
    alive_group(command.id, world, context)
    save(world, context, command.id, command)
    if not world.group(command.id).active:
        warn_of_errors(command.id, world, context)


SPEC: Final = CommandSpec(
    name="SaveGroup",
    command=SaveGroup,
    streams=lambda command, context: [
        group_stream(context.workspace, command.id),
        workspace_stream(context.workspace),
        groups_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Save a group",
    example={
        "id": "nightly-lists",
        "name": "Nightly lists",
        "jobs": ["contacts", {"job": "extension", "required": False}],
        "schedule": {"type": "daily", "at": "03:15"},
    },
)
