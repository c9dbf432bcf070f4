"""
Room for another run: how many of a workspace's, and of one owner's, may be open at once.

How many of an owner's are open stands in its own stream. Who has a place in the workspace stands in one stream of the
workspace, so its version carries the count: of two starts for the last place, on any instances, one is refused by the
log and decided again. Nothing is written there while no limit is set.
"""

from datetime import datetime
from typing import cast

from eventjobs.commands.context import Context
from eventjobs.commands.world import World
from eventjobs.domain.overlap import Overlap, may_open
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.starts import Starts
from eventjobs.domain.streams import starts_stream
from eventjobs.errors import Conflict
from eventjobs.events.run import Ref
from eventjobs.events.starts import StartsDelayed, StartsFreed, StartsGivenUp, StartsTaken


def has_room(world: World, context: Context) -> bool:
    """Tell whether another run of the workspace may open now."""
    limit = context.limits.runs_per_workspace
    return limit is None or len(_starts(world, context).taken) < limit


def refuse_without_room(world: World, context: Context) -> None:
    """Raise `Conflict` `no_room`: nobody waits in a queue for what a person asks."""
    if not has_room(world, context):
        raise _no_room(context.limits.runs_per_workspace, "workspace")


def refuse_beside(schedule: Schedule, context: Context) -> None:
    """Raise `Conflict` if no run may open beside those of a schedule: `already_running`, or `no_room` under `allow`."""
    limit, open_run = context.limits.runs_per_owner, schedule.open_run
    if open_run is None or may_open(schedule.policies.overlap, open_runs=len(schedule.open_runs), limit=limit):
        return
    if schedule.policies.overlap == Overlap.ALLOW:
        raise _no_room(limit, "schedule")
    raise already_running(open_run)


def already_running(open_run: str) -> Conflict:
    """The refusal for who asks for a run while one is open that it may not overlap."""
    return Conflict("already_running", f"run {open_run} is open", extra={"open_run": open_run})


def _no_room(limit: int | None, of: str) -> Conflict:
    what = f"{limit} runs of the {of} are open, and no more may be"
    return Conflict("no_room", what, extra={"limit": limit, "of": of})


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
