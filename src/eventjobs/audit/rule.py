"""
The rule replayed, to see whether it gives the steps that are recorded.

A fact does not keep the *now* of its decision, only its own time, which is a little later. What the rule gives is the
same between two thresholds (a moment, a minute after it, the edge of the window), so a handful of instants stand for
all that are possible.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from eventjobs.audit.comparing import differs, swallowed
from eventjobs.audit.findings import Kind, Mismatch
from eventjobs.audit.following import not_followed
from eventjobs.audit.settled import settled
from eventjobs.audit.slot_rule import not_redrawn, not_rescheduled, slot_marks, slot_mismatch
from eventjobs.audit.steps import Settling, Step, moved
from eventjobs.domain.activation import on_activated, on_inactivated
from eventjobs.domain.blackouts import blackouts
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.edits import is_read_otherwise, on_cadence_changed, on_zone_data_changed
from eventjobs.domain.halts import Halt
from eventjobs.domain.owner import Owner
from eventjobs.domain.reference import ON_TIME
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.timing import resolve_start
from eventjobs.events.cadence import Cadence, NextDue, TimingPolicies, TimingState, Unit
from eventjobs.events.recorded import StreamId
from eventjobs.events.schedule import (
    ScheduleActivated,
    ScheduleCadenceEdited,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleInactivated,
    SchedulePolicies,
    SchedulePoliciesEdited,
    ScheduleSynced,
    ScheduleZoneDataAdopted,
)

_HALF: Final = timedelta(seconds=0.5)
_NONE: Final = timedelta(0)
_EDGES: Final = timedelta(hours=1)
"""How far back the edge of a blackout is worth a look: the rule's answer hangs on the one that may be in force now."""


class Subject(NamedTuple):
    """Whose steps they are, with the holds of its workspace and of the deployment, and its workspace's surroundings."""

    stream: StreamId
    holds: tuple[Halt, ...] = ()
    calendars: Mapping[str, Calendar] = MappingProxyType({})
    zone: str = "UTC"

    def halts(self, owner: Owner, begin: datetime, end: datetime) -> Sequence[Halt]:
        """Return what halts the owner from `begin` to `end`, in the order in which it counts."""
        own = () if owner.pause is None else (owner.pause,)
        named = {one: self.calendars[one] for one in owner.policies.calendars if one in self.calendars}
        return (*own, *self.holds, *blackouts(named, begin, end))


class Unexplained(NamedTuple):
    """What is wrong, with which of the steps, and how long before its time the rule would have given them, if ever."""

    mismatch: Mismatch
    step: int
    back: timedelta | None = None


def explain(
    subject: Subject, owner: Owner, steps: Sequence[Step], at: datetime, slack: timedelta
) -> Unexplained | None:
    """
    Find an instant within `slack` before `at` at which the rule gives all of the steps, one after the other.

    Returns `None` if there is one, else what is wrong with them at `at`; `back` is how far back one lies, if one does.
    """
    try:
        unexplained = _replayed(subject, owner, steps, at)
        if unexplained is None:
            return None
        for now in sorted(_instants(subject, owner, steps, at), reverse=True):
            if now < at and _replayed(subject, owner, steps, now) is None:
                lost = _fell_due(subject, owner, steps, at)
                if lost is None and at - slack <= now:
                    return None
                return (lost or unexplained)._replace(back=at - now)
    except (ArithmeticError, LookupError, ValueError) as error:  # facts that no command writes, or an unknown zone
        return Unexplained(Mismatch(Kind.NOT_THE_RULE, f"the rule cannot be applied to it: {error!r}"), 0)
    return unexplained


def _replayed(subject: Subject, owner: Owner, steps: Sequence[Step], now: datetime) -> Unexplained | None:
    for place, step in enumerate(steps):
        mismatch = _unlike_its_definition(owner, step, steps[place + 1 :]) or _check(subject, owner, step, now)
        if mismatch is not None:
            return Unexplained(mismatch, place)
        owner = moved(subject.stream.kind, owner, step)
    return None


def _fell_due(subject: Subject, owner: Owner, steps: Sequence[Step], at: datetime) -> Unexplained | None:
    """Return that a step swallows a moment which fell due between its decision and `at`, its own time."""
    for place, step in enumerate(steps):
        after = moved(subject.stream.kind, owner, step)
        if not isinstance(step, Settling) and (not after.active or after.next != owner.next):
            mismatch = swallowed(owner, at)
            if mismatch is not None:
                return Unexplained(mismatch, place)
        owner = after
    return None


def _unlike_its_definition(owner: Owner, step: Step, later: Sequence[Step]) -> Mismatch | None:
    match owner:
        case Schedule():
            return not_followed(owner, step)
        case SlotOwner():
            return not_rescheduled(owner, step, later) or not_redrawn(owner, step, later)
        case _:
            return None


