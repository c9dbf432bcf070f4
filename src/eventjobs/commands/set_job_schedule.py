"""Let a Connect job be due by a schedule of its own, or on demand alone (G21, G26 to G42)."""

from dataclasses import replace
from typing import Final

from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.job_saving import alive_job, definition_of
from eventjobs.commands.qualifying import refuse_member
from eventjobs.commands.slot_activity import reschedule
from eventjobs.commands.slot_fields import SlotFields, slots_of
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import DATA_DIRECTOR
from eventjobs.domain.slot_checks import form_errors
from eventjobs.domain.slots import undrawn
from eventjobs.domain.streams import connect_stream, workspace_stream
from eventjobs.errors import Invalid
from eventjobs.events.slots import SlotType


class SetJobSchedule(CommandFields):
    """The job and its schedule; `force` leaves the active group that it is in invalid."""

    id: Id
    schedule: SlotFields
    force: bool = False


def decide(command: SetJobSchedule, world: World, context: Context) -> None:
    """Set it; the same again decides nothing. A member of an active group stays on demand (G16, G21)."""
    owner, _ = alive_job(command.id, world, context)
    schedule = slots_of(command.schedule, world.workspace().time_zone)
    errors = [finding.error for finding in form_errors(schedule)]
    if errors:
        raise Invalid.fields(errors)
    settle_due(world, context, owner)
    owner, job = alive_job(command.id, world, context)
    if undrawn(job.own.schedule) == schedule:
        return
    if schedule.type is not SlotType.ON_DEMAND:
        refuse_member(job, command.id, world, context, force=command.force)
    kept = tuple(error for error in job.errors if not error.path.startswith("schedule"))
    saved = replace(definition_of(job), schedule=schedule, errors=kept)
    world.emit(connect_stream(context.workspace, command.id), saved)
    if job.own.active:
        reschedule(world, context, owner, schedule)


SPEC: Final = CommandSpec(
    name="SetJobSchedule",
    command=SetJobSchedule,
    streams=lambda command, context: [
        connect_stream(context.workspace, command.id),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    roles=frozenset({DATA_DIRECTOR}),
    summary="Give a Connect job a schedule of its own",
    example={"id": "contacts", "schedule": {"type": "weekly", "days": ["mon", "thu"], "at": "04:30"}},
)
