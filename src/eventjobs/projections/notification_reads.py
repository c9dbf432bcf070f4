"""Reads of messages and incidents: pages of messages with the newest first, what of a schedule is watched and wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from eventjobs.events.schedule import Alerts
from eventjobs.postgres.pool import Link, TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.documents import Document, Row, duration, loads
from eventjobs.projections.things import capped

FIND_NOTIFICATION: Final = statement("reads/find_notification")
LIST_NOTIFICATIONS: Final = statement("reads/list_notifications")
LIST_RUN_NOTIFICATIONS: Final = statement("reads/list_run_notifications")
FIND_ALERTS: Final = statement("reads/find_alerts")
LIST_OPEN_INCIDENTS: Final = statement("reads/list_open_incidents")

_LIMITS: Final = ("late_after", "runs_longer_than", "no_progress_in", "no_success_in")
_NONE: Final[Mapping[str, Any]] = {name: getattr(Alerts(), name) for name in Alerts.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedNotifications:
    """Which messages: about one owner `(kind, id)`, in one state, by one channel, wanted in `[since, until)`."""

    owner: tuple[str, str] | None = None
    state: str | None = None
    channel: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def find_notification(pool: TimedPool, workspace: str, notification_id: str, position: int) -> Document | None:
    """Return one message."""
    row = await pool.fetchrow(FIND_NOTIFICATION, workspace, notification_id, position)
    return None if row is None else _notification(row)


async def list_notifications(
    pool: TimedPool, workspace: str, position: int, wanted: WantedNotifications, cursor: str | None, limit: int
) -> Document:
    """Return a page of messages."""
    limit = capped(limit)
    before = read_cursor(cursor, datetime, str) or (None, None)
    window, owner = (wanted.since, wanted.until), wanted.owner or (None, None)
    filters = (wanted.state, wanted.channel, *owner)
    rows = await pool.fetch(LIST_NOTIFICATIONS, workspace, position, *window, *before, *filters, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "items": [_notification(row) for row in rows[:limit]],
        "next": None if last is None else write_cursor(last["requested_at"], last["id"]),
    }


async def notifications_of(link: Link, workspace: str, run: str, position: int) -> Sequence[Document]:
    """Return the messages about a run, 200 at most, and how far each has come."""
    return [_notification(row) for row in await link.fetch(LIST_RUN_NOTIFICATIONS, workspace, run, position)]


async def alerts_of(pool: TimedPool, workspace: str, schedule: str, position: int) -> Document:
    """Return what of a schedule is watched for, in the shape in which it is sent, and its open incidents."""
    row = await pool.fetchrow(FIND_ALERTS, workspace, schedule, position)
    incidents: Sequence[Row] = await pool.fetch(LIST_OPEN_INCIDENTS, workspace, schedule, position)
    stored = None if row is None else loads(row["alerts"])
    return {"alerts": _alerts(stored or _NONE), "incidents": [dict(one) for one in incidents]}


def _alerts(stored: Mapping[str, Any]) -> Document:
    return {
        **{name: duration(stored[f"{name}_s"]) for name in _LIMITS},
        "failures_in_a_row": stored["failures_in_a_row"],
        "on_recovery": stored["on_recovery"],
        "email": list(stored["email"]),
        "webhook": [{"previous_secret": None, **one} for one in stored["webhook"]],
        "heartbeat": stored["heartbeat"],
    }


def _notification(row: Row) -> Document:
    fields = dict(row)
    subject = f"{fields.pop('subject_kind')}/{fields.pop('subject_id')}"
    return {**fields, "subject": subject}
