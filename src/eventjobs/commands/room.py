"""
Room for another run: how many of a workspace's may be open at once.

Who has a place stands in one stream of the workspace, so its version carries the count: of two starts for the last
place, on any instances, one is refused by the log and decided again. Nothing is written there while no limit is set.
"""

from datetime import datetime
from typing import cast

from eventjobs.commands.context import Context
from eventjobs.commands.world import World
from eventjobs.domain.starts import Starts
from eventjobs.domain.streams import starts_stream
from eventjobs.errors import Conflict
from eventjobs.events.run import Ref
from eventjobs.events.starts import StartsDelayed, StartsFreed, StartsGivenUp, StartsTaken


def has_room(world: World, context: Context) -> bool:
    """Tell whether another run may open now."""
    limit = context.limits.runs_per_workspace
    return limit is None or len(_starts(world, context).taken) < limit


def refuse_without_room(world: World, context: Context) -> None:
    """Raise `Conflict` `no_room`: nobody waits in a queue for what a person asks."""
    if not has_room(world, context):
        limit = context.limits.runs_per_workspace
        raise Conflict("no_room", f"{limit} runs are open, and no more may be", extra={"limit": limit})


def take_room(world: World, context: Context, run_id: str, owner: Ref) -> None:
    """Give a run that opens its place."""
    if context.limits.runs_per_workspace is not None:
        world.emit(starts_stream(context.workspace), StartsTaken(run=run_id, owner=owner))


def free_room(world: World, context: Context, run_id: str) -> None:
    """Take the place of a run that is over back, also where the limit was lifted meanwhile."""
    if run_id in _starts(world, context).taken:
        world.emit(starts_stream(context.workspace), StartsFreed(run=run_id))


def delay(world: World, context: Context, owner: Ref, due: datetime) -> None:
    """Let an owner wait for a place; said once."""
    limit = context.limits.runs_per_workspace
    if limit is not None and owner not in _starts(world, context).delayed:
        world.emit(starts_stream(context.workspace), StartsDelayed(owner=owner, due=due, limit=limit))


def first_delayed(world: World, context: Context) -> Ref | None:
    """Return who waits longest, if there is room."""
    delayed = _starts(world, context).delayed
    return delayed[0] if delayed and has_room(world, context) else None


def give_up(world: World, context: Context, owner: Ref) -> None:
    """Let an owner that started nothing wait no more."""
    if owner in _starts(world, context).delayed:
        world.emit(starts_stream(context.workspace), StartsGivenUp(owner=owner))


def _starts(world: World, context: Context) -> Starts:
    return cast(Starts, world.state(starts_stream(context.workspace)))
