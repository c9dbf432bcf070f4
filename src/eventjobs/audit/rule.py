"""
The rule replayed, to see whether it gives the steps that are recorded.

A fact does not keep the *now* of its decision, only its own time, which is a little later. What the rule gives is the
same between two thresholds (a moment, a minute after it, the edge of the window), so a handful of instants stand for
all that are possible.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from eventjobs.audit.findings import Kind, Mismatch
from eventjobs.audit.settled import settled
from eventjobs.audit.steps import Settling, Step, moved
from eventjobs.domain.activation import on_activated, on_inactivated
from eventjobs.domain.edits import on_cadence_changed, on_zone_data_changed
from eventjobs.domain.halts import Halt
from eventjobs.domain.reference import ON_TIME
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.timing import resolve_start
from eventjobs.events.cadence import Cadence, NextDue, TimingPolicies, TimingState
from eventjobs.events.schedule import (
    ScheduleActivated,
    ScheduleCadenceEdited,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleInactivated,
    SchedulePoliciesEdited,
    ScheduleZoneDataAdopted,
)

_HALF: Final = timedelta(seconds=0.5)
_NONE: Final = timedelta(0)


class Subject(NamedTuple):
    """Whose steps they are, and the holds of its workspace and of the deployment."""

    id: str
    holds: tuple[Halt, ...] = ()


class Unexplained(NamedTuple):
    """What is wrong, with which of the steps, and how long before its time the rule would have given them, if ever."""

    mismatch: Mismatch
    step: int
    back: timedelta | None = None


def explain(
    subject: Subject, owner: Schedule, steps: Sequence[Step], at: datetime, slack: timedelta
) -> Unexplained | None:
    """
    Find an instant within `slack` before `at` at which the rule gives all of the steps, one after the other.

    Returns `None` if there is one, else what is wrong with them at `at`; `back` is how far back one lies, if one does.
    """
    try:
        unexplained = _replayed(subject, owner, steps, at)
        if unexplained is None:
            return None
        for now in sorted(_instants(subject, owner, steps), reverse=True):
            if now < at and _replayed(subject, owner, steps, now) is None:
                return None if at - slack <= now else unexplained._replace(back=at - now)
    except (ArithmeticError, LookupError, ValueError) as error:  # facts that no command writes, or an unknown zone
        return Unexplained(Mismatch(Kind.NOT_THE_RULE, f"the rule cannot be applied to it: {error!r}"), 0)
    return unexplained


def _replayed(subject: Subject, owner: Schedule, steps: Sequence[Step], now: datetime) -> Unexplained | None:
    for place, step in enumerate(steps):
        mismatch = _check(subject, owner, step, now)
        if mismatch is not None:
            return Unexplained(mismatch, place)
        owner = moved(owner, step)
    return None


def _instants(subject: Subject, owner: Schedule, steps: Sequence[Step]) -> Iterator[datetime]:
    marks = {mark for step in steps for mark in _marks(step)}
    if owner.next is not None:
        marks.add(owner.next.due)
    for halt in (*_own(owner), *subject.holds):
        marks.update(edge for edge in (halt.since, halt.until) if edge is not None)
    reach = {_NONE, ON_TIME}
    for policies in (owner.policies, *(step.policies for step in steps if hasattr(step, "policies"))):
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
    if cadence is not None:
        yield resolve_start(cadence, policies.timing if policies is not None else TimingPolicies())
    timing: TimingState | None = getattr(step, "timing", None)
    if timing is not None:
        yield from (mark for mark in (timing.reference, timing.pending_at, timing.last_answered) if mark is not None)
    following: NextDue | None = getattr(step, "next", None)
    if following is not None:
        yield following.due


def _check(subject: Subject, owner: Schedule, step: Step, now: datetime) -> Mismatch | None:
    match step:
        case Settling():
            return _settled(subject, owner, step, now)
        case ScheduleCreated():
            return _created(step, now)
        case ScheduleActivated():
            return _activated(owner, step, now)
        case ScheduleDeleted() | ScheduleInactivated() | ScheduleZoneDataAdopted():
            return _swallowed(owner, now) or _stands(owner, step, now)
        case ScheduleCadenceEdited():
            return _swallowed(owner, now) or _edited(owner, step, step.cadence, owner.policies.timing, now)
        case SchedulePoliciesEdited():
            return _swallowed(owner, now) or _policies(owner, step, now)
        case _:
            return None


def _stands(
    owner: Schedule, step: ScheduleDeleted | ScheduleInactivated | ScheduleZoneDataAdopted, now: datetime
) -> Mismatch | None:
    match step:
        case ScheduleInactivated():
            return _differs(step.timing, on_inactivated(owner.timing), None, None)
        case ScheduleZoneDataAdopted():
            decision = on_zone_data_changed(owner.cadence, owner.policies.timing, owner.timing, owner.next, now)
            return _differs(step.timing, decision.state, step.next, decision.next)
        case ScheduleDeleted():
            return None


def _swallowed(owner: Schedule, now: datetime) -> Mismatch | None:
    if not owner.active or owner.next is None or owner.next.due > now:
        return None
    return Mismatch(Kind.LEFT_OVER, f"it changes the schedule while {_text(owner.next.due)} was due and not answered")


def _created(step: ScheduleCreated, now: datetime) -> Mismatch | None:
    if not step.active:
        return _differs(step.timing, TimingState(), step.next, None)
    decision = on_activated(step.cadence, step.policies.timing, TimingState(), now)
    return _differs(step.timing, decision.state, step.next, decision.next)


def _activated(owner: Schedule, step: ScheduleActivated, now: datetime) -> Mismatch | None:
    mismatch: Mismatch | None = None
    for behind in (False, True):
        decision = on_activated(owner.cadence, owner.policies.timing, owner.timing, now, run_if_behind=behind)
        mismatch = _differs(step.timing, decision.state, step.next, decision.next)
        if mismatch is None:
            return None
    return mismatch


def _policies(owner: Schedule, step: SchedulePoliciesEdited, now: datetime) -> Mismatch | None:
    old, new = owner.policies.timing, step.policies.timing
    if (old.timing, old.gap, old.repeat) != (new.timing, new.gap, new.repeat):
        return _edited(owner, step, owner.cadence, new, now)
    if step.cadence_version != owner.cadence_version:
        return Mismatch(Kind.NOT_THE_RULE, "it begins a cadence version although its timing is read as before")
    return _differs(step.timing, owner.timing, step.next, owner.next)


def _edited(
    owner: Schedule,
    step: ScheduleCadenceEdited | SchedulePoliciesEdited,
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
    return _differs(step.timing, decision.state, step.next, decision.next)


def _settled(subject: Subject, owner: Schedule, step: Settling, now: datetime) -> Mismatch | None:
    mismatch, timing, following = settled(subject.id, owner, step, now, (*_own(owner), *subject.holds))
    return mismatch or _differs(step.timing, timing, step.next, following)


def _own(owner: Schedule) -> tuple[Halt, ...]:
    return () if owner.pause is None else (owner.pause,)


def _differs(
    timing: TimingState, wanted: TimingState, following: NextDue | None, wanted_next: NextDue | None
) -> Mismatch | None:
    if _moment(following) != _moment(wanted_next):
        what = f"the next moment is {_due(wanted_next)} by the rule, and it says {_due(following)}"
        return Mismatch(Kind.NOT_THE_RULE, what)
    if timing != wanted:
        return Mismatch(Kind.NOT_THE_RULE, f"the rule counts on from {_state(wanted)}, and it says {_state(timing)}")
    return None


def _moment(due: NextDue | None) -> tuple[datetime, str, int, str | None] | None:
    """A moment without the version of the zone data: most versions agree about most zones."""
    return None if due is None else (due.due, due.local, due.fold, due.asked)


def _due(due: NextDue | None) -> str:
    return "none" if due is None else f"{_text(due.due)} ({due.local}, fold {due.fold})"


def _state(state: TimingState) -> str:
    return ", ".join(
        f"{name} {value if not isinstance(value, datetime) else _text(value)}"
        for name in state.__slots__
        if (value := getattr(state, name)) not in (None, False, 0)
    )


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
