"""Give a schedule another description."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.managing import refuse_managed, warn_customer
from eventjobs.commands.spec import CommandFields, CommandSpec, Id, Text
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import ScheduleDescribed


class DescribeSchedule(CommandFields):
    """The new description."""

    id: Id
    description: Text


def decide(command: DescribeSchedule, world: World, context: Context) -> None:
    """Describe it; the same words again decide nothing."""
    present = world.schedule(command.id)
    if not present.alive:
        raise no_such("schedule", command.id)
    refuse_managed(present, f"the schedule {command.id!r}")
    if present.description != command.description:
        warn_customer(world)
        world.emit(schedule_stream(context.workspace, command.id), ScheduleDescribed(description=command.description))


SPEC: Final = CommandSpec(
    name="DescribeSchedule",
    command=DescribeSchedule,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Give a schedule another description",
    example={"id": "nightly", "description": "Nightly load of contacts"},
)
