"""What of schedules is watched for, and what was found wrong: the incidents, open and over."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.alert import AlertDropped, AlertRaised, AlertRecovered
from eventjobs.events.recorded import Recorded
from eventjobs.events.schedule import Alerts, ScheduleAlertsEdited
from eventjobs.projections.temporal import Projection, Put, Table, Write, json_text

ALERTS: Final = Table(name="view_alerts_1", key={"workspace": "text", "id": "text"}, columns={"alerts": "json"})
INCIDENTS: Final = Table(
    name="view_incidents_1",
    key={"workspace": "text", "schedule": "text", "incident": "text"},
    columns={
        "alert": "text",
        "state": "text",
        "since": "timestamptz",
        "due": "timestamptz",
        "last": "timestamptz",
        "count": "integer",
        "reason": "text",
        "run": "text",
        "raised_at": "timestamptz",
        "ended_at": "timestamptz",
        "cause": "text",
    },
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about alerts writes."""
    key = (recorded.workspace, recorded.stream.id)
    match recorded.event:
        case ScheduleAlertsEdited() as event:
            yield Put(ALERTS, key, {"alerts": None if event.alerts == Alerts() else json_text(event.alerts)})
        case AlertRaised() as event:
            yield Put(INCIDENTS, (*key, event.incident), _raised(recorded, event))
        case AlertRecovered() as event:
            ended = {"state": "recovered", "ended_at": recorded.at, "cause": event.cause}
            yield Put(INCIDENTS, (*key, event.incident), ended)
        case AlertDropped() as event:
            dropped = {"state": "dropped", "ended_at": recorded.at, "cause": event.reason}
            yield Put(INCIDENTS, (*key, event.incident), dropped)
        case _:
            pass  # who is told is the business of the messages


def _raised(recorded: Recorded[Any], event: AlertRaised) -> dict[str, Any]:
    return {
        "alert": event.alert,
        "state": "settled" if event.settled else "open",
        "since": event.since,
        "due": event.due,
        "last": event.last,
        "count": event.count,
        "reason": event.reason,
        "run": event.run,
        "raised_at": recorded.at,
        "ended_at": recorded.at if event.settled else None,
        "cause": None,
    }


PROJECTION: Final = Projection(
    name="alerts",
    version=1,
    tables=(ALERTS, INCIDENTS),
    events=(ScheduleAlertsEdited, AlertRaised, AlertRecovered, AlertDropped),
    project=project,
)
