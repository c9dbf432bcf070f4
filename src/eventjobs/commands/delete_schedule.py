"""Delete a schedule: it leaves the lists, an open run finishes, its history and its id stay."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_facts import detach
from eventjobs.commands.managing import warn_customer
from eventjobs.commands.queueing import drop_all
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import ScheduleDeleted


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
    if present.origin is not None:
        warn_customer(world)
    settle_due(world, context, schedule_ref(command.id))
    drop_all(world, context, schedule_ref(command.id), "inactive")
    world.emit(schedule_stream(context.workspace, command.id), ScheduleDeleted())
    detach(world, context, command.id, (row.job for row in present.jobs))


SPEC: Final = CommandSpec(
    name="DeleteSchedule",
    command=DeleteSchedule,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Delete a schedule",
    example={"id": "nightly"},
)
