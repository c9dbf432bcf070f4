"""
Facts about what was wrong with a schedule: in the stream `alert:<schedule>`, one incident after the other.

These classes are a storage format.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRaised:
    """
    Something is wrong since `since`: the incident `incident` of the kind `alert`.

    `late`: the moment `due` has not started `limit_s` seconds after it (`count`, `last`: with the later ones that were
    missed with it; `reason`: why they never will). `too_long`, `stuck`: the run `run` is open, or without progress,
    for `limit_s`. `no_success`: none for `limit_s`. `failures`: `count` runs failed in a row, `run` is the last of
    them. `settled`: it was over when it was found, so nothing follows.
    """

    TYPE: ClassVar[str] = "alert.raised"
    SCHEMA: ClassVar[int] = 1

    alert: str
    incident: str
    since: datetime
    limit_s: float | None = None
    due: datetime | None = None
    last: datetime | None = None
    count: int | None = None
    reason: str | None = None
    run: str | None = None
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecovered:
    """It is well again: the moment `started`, the run `ended` or `progressed`, or a run `succeeded`."""

    TYPE: ClassVar[str] = "alert.recovered"
    SCHEMA: ClassVar[int] = 1

    alert: str
    incident: str
    cause: str
    run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDropped:
    """
    The incident is over without having become well, and nobody is told.

    `reason`: the schedule is `inactive` or `deleted`, nobody watches for it any more (`not_watched`), or the moment is
    not due any more (`not_due`).
    """

    TYPE: ClassVar[str] = "alert.dropped"
    SCHEMA: ClassVar[int] = 1

    alert: str
    incident: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecipientDisabled:
    """A recipient said that it is gone; nothing is sent to it until the alerts are saved again."""

    TYPE: ClassVar[str] = "alert.recipient_disabled"
    SCHEMA: ClassVar[int] = 1

    channel: str
    recipient: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRecipientsEnabled:
    """The alerts were saved again: everybody in them is tried again."""

    TYPE: ClassVar[str] = "alert.recipients_enabled"
    SCHEMA: ClassVar[int] = 1


AlertEvent: TypeAlias = AlertRaised | AlertRecovered | AlertDropped | AlertRecipientDisabled | AlertRecipientsEnabled
