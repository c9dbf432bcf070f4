"""Running a group or a Connect job by hand: only while it is active (G11, G25, G45 to G47, SPEC decision 3)."""

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.halting import refuse_while_held
from eventjobs.commands.job_saving import alive_job
from eventjobs.commands.opening import Moment, open_owner_run
from eventjobs.commands.room import already_running, refuse_beside, refuse_without_room
from eventjobs.commands.saving_groups import alive_group
from eventjobs.commands.world import World
from eventjobs.errors import Conflict, NotFound
from eventjobs.events.run import Ref


def run_slot_owner(owner: Ref, run_id: str, world: World, context: Context, moment: Moment) -> None:
    """Open a run that a person wants, or raise what stands in its way."""
    _refuse_inactive(owner, world, context)
    settle_due(world, context, owner)  # what is due comes first, as the ticker would answer it
    _refuse_inactive(owner, world, context)
    refuse_while_held(world, context)
    refuse_beside(world.owner(owner), context)
    if owner.kind != "group":
        _refuse_busy(owner, world)
    refuse_without_room(world, context)
    open_owner_run(world, context, owner, run_id, moment)


def _refuse_inactive(owner: Ref, world: World, context: Context) -> None:
    if owner.kind == "group":
        if not alive_group(owner.id, world, context).active:
            raise inactive("group", owner.id)
        return
    named, job = alive_job(owner.id, world, context)
    if named != owner:
        raise NotFound("not_found", f"there is no {owner.kind} {owner.id!r}")
    if not job.own.active:
        raise inactive("job", owner.id)


def _refuse_busy(owner: Ref, world: World) -> None:
    """
    Raise `Conflict` for a job that runs, and for one of a group's open run, before its turn and after it.

    A run goes on with the jobs that its group had when it began (G44), so one that left the group since counts too.
    """
    job = world.connect_job(owner.id)
    groups = {one: world.group(one).open_runs for one in (job.group, job.left) if one is not None}
    for group, run in ((group, run) for group, runs in groups.items() for run in runs):
        if any(row.job.job == owner for row in world.run(run).rows.values()):
            raise in_running_group(run, group)
    if job.holder is not None:
        raise already_running(job.holder.run)


def inactive(kind: str, the_id: str) -> Conflict:
    """The refusal for a group or a job that is not active."""
    return Conflict(f"{kind}_inactive", f"the {kind} {the_id!r} is not active")


def in_running_group(run: str, group: str) -> Conflict:
    """The refusal for a job whose group runs."""
    extra = {"group": group, "open_run": run}
    return Conflict("job_in_running_group", f"run {run} of the group {group!r} has the job", extra=extra)
