"""
Create a schedule: a cadence and a job table.

Created active, it is activated at once: with a start that is not ahead it runs now (R24), else it waits (R14).
"""

from dataclasses import replace
from typing import Annotated, Final

from pydantic import Field

from eventjobs.commands.alert_fields import AlertFields, alerts_of
from eventjobs.commands.answering import settle_due
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_facts import attach
from eventjobs.commands.managing import refuse_reserved, warn_customer
from eventjobs.commands.schedule_fields import (
    CadenceFields,
    Jobs,
    PolicyFields,
    cadence_of,
    check,
    check_calendars,
    policies_of,
    rows_of,
    warn,
    warn_if_blacked_out,
)
from eventjobs.commands.spec import CommandFields, CommandSpec, Id, Text
from eventjobs.commands.workspace_room import refuse_too_many_schedules
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.activation import on_activated
from eventjobs.domain.owner import schedule_ref
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import schedule_stream, workspace_stream
from eventjobs.errors import Conflict
from eventjobs.events.cadence import TimingState
from eventjobs.events.schedule import Alerts, ScheduleAlertsEdited, ScheduleCreated


class CreateSchedule(CommandFields):
    """A new schedule."""

    id: Id | None = None
    description: Text = ""
    active: bool = True
    cadence: CadenceFields
    jobs: Jobs
    policies: Annotated[PolicyFields, Field(default_factory=PolicyFields)]
    alerts: Annotated[AlertFields, Field(default_factory=AlertFields)]


def schedule_id(command: CreateSchedule, context: Context) -> str:
    """The given id, or one made from the command's."""
    return command.id or context.command_id


def decide(command: CreateSchedule, world: World, context: Context) -> None:
    """Create it, if there is none of that id; what is due at once runs."""
    if not world.workspace().exists:
        raise no_such("workspace", context.workspace)
    cadence = cadence_of(command.cadence)
    policies = policies_of(command.policies, cadence)
    check(cadence, policies, context)
    check_calendars(policies.calendars, world, context)
    jobs = rows_of(command.jobs, world, context)
    alerts = alerts_of(command.alerts, world, context)
    the_id = schedule_id(command, context)
    present = world.schedule(the_id)
    if present.exists:
        wanted = replace(
            present,
            deleted=False,
            origin=None,
            description=command.description,
            active=command.active,
            cadence=cadence,
            policies=policies,
            jobs=jobs,
            alerts=alerts,
        )
        _same_again(present, wanted, the_id)
        return
    refuse_reserved(the_id, world, context)
    warn_customer(world)
    decision = on_activated(cadence, policies.timing, TimingState(), context.now)
    world.emit(
        schedule_stream(context.workspace, the_id),
        ScheduleCreated(
            description=command.description,
            active=command.active,
            cadence=cadence,
            policies=policies,
            jobs=jobs,
            cadence_version=1,
            timing=decision.state if command.active else TimingState(),
            next=decision.next if command.active else None,
        ),
    )
    attach(world, context, the_id, (row.job for row in jobs))
    if alerts != Alerts():
        world.emit(schedule_stream(context.workspace, the_id), ScheduleAlertsEdited(alerts=alerts))
    refuse_too_many_schedules(world, context)
    if command.active:
        warn(decision.notes, world)
    settle_due(world, context, schedule_ref(the_id))
    warn_if_blacked_out(world.schedule(the_id), world, context)


def _same_again(present: Schedule, wanted: Schedule, the_id: str) -> None:
    """
    Refuse unless what is asked for is what is there.

    Whether it is active is content like the rest: 200 for one that somebody inactivated since would say that it runs.
    """
    if present != wanted:
        raise Conflict("id_taken", f"the id {the_id!r} is taken")


SPEC: Final = CommandSpec(
    name="CreateSchedule",
    command=CreateSchedule,
    streams=lambda command, context: [
        schedule_stream(context.workspace, schedule_id(command, context)),
        workspace_stream(context.workspace),
    ],
    decide=decide,
    creates=True,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Create a schedule",
    example={
        "id": "nightly",
        "description": "Nightly load",
        "active": True,
        "cadence": {
            "start_date": "2026-12-01",
            "start_time": "14:00",
            "time_zone": "America/Chicago",
            "every": 1,
            "unit": "day",
        },
        "jobs": [{"job": {"kind": "service", "id": "load-contacts"}, "seq": 1, "skip_wait": False}],
        "policies": {"timing": "elapsed", "catch_up": "due", "overlap": "skip", "on_failure": "continue"},
    },
)
