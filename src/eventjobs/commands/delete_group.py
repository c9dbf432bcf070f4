"""Delete a group: its jobs stay, and are free for another group (G75); while it runs it is not deleted."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.expiring import refuse_unless_kept, release, still_runs
from eventjobs.commands.fields import no_such
from eventjobs.commands.queueing import drop_all
from eventjobs.commands.saving_groups import group_ref
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import group_stream, groups_stream
from eventjobs.events.group import GroupDeleted


class DeleteGroup(CommandFields):
    """The group to delete."""

    id: Id


def decide(command: DeleteGroup, world: World, context: Context) -> None:
    """Delete it; again decides nothing. Raises `Conflict` `group_running` with the run that is open."""
    group = world.group(command.id)
    if not group.exists:
        raise no_such("group", command.id)
    if group.deleted and not group.expired:
        return
    if not group.expired:
        settle_due(world, context, group_ref(command.id))
    refuse_unless_kept(world, context, group_ref(command.id))
    group = world.group(command.id)
    if group.open_run is not None:
        raise still_runs("group", group.open_run)
    drop_all(world, context, group_ref(command.id), "inactive")
    world.emit(group_stream(context.workspace, command.id), GroupDeleted())
    release(world, context, command.id, group)


SPEC: Final = CommandSpec(
    name="DeleteGroup",
    command=DeleteGroup,
    streams=lambda command, context: [
        group_stream(context.workspace, command.id),
        groups_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Delete a group; its jobs stay",
    example={"id": "nightly-lists"},
)
