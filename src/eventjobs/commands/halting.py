"""
What keeps an owner from starting: its own pause, and the holds of its workspace and of the deployment.

They are read as streams of the decision, so its append names their versions: a start that was decided before a hold
cannot be written after it.
"""

from collections.abc import Sequence
from datetime import datetime

from eventjobs.commands.context import Context
from eventjobs.commands.fields import check_instant
from eventjobs.commands.world import World
from eventjobs.domain.halts import Halt, lasting
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import workspace_stream
from eventjobs.errors import Conflict, Invalid
from eventjobs.ids import EVERYWHERE


def halts_of(world: World, context: Context, schedule: Schedule | None = None) -> Sequence[Halt]:
    """Return the halts that concern an owner, ended ones included; the first that covers an instant is its reason."""
    own = () if schedule is None or schedule.pause is None else (schedule.pause,)
    world.need([workspace_stream(context.workspace), workspace_stream(EVERYWHERE)])
    return (*own, *world.workspace().holds, *world.workspace(EVERYWHERE).holds)


def refuse_while_held(world: World, context: Context) -> None:
    """Raise `Conflict` `held` while nothing may start here: a pause stops a cadence, a hold stops people as well."""
    world.need([workspace_stream(context.workspace), workspace_stream(EVERYWHERE)])
    for workspace in (EVERYWHERE, context.workspace):
        hold = lasting(world.workspace(workspace).holds, context.now)
        if hold is not None:
            where = "everywhere" if workspace == EVERYWHERE else "in this workspace"
            why = f": {hold.note}" if hold.note else ""
            raise Conflict(
                "held",
                f"{hold.by} holds all starts {where}{why}",
                extra={
                    "by": hold.by,
                    "note": hold.note,
                    "since": hold.since,
                    "until": hold.until,
                    "everywhere": workspace == EVERYWHERE,
                },
            )


def check_end(until: datetime | None, context: Context) -> None:
    """Raise `Invalid` for an end that is no instant of ours, or one that has come already."""
    if until is None:
        return
    check_instant("until", until)
    if until <= context.now:
        raise Invalid.at("until", "in_the_past", "it would be over already")
