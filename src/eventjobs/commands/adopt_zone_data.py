"""
The runner's own: look for the next moment of a schedule by the wall clock again, as the zone data is another.

What fell due before is answered first, as it was recorded. Nothing answered becomes due again (SPEC 1), and nothing
runs at once. The other timings keep their moments.
"""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain import zones
from eventjobs.domain.edits import on_zone_data_changed
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.cadence import Timing
from eventjobs.events.schedule import ScheduleZoneDataAdopted


class AdoptZoneData(CommandFields):
    """The schedule whose next moment was found with an older version."""

    schedule: Id


def decide(command: AdoptZoneData, world: World, context: Context) -> None:
    """Look again, where the recorded next moment is of an older version."""
    if not _is_concerned(world.schedule(command.schedule)):
        return
    settle_due(world, context, command.schedule)
    present = world.schedule(command.schedule)
    if not _is_concerned(present):  # the answer was given with the new one
        return
    decision = on_zone_data_changed(present.cadence, present.policies.timing, present.timing, present.next, context.now)
    world.emit(
        schedule_stream(context.workspace, command.schedule),
        ScheduleZoneDataAdopted(version=zones.zone_data(), timing=decision.state, next=decision.next),
    )


def _is_concerned(schedule: Schedule) -> bool:
    if not schedule.active or schedule.next is None or schedule.policies.timing.timing is not Timing.WALL_CLOCK:
        return False
    return schedule.next.zone_data < zones.zone_data()


SPEC: Final = CommandSpec(
    name="AdoptZoneData",
    command=AdoptZoneData,
    streams=lambda command, context: [schedule_stream(context.workspace, command.schedule)],
    decide=decide,
    internal=True,
    summary="Look for a schedule's next moment again with the present zone data",
)
