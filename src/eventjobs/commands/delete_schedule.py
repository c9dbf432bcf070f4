"""Delete a schedule: it leaves the lists, an open run finishes, its history and its id stay."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.queueing import drop_all
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.streams import schedule_stream, service_stream
from eventjobs.events.schedule import ScheduleDeleted
from eventjobs.events.service import ServiceDetached


class DeleteSchedule(CommandFields):
    """The schedule to delete."""

    id: Id


def decide(command: DeleteSchedule, world: World, context: Context) -> None:
    """Delete it, after what fell due before was answered; again decides nothing."""
    present = world.schedule(command.id)
    if not present.exists:
        raise no_such("schedule", command.id)
    if present.deleted:
        return
    settle_due(world, context, command.id)
    drop_all(world, context, command.id, "inactive")
    world.emit(schedule_stream(context.workspace, command.id), ScheduleDeleted())
    for job in sorted({row.job.id for row in present.jobs}):
        world.emit(service_stream(context.workspace, job), ServiceDetached(schedule=command.id))


SPEC: Final = CommandSpec(
    name="DeleteSchedule",
    command=DeleteSchedule,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Delete a schedule",
    example={"id": "nightly"},
)
