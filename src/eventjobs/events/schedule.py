"""
Facts about one schedule: what a person defined, and how each of its due moments was answered.

Every fact that moves the cadence carries where it stands afterwards: `timing` (what the rule counts from) and `next`
(the next due instant, its local time and fold, and the zone data it was computed with). A replay needs no rule.
These classes are a storage format.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeAlias

from eventjobs.events.cadence import Cadence, NextDue, Timing, TimingPolicies, TimingState
from eventjobs.events.owner import (
    OccurrenceDropped,
    OccurrenceQueued,
    OccurrencesMissed,
    OccurrencesSkipped,
    OwnerPaused,
    OwnerRunClosed,
    OwnerRunOpened,
    OwnerUnpaused,
    OwnerZoneDataAdopted,
)
from eventjobs.events.run import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """
    One row of the job table.

    `row` numbers the rows from 1; equal `seq` runs in parallel, lower first; `skip_wait` starts with the run. The
    other fields override the job's own policy where they are given (seconds). `input` is what the job gets, `{}` where
    it is empty.
    """

    row: int
    job: Ref
    seq: int
    skip_wait: bool = False
    attempts: int | None = None
    timeout_s: float | None = None
    wait_timeout_s: float | None = None
    delivery: str | None = None
    input: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePolicies:
    """
    How a schedule behaves: its timing, what an open run means for a due moment, and what a failure means.

    In the blackouts of `calendars` it starts nothing. Its catch-up runs begin within `spread_s` (R36).
    """

    timing: TimingPolicies
    overlap: str = "skip"
    on_failure: str = "continue"
    calendars: tuple[str, ...] = ()
    spread_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertWebhook:
    """
    Where alerts are posted to (a URL, or `secret://name` of one) and the `secret://name` that signs them.

    While keys are exchanged `previous_secret` signs too.
    """

    url: str
    secret: str
    previous_secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """
    What is watched for (`None`: not) and who is told.

    A moment that has not started `late_after_s` after it; a run that is open for longer than `runs_longer_than_s` or
    makes no progress in `no_progress_in_s`; no success in `no_success_in_s`; so many failures in a row. `heartbeat` is
    called after each run that succeeded.
    """

    late_after_s: float | None = None
    runs_longer_than_s: float | None = None
    no_progress_in_s: float | None = None
    no_success_in_s: float | None = None
    failures_in_a_row: int | None = None
    on_recovery: bool = True
    email: tuple[str, ...] = ()
    webhook: tuple[AlertWebhook, ...] = ()
    heartbeat: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOrigin:
    """
    What manages a schedule: a feature of an integration, by a version of its definition, which gives it this cadence.

    Where the cadence was not overridden it is the schedule's own (R73). `timing` is how the definition reads it; facts
    of older versions do not say.
    """

    integration: str
    feature: str
    definition_version: int
    cadence: Cadence
    timing: Timing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCreated:
    """A schedule exists from now on; without an `origin` it is the workspace's own."""

    TYPE: ClassVar[str] = "schedule.created"
    SCHEMA: ClassVar[int] = 7

    description: str
    active: bool
    cadence: Cadence
    policies: SchedulePolicies
    jobs: tuple[JobRow, ...]
    cadence_version: int
    timing: TimingState
    next: NextDue | None = None
    origin: ScheduleOrigin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSynced:
    """
    A managed schedule is as its definition says now, all in one: what made it differ before is in the facts before.

    Where nothing that its moments depend on is another, its cadence version and what is due stay as they were.
    """

    TYPE: ClassVar[str] = "schedule.synced"
    SCHEMA: ClassVar[int] = 4

    origin: ScheduleOrigin
    description: str
    cadence: Cadence
    policies: SchedulePolicies
    jobs: tuple[JobRow, ...]
    cadence_version: int
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCadenceOverridden:
    """These bundles of a managed schedule's cadence (`start`, `period`) are the workspace's own from now on (R74)."""

    TYPE: ClassVar[str] = "schedule.cadence_overridden"
    SCHEMA: ClassVar[int] = 1

    bundles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOverrideCleared:
    """These bundles follow the definition again (R75)."""

    TYPE: ClassVar[str] = "schedule.override_cleared"
    SCHEMA: ClassVar[int] = 1

    bundles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDescribed:
    """It has another description."""

    TYPE: ClassVar[str] = "schedule.described"
    SCHEMA: ClassVar[int] = 1

    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCadenceEdited:
    """
    It has another cadence, and with it a new cadence version.

    `policies` are given where it brings another timing: a cron came or went.
    """

    TYPE: ClassVar[str] = "schedule.cadence_edited"
    SCHEMA: ClassVar[int] = 3

    cadence: Cadence
    cadence_version: int
    timing: TimingState
    next: NextDue | None = None
    policies: SchedulePolicies | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleJobsEdited:
    """It has another job table from its next run on (R29)."""

    TYPE: ClassVar[str] = "schedule.jobs_edited"
    SCHEMA: ClassVar[int] = 2

    jobs: tuple[JobRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePoliciesEdited:
    """It has other policies; where its timing changed, also a new cadence version."""

    TYPE: ClassVar[str] = "schedule.policies_edited"
    SCHEMA: ClassVar[int] = 3

    policies: SchedulePolicies
    cadence_version: int
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleAlertsEdited:
    """It has other alerts from now on; none at all is the default of each field."""

    TYPE: ClassVar[str] = "schedule.alerts_edited"
    SCHEMA: ClassVar[int] = 2

    alerts: Alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleActivated:
    """It triggers by itself from now on: because somebody `asked`, or its `feature` is Active (R60)."""

    TYPE: ClassVar[str] = "schedule.activated"
    SCHEMA: ClassVar[int] = 2

    timing: TimingState
    next: NextDue | None = None
    cause: str = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleInactivated:
    """
    It has no due moments any more; an open run finishes.

    Somebody `asked`, its `feature` came into another status (R63), its `integration` is inactive (R67), or a sync left
    it `no_jobs` (R80).
    """

    TYPE: ClassVar[str] = "schedule.inactivated"
    SCHEMA: ClassVar[int] = 2

    timing: TimingState
    cause: str = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleZoneDataAdopted(OwnerZoneDataAdopted):
    """Its next moment was looked for again, with the zone data `version`; nothing answered became due again."""

    TYPE: ClassVar[str] = "schedule.zone_data_adopted"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDeleted:
    """
    It leaves the lists; its history and its id stay.

    Somebody `asked`, which no sync undoes (R78), or it was `archived`: its definition has it no more (R79).
    """

    TYPE: ClassVar[str] = "schedule.deleted"
    SCHEMA: ClassVar[int] = 2

    cause: str = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRestored:
    """A managed schedule is in the lists again, inactive, and remembers when it ran."""

    TYPE: ClassVar[str] = "schedule.restored"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePaused(OwnerPaused):
    """Its due moments from `since` on are skipped, until `until` or until somebody ends the pause."""

    TYPE: ClassVar[str] = "schedule.paused"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleUnpaused(OwnerUnpaused):
    """The pause is over; nothing runs for it."""

    TYPE: ClassVar[str] = "schedule.unpaused"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRunOpened(OwnerRunOpened):
    """A run of it is open."""

    TYPE: ClassVar[str] = "schedule.run_opened"
    SCHEMA: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleBackfillAsked:
    """A person wants a run for each of these moments of the past, one after another; they answer none of them."""

    TYPE: ClassVar[str] = "schedule.backfill_asked"
    SCHEMA: ClassVar[int] = 1

    backfill: str
    moments: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleBackfillStopped:
    """
    The moments of a backfill that have no run yet get none.

    For a person (`asked`), for a hold (`held`), because the schedule's feature is off (`feature_off`), or because a
    sync left it without jobs (`no_jobs`).
    """

    TYPE: ClassVar[str] = "schedule.backfill_stopped"
    SCHEMA: ClassVar[int] = 1

    backfill: str
    reason: str
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRunClosed(OwnerRunClosed):
    """That run ended; `open_run` is the newest of those that are still open (overlap `allow`)."""

    TYPE: ClassVar[str] = "schedule.run_closed"
    SCHEMA: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOccurrenceQueued(OccurrenceQueued):
    """A due moment was answered and waits: its run opens when the owner's runs before it are over."""

    TYPE: ClassVar[str] = "schedule.occurrence_queued"
    SCHEMA: ClassVar[int] = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOccurrenceDropped(OccurrenceDropped):
    """A moment that waited left the queue without a run: `outcome` is `skipped` or `missed`, for `reason`."""

    TYPE: ClassVar[str] = "schedule.occurrence_dropped"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOccurrencesSkipped(OccurrencesSkipped):
    """`count` due moments from `first` to `last` were answered without a run."""

    TYPE: ClassVar[str] = "schedule.occurrences_skipped"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOccurrencesMissed(OccurrencesMissed):
    """`count` due moments from `first` to `last` passed unanswered and stay so."""

    TYPE: ClassVar[str] = "schedule.occurrences_missed"
    SCHEMA: ClassVar[int] = 1


ScheduleEvent: TypeAlias = (
    ScheduleCreated
    | ScheduleSynced
    | ScheduleCadenceOverridden
    | ScheduleOverrideCleared
    | ScheduleDescribed
    | ScheduleCadenceEdited
    | ScheduleJobsEdited
    | SchedulePoliciesEdited
    | ScheduleAlertsEdited
    | ScheduleActivated
    | ScheduleInactivated
    | ScheduleZoneDataAdopted
    | ScheduleDeleted
    | ScheduleRestored
    | SchedulePaused
    | ScheduleUnpaused
    | ScheduleRunOpened
    | ScheduleBackfillAsked
    | ScheduleBackfillStopped
    | ScheduleRunClosed
    | ScheduleOccurrenceQueued
    | ScheduleOccurrenceDropped
    | ScheduleOccurrencesSkipped
    | ScheduleOccurrencesMissed
)
