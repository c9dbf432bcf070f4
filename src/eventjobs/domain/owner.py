"""What a decision may know about any owner of due moments: when it is due, what was answered, its runs, who waits."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias, TypeVar, assert_never

from eventjobs.domain.changed import changed
from eventjobs.domain.halts import PAUSED, Halt
from eventjobs.events.cadence import Cadence, NextDue, TimingPolicies, TimingState, Unit
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
from eventjobs.events.schedule import JobRow, SchedulePolicies

OwnerEvent: TypeAlias = (
    OccurrenceDropped
    | OccurrenceQueued
    | OccurrencesMissed
    | OccurrencesSkipped
    | OwnerPaused
    | OwnerRunClosed
    | OwnerRunOpened
    | OwnerUnpaused
    | OwnerZoneDataAdopted
)


def schedule_ref(schedule_id: str) -> Ref:
    """Name a schedule as an owner."""
    return Ref(kind="schedule", id=schedule_id)


NO_CADENCE = Cadence(start_date="1970-01-01", start_time="00:00", time_zone="UTC", unit=Unit.ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """
    A due moment whose run has not opened yet; `missed_*` are the later ones that it will cover.

    `reason` is what it waited for first.
    """

    due: datetime
    cadence_version: int
    reason: str
    cause: str
    cause_detail: str | None = None
    missed_occurrences: int = 0
    missed_first: datetime | None = None
    missed_last: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """
    An owner as its stream tells it.

    `definition_version` rises with what a user can change; `cadence_version` is part of the occurrences' ids; `next` is
    the recorded due moment, `None` while inactive or when nothing comes. `open_runs` stand in the order of their
    opening, `waiting` in that in which they fell due. A pause changes no definition, so it does not raise the version.
    `failing_since` is the first of the `failed_in_a_row` runs that failed since the last one that succeeded; one that
    was aborted counts for neither.
    """

    exists: bool = False
    deleted: bool = False
    definition_version: int = 0
    active: bool = False
    policies: SchedulePolicies = SchedulePolicies(timing=TimingPolicies())
    jobs: tuple[JobRow, ...] = ()
    cadence_version: int = 0
    timing: TimingState = TimingState()
    next: NextDue | None = None
    open_runs: tuple[str, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    pause: Halt | None = None
    failed_in_a_row: int = 0
    last_failure: str | None = None
    failing_since: str | None = None
    last_success: str | None = None

    @property
    def cadence(self) -> Cadence:
        """When it is due, as far as no fact says otherwise."""
        return NO_CADENCE

    def is_over(self, now: datetime) -> bool:  # noqa: ARG002 some owners expire
        """Tell whether nothing of it may start any more, written or not."""
        return False

    @property
    def alive(self) -> bool:
        """Whether it is in the lists."""
        return self.exists and not self.deleted

    @property
    def open_run(self) -> str | None:
        """The newest run that is open."""
        return self.open_runs[-1] if self.open_runs else None


O = TypeVar("O", bound=Owner)  # noqa: E741 as J for jobs


def evolve(owner: O, event: OwnerEvent) -> O:
    """Move any owner by one of the facts that all of them have."""
    match event:
        case OwnerPaused():
            pause = Halt(reason=PAUSED, since=event.since, until=event.until, note=event.note, by=event.by)
            return changed(owner, pause=pause)
        case OwnerUnpaused():
            return changed(owner, pause=None)
        case OwnerZoneDataAdopted():
            return changed(owner, timing=event.timing, next=event.next)
        case OwnerRunOpened() | OwnerRunClosed():
            return _ran(owner, event)
        case _:
            return _answered(owner, event)


def _ran(owner: O, event: OwnerRunOpened | OwnerRunClosed) -> O:
    match event:
        case OwnerRunOpened():
            runs = (*owner.open_runs, event.run)
            if event.timing is not None:
                return changed(owner, open_runs=runs, timing=event.timing, next=event.next)
            waiting = owner.waiting if event.due is None else _without(owner, event.due)
            return changed(owner, open_runs=runs, waiting=waiting)
        case OwnerRunClosed():
            return _closed(owner, event, tuple(run for run in owner.open_runs if run != event.run))
        case _:
            assert_never(event)


def _closed(owner: O, event: OwnerRunClosed, runs: tuple[str, ...]) -> O:
    match event.state:
        case "succeeded":
            return changed(
                owner,
                open_runs=runs,
                failed_in_a_row=0,
                last_failure=None,
                failing_since=None,
                last_success=event.run,
            )
        case "failed":
            return changed(
                owner,
                open_runs=runs,
                failed_in_a_row=owner.failed_in_a_row + 1,
                last_failure=event.run,
                failing_since=owner.failing_since or event.run,
            )
        case _:
            return changed(owner, open_runs=runs)


def _answered(owner: O, event: OccurrencesSkipped | OccurrencesMissed | OccurrenceQueued | OccurrenceDropped) -> O:
    match event:
        case OccurrencesSkipped() | OccurrencesMissed():
            return changed(owner, timing=event.timing, next=event.next)
        case OccurrenceQueued():
            waiting = Waiting(
                due=event.due,
                cadence_version=event.cadence_version,
                reason=event.reason,
                cause=event.cause,
                cause_detail=event.cause_detail,
                missed_occurrences=event.missed_occurrences,
                missed_first=event.missed_first,
                missed_last=event.missed_last,
            )
            return changed(owner, waiting=(*owner.waiting, waiting), timing=event.timing, next=event.next)
        case OccurrenceDropped():
            return changed(owner, waiting=_without(owner, event.due))
        case _:
            assert_never(event)


def _without(owner: Owner, due: datetime) -> tuple[Waiting, ...]:
    return tuple(one for one in owner.waiting if one.due != due)
