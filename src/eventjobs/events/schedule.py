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
class ScheduleDeleted:
    """It leaves the lists; its history and its id stay."""

    TYPE: ClassVar[str] = "schedule.deleted"
    SCHEMA: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRunOpened:
    """
    A run of it is open.

    For an answered occurrence `due` names it and `timing` and `next` say where the cadence stands afterwards; a manual
    run has none of them and moves nothing (R19).
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
    """That run ended."""

    TYPE: ClassVar[str] = "schedule.run_closed"
    SCHEMA: ClassVar[int] = 1

    run: str
    state: str
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleOccurrencesSkipped:
    """
    `count` due moments from `first` to `last` were answered without a run (`overlap`, `inactive`, `no_jobs`).

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
    | ScheduleDeleted
    | ScheduleRunOpened
    | ScheduleRunClosed
    | ScheduleOccurrencesSkipped
    | ScheduleOccurrencesMissed
)
