"""Replace a schedule's job table; it takes effect with the next run and never forces one (R29)."""

from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_facts import attach, detach
from eventjobs.commands.managing import refuse_managed, warn_customer
from eventjobs.commands.schedule_fields import Jobs, rows_of
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.streams import schedule_stream
from eventjobs.events.schedule import ScheduleJobsEdited


class EditScheduleJobs(CommandFields):
    """The schedule's whole new job table."""

    id: Id
    jobs: Jobs


def decide(command: EditScheduleJobs, world: World, context: Context) -> None:
    """Replace the table; the same table again decides nothing."""
    if not world.schedule(command.id).alive:
        raise no_such("schedule", command.id)
    refuse_managed(world.schedule(command.id), f"the schedule {command.id!r}")
    jobs = rows_of(command.jobs, world, context)
    if jobs == world.schedule(command.id).jobs:
        return
    warn_customer(world)
    settle_due(world, context, schedule_ref(command.id))
    before = {row.job for row in world.schedule(command.id).jobs}
    after = {row.job for row in jobs}
    world.emit(schedule_stream(context.workspace, command.id), ScheduleJobsEdited(jobs=jobs))
    attach(world, context, command.id, after - before)
    detach(world, context, command.id, before - after)


SPEC: Final = CommandSpec(
    name="EditScheduleJobs",
    command=EditScheduleJobs,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Replace a schedule's job table",
    example={"id": "nightly", "jobs": [{"job": {"kind": "service", "id": "load-contacts"}, "seq": 1}]},
)
