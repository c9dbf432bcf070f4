"""End a pause: nothing runs at once, what fell due in it stays skipped, and the cadence goes on (SPEC decision 7)."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import OwnerRef
from eventjobs.commands.owner_facts import OWNER_FACTS
from eventjobs.commands.pause_owner import pausable
from eventjobs.commands.spec import CommandFields, CommandSpec, Text
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR, OPERATORS
from eventjobs.domain.streams import owner_stream


class UnpauseOwner(CommandFields):
    """What is to go on."""

    owner: OwnerRef
    note: Text = ""


def decide(command: UnpauseOwner, world: World, context: Context) -> None:
    """End the pause, after what fell due in it was skipped; without one nothing is to do."""
    owner = pausable(command.owner, world, context)
    if world.owner(owner).pause is None:
        return
    settle_due(world, context, owner)
    if world.owner(owner).pause is not None:
        unpaused = OWNER_FACTS[owner.kind].unpaused(cause="asked", note=command.note)
        world.emit(owner_stream(context.workspace, owner), unpaused)


SPEC: Final = CommandSpec(
    name="UnpauseOwner",
    command=UnpauseOwner,
    streams=lambda command, context: [owner_stream(context.workspace, command.owner.plain())],
    decide=decide,
    roles=OPERATORS | {DATA_DIRECTOR},
    summary="End the pause of an owner",
    example={"owner": {"kind": "schedule", "id": "nightly"}},
)
