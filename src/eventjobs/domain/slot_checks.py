"""What keeps a group from being activated with its slot schedule, and what is odd about it (G32 to G38, G57, G63)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from eventjobs.domain import zones
from eventjobs.domain.due import Decision
from eventjobs.domain.slot_activation import first_start, is_last, on_slots_set, slot_under_way
from eventjobs.domain.slots import DAY_MAX, MINUTES, SLOT, SLOTS, drawn, is_late_day, missing, window
from eventjobs.errors import FieldError
from eventjobs.events.cadence import TimingPolicies, TimingState
from eventjobs.events.slots import SlotSchedule, SlotType


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something wrong or odd: a path, a stable code, a sentence, and in `extra` the way out where there is one."""

    path: str
    code: str
    detail: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def error(self) -> FieldError:
        """It as a wrong field."""
        return FieldError(self.path, self.code, self.detail)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found, the first first; with an error there is no activation."""

    errors: tuple[Finding, ...] = ()
    warnings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """
    What is activated, and when: the schedule, the instant at which the group expires, its members' by job id.

    `again`: it was active with this schedule before, so its `from` may be past. `state` tells what was answered.
    """

    schedule: SlotSchedule
    policies: TimingPolicies
    now: datetime
    expires_at: datetime | None = None
    members: Mapping[str, datetime | None] = field(default_factory=dict)
    again: bool = False
    state: TimingState = TimingState()


def check_activation(activation: Activation) -> Findings:
    """Return every error, in the order in which they count; where there is none, the warnings."""
    errors = tuple(form_errors(activation.schedule)) or tuple(_errors(activation))
    return Findings(
        errors=errors, warnings=() if errors else (*_run_warnings(activation), *members_that_expire_first(activation))
    )


def form_errors(schedule: SlotSchedule) -> Iterator[Finding]:
    """Yield what is wrong with a schedule at any time: a draft may be saved with it (G12)."""
    lacking = missing(schedule)
    if lacking:
        detail = f"A schedule of type {schedule.type} also needs {' and '.join(lacking)}."
        yield Finding(path="schedule", code="schedule_incomplete", detail=detail)
    if is_late_day(schedule):
        detail = f"Not every month has a day {schedule.day}: choose one up to {DAY_MAX}, or `last`."
        yield Finding(path="schedule.day", code="month_day_not_allowed", detail=detail)


def _errors(activation: Activation) -> Iterator[Finding]:
    schedule, policies, now = activation.schedule, activation.policies, activation.now
    today = zones.shown_in(schedule.time_zone, now).local.date().isoformat()
    start = first_start(schedule, policies) if schedule.type is SlotType.ONCE else None
    if start is not None and start.due + SLOT <= now:
        yield Finding(path="schedule", code="slot_in_past", detail=f"The slot of {start.local[:10]} is over.")
    elif start is not None or schedule.from_date == today:
        began = slot_under_way(schedule, policies, now)
        if began is not None:
            yield _overlap(schedule, began)
    if schedule.from_date is not None and schedule.from_date < today and not activation.again:
        yield Finding(path="schedule.from", code="start_in_past", detail=f"{schedule.from_date} is past.")


def _overlap(schedule: SlotSchedule, began: datetime) -> Finding:
    free = zones.shown_in(schedule.time_zone, began + SLOT).local
    slot = {"date": free.date().isoformat(), "hour": free.hour, "slot": SLOTS[free.minute // MINUTES]}
    detail = f"A part of this slot is over; the next free one is {free.date()} {window(free)}."
    return Finding(path="schedule.slot", code="slot_overlaps_now", detail=detail, extra={"next_free_slot": slot})


def _run_warnings(activation: Activation) -> Iterator[Finding]:
    schedule, policies, expires_at = activation.schedule, activation.policies, activation.expires_at
    if schedule.type is SlotType.ON_DEMAND:
        return
    schedule = schedule if schedule.minute is not None else drawn(schedule, 0)
    decision = on_slots_set(schedule, policies, activation.state, activation.now, expires_at)
    forever = on_slots_set(schedule, policies, activation.state, activation.now, None)
    if _lost_day(activation, schedule, forever):
        detail = "The zone moved west after that day's time was answered: the day has no run."
        yield Finding(path="schedule.time_zone", code="day_lost", detail=detail)
    if forever.next is None:
        yield Finding(path="schedule", code="never_fires", detail="Nothing will ever be due.")
    elif decision.next is None:
        detail = f"The first run would be {forever.next.local}, when it has expired."
        yield Finding(path="expires_on", code="no_run_before_expiry", detail=detail)
    elif _is_last(activation, schedule, decision, expires_at) and not _is_last(activation, schedule, forever, None):
        detail = f"It runs once, {decision.next.local}, and then expires."
        yield Finding(path="expires_on", code="few_runs_before_expiry", detail=detail)


def _lost_day(activation: Activation, schedule: SlotSchedule, decision: Decision) -> bool:
    free = on_slots_set(schedule, activation.policies, TimingState(), activation.now, None).next
    return free is not None and (decision.next is None or free.due < decision.next.due)


def _is_last(activation: Activation, schedule: SlotSchedule, decision: Decision, expires_at: datetime | None) -> bool:
    due = decision.next
    return due is None or is_last(schedule, activation.policies, decision.state, due, expires_at)


def members_that_expire_first(activation: Activation) -> Iterator[Finding]:
    """Warn of each member that expires before its group (G63)."""
    for place, (job, expires_at) in enumerate(activation.members.items()):
        if expires_at is not None and (activation.expires_at is None or expires_at < activation.expires_at):
            detail = f"The job {job!r} expires before its group."
            yield Finding(path=f"jobs.{place}", code="member_expires_first", detail=detail, extra={"job": job})
