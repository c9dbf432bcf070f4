"""Deactivate a Connect job: it does not run any more, and keeps its settings (G13, G20)."""

from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.job_saving import alive_job
from eventjobs.commands.qualifying import refuse_member
from eventjobs.commands.slot_activity import not_active, switch_off
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import connect_stream, workspace_stream


class DeactivateJob(CommandFields):
    """The job to deactivate; `force` leaves the active group that it is in invalid."""

    id: Id
    force: bool = False


def decide(command: DeactivateJob, world: World, context: Context) -> None:
    """Deactivate it; raises `Conflict` `not_active`, and `job_in_group` where an active group needs it."""
    owner, job = alive_job(command.id, world, context)
    if not job.own.active:
        raise not_active("job", command.id)
    refuse_member(job, command.id, world, context, force=command.force)
    switch_off(world, context, owner)


SPEC: Final = CommandSpec(
    name="DeactivateJob",
    command=DeactivateJob,
    streams=lambda command, context: [
        connect_stream(context.workspace, command.id),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Deactivate a Connect job",
    example={"id": "contacts"},
)
