"""
Facts about one Connect job: its definition, its group, whose turn it is, and how each of its due moments was answered.

These classes are a storage format.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from eventjobs.events.connect import Notification
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
from eventjobs.events.service import AttemptPolicy, Turn
from eventjobs.events.slots import SlotSchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedError:
    """What kept a job from being activated when it was saved (G12)."""

    path: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCreated:
    """A job of a `kind` (`import`, `export`, `partner`, `feed`) exists from now on, as a draft."""

    TYPE: ClassVar[str] = "job.created"
    SCHEMA: ClassVar[int] = 4

    kind: str
    name: str
    description: str
    handler: str
    config: Mapping[str, Any]
    policy: AttemptPolicy
    schedule: SlotSchedule
    notification: Notification
    policies: SchedulePolicies
    on_expiry: str
    subtype: str | None = None
    errors: tuple[SavedError, ...] = ()
    created_at: datetime
    expires_on: str | None = None
    expires_at: datetime | None = None
    warn_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobSaved:
    """It is defined like this from its next start on; the schedule of an active one changes by another fact."""

    TYPE: ClassVar[str] = "job.saved"
    SCHEMA: ClassVar[int] = 4

    name: str
    description: str
    handler: str
    config: Mapping[str, Any]
    policy: AttemptPolicy
    schedule: SlotSchedule
    notification: Notification
    policies: SchedulePolicies
    on_expiry: str
    subtype: str | None = None
    errors: tuple[SavedError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDeleted:
    """It leaves the lists; its history and its id stay."""

    TYPE: ClassVar[str] = "job.deleted"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobGrouped:
    """It is a member of a group, and of no other one (G6)."""

    TYPE: ClassVar[str] = "job.grouped"
    SCHEMA: ClassVar[int] = 1

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUngrouped:
    """It is a member of no group any more."""

    TYPE: ClassVar[str] = "job.ungrouped"
    SCHEMA: ClassVar[int] = 1

    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobClaimed:
    """A job run has the job for itself now."""

    TYPE: ClassVar[str] = "job.claimed"
    SCHEMA: ClassVar[int] = 1

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAwaited:
    """The job is busy; this job run is next, if its turn comes before `deadline`."""

    TYPE: ClassVar[str] = "job.awaited"
    SCHEMA: ClassVar[int] = 1

    turn: Turn
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobJoined:
    """The job is busy and awaited; this job run takes the result of the one that waits."""

    TYPE: ClassVar[str] = "job.joined"
    SCHEMA: ClassVar[int] = 1

    turn: Turn
    with_turn: Turn
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobReleased:
    """A job run gave its turn, its place in the queue or its share up."""

    TYPE: ClassVar[str] = "job.released"
    SCHEMA: ClassVar[int] = 1

    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunOpened(OwnerRunOpened):
    """A run of it is open."""

    TYPE: ClassVar[str] = "job.run_opened"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRunClosed(OwnerRunClosed):
    """That run ended."""

    TYPE: ClassVar[str] = "job.run_closed"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOccurrenceQueued(OccurrenceQueued):
    """A due moment waits for a run before it, or for room."""

    TYPE: ClassVar[str] = "job.occurrence_queued"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOccurrenceDropped(OccurrenceDropped):
    """A moment that waited left the queue without a run."""

    TYPE: ClassVar[str] = "job.occurrence_dropped"
    SCHEMA: ClassVar[int] = 1

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOccurrencesSkipped(OccurrencesSkipped):
    """Due moments were answered without a run."""

    TYPE: ClassVar[str] = "job.occurrences_skipped"
    SCHEMA: ClassVar[int] = 1

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOccurrencesMissed(OccurrencesMissed):
    """Due moments passed unanswered and stay so."""

    TYPE: ClassVar[str] = "job.occurrences_missed"
    SCHEMA: ClassVar[int] = 1

    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPaused(OwnerPaused):
    """Its due moments are skipped until the pause ends."""

    TYPE: ClassVar[str] = "job.paused"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobUnpaused(OwnerUnpaused):
    """The pause is over."""

    TYPE: ClassVar[str] = "job.unpaused"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobZoneDataAdopted(OwnerZoneDataAdopted):
    """Its next moment was looked for again, with other zone data."""

    TYPE: ClassVar[str] = "job.zone_data_adopted"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobActivated(OwnerScheduled):
    """It may run from now on, and is due by its schedule."""

    TYPE: ClassVar[str] = "job.activated"
    SCHEMA: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class JobScheduled(OwnerScheduled):
    """While active it is due by another schedule, or by another draw."""

    TYPE: ClassVar[str] = "job.scheduled"
    SCHEMA: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMinuteDrawn(OwnerMinuteDrawn):
    """The minute of its next moment was drawn anew (G30)."""

    TYPE: ClassVar[str] = "job.minute_drawn"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDeactivated(OwnerUnscheduled):
    """It may not run any more; an open run finishes (G13)."""

    TYPE: ClassVar[str] = "job.deactivated"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobExpirationSet(OwnerExpirationSet):
    """It expires at another time, or never."""

    TYPE: ClassVar[str] = "job.expiration_set"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobExpiryWarned(OwnerExpiryWarned):
    """It expires soon."""

    TYPE: ClassVar[str] = "job.expiry_warned"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobExpiryDeferred(OwnerExpiryDeferred):
    """It expires when its open run has ended (G60)."""

    TYPE: ClassVar[str] = "job.expiry_deferred"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class JobExpired(OwnerExpired):
    """It expired (G56)."""

    TYPE: ClassVar[str] = "job.expired"
    SCHEMA: ClassVar[int] = 1


JobEvent: TypeAlias = (
    JobCreated
    | JobSaved
    | JobDeleted
    | JobGrouped
    | JobUngrouped
    | JobClaimed
    | JobAwaited
    | JobJoined
    | JobReleased
    | JobRunOpened
    | JobRunClosed
    | JobOccurrenceQueued
    | JobOccurrenceDropped
    | JobOccurrencesSkipped
    | JobOccurrencesMissed
    | JobPaused
    | JobUnpaused
    | JobZoneDataAdopted
    | JobActivated
    | JobScheduled
    | JobMinuteDrawn
    | JobDeactivated
    | JobExpirationSet
    | JobExpiryWarned
    | JobExpiryDeferred
    | JobExpired
)
