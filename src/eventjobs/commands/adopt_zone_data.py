"""
The runner's own: look for the next moment of an owner by the wall clock again, as the zone data is another.

What fell due before is answered first, as it was recorded. Nothing answered becomes due again (SPEC 1), and nothing
runs at once. The other timings keep their moments.
"""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.owner_facts import OWNER_FACTS
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain import zones
from eventjobs.domain.edits import on_zone_data_changed
from eventjobs.domain.owner import Owner
from eventjobs.domain.streams import owner_stream
from eventjobs.events.cadence import Timing
from eventjobs.events.run import Ref


class AdoptZoneData(CommandFields):
    """The owner whose next moment was found with an older version."""

    kind: str
    id: Id


def decide(command: AdoptZoneData, world: World, context: Context) -> None:
    """Look again, where the recorded next moment is of an older version."""
    owner = world.called(command.kind, command.id)
    if not _is_concerned(world.owner(owner)):
        return
    settle_due(world, context, owner)
    present = world.owner(owner)
    if not _is_concerned(present):  # the answer was given with the new one
        return
    decision = on_zone_data_changed(present.cadence, present.policies.timing, present.timing, present.next, context.now)
    world.emit(
        owner_stream(context.workspace, owner),
        OWNER_FACTS[owner.kind].zone_data_adopted(version=zones.zone_data(), timing=decision.state, next=decision.next),
    )


def _is_concerned(owner: Owner) -> bool:
    if not owner.active or owner.next is None or owner.policies.timing.timing is not Timing.WALL_CLOCK:
        return False
    return owner.next.zone_data < zones.zone_data()


SPEC: Final = CommandSpec(
    name="AdoptZoneData",
    command=AdoptZoneData,
    streams=lambda command, context: [owner_stream(context.workspace, Ref(kind=command.kind, id=command.id))],
    decide=decide,
    internal=True,
    summary="Look for an owner's next moment again with the present zone data",
)
