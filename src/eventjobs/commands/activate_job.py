"""Activate a Connect job: it may run by hand, by its schedule and in a group (G11, G12)."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.job_saving import alive_job, field_errors
from eventjobs.commands.slot_activity import switch_on
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.streams import connect_stream, workspace_stream


class ActivateJob(CommandFields):
    """The job to activate."""

    id: Id


def decide(command: ActivateJob, world: World, context: Context) -> None:
    """Activate it, if nothing is wrong with it; an active one stays as it is."""
    owner, _ = alive_job(command.id, world, context)
    settle_due(world, context, owner)
    owner, job = alive_job(command.id, world, context)
    switch_on(world, context, owner, errors=field_errors(job.errors))


SPEC: Final = CommandSpec(
    name="ActivateJob",
    command=ActivateJob,
    streams=lambda command, context: [
        connect_stream(context.workspace, command.id),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Activate a Connect job",
    example={"id": "contacts"},
)
