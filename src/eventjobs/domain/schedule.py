"""What a decision may know about a schedule: its definition, whether it is active, what is due, runs and who waits."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, assert_never

from eventjobs.domain import owner
from eventjobs.domain.owner import NO_CADENCE, Owner
from eventjobs.events.cadence import Cadence
from eventjobs.events.schedule import (
    Alerts,
    ScheduleActivated,
    ScheduleAlertsEdited,
    ScheduleBackfillAsked,
    ScheduleBackfillStopped,
    ScheduleCadenceEdited,
    ScheduleCadenceOverridden,
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
    ScheduleOrigin,
    ScheduleOverrideCleared,
    SchedulePaused,
    SchedulePoliciesEdited,
    ScheduleRestored,
    ScheduleRunClosed,
    ScheduleRunOpened,
    ScheduleSynced,
    ScheduleUnpaused,
    ScheduleZoneDataAdopted,
)

BACKFILL: Final = "backfill"
"""The cause in detail of a run by hand that stands for a moment of a backfill."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """The moments of the past that still get a run each, the next one first."""

    id: str
    moments: tuple[datetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Owner):
    """
    A schedule as its stream tells it; `backfilled` are the ids of all backfills that were ever asked for.

    One with an `origin` is managed. Of its cadence the bundles in `overrides` are the workspace's own; `suppressed`
    says that it was deleted here, `archived` that its definition has it no more.
    """

    cadence: Cadence = NO_CADENCE
    suppressed: bool = False
    archived: bool = False
    origin: ScheduleOrigin | None = None
    overrides: tuple[str, ...] = ()
    description: str = ""
    backfill: Backfill | None = None
    backfilled: frozenset[str] = frozenset()
    alerts: Alerts = Alerts()


INITIAL = Schedule()


def evolve(schedule: Schedule, event: ScheduleEvent) -> Schedule:
    """Move the schedule by one fact."""
    match event:
        case ScheduleAlertsEdited():
            return replace(schedule, alerts=event.alerts, definition_version=schedule.definition_version + 1)
        case ScheduleRunOpened() | ScheduleBackfillAsked() | ScheduleBackfillStopped():
            return _ran(schedule, event)
        case (
            ScheduleOccurrencesSkipped()
            | ScheduleOccurrencesMissed()
            | ScheduleOccurrenceQueued()
            | ScheduleOccurrenceDropped()
            | SchedulePaused()
            | ScheduleUnpaused()
            | ScheduleRunClosed()
            | ScheduleZoneDataAdopted()
        ):
            return owner.evolve(schedule, event)
        case ScheduleSynced() | ScheduleCadenceOverridden() | ScheduleOverrideCleared() | ScheduleRestored():
            return replace(_managed(schedule, event), definition_version=schedule.definition_version + 1)
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
                origin=event.origin,
            )
        case ScheduleDescribed():
            return replace(schedule, description=event.description)
        case ScheduleCadenceEdited():
            return replace(
                schedule,
                cadence=event.cadence,
                policies=event.policies or schedule.policies,
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
            archived = event.cause == "archived"
            return replace(
                schedule,
                deleted=True,
                backfill=None,
                suppressed=schedule.suppressed or (schedule.origin is not None and not archived),
                archived=archived,
                active=False,
                next=None,
            )
        case _:
            assert_never(event)


def _managed(
    schedule: Schedule,
    event: ScheduleSynced | ScheduleCadenceOverridden | ScheduleOverrideCleared | ScheduleRestored,
) -> Schedule:
    match event:
        case ScheduleSynced():
            return replace(
                schedule,
                archived=False,
                origin=event.origin,
                description=event.description,
                cadence=event.cadence,
                policies=event.policies,
                jobs=event.jobs,
                cadence_version=event.cadence_version,
                timing=event.timing,
                next=event.next,
            )
        case ScheduleCadenceOverridden():
            return replace(schedule, overrides=tuple(sorted({*schedule.overrides, *event.bundles})))
        case ScheduleOverrideCleared():
            return replace(schedule, overrides=tuple(one for one in schedule.overrides if one not in event.bundles))
        case ScheduleRestored():
            return replace(schedule, deleted=False, suppressed=False, archived=False)
        case _:
            assert_never(event)


def _ran(schedule: Schedule, event: ScheduleRunOpened | ScheduleBackfillAsked | ScheduleBackfillStopped) -> Schedule:
    match event:
        case ScheduleBackfillAsked():
            asked = Backfill(id=event.backfill, moments=event.moments)
            return replace(schedule, backfill=asked, backfilled=schedule.backfilled | {asked.id})
        case ScheduleBackfillStopped():
            return replace(schedule, backfill=None)
        case ScheduleRunOpened():
            opened = owner.evolve(schedule, event)
            if event.cause_detail == BACKFILL and event.stands_for is not None:
                return replace(opened, backfill=_after(schedule.backfill, event.stands_for))
            return opened
        case _:
            assert_never(event)


def _after(backfill: Backfill | None, at: datetime) -> Backfill | None:
    left = () if backfill is None else tuple(moment for moment in backfill.moments if moment > at)
    return None if backfill is None or not left else replace(backfill, moments=left)
