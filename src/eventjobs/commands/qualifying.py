"""Which jobs may be members of a group, and why others may not (G15 to G24)."""

from collections.abc import Iterator

from eventjobs.commands.context import Context
from eventjobs.commands.world import World
from eventjobs.domain import qualification
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.group import Group
from eventjobs.domain.qualification import group_errors
from eventjobs.domain.streams import connect_stream
from eventjobs.errors import Conflict, FieldError


def objections(job: ConnectJob, group_id: str, context: Context) -> tuple[str, ...]:
    """Return why a job does not qualify for a group by now, nothing where it does."""
    return qualification.objections(job, group_id, context.now, context.limits.group_kinds)


def unqualified(group_id: str, group: Group, world: World, context: Context) -> Iterator[tuple[int, str, str]]:
    """Yield place, job and reasons of the members that a run cannot start with."""
    world.need(connect_stream(context.workspace, member.job.id) for member in group.members)
    for place, member in enumerate(group.members):
        reasons = objections(world.connect_job(member.job.id), group_id, context)
        if reasons:
            yield place, member.job.id, ", ".join(reasons)


def incomplete(group_id: str, group: Group, world: World, context: Context) -> list[FieldError]:
    """Return what keeps a group from being active besides its schedule."""
    world.need(connect_stream(context.workspace, member.job.id) for member in group.members)
    ids = [member.job.id for member in group.members]
    return group_errors(group, [(job, objections(world.connect_job(job), group_id, context)) for job in ids])


def refuse_member(job: ConnectJob, job_id: str, world: World, context: Context, *, force: bool) -> None:
    """
    Raise `Conflict` `job_in_group` for a job whose group needs it as it is (G20, G21, G23).

    An active group does, unless it is forced, which leaves it invalid; a group that is not active, or has expired and
    does not run, lets it be.
    """
    if job.group is None or force:
        return
    group = world.group(job.group)
    if group.active and (group.open_runs or not group.is_over(context.now)):
        raise needed(job_id, job.group, group.name)


def needed(job: str, group: str, name: str) -> Conflict:
    """The refusal for a job that an active group needs as it is."""
    extra = {"group": group, "name": name}
    return Conflict("job_in_group", f"the job {job!r} is in the active group {group!r}", extra=extra)
