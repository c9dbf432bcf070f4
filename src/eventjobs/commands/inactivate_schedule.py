"""Inactivate a schedule: it has no due moments until it is activated again; an open run finishes, none that waits."""

from typing import Final

from eventjobs.commands.activity import switch_off
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.managing import refuse_set_by_feature
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.streams import schedule_stream


class InactivateSchedule(CommandFields):
    """The schedule to inactivate."""

    id: Id


def decide(command: InactivateSchedule, world: World, context: Context) -> None:
    """Inactivate it, after what fell due before was answered."""
    if not world.schedule(command.id).alive:
        raise no_such("schedule", command.id)
    refuse_set_by_feature(world.schedule(command.id), world)
    switch_off(world, context, command.id)


SPEC: Final = CommandSpec(
    name="InactivateSchedule",
    command=InactivateSchedule,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=OPERATORS | {FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Stop a schedule from triggering by itself",
    example={"id": "nightly"},
)
