"""
Bring a managed schedule back that was deleted here (R78).

It is what the definition said at the last sync, and has its history: where it ran before, no activation is its first.
"""

from typing import Final

from eventjobs.commands.activity import switch_on
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_facts import FACTS, attach
from eventjobs.commands.restoring import not_restorable
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.workspace_room import refuse_too_many_schedules
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.streams import job_stream, schedule_stream
from eventjobs.events.schedule import Alerts, ScheduleAlertsEdited, ScheduleRestored


class RestoreSchedule(CommandFields):
    """The schedule to restore."""

    id: Id


def decide(command: RestoreSchedule, world: World, context: Context) -> None:
    """Restore it, active where its feature is; one that is there decides nothing."""
    present = world.schedule(command.id)
    if not present.exists:
        raise no_such("schedule", command.id)
    if present.alive:
        return
    if present.origin is None or present.archived:
        raise not_restorable("schedule", command.id)
    bring_back(world, context, command.id)
    refuse_too_many_schedules(world, context)
    jobs = {row.job for row in present.jobs}
    world.need(job_stream(context.workspace, job) for job in jobs)
    for job in sorted(jobs, key=lambda job: job.id):
        if not world.job(job).alive:
            world.emit(job_stream(context.workspace, job), FACTS[job.kind].restored())
    attach(world, context, command.id, jobs)
    if world.integration(present.origin.integration).runs_by_itself(present.origin.feature):
        switch_on(world, context, command.id, cause="feature")


def bring_back(world: World, context: Context, schedule_id: str) -> None:
    """Let it be there again; what it was watched for, it is watched for again."""
    stream, alerts = schedule_stream(context.workspace, schedule_id), world.schedule(schedule_id).alerts
    world.emit(stream, ScheduleRestored())
    if alerts != Alerts():
        world.emit(stream, ScheduleAlertsEdited(alerts=alerts))


SPEC: Final = CommandSpec(
    name="RestoreSchedule",
    command=RestoreSchedule,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Bring a managed schedule back that was deleted here",
    example={"id": "contacts.nightly"},
)
