"""What a decision may know about a schedule: its definition, whether it is active, what is due, runs and who waits."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from eventjobs.domain.halts import PAUSED, Halt
from eventjobs.events.cadence import Cadence, NextDue, TimingPolicies, TimingState, Unit
from eventjobs.events.schedule import (
    JobRow,
    ScheduleActivated,
    ScheduleCadenceEdited,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleDescribed,
    ScheduleEvent,
    ScheduleInactivated,
    ScheduleJobsEdited,
    ScheduleOccurrenceDropped,
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePaused,
    SchedulePolicies,
    SchedulePoliciesEdited,
    ScheduleRunClosed,
    ScheduleRunOpened,
    ScheduleUnpaused,
    ScheduleZoneDataAdopted,
)

NO_CADENCE = Cadence(start_date="1970-01-01", start_time="00:00", time_zone="UTC", unit=Unit.ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A due moment whose run has not opened yet; `missed_*` are the later ones that it will cover."""

    due: datetime
    cadence_version: int
    cause: str
    cause_detail: str | None = None
    missed_occurrences: int = 0
    missed_first: datetime | None = None
    missed_last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """
    A schedule as its stream tells it.

    `definition_version` rises with what a user can change; `cadence_version` is part of the occurrences' ids; `next` is
    the recorded due moment, `None` while inactive or when nothing comes. `open_runs` stand in the order of their
    opening, `waiting` in that in which they fell due. A pause changes no definition, so it does not raise the version.
    """

    exists: bool = False
    deleted: bool = False
    definition_version: int = 0
    description: str = ""
    active: bool = False
    cadence: Cadence = NO_CADENCE
    policies: SchedulePolicies = SchedulePolicies(timing=TimingPolicies())
    jobs: tuple[JobRow, ...] = ()
    cadence_version: int = 0
    timing: TimingState = TimingState()
    next: NextDue | None = None
    open_runs: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    pause: Halt | None = None

    @property
    def alive(self) -> bool:
        """Whether it is in the lists."""
        return self.exists and not self.deleted

    @property
    def open_run(self) -> str | None:
        """The newest run that is open."""
        return self.open_runs[-1] if self.open_runs else None


INITIAL = Schedule()


def evolve(schedule: Schedule, event: ScheduleEvent) -> Schedule:
    """Move the schedule by one fact."""
    match event:
        case SchedulePaused():
            pause = Halt(reason=PAUSED, since=event.since, until=event.until, note=event.note, by=event.by)
            return replace(schedule, pause=pause)
        case ScheduleUnpaused():
            return replace(schedule, pause=None)
        case ScheduleRunOpened() | ScheduleRunClosed():
            return _ran(schedule, event)
        case ScheduleZoneDataAdopted():
            return replace(schedule, timing=event.timing, next=event.next)
        case (
            ScheduleOccurrencesSkipped()
            | ScheduleOccurrencesMissed()
            | ScheduleOccurrenceQueued()
            | ScheduleOccurrenceDropped()
        ):
            return _answered(schedule, event)
        case _:
            return replace(_defined(schedule, event), definition_version=schedule.definition_version + 1)


def _defined(
    schedule: Schedule,
    event: ScheduleCreated
    | ScheduleDescribed
    | ScheduleCadenceEdited
    | ScheduleJobsEdited
    | SchedulePoliciesEdited
    | ScheduleActivated
    | ScheduleInactivated
    | ScheduleDeleted,
) -> Schedule:
    match event:
        case ScheduleCreated():
            return replace(
                schedule,
                exists=True,
                description=event.description,
                active=event.active,
                cadence=event.cadence,
                policies=event.policies,
                jobs=event.jobs,
                cadence_version=event.cadence_version,
                timing=event.timing,
                next=event.next,
            )
        case ScheduleDescribed():
            return replace(schedule, description=event.description)
        case ScheduleCadenceEdited():
            return replace(
                schedule,
                cadence=event.cadence,
                cadence_version=event.cadence_version,
                timing=event.timing,
                next=event.next,
            )
        case ScheduleJobsEdited():
            return replace(schedule, jobs=event.jobs)
        case SchedulePoliciesEdited():
            return replace(
                schedule,
                policies=event.policies,
                cadence_version=event.cadence_version,
                timing=event.timing,
                next=event.next,
            )
        case ScheduleActivated():
            return replace(schedule, active=True, timing=event.timing, next=event.next)
        case ScheduleInactivated():
            return replace(schedule, active=False, timing=event.timing, next=None)
        case ScheduleDeleted():
            return replace(schedule, deleted=True, active=False, next=None)
        case _:
            assert_never(event)


def _ran(schedule: Schedule, event: ScheduleRunOpened | ScheduleRunClosed) -> Schedule:
    match event:
        case ScheduleRunOpened():
            opened = replace(schedule, open_runs=(*schedule.open_runs, event.run))
            if event.timing is not None:
                return replace(opened, timing=event.timing, next=event.next)
            return opened if event.due is None else replace(opened, waiting=_without(schedule, event.due))
        case ScheduleRunClosed():
            return replace(schedule, open_runs=tuple(run for run in schedule.open_runs if run != event.run))
        case _:
            assert_never(event)


def _answered(
    schedule: Schedule,
    event: ScheduleOccurrencesSkipped
    | ScheduleOccurrencesMissed
    | ScheduleOccurrenceQueued
    | ScheduleOccurrenceDropped,
) -> Schedule:
    match event:
        case ScheduleOccurrencesSkipped() | ScheduleOccurrencesMissed():
            return replace(schedule, timing=event.timing, next=event.next)
        case ScheduleOccurrenceQueued():
            waiting = Waiting(
                due=event.due,
                cadence_version=event.cadence_version,
                cause=event.cause,
                cause_detail=event.cause_detail,
                missed_occurrences=event.missed_occurrences,
                missed_first=event.missed_first,
                missed_last=event.missed_last,
            )
            return replace(schedule, waiting=(*schedule.waiting, waiting), timing=event.timing, next=event.next)
        case ScheduleOccurrenceDropped():
            return replace(schedule, waiting=_without(schedule, event.due))
        case _:
            assert_never(event)


def _without(schedule: Schedule, due: datetime) -> tuple[Waiting, ...]:
    return tuple(one for one in schedule.waiting if one.due != due)
