"""
Hold all starts of a workspace, or of the whole deployment, for maintenance (SPEC decision 7).

What falls due meanwhile is skipped (`held`), running by hand is refused, and what runs goes on to its end.
"""

from datetime import UTC, datetime
from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.halting import check_end
from eventjobs.commands.spec import CommandFields, CommandSpec, Text
from eventjobs.commands.world import World
from eventjobs.domain.access import ADMINISTRATOR, OPERATORS
from eventjobs.domain.halts import lasting
from eventjobs.domain.streams import workspace_stream
from eventjobs.errors import Forbidden
from eventjobs.events.recorded import StreamId
from eventjobs.events.workspace import WorkspaceStartsHeld
from eventjobs.ids import EVERYWHERE


class HoldStarts(CommandFields):
    """Why, until when (`null`: until somebody releases them), and whether in every workspace."""

    note: Text = ""
    until: datetime | None = None
    everywhere: bool = False


def held_place(everywhere: bool, world: World, context: Context) -> str:
    """Return whose starts are meant; raises `Forbidden` where only an administrator of `*` may, `NotFound`."""
    if everywhere:
        if context.grant is not None and not context.grant.may_write(frozenset({ADMINISTRATOR}), EVERYWHERE):
            raise Forbidden("forbidden", "only an administrator of the whole deployment holds and releases all starts")
        return EVERYWHERE
    if not world.workspace().exists:
        raise no_such("workspace", context.workspace)
    return context.workspace


def place_stream(everywhere: bool, context: Context) -> StreamId:
    """The stream that a hold stands in."""
    return workspace_stream(EVERYWHERE if everywhere else context.workspace)


def decide(command: HoldStarts, world: World, context: Context) -> None:
    """Hold them; the same hold again decides nothing, another one replaces what is in force."""
    place = held_place(command.everywhere, world, context)
    check_end(command.until, context)
    until = None if command.until is None else command.until.astimezone(UTC)
    present = lasting(world.workspace(place).holds, context.now)
    if present is not None and (present.note, present.until) == (command.note, until):
        return
    world.emit(
        workspace_stream(place),
        WorkspaceStartsHeld(since=context.now, until=until, note=command.note, by=context.actor),
    )


SPEC: Final = CommandSpec(
    name="HoldStarts",
    command=HoldStarts,
    streams=lambda command, context: [place_stream(command.everywhere, context)],
    decide=decide,
    roles=OPERATORS,
    summary="Start nothing in the workspace, or everywhere, until the hold ends",
    example={"note": "database maintenance", "until": "2027-01-04T06:00:00Z"},
)
