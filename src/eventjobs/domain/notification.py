"""
What a decision may know about one message, and when it is tried again (SPEC decision 9).

A try that does not say how it ended within `TRY_S` ended ambiguously: its process may be gone, and the message with or
without it.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, assert_never

from eventjobs.events.notification import (
    NotificationAttempted,
    NotificationEvent,
    NotificationFailed,
    NotificationGivenUp,
    NotificationRequested,
    NotificationSent,
    NotificationSuppressed,
)

TRY_S: Final = 60.0
"""How long a try may take until somebody else begins the next one: longer than any timeout of a channel."""

WAITS_S: Final = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 28_800.0, 28_800.0)
"""The waits between the tries of a message: eleven tries in a day."""
HEARTBEAT_WAITS_S: Final = (5.0, 30.0)
"""Those of a heartbeat: one that is late says nothing any more."""
JITTER: Final = 0.2
ASKED_S_MAX: Final = 86_400.0
"""The longest wait that a receiver may ask for."""


class Channel(StrEnum):
    """How a message is sent."""

    EMAIL = "email"
    WEBHOOK = "webhook"
    HEARTBEAT = "heartbeat"


class Progress(StrEnum):
    """Where a message stands; `ABSENT`: nobody wants it."""

    ABSENT = "absent"
    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    GIVEN_UP = "given_up"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """
    A message as its stream tells it.

    `attempt` is the newest try's number, `until` when it ends ambiguously by itself, `retry_at` when the next may
    begin, `ambiguous` how many tries ended so that nobody knows.
    """

    state: Progress = Progress.ABSENT
    wanted: NotificationRequested | None = None
    attempt: int = 0
    until: datetime | None = None
    retry_at: datetime | None = None
    ambiguous: int = 0

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in (Progress.SENT, Progress.GIVEN_UP, Progress.SUPPRESSED)


INITIAL = Notification()


def evolve(notification: Notification, event: NotificationEvent) -> Notification:
    """Move it by one fact."""
    match event:
        case NotificationRequested():
            return replace(notification, state=Progress.PENDING, wanted=event, retry_at=event.not_before)
        case NotificationAttempted():
            return replace(
                notification, state=Progress.SENDING, attempt=event.attempt, until=event.until, retry_at=None
            )
        case NotificationSent():
            return replace(notification, state=Progress.SENT, until=None)
        case NotificationFailed():
            return replace(
                notification,
                state=Progress.PENDING,
                until=None,
                retry_at=event.retry_at,
                ambiguous=notification.ambiguous + event.ambiguous,
            )
        case NotificationGivenUp():
            return replace(notification, state=Progress.GIVEN_UP, retry_at=None)
        case NotificationSuppressed():
            return replace(notification, state=Progress.SUPPRESSED, retry_at=None)
        case _:
            assert_never(event)


def notification_id(workspace: str, about: Iterable[str], channel: str, recipient: str) -> str:
    """Return the id of a message: what it is about, the channel and the recipient have but one."""
    text = "\0".join((workspace, *about, channel, recipient))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def retry_at(
    channel: str, attempt: int, *, now: datetime, chance: float, asked_s: float | None = None
) -> datetime | None:
    """
    Return when the try after try number `attempt` may begin, `None` where there is none.

    `chance` in [0, 1) lengthens the wait by up to a fifth; a receiver that asks for a longer one gets it, up to a day.
    """
    waits = HEARTBEAT_WAITS_S if channel == Channel.HEARTBEAT else WAITS_S
    if attempt > len(waits):
        return None
    wait = waits[attempt - 1] * (1 + JITTER * chance)
    return now + timedelta(seconds=max(wait, min(asked_s or 0.0, ASKED_S_MAX)))
