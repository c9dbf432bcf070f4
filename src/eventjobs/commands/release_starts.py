"""Release held starts: nothing runs at once, what fell due in the hold stays skipped (SPEC decision 7)."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.hold_starts import held_place, place_stream
from eventjobs.commands.spec import CommandFields, CommandSpec, Text
from eventjobs.commands.world import World
from eventjobs.domain.access import OPERATORS
from eventjobs.domain.halts import lasting
from eventjobs.domain.streams import workspace_stream
from eventjobs.events.workspace import WorkspaceStartsReleased


class ReleaseStarts(CommandFields):
    """Where: in the workspace, or everywhere; a hold of the other kind stays."""

    note: Text = ""
    everywhere: bool = False


def decide(command: ReleaseStarts, world: World, context: Context) -> None:
    """End the hold that is in force; without one nothing is to do."""
    place = held_place(command.everywhere, world, context)
    if lasting(world.workspace(place).holds, context.now) is not None:
        world.emit(workspace_stream(place), WorkspaceStartsReleased(since=context.now, note=command.note))


SPEC: Final = CommandSpec(
    name="ReleaseStarts",
    command=ReleaseStarts,
    streams=lambda command, context: [place_stream(command.everywhere, context)],
    decide=decide,
    roles=OPERATORS,
    summary="Let runs start again after a hold",
    example={"note": "done"},
)
