"""
Facts about one message to one recipient: that it is wanted, each try, and its end.

A message's stream is `notification:<id>`, and the id follows from what it is about, the channel and the recipient: the
same message cannot be wanted twice. These classes are a storage format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from eventjobs.events.run import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequested:
    """
    A message is wanted; written together with the fact that it tells of.

    `kind` says what it tells (`alert.raised`, `alert.recovered`, `alert.recipient_disabled`, `alert.digest`,
    `heartbeat`, `run.ended`, `run.succeeded`, `hook.failed`, `occurrence.not_run`, `expiry.announced`), `subject` of
    whom, `run` of which run where it is one, `about` the rest. `recipient` is an address or a URL, or `secret://name`
    where the URL is secret; `signed_with` is the `secret://name` of a webhook's key, `also_signed_with` that of the key
    before it. No try begins before `not_before`.
    """

    TYPE: ClassVar[str] = "notification.requested"
    SCHEMA: ClassVar[int] = 3

    kind: str
    channel: str
    recipient: str
    signed_with: str | None = None
    subject: Ref
    run: str | None = None
    about: Mapping[str, Any]
    not_before: datetime | None = None
    also_signed_with: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationAttempted:
    """Try number `attempt` begins, at `instance`; what comes of it counts if it is recorded before `until`."""

    TYPE: ClassVar[str] = "notification.attempted"
    SCHEMA: ClassVar[int] = 1

    attempt: int
    instance: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSent:
    """The other side took it."""

    TYPE: ClassVar[str] = "notification.sent"
    SCHEMA: ClassVar[int] = 1

    attempt: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationFailed:
    """
    A try did not get it through.

    `ambiguous`: nobody knows; the other side may have taken it, and another try may be a second copy, under the same
    id. `retry_at` is when the next try may begin, `None` where there is none.
    """

    TYPE: ClassVar[str] = "notification.failed"
    SCHEMA: ClassVar[int] = 1

    attempt: int
    reason: str
    detail: str
    ambiguous: bool
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationGivenUp:
    """It is not tried again, after `attempts` tries of which `ambiguous` may have got through."""

    TYPE: ClassVar[str] = "notification.given_up"
    SCHEMA: ClassVar[int] = 1

    attempts: int
    ambiguous: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationSuppressed:
    """It is not sent, as its recipient was told enough in this hour: the message `digest` counts it."""

    TYPE: ClassVar[str] = "notification.suppressed"
    SCHEMA: ClassVar[int] = 1

    digest: str


NotificationEvent: TypeAlias = (
    NotificationRequested
    | NotificationAttempted
    | NotificationSent
    | NotificationFailed
    | NotificationGivenUp
    | NotificationSuppressed
)