def _instants(subject: Subject, owner: Owner, steps: Sequence[Step], at: datetime) -> Iterator[datetime]:
    marks = {mark for step in steps for mark in _marks(step)}
    if isinstance(owner, SlotOwner):
        marks.update(slot_marks(subject.zone, owner, steps, at))
    if owner.next is not None:
        marks.add(owner.next.due)
    saved: list[SchedulePolicies | None] = [getattr(step, "policies", None) for step in steps]
    read = [policies for policies in (owner.policies, *saved) if policies is not None]
    calendars = tuple(sorted({calendar for policies in read for calendar in policies.calendars}))
    named = replace(owner, policies=replace(owner.policies, calendars=calendars))
    for halt in subject.halts(named, at - _EDGES, at):
        marks.update(edge for edge in (halt.since, halt.until) if edge is not None)
    reach = {_NONE, ON_TIME}
    for policies in read:
        if policies.timing.catch_up_window_s is not None:
            reach.add(timedelta(seconds=policies.timing.catch_up_window_s))
    for mark in marks:
        for ahead in reach:
            yield from (mark + ahead - _HALF, mark + ahead, mark + ahead + _HALF)


def _marks(step: Step) -> Iterator[datetime]:
    if isinstance(step, Settling):
        yield from (part.first for part in step.parts)
        yield from (part.last for part in step.parts)
    cadence, policies = getattr(step, "cadence", None), getattr(step, "policies", None)
    if cadence is not None and cadence.unit is not Unit.CRON:
        yield resolve_start(cadence, policies.timing if policies is not None else TimingPolicies())
    timing: TimingState | None = getattr(step, "timing", None)
    if timing is not None:
        yield from (mark for mark in (timing.reference, timing.pending_at, timing.last_answered) if mark is not None)
    following: NextDue | None = getattr(step, "next", None)
    if following is not None:
        yield following.due


def _check(subject: Subject, owner: Owner, step: Step, now: datetime) -> Mismatch | None:
    if isinstance(step, Settling):
        return _settled(subject, owner, step, now)
    if isinstance(owner, SlotOwner):
        return slot_mismatch(subject.zone, owner, step, now)
    return _of_schedule(owner, step, now)


def _of_schedule(owner: Owner, step: Step, now: datetime) -> Mismatch | None:
    match step:
        case ScheduleCreated():
            return _created(step, now)
        case ScheduleActivated():
            return _activated(owner, step, now)
        case ScheduleDeleted() | ScheduleInactivated() | ScheduleZoneDataAdopted():
            return swallowed(owner, now) or _stands(owner, step, now)
        case ScheduleCadenceEdited():
            policies = step.policies or owner.policies
            return swallowed(owner, now) or _edited(owner, step, step.cadence, policies.timing, now)
        case SchedulePoliciesEdited():
            return swallowed(owner, now) or _policies(owner, step, owner.cadence, now)
        case ScheduleSynced():
            return swallowed(owner, now) or _policies(owner, step, step.cadence, now)
        case _:
            return None


def _stands(
    owner: Owner, step: ScheduleDeleted | ScheduleInactivated | ScheduleZoneDataAdopted, now: datetime
) -> Mismatch | None:
    match step:
        case ScheduleInactivated():
            return differs(step.timing, on_inactivated(owner.timing), None, None)
        case ScheduleZoneDataAdopted():
            decision = on_zone_data_changed(owner.cadence, owner.policies.timing, owner.timing, owner.next, now)
            return differs(step.timing, decision.state, step.next, decision.next)
        case ScheduleDeleted():
            return None


def _created(step: ScheduleCreated, now: datetime) -> Mismatch | None:
    if not step.active:
        return differs(step.timing, TimingState(), step.next, None)
    decision = on_activated(step.cadence, step.policies.timing, TimingState(), now)
    return differs(step.timing, decision.state, step.next, decision.next)


def _activated(owner: Owner, step: ScheduleActivated, now: datetime) -> Mismatch | None:
    mismatch: Mismatch | None = None
    for behind in (False, True):
        decision = on_activated(owner.cadence, owner.policies.timing, owner.timing, now, run_if_behind=behind)
        mismatch = differs(step.timing, decision.state, step.next, decision.next)
        if mismatch is None:
            return None
    return mismatch


def _policies(
    owner: Owner, step: SchedulePoliciesEdited | ScheduleSynced, cadence: Cadence, now: datetime
) -> Mismatch | None:
    new = step.policies.timing
    if cadence != owner.cadence or is_read_otherwise(owner.policies.timing, new):
        return _edited(owner, step, cadence, new, now)
    if step.cadence_version != owner.cadence_version:
        return Mismatch(Kind.NOT_THE_RULE, "it begins a cadence version although its timing is read as before")
    return differs(step.timing, owner.timing, step.next, owner.next)


def _edited(
    owner: Owner,
    step: ScheduleCadenceEdited | SchedulePoliciesEdited | ScheduleSynced,
    cadence: Cadence,
    policies: TimingPolicies,
    now: datetime,
) -> Mismatch | None:
    if step.cadence_version != owner.cadence_version + 1:
        what = f"its cadence version is {step.cadence_version} after {owner.cadence_version}"
        return Mismatch(Kind.NOT_THE_RULE, what)
    decision = on_cadence_changed(
        owner.cadence,
        owner.policies.timing,
        cadence,
        policies,
        state=owner.timing,
        next_due=owner.next,
        now=now,
        active=owner.active,
    )
    return differs(step.timing, decision.state, step.next, decision.next)


def _settled(subject: Subject, owner: Owner, step: Settling, now: datetime) -> Mismatch | None:
    halts = subject.halts(owner, now if owner.next is None else owner.next.due, now)
    mismatch, timing, following = settled(subject.stream, owner, step, now, halts)
    return mismatch or differs(step.timing, timing, step.next, following)
