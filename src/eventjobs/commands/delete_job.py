"""Delete a Connect job: its history and its id stay; while it runs, or a group needs it, it is not (G23, G77)."""

from typing import Final

from eventjobs.commands.answering import settle_due, settle_group_of
from eventjobs.commands.context import Context
from eventjobs.commands.expiring import refuse_unless_kept, still_runs
from eventjobs.commands.fields import no_such
from eventjobs.commands.queueing import drop_all
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import connect_stream
from eventjobs.errors import Conflict
from eventjobs.events.job import JobDeleted
from eventjobs.events.run import Ref


class DeleteJob(CommandFields):
    """The job to delete; `force` leaves the group that it is in with a member that is missing."""

    id: Id
    force: bool = False


def decide(command: DeleteJob, world: World, context: Context) -> None:
    """Delete it; again decides nothing. Raises `Conflict` `job_in_group` and `job_running`."""
    job = world.connect_job(command.id)
    if not job.exists:
        raise no_such("job", command.id)
    if job.deleted and not job.own.expired:
        return
    owner = Ref(kind=job.kind, id=command.id)
    if not job.own.expired:
        settle_due(world, context, owner)
    refuse_unless_kept(world, context, owner)
    settle_group_of(world, context, command.id)
    job = world.connect_job(command.id)
    if job.group is not None and not command.force:
        raise job_in_group(command.id, job.group, world.group(job.group).name)
    busy = job.own.open_run or (None if job.holder is None else job.holder.run)
    if busy is not None:
        raise still_runs(owner.kind, busy)
    drop_all(world, context, owner, "inactive")
    world.emit(connect_stream(context.workspace, command.id), JobDeleted())


def job_in_group(job: str, group: str, name: str) -> Conflict:
    """The refusal for a job that a group has, active or not."""
    extra = {"group": group, "name": name}
    return Conflict("job_in_group", f"the job {job!r} is in the group {group!r}", extra=extra)


SPEC: Final = CommandSpec(
    name="DeleteJob",
    command=DeleteJob,
    streams=lambda command, context: [connect_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Delete a Connect job",
    example={"id": "contacts"},
)
