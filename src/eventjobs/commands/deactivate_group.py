"""Deactivate a group: nothing is due any more, an open run finishes, its jobs stay its own (G13)."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.saving_groups import alive_group, group_ref
from eventjobs.commands.slot_activity import not_active, switch_off
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import group_stream


class DeactivateGroup(CommandFields):
    """The group to deactivate."""

    id: Id


def decide(command: DeactivateGroup, world: World, context: Context) -> None:
    """Deactivate it; raises `Conflict` `not_active` for one that is not."""
    if not alive_group(command.id, world, context).active:
        raise not_active("group", command.id)
    switch_off(world, context, group_ref(command.id))


SPEC: Final = CommandSpec(
    name="DeactivateGroup",
    command=DeactivateGroup,
    streams=lambda command, context: [group_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Deactivate a group",
    example={"id": "nightly-lists"},
)
