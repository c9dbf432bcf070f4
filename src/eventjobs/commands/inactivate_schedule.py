"""Inactivate a schedule: it has no due moments until it is activated again; an open run finishes, none that waits."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.queueing import drop_all
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.activation import on_inactivated
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import ScheduleInactivated


class InactivateSchedule(CommandFields):
    """The schedule to inactivate."""

    id: Id


def decide(command: InactivateSchedule, world: World, context: Context) -> None:
    """Inactivate it, after what fell due before was answered."""
    if not world.schedule(command.id).alive:
        raise no_such("schedule", command.id)
    if not world.schedule(command.id).active:
        return
    settle_due(world, context, command.id)
    drop_all(world, context, command.id, "inactive")
    timing = on_inactivated(world.schedule(command.id).timing)
    world.emit(schedule_stream(context.workspace, command.id), ScheduleInactivated(timing=timing))


SPEC: Final = CommandSpec(
    name="InactivateSchedule",
    command=InactivateSchedule,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=OPERATORS | {INTEGRATION_AUTHOR},
    summary="Stop a schedule from triggering by itself",
    example={"id": "nightly"},
)
