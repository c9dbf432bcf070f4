"""What a decision may know about a schedule: its definition, whether it is active, what is due, and its open run."""

from dataclasses import dataclass, replace
from typing import assert_never

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
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePolicies,
    SchedulePoliciesEdited,
    ScheduleRunClosed,
    ScheduleRunOpened,
)

NO_CADENCE = Cadence(start_date="1970-01-01", start_time="00:00", time_zone="UTC", unit=Unit.ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """
    A schedule as its stream tells it.

    `definition_version` rises with what a user can change; `cadence_version` is part of the occurrences' ids; `next` is
    the recorded due moment, `None` while inactive or when nothing comes.
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
    open_run: str | None = None

    @property
    def alive(self) -> bool:
        """Whether it is in the lists."""
        return self.exists and not self.deleted


INITIAL = Schedule()


def evolve(schedule: Schedule, event: ScheduleEvent) -> Schedule:
    """Move the schedule by one fact."""
    match event:
        case ScheduleRunOpened() | ScheduleRunClosed() | ScheduleOccurrencesSkipped() | ScheduleOccurrencesMissed():
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


def _answered(
    schedule: Schedule,
    event: ScheduleRunOpened | ScheduleRunClosed | ScheduleOccurrencesSkipped | ScheduleOccurrencesMissed,
) -> Schedule:
    match event:
        case ScheduleRunOpened():
            opened = replace(schedule, open_run=event.run)
            return opened if event.timing is None else replace(opened, timing=event.timing, next=event.next)
        case ScheduleRunClosed():
            return replace(schedule, open_run=None if schedule.open_run == event.run else schedule.open_run)
        case ScheduleOccurrencesSkipped() | ScheduleOccurrencesMissed():
            return replace(schedule, timing=event.timing, next=event.next)
        case _:
            assert_never(event)
