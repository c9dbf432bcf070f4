"""
Copy a group: a new draft that is defined as the group is, or was when it was deleted or expired (G62).

A job is in one group at most (G6): those that another one has, or that do not qualify any more, are left out, and told.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from eventjobs.commands.answering import settle_group_of
from eventjobs.commands.connect_fields import ConnectName, LastDay, check_name, expiry_of, last_day_of
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.qualifying import objections
from eventjobs.commands.saving_groups import create, definition_of, refuse_another
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.group import Group
from eventjobs.domain.streams import connect_stream, group_stream, groups_stream, workspace_stream
from eventjobs.events.connect import Member


class CopyGroup(CommandFields):
    """
    The group, and the id of its copy, which else is made.

    Without `name` the copy is called as the group is, which must be gone then (G8); without `expires_on` it expires 30
    days after its creation (G55).
    """

    id: Id
    new_id: Id | None = None
    name: ConnectName | None = None
    expires_on: LastDay | None = None


def copy_id(command: CopyGroup, context: Context) -> str:
    """The given id, or one made from the command's."""
    return command.new_id or context.command_id


def decide(command: CopyGroup, world: World, context: Context) -> None:
    """Create the copy; the same again decides nothing. Raises `Conflict` `id_taken` and `name_taken`."""
    original = world.group(command.id)
    if not original.exists:
        raise no_such("group", command.id)
    the_id, name = copy_id(command, context), command.name or original.name
    check_name(name)
    members = tuple(_free(original, the_id, world, context))
    definition = replace(definition_of(original), name=name, members=members)
    present = world.group(the_id)
    if not present.exists:
        create(the_id, definition, expiry_of(command.expires_on, context.now, world, context), world, context)
        return
    last_day = last_day_of(command.expires_on, present.created_at or context.now, world, context)
    refuse_another(present, definition, last_day, the_id)


def _free(original: Group, the_id: str, world: World, context: Context) -> Iterator[Member]:
    """Yield the members that may be the copy's, and tell the others."""
    world.need(connect_stream(context.workspace, member.job.id) for member in original.members)
    for place, member in enumerate(original.members):
        settle_group_of(world, context, member.job.id)
        reasons = objections(world.connect_job(member.job.id), the_id, context)
        if reasons:
            detail = f"the job {member.job.id!r} is left out: {', '.join(reasons)}"
            world.warn("job_not_qualified", detail, f"jobs.{place}")
        else:
            yield member


SPEC: Final = CommandSpec(
    name="CopyGroup",
    command=CopyGroup,
    streams=lambda command, context: [
        group_stream(context.workspace, copy_id(command, context)),
        group_stream(context.workspace, command.id),
        groups_stream(context.workspace),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Copy a group, with the jobs that are free",
    example={"id": "nightly-lists", "new_id": "morning-lists", "name": "Morning lists"},
)
