"""
Facts about one group: what a person defined, whether it is active, and how each of its due moments was answered.

These classes are a storage format.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias

from eventjobs.events.connect import Member, Notification
from eventjobs.events.owner import (
    OccurrenceDropped,
    OccurrenceQueued,
    OccurrencesMissed,
    OccurrencesSkipped,
    OwnerExpirationSet,
    OwnerExpired,
    OwnerExpiryDeferred,
    OwnerExpiryWarned,
    OwnerMinuteDrawn,
    OwnerPaused,
    OwnerRunClosed,
    OwnerRunOpened,
    OwnerScheduled,
    OwnerUnpaused,
    OwnerUnscheduled,
    OwnerZoneDataAdopted,
)
from eventjobs.events.schedule import SchedulePolicies
from eventjobs.events.slots import SlotSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCreated:
    """A group exists from now on, as a draft; what it has no minute for yet is drawn when it is activated."""

    TYPE: ClassVar[str] = "group.created"
    SCHEMA: ClassVar[int] = 4

    name: str
    description: str
    members: tuple[Member, ...]
    schedule: SlotSchedule
    notification: Notification
    policies: SchedulePolicies
    on_expiry: str
    created_at: datetime
    expires_on: str | None = None
    expires_at: datetime | None = None
    warn_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSaved:
    """It is defined like this from its next run on; the schedule of an active one changes by another fact."""

    TYPE: ClassVar[str] = "group.saved"
    SCHEMA: ClassVar[int] = 4

    name: str
    description: str
    members: tuple[Member, ...]
    schedule: SlotSchedule
    notification: Notification
    policies: SchedulePolicies
    on_expiry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReordered:
    """Its jobs run in another order from its next run on (G7)."""

    TYPE: ClassVar[str] = "group.reordered"
    SCHEMA: ClassVar[int] = 1

    members: tuple[Member, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDeleted:
    """It leaves the lists; its jobs, its history and its id stay (G75)."""

    TYPE: ClassVar[str] = "group.deleted"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRunOpened(OwnerRunOpened):
    """A run of it is open."""

    TYPE: ClassVar[str] = "group.run_opened"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRunClosed(OwnerRunClosed):
    """That run ended."""

    TYPE: ClassVar[str] = "group.run_closed"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOccurrenceQueued(OccurrenceQueued):
    """A due moment waits for a run before it, or for room."""

    TYPE: ClassVar[str] = "group.occurrence_queued"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOccurrenceDropped(OccurrenceDropped):
    """A moment that waited left the queue without a run."""

    TYPE: ClassVar[str] = "group.occurrence_dropped"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOccurrencesSkipped(OccurrencesSkipped):
    """Due moments were answered without a run."""

    TYPE: ClassVar[str] = "group.occurrences_skipped"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupOccurrencesMissed(OccurrencesMissed):
    """Due moments passed unanswered and stay so."""

    TYPE: ClassVar[str] = "group.occurrences_missed"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupPaused(OwnerPaused):
    """Its due moments are skipped until the pause ends."""

    TYPE: ClassVar[str] = "group.paused"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUnpaused(OwnerUnpaused):
    """The pause is over."""

    TYPE: ClassVar[str] = "group.unpaused"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupZoneDataAdopted(OwnerZoneDataAdopted):
    """Its next moment was looked for again, with other zone data."""

    TYPE: ClassVar[str] = "group.zone_data_adopted"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupActivated(OwnerScheduled):
    """It may run from now on, and is due by its schedule."""

    TYPE: ClassVar[str] = "group.activated"
    SCHEMA: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupScheduled(OwnerScheduled):
    """While active it is due by another schedule, or by another draw."""

    TYPE: ClassVar[str] = "group.scheduled"
    SCHEMA: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMinuteDrawn(OwnerMinuteDrawn):
    """The minute of its next moment was drawn anew (G30)."""

    TYPE: ClassVar[str] = "group.minute_drawn"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDeactivated(OwnerUnscheduled):
    """It may not run any more; an open run finishes (G13)."""

    TYPE: ClassVar[str] = "group.deactivated"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupExpirationSet(OwnerExpirationSet):
    """It expires at another time, or never."""

    TYPE: ClassVar[str] = "group.expiration_set"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupExpiryWarned(OwnerExpiryWarned):
    """It expires soon."""

    TYPE: ClassVar[str] = "group.expiry_warned"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupExpiryDeferred(OwnerExpiryDeferred):
    """It expires when its open run has ended (G60)."""

    TYPE: ClassVar[str] = "group.expiry_deferred"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupExpired(OwnerExpired):
    """It expired (G56)."""

    TYPE: ClassVar[str] = "group.expired"
    SCHEMA: ClassVar[int] = 1


GroupEvent: TypeAlias = (
    GroupCreated
    | GroupSaved
    | GroupReordered
    | GroupDeleted
    | GroupRunOpened
    | GroupRunClosed
    | GroupOccurrenceQueued
    | GroupOccurrenceDropped
    | GroupOccurrencesSkipped
    | GroupOccurrencesMissed
    | GroupPaused
    | GroupUnpaused
    | GroupZoneDataAdopted
    | GroupActivated
    | GroupScheduled
    | GroupMinuteDrawn
    | GroupDeactivated
    | GroupExpirationSet
    | GroupExpiryWarned
    | GroupExpiryDeferred
    | GroupExpired
)
