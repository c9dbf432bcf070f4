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
from eventjobs.domain.job import Job
from eventjobs.domain.overlap import Overlap, may_open
from eventjobs.domain.owner import Owner
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
        raise no_room(context.limits.runs_per_workspace, "workspace")


def refuse_beside(owner: Owner, context: Context) -> None:
    """Raise `Conflict` if no run may open beside those of an owner: `already_running`, or `no_room` under `allow`."""
    limit = context.limits.runs_per_owner
    refusal = none_beside(owner.policies.overlap, owner.open_run, len(owner.open_runs), limit)
    if refusal is not None:
        raise refusal


def none_beside(policy: str, open_run: str | None, open_runs: int, limit: int | None) -> Conflict | None:
    """Return why no run may open beside the newest open one and the others."""
    if open_run is None or may_open(policy, open_runs=open_runs, limit=limit):
        return None
    return no_room(limit, "schedule") if policy == Overlap.ALLOW else already_running(open_run)


def refuse_beside_job(kind: str, job: Job, context: Context) -> None:
    """Raise `Conflict` if no run of a job by itself may open now: `already_running`, or `no_room`."""
    busy = job.open_run or (None if job.holder is None else job.holder.run)
    limit = context.limits.runs_per_owner
    refusal = none_beside_job(kind, busy, len(job.open_runs), limit, exclusive=job.exclusive)
    if refusal is not None:
        raise refusal


def none_beside_job(
    kind: str, busy: str | None, open_runs: int, limit: int | None, *, exclusive: bool
) -> Conflict | None:
    """Return why a job is not run by itself: one that is exclusive has one run at a time, `busy`, others `limit`."""
    if exclusive:
        return None if busy is None else already_running(busy)
    return None if limit is None or open_runs < limit else no_room(limit, kind)


def already_running(open_run: str) -> Conflict:
    """The refusal for who asks for a run while one is open that it may not overlap."""
    return Conflict("already_running", f"run {open_run} is open", extra={"open_run": open_run})


def no_room(limit: int | None, of: str) -> Conflict:
    """The refusal for who asks for a run while as many are open as may be, `of` the workspace or a kind of owner."""
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


def delay(world: World, context: Context, owner: Ref, due: datetime, occurrence: str | None = None) -> None:
    """Let an owner wait for a place; said once. `occurrence` is one that waited for something else before."""
    limit = context.limits.runs_per_workspace
    if limit is not None and owner not in _starts(world, context).delayed:
        delayed = StartsDelayed(owner=owner, due=due, limit=limit, occurrence=occurrence)
        world.emit(starts_stream(context.workspace), delayed)


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
