"""What a decision may know about who is due by a slot schedule and expires: a group, or a Connect job by itself."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias, TypeVar

from eventjobs.domain import owner as owners
from eventjobs.domain.owner import Owner, OwnerEvent
from eventjobs.domain.slots import TIMING, cadence_of
from eventjobs.events.cadence import Cadence
from eventjobs.events.connect import Notification
from eventjobs.events.owner import (
    OwnerExpirationSet,
    OwnerExpired,
    OwnerExpiryDeferred,
    OwnerExpiryWarned,
    OwnerMinuteDrawn,
    OwnerScheduled,
    OwnerUnscheduled,
)
from eventjobs.events.schedule import SchedulePolicies
from eventjobs.events.slots import SlotSchedule, SlotType

NOBODY = Notification()
ON_DEMAND = SlotSchedule(type=SlotType.ON_DEMAND, time_zone="UTC")

SlotOwnerEvent: TypeAlias = (
    OwnerEvent
    | OwnerExpirationSet
    | OwnerExpired
    | OwnerExpiryDeferred
    | OwnerExpiryWarned
    | OwnerMinuteDrawn
    | OwnerScheduled
    | OwnerUnscheduled
)


class Activity(StrEnum):
    """Where its definition stands; whether it runs is another question (G79)."""

    DRAFT = "draft"
    ACTIVE = "active"
    INACTIVE = "inactive"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOwner(Owner):
    """
    Who is due by a slot schedule, and expires at `expires_at`, at the end of its last day `expires_on`.

    `warn_at` are the warnings before that which are left; `deferred` says that it expires when its open run has ended.
    One that was never active is a draft.
    """

    name: str = ""
    description: str = ""
    schedule: SlotSchedule = ON_DEMAND
    notification: Notification = NOBODY
    policies: SchedulePolicies = SchedulePolicies(timing=TIMING, on_failure="stop")
    on_expiry: str = "delete"
    expires_on: str | None = None
    expires_at: datetime | None = None
    warn_at: tuple[datetime, ...] = ()
    deferred: bool = False
    expired: bool = False
    drafted: bool = True
    created_at: datetime | None = None

    @property
    def cadence(self) -> Cadence:
        """What its schedule makes due before it expires; raises `ValueError` for one that is not drawn."""
        return cadence_of(self.schedule, self.expires_at)

    @property
    def activity(self) -> Activity:
        """Where its definition stands."""
        if self.deleted:
            return Activity.DELETED
        if self.active:
            return Activity.ACTIVE
        return Activity.DRAFT if self.drafted else Activity.INACTIVE

    def is_over(self, now: datetime) -> bool:
        """
        Tell whether it has expired by `now`, written or not (SPEC decision 8); one that was deleted does not.

        Whose end was put off is over, also where the clock was set back since.
        """
        is_past = self.expires_at is not None and now >= self.expires_at
        return self.expired or (not self.deleted and (self.deferred or is_past))


S = TypeVar("S", bound=SlotOwner)


def evolve(owner: S, event: SlotOwnerEvent) -> S:
    """Move it by one of the facts that groups and jobs have alike."""
    match event:
        case OwnerScheduled() | OwnerUnscheduled():
            scheduled = _scheduled(owner, event)
            return replace(scheduled, definition_version=owner.definition_version + 1)
        case OwnerMinuteDrawn():
            return replace(owner, schedule=event.schedule, timing=event.timing, next=event.next)
        case OwnerExpirationSet():
            return replace(
                owner,
                definition_version=owner.definition_version + 1,
                expires_on=event.expires_on,
                expires_at=event.expires_at,
                warn_at=event.warn_at,
                deferred=False,
                expired=False,
                next=event.next,
            )
        case OwnerExpiryWarned():
            return replace(owner, warn_at=event.warn_at)
        case OwnerExpiryDeferred():
            return replace(owner, deferred=True, warn_at=())
        case OwnerExpired():
            gone = event.on_expiry == "delete"
            return replace(
                owner,
                definition_version=owner.definition_version + 1,
                deleted=gone,
                active=False,
                expired=True,
                deferred=False,
                warn_at=(),
                timing=event.timing,
                next=None,
            )
        case _:
            return owners.evolve(owner, event)


def _scheduled(owner: S, event: OwnerScheduled | OwnerUnscheduled) -> S:
    if isinstance(event, OwnerUnscheduled):
        return replace(owner, active=False, timing=event.timing, next=None)
    return replace(
        owner,
        active=True,
        drafted=False,
        schedule=event.schedule,
        cadence_version=event.cadence_version,
        timing=event.timing,
        next=event.next,
    )
