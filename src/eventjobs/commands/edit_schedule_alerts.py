"""Say what of a schedule is watched for and who is told (R97)."""

from typing import Final

from eventjobs.commands.alert_fields import AlertFields, alerts_of
from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.access import INTEGRATION_AUTHOR
from eventjobs.domain.streams import alert_stream, schedule_stream
from eventjobs.events.alert import AlertRecipientsEnabled
from eventjobs.events.schedule import ScheduleAlertsEdited


class EditScheduleAlerts(CommandFields):
    """The schedule's whole new alerts; `{}` ends them."""

    id: Id
    alerts: AlertFields


def decide(command: EditScheduleAlerts, world: World, context: Context) -> None:
    """Replace them; the same alerts again only try those once more that said that they are gone."""
    present = world.schedule(command.id)
    if not present.alive:
        raise no_such("schedule", command.id)
    alerts = alerts_of(command.alerts, world, context)
    if alerts != present.alerts:
        world.emit(schedule_stream(context.workspace, command.id), ScheduleAlertsEdited(alerts=alerts))
    incidents = alert_stream(context.workspace, command.id)
    if world.state(incidents).disabled:
        world.emit(incidents, AlertRecipientsEnabled())


SPEC: Final = CommandSpec(
    name="EditScheduleAlerts",
    command=EditScheduleAlerts,
    streams=lambda command, context: [schedule_stream(context.workspace, command.id)],
    decide=decide,
    roles=frozenset({INTEGRATION_AUTHOR}),
    summary="Say what of a schedule is watched for and who is told",
    example={
        "id": "nightly",
        "alerts": {
            "late_after": "PT10M",
            "runs_longer_than": "PT2H",
            "no_progress_in": "PT15M",
            "no_success_in": "P1DT2H",
            "failures_in_a_row": 3,
            "email": ["ops@example.org"],
            "webhook": [{"url": "https://hooks.example.org/jobs", "secret": "secret://hook"}],
        },
    },
)
