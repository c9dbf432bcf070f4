"""
What keeps an owner from starting: its own pause, the holds of its workspace and of the deployment, its calendars.

They are read as streams of the decision, so its append names their versions: a start that was decided before a hold
cannot be written after it.
"""

from collections.abc import Sequence
from datetime import datetime

from eventjobs.commands.context import Context
from eventjobs.commands.fields import check_instant
from eventjobs.commands.world import World
from eventjobs.domain.blackouts import blackouts
from eventjobs.domain.halts import Halt, lasting
from eventjobs.domain.owner import Owner
from eventjobs.domain.streams import calendar_stream, workspace_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.ids import EVERYWHERE


def halts_of(world: World, context: Context, owner: Owner, since: datetime | None = None) -> Sequence[Halt]:
    """
    Return the halts that concern an owner from `since` (or now) until now, ended ones included.

    The first that covers an instant is its reason: paused, then held, then blackout.
    """
    own = () if owner.pause is None else (owner.pause,)
    named = owner.policies.calendars
    calendars = [calendar_stream(context.workspace, calendar) for calendar in named]
    world.need([workspace_stream(context.workspace), workspace_stream(EVERYWHERE), *calendars])
    return (
        *own,
        *world.workspace().holds,
        *world.workspace(EVERYWHERE).holds,
        *blackouts({one: world.calendar(one) for one in named}, since or context.now, context.now),
    )


def refuse_while_held(world: World, context: Context) -> None:
    """Raise `Conflict` `held` while nothing may start here: a pause stops a cadence, a hold stops people as well."""
    world.need([workspace_stream(context.workspace), workspace_stream(EVERYWHERE)])
    for workspace in (EVERYWHERE, context.workspace):
        hold = lasting(world.workspace(workspace).holds, context.now)
        if hold is not None:
            raise held(hold, everywhere=workspace == EVERYWHERE)


def held(hold: Halt, *, everywhere: bool) -> Conflict:
    """The refusal for who asks for a run while all starts are held."""
    where = "everywhere" if everywhere else "in this workspace"
    why = f": {hold.note}" if hold.note else ""
    return Conflict(
        "held",
        f"{hold.by} holds all starts {where}{why}",
        extra={
            "by": hold.by,
            "note": hold.note,
            "since": hold.since,
            "until": hold.until,
            "everywhere": everywhere,
        },
    )


def check_end(until: datetime | None, context: Context) -> None:
    """Raise `Invalid` for an end that is no instant of ours, or one that has come already."""
    if until is None:
        return
    check_instant("until", until)
    if until <= context.now:
        raise Invalid.at("until", "in_the_past", "it would be over already")
