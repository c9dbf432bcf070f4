"""
Create a group, as a draft (G1 to G12): an ordered list of imports that is run one job at a time.

A draft may lack anything but a name; what keeps it from being activated comes as warnings.
"""

from typing import Final

from eventjobs.commands.connect_fields import expiry_of, last_day_of
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.group_fields import GroupFields, saved
from eventjobs.commands.saving_groups import create, id_taken, refuse_another
from eventjobs.commands.spec import CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import group_stream, groups_stream, workspace_stream


class CreateGroup(GroupFields):
    """A new group."""

    id: Id | None = None


def group_id(command: CreateGroup, context: Context) -> str:
    """The given id, or one made from the command's."""
    return command.id or context.command_id


def decide(command: CreateGroup, world: World, context: Context) -> None:
    """Create it, if there is none of that id; its jobs are no other group's from now on (G6)."""
    if not world.workspace().exists:
        raise no_such("workspace", context.workspace)
    the_id = group_id(command, context)
    present = world.group(the_id)
    if present.deleted:
        raise id_taken(the_id)
    definition = saved(command, the_id, world, context)
    if present.exists:
        last_day = last_day_of(command.expires_on, present.created_at or context.now, world, context)
        refuse_another(present, definition, last_day, the_id)
        return
    expiry = expiry_of(command.expires_on, context.now, world, context)
    create(the_id, definition, expiry, world, context)


SPEC: Final = CommandSpec(
    name="CreateGroup",
    command=CreateGroup,
    streams=lambda command, context: [
        group_stream(context.workspace, group_id(command, context)),
        workspace_stream(context.workspace),
        groups_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Create a group of imports",
    example={
        "id": "nightly-lists",
        "name": "Nightly lists",
        "jobs": ["contacts", "extension"],
        "schedule": {"type": "monthly", "day": "last", "hour": 3, "slot": "15-29", "time_zone": "Europe/Berlin"},
        "notification": {"mode": "failure", "recipients": ["ops@example.org"]},
    },
)
