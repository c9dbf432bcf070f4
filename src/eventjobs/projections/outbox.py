"""What the notifier and the watch over schedules ask of the views, always of the present."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from eventjobs.domain.streams import schedule_stream
from eventjobs.events.recorded import StreamId
from eventjobs.outbound.secrets import is_reference
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

LIST_WATCHED: Final = statement("reads/list_watched")
LIST_DUE_NOTIFICATIONS: Final = statement("reads/list_due_notifications")


@dataclass(frozen=True, slots=True)
class DueNotification:
    """A message whose next try may begin."""

    workspace: str
    id: str
    channel: str
    recipient: str
    next_at: datetime

    @property
    def receiver(self) -> tuple[str, str, str]:
        """Who gets it: a secret's name is another address in each workspace, all else is the same one everywhere."""
        return self.channel, self.recipient, self.workspace if is_reference(self.recipient) else ""


class Outbox:
    """Reads of messages that are due and of schedules that are watched."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def due(self, until: datetime, each: int, limit: int) -> Sequence[DueNotification]:
        """
        Return messages whose next try may begin by `until`: at most `each` of a recipient, at most `limit`.

        The first of each workspace come first, then the second of each.
        """
        rows = await self._pool.fetch(LIST_DUE_NOTIFICATIONS, until, each, limit)
        return [DueNotification(**row) for row in rows]

    async def watched(self) -> Sequence[StreamId]:
        """Return the schedules that have alerts."""
        return [schedule_stream(row["workspace"], row["id"]) for row in await self._pool.fetch(LIST_WATCHED)]
