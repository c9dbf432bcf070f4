"""
Facts about one schedule: what a person defined, and how each of its due moments was answered.

Every fact that moves the cadence carries where it stands afterwards: `timing` (what the rule counts from) and `next`
(the next due instant, its local time and fold, and the zone data it was computed with). A replay needs no rule.
These classes are a storage format.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias

from eventjobs.events.cadence import Cadence, NextDue, TimingPolicies, TimingState
from eventjobs.events.run import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """
    One row of the job table.

    `row` numbers the rows from 1; equal `seq` runs in parallel, lower first; `skip_wait` starts with the run. The
    other fields override the job's own policy where they are given (seconds).
    """

    row: int
    job: Ref
    seq: int
    skip_wait: bool = False
    attempts: int | None = None
    timeout_s: float | None = None
    wait_timeout_s: float | None = None
    delivery: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePolicies:
    """How a schedule behaves: its timing, what an open run means for a due moment, and what a failure means."""

    timing: TimingPolicies
    overlap: str = "skip"
    on_failure: str = "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCreated:
    """A schedule exists from now on."""

    TYPE: ClassVar[str] = "schedule.created"
    SCHEMA: ClassVar[int] = 1

    description: str
    active: bool
    cadence: Cadence
    policies: SchedulePolicies
    jobs: tuple[JobRow, ...]
    cadence_version: int
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDescribed:
    """It has another description."""

    TYPE: ClassVar[str] = "schedule.described"
    SCHEMA: ClassVar[int] = 1

    description: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleCadenceEdited:
    """It has another cadence, and with it a new cadence version."""

    TYPE: ClassVar[str] = "schedule.cadence_edited"
    SCHEMA: ClassVar[int] = 1

    cadence: Cadence
    cadence_version: int
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleJobsEdited:
    """It has another job table from its next run on (R29)."""

    TYPE: ClassVar[str] = "schedule.jobs_edited"
    SCHEMA: ClassVar[int] = 1

    jobs: tuple[JobRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePoliciesEdited:
    """It has other policies; where its timing changed, also a new cadence version."""

    TYPE: ClassVar[str] = "schedule.policies_edited"
    SCHEMA: ClassVar[int] = 1

    policies: SchedulePolicies
    cadence_version: int
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleActivated:
    """It triggers by itself from now on."""

    TYPE: ClassVar[str] = "schedule.activated"
    SCHEMA: ClassVar[int] = 1

    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleInactivated:
    """It has no due moments any more; an open run finishes."""

    TYPE: ClassVar[str] = "schedule.inactivated"
    SCHEMA: ClassVar[int] = 1

    timing: TimingState


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleZoneDataAdopted:
    """
    Its next moment was looked for again, with the zone data `version`; nothing answered became due again.

    Only who goes by the wall clock has another `next`, where the zone's clocks are set otherwise than was known.
    """

    TYPE: ClassVar[str] = "schedule.zone_data_adopted"
    SCHEMA: ClassVar[int] = 1

    version: str
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleDeleted:
    """It leaves the lists; its history and its id stay."""

    TYPE: ClassVar[str] = "schedule.deleted"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SchedulePaused:
    """
    Its due moments from `since` on are skipped, until `until` or until somebody ends the pause.

    Manual runs and an open run go on. `by` is who paused it, which whoever is refused is told.
    """

    TYPE: ClassVar[str] = "schedule.paused"
    SCHEMA: ClassVar[int] = 1

    since: datetime
    until: datetime | None = None
    note: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleUnpaused:
    """
    The pause is over; nothing runs for it.

    `cause` is `asked` (somebody ended it) or `until` (its end had come).
    """

    TYPE: ClassVar[str] = "schedule.unpaused"
    SCHEMA: ClassVar[int] = 1

    cause: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRunOpened:
    """
    A run of it is open.

    For an answered occurrence `due` names it and `timing` and `next` say where the cadence stands afterwards. One that
    comes from the queue has `due` alone: it was answered when it was queued. A manual run has none of them and moves
    nothing (R19).
    """

    TYPE: ClassVar[str] = "schedule.run_opened"
    SCHEMA: ClassVar[int] = 1

    run: str
    cause: str
    cause_detail: str | None = None
    due: datetime | None = None
    timing: TimingState | None = None
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRunClosed:
    """That run ended; `open_run` is the newest of those that are still open (overlap `allow`)."""

    TYPE: ClassVar[str] = "schedule.run_closed"
    SCHEMA: ClassVar[int] = 2

    run: str
    state: str
    reason: str | None = None
    open_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOccurrenceQueued:
    """
    A due moment was answered and waits: its run opens when the owner's runs before it are over.

    `reason` says what it waits for: `overlap` for `open_run`, `owner_limit` and `limit` for one of the `limit` places
    for runs of the owner or of the workspace. `missed_*` say which later moments its run will cover. Where the cadence
    stands afterwards is in `timing` and `next`; a moment that waits never re-anchors it.
    """

    TYPE: ClassVar[str] = "schedule.occurrence_queued"
    SCHEMA: ClassVar[int] = 2

    due: datetime
    cadence_version: int
    cause: str
    cause_detail: str | None = None
    reason: str
    open_run: str | None = None
    limit: int | None = None
    missed_occurrences: int = 0
    missed_first: datetime | None = None
    missed_last: datetime | None = None
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOccurrenceDropped:
    """
    A moment that waited left the queue without a run: `outcome` is `skipped` or `missed`, for `reason`.

    It moves nothing; the occurrence's own stream says the same.
    """

    TYPE: ClassVar[str] = "schedule.occurrence_dropped"
    SCHEMA: ClassVar[int] = 1

    due: datetime
    cadence_version: int
    outcome: str
    reason: str
    open_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOccurrencesSkipped:
    """
    `count` due moments from `first` to `last` were answered without a run (`overlap`, `queue_full`, `paused`, `held`).

    One of them alone also has its own stream; several are consecutive moments of one cadence version, whose months keep
    the day `anchor_day`.
    """

    TYPE: ClassVar[str] = "schedule.occurrences_skipped"
    SCHEMA: ClassVar[int] = 1

    reason: str
    count: int
    first: datetime
    last: datetime
    anchor_day: int | None = None
    cadence_version: int
    open_run: str | None = None
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOccurrencesMissed:
    """
    `count` due moments from `first` to `last` passed unanswered and stay so.

    `reason` is `downtime` (nothing was up to run them), `catch_up_window` or `catch_up_never` (the policy forbids it);
    `covered_by` names the run that stands for them. One of them alone also has its own stream.
    """

    TYPE: ClassVar[str] = "schedule.occurrences_missed"
    SCHEMA: ClassVar[int] = 1

    reason: str
    count: int
    first: datetime
    last: datetime
    anchor_day: int | None = None
    cadence_version: int
    covered_by: str | None = None
    timing: TimingState
    next: NextDue | None = None


ScheduleEvent: TypeAlias = (
    ScheduleCreated
    | ScheduleDescribed
    | ScheduleCadenceEdited
    | ScheduleJobsEdited
    | SchedulePoliciesEdited
    | ScheduleActivated
    | ScheduleInactivated
    | ScheduleZoneDataAdopted
    | ScheduleDeleted
    | SchedulePaused
    | ScheduleUnpaused
    | ScheduleRunOpened
    | ScheduleRunClosed
    | ScheduleOccurrenceQueued
    | ScheduleOccurrenceDropped
    | ScheduleOccurrencesSkipped
    | ScheduleOccurrencesMissed
)
