"""Messages on their way: to whom, about what, how often they were tried, and how they ended."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.notification import (
    NotificationAttempted,
    NotificationFailed,
    NotificationGivenUp,
    NotificationRequested,
    NotificationSent,
    NotificationSuppressed,
)
from eventjobs.events.recorded import Recorded
from eventjobs.projections.temporal import Projection, Put, Table, Write

NOTIFICATIONS: Final = Table(
    name="view_notifications_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "kind": "text",
        "channel": "text",
        "recipient": "text",
        "subject_kind": "text",
        "subject_id": "text",
        "run": "text",
        "state": "text",
        "attempts": "integer",
        "ambiguous": "integer",
        "reason": "text",
        "detail": "text",
        "requested_at": "timestamptz",
        "next_at": "timestamptz",
        "ended_at": "timestamptz",
    },
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a message writes."""
    key = (recorded.workspace, recorded.stream.id)
    match recorded.event:
        case NotificationRequested() as event:
            yield Put(NOTIFICATIONS, key, _requested(recorded, event), new=True)
        case NotificationAttempted() as event:
            yield Put(NOTIFICATIONS, key, {"state": "sending", "attempts": event.attempt, "next_at": event.until})
        case NotificationSent() as event:
            sent = {"state": "sent", "reason": None, "detail": event.detail}
            yield Put(NOTIFICATIONS, key, {**sent, "next_at": None, "ended_at": recorded.at})
        case NotificationFailed() as event:
            failed = {"state": "pending", "reason": event.reason, "detail": event.detail, "next_at": event.retry_at}
            yield Put(NOTIFICATIONS, key, failed, add={"ambiguous": int(event.ambiguous)})
        case NotificationGivenUp() as event:
            over = {"state": "given_up", "reason": event.reason, "next_at": None, "ended_at": recorded.at}
            yield Put(NOTIFICATIONS, key, over)
        case NotificationSuppressed() as event:
            over = {"state": "suppressed", "reason": "too_many", "detail": f"counted by message {event.digest}"}
            yield Put(NOTIFICATIONS, key, {**over, "next_at": None, "ended_at": recorded.at})
        case _:
            pass  # nothing else is about a message


def _requested(recorded: Recorded[Any], event: NotificationRequested) -> dict[str, Any]:
    return {
        "kind": event.kind,
        "channel": event.channel,
        "recipient": event.recipient,
        "subject_kind": event.subject.kind,
        "subject_id": event.subject.id,
        "run": event.run,
        "state": "pending",
        "attempts": 0,
        "ambiguous": 0,
        "requested_at": recorded.at,
        "next_at": event.not_before or recorded.at,
    }


PROJECTION: Final = Projection(
    name="notifications",
    version=1,
    tables=(NOTIFICATIONS,),
    events=(
        NotificationRequested,
        NotificationAttempted,
        NotificationSent,
        NotificationFailed,
        NotificationGivenUp,
        NotificationSuppressed,
    ),
    project=project,
)
