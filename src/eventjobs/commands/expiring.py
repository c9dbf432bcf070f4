"""
How a group or a Connect job comes to its end (G54 to G63, SPEC decision 8).

From its last instant on it is over, whether that was written down or not: every decision compares the time with it.
What is open finishes first; the append that closes it also writes the end.
"""

from datetime import date
from typing import cast

from eventjobs.commands.context import Context
from eventjobs.commands.owner_facts import SLOT_FACTS
from eventjobs.commands.queueing import drop_all
from eventjobs.commands.world import World
from eventjobs.domain.activation import on_inactivated
from eventjobs.domain.expiry import days_left
from eventjobs.domain.group import Group
from eventjobs.domain.groups import Groups
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.streams import CONNECT_JOBS, connect_stream, groups_stream, owner_stream
from eventjobs.errors import Conflict
from eventjobs.events.groups import GroupUnnamed
from eventjobs.events.job import JobUngrouped
from eventjobs.events.run import Ref


def settle_expiry(world: World, context: Context, owner: Ref) -> None:
    """Warn that it expires soon, or let it expire, if the time has come; nothing for those that never do."""
    present = world.owner(owner)
    if not isinstance(present, SlotOwner) or not present.alive or present.expired:
        return
    if not present.is_over(context.now):
        world.holds_before(present.expires_at)
        _warn(world, context, owner, present)
    elif (run := _busy_with(world, owner, present)) is not None:
        if not present.deferred:
            world.emit(
                owner_stream(context.workspace, owner),
                SLOT_FACTS[owner.kind].expiry_deferred(run=run),
            )
    else:
        drop_all(world, context, owner, "expired")
        world.emit(
            owner_stream(context.workspace, owner),
            SLOT_FACTS[owner.kind].expired(on_expiry=present.on_expiry, timing=on_inactivated(present.timing)),
        )
        if isinstance(present, Group) and present.on_expiry == "delete":
            release(world, context, owner.id, present)


def _warn(world: World, context: Context, owner: Ref, present: SlotOwner) -> None:
    come = [at for at in present.warn_at if at <= context.now]
    if not come or present.expires_at is None or present.expires_on is None:
        return
    zone = world.workspace().time_zone
    world.emit(
        owner_stream(context.workspace, owner),
        SLOT_FACTS[owner.kind].expiry_warned(
            days_left=days_left(zone, date.fromisoformat(present.expires_on), context.now),
            expires_at=present.expires_at,
            warn_at=tuple(at for at in present.warn_at if at > context.now),
        ),
    )


def _busy_with(world: World, owner: Ref, present: SlotOwner) -> str | None:
    """Return the run that is open, for a job also that of the group which it is having its turn in."""
    if owner.kind in CONNECT_JOBS:
        holder = world.connect_job(owner.id).holder
        return present.open_run or (None if holder is None else holder.run)
    return present.open_run


def release(world: World, context: Context, group_id: str, group: Group) -> None:
    """Let the jobs of a group that is gone be members of another one, and its name another group's (G6, G56, G75)."""
    world.need(connect_stream(context.workspace, member.job.id) for member in group.members)
    for member in group.members:
        if world.connect_job(member.job.id).group == group_id:
            world.emit(connect_stream(context.workspace, member.job.id), JobUngrouped(group=group_id))
    if group_id in cast(Groups, world.state(groups_stream(context.workspace))).names.values():
        world.emit(groups_stream(context.workspace), GroupUnnamed(group=group_id))


def refuse_expired(owner: Ref, present: SlotOwner, context: Context) -> None:
    """Raise `Conflict` `group_expired` or `job_expired` from its last instant on."""
    if present.exists and present.is_over(context.now):
        raise expired(owner.kind, owner.id, present.expires_on)


def refuse_unless_kept(world: World, context: Context, owner: Ref) -> None:
    """
    Raise `Conflict` for who has expired, unless the expiry, which was settled, only deactivated it (G62).

    Where the end waits for a run that is open, that run is what stands in the way.
    """
    present = world.owner(owner)
    assert isinstance(present, SlotOwner)  # noqa: S101 the callers' commands are about groups and jobs
    if present.deleted or present.on_expiry == "delete":
        refuse_expired(owner, present, context)
    elif present.is_over(context.now) and not present.expired:
        raise still_runs(owner.kind, _busy_with(world, owner, present))


def still_runs(kind: str, run: str | None) -> Conflict:
    """The refusal for a group or a job that cannot end while it runs."""
    if kind == "group":
        return Conflict("group_running", f"run {run} is open: stop it first", extra={"open_run": run})
    return Conflict("job_running", f"run {run} has the job: stop it first", extra={"open_run": run})


def expired(kind: str, the_id: str, expires_on: str | None) -> Conflict:
    """The refusal for what has expired."""
    kind = "group" if kind == "group" else "job"
    return Conflict(f"{kind}_expired", f"the {kind} {the_id!r} expired on {expires_on}")
