"""
What is recorded alike of every owner of due moments: a schedule, a group, or a job with a schedule of its own.

Each kind has its own stored names; the fields are these. They are a storage format.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from eventjobs.events.cadence import NextDue, TimingState
from eventjobs.events.slots import SlotSchedule


class OwnerFact:
    """What all of them are: facts, stored under the name that their owner's kind gives them."""

    __slots__ = ()
    TYPE: ClassVar[str]
    SCHEMA: ClassVar[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerPaused(OwnerFact):
    """
    Its due moments from `since` on are skipped, until `until` or until somebody ends the pause.

    Manual runs and an open run go on. `by` is who paused it, which whoever is refused is told.
    """

    since: datetime
    until: datetime | None = None
    note: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerUnpaused(OwnerFact):
    """
    The pause is over; nothing runs for it.

    `cause` is `asked` (somebody ended it) or `until` (its end had come).
    """

    cause: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerZoneDataAdopted(OwnerFact):
    """
    Its next moment was looked for again, with the zone data `version`; nothing answered became due again.

    Only who goes by the wall clock has another `next`, where the zone's clocks are set otherwise than was known.
    """

    version: str
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRunOpened(OwnerFact):
    """
    A run of it is open.

    For an answered occurrence `due` names it and `timing` and `next` say where the cadence stands afterwards. One that
    comes from the queue has `due` alone: it was answered when it was queued. A manual run has none of them and moves
    nothing (R19); one of a backfill `stands_for` a moment of the past.
    """

    run: str
    cause: str
    cause_detail: str | None = None
    due: datetime | None = None
    timing: TimingState | None = None
    next: NextDue | None = None
    stands_for: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerRunClosed(OwnerFact):
    """That run ended; `open_run` is the newest of those that are still open (overlap `allow`)."""

    run: str
    state: str
    reason: str | None = None
    open_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrenceQueued(OwnerFact):
    """
    A due moment was answered and waits: its run opens when the owner's runs before it are over.

    `reason` says what it waits for: `overlap` for `open_run`, `owner_limit` and `limit` for one of the `limit` places
    for runs of the owner or of the workspace. `missed_*` say which later moments its run will cover. Where the cadence
    stands afterwards is in `timing` and `next`; a moment that waits never re-anchors it.
    """

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
class OccurrenceDropped(OwnerFact):
    """
    A moment that waited left the queue without a run: `outcome` is `skipped` or `missed`, for `reason`.

    It moves nothing; the occurrence's own stream says the same.
    """

    due: datetime
    cadence_version: int
    outcome: str
    reason: str
    open_run: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OccurrencesSkipped(OwnerFact):
    """
    `count` due moments from `first` to `last` were answered without a run.

    `reason` is `overlap`, `queue_full`, `paused`, `held` or `blackout`. One of them alone also has its own stream;
    several are consecutive moments of one cadence version, whose months keep the day `anchor_day`.
    """

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
class OccurrencesMissed(OwnerFact):
    """
    `count` due moments from `first` to `last` passed unanswered and stay so.

    `reason` is `downtime` (nothing was up to run them), `catch_up_window` or `catch_up_never` (the policy forbids it),
    or `expired` (their owner was over when they were answered); `covered_by` names the run that stands for them. One of
    them alone also has its own stream.
    """

    reason: str
    count: int
    first: datetime
    last: datetime
    anchor_day: int | None = None
    cadence_version: int
    covered_by: str | None = None
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerScheduled(OwnerFact):
    """
    It is due by this slot schedule from now on, as a new cadence version: it was activated, or has another one.

    The minute is drawn (G30). Nothing runs at once for it.
    """

    schedule: SlotSchedule
    cadence_version: int
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerMinuteDrawn(OwnerFact):
    """
    The minute of its next moment was drawn anew (G30), when the one before was answered; the rest of `schedule` stays.

    `timing` and `next` are where the cadence stands with it.
    """

    schedule: SlotSchedule
    timing: TimingState
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerUnscheduled(OwnerFact):
    """Somebody switched it off: it has no due moments any more, and an open run finishes (G13)."""

    timing: TimingState


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerExpirationSet(OwnerFact):
    """
    It expires at `expires_at`, when its last day `expires_on` (`YYYY-MM-DD`) is over; without them it never does.

    `warn_at` are the instants at which people are told before, those that have passed left out. `next` is what is due
    next by then.
    """

    expires_on: str | None = None
    expires_at: datetime | None = None
    warn_at: tuple[datetime, ...] = ()
    next: NextDue | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerExpiryWarned(OwnerFact):
    """It expires in so many days, which people are told (G61); `warn_at` are the warnings that are left."""

    days_left: int
    expires_at: datetime
    warn_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerExpiryDeferred(OwnerFact):
    """It should have expired, and `run` is open: it expires when that has ended (G60)."""

    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerExpired(OwnerFact):
    """It expired, and is deleted or, by `on_expiry`, inactive from now on (G56, G62)."""

    on_expiry: str
    timing: TimingState
