"""End a pause: nothing runs at once, what fell due in it stays skipped, and the cadence goes on (SPEC decision 7)."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import OwnerRef
from eventjobs.commands.pause_owner import pausable
from eventjobs.commands.spec import CommandFields, CommandSpec, Text
from eventjobs.commands.world import World
from eventjobs.domain.access import OPERATORS
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import ScheduleUnpaused


class UnpauseOwner(CommandFields):
    """What is to go on."""

    owner: OwnerRef
    note: Text = ""


def decide(command: UnpauseOwner, world: World, context: Context) -> None:
    """End the pause, after what fell due in it was skipped; without one nothing is to do."""
    schedule_id = pausable(command.owner, world)
    if world.schedule(schedule_id).pause is None:
        return
    settle_due(world, context, schedule_id)
    if world.schedule(schedule_id).pause is not None:
        world.emit(schedule_stream(context.workspace, schedule_id), ScheduleUnpaused(cause="asked", note=command.note))


SPEC: Final = CommandSpec(
    name="UnpauseOwner",
    command=UnpauseOwner,
    streams=lambda command, context: [schedule_stream(context.workspace, command.owner.id)],
    decide=decide,
    roles=OPERATORS,
    summary="End the pause of a schedule",
    example={"owner": {"kind": "schedule", "id": "nightly"}},
)
