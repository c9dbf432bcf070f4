"""Stop a backfill: the moments that have no run yet get none, a run that is open goes on."""

from typing import Final

from eventjobs.commands.backfill import ScheduleRef
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.spec import CommandFields, CommandSpec
from eventjobs.commands.world import World
from eventjobs.domain.access import FLOW_AUTHOR, INTEGRATION_AUTHOR, OPERATORS
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import ScheduleBackfillStopped


class StopBackfill(CommandFields):
    """The schedule whose backfill is to stop."""

    owner: ScheduleRef


def decide(command: StopBackfill, world: World, context: Context) -> None:
    """Let the moments go that have no run yet; where there are none, nothing is to do."""
    schedule = world.schedule(command.owner.id)
    if not schedule.alive:
        raise no_such("schedule", command.owner.id)
    if schedule.backfill is not None:
        stopped = ScheduleBackfillStopped(
            backfill=schedule.backfill.id, reason="asked", left=len(schedule.backfill.moments)
        )
        world.emit(schedule_stream(context.workspace, command.owner.id), stopped)


SPEC: Final = CommandSpec(
    name="StopBackfill",
    command=StopBackfill,
    streams=lambda command, context: [schedule_stream(context.workspace, command.owner.id)],
    decide=decide,
    roles=OPERATORS | {FLOW_AUTHOR, INTEGRATION_AUTHOR},
    summary="Open no further run of a backfill",
    example={"owner": {"kind": "schedule", "id": "nightly"}},
)
