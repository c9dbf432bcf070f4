"""What the next moment counts from: the reference, the anchor's day, the last answered moment."""

from datetime import datetime, timedelta
from typing import Final

from eventjobs.domain.moments import Answered, Moments, Nothing
from eventjobs.domain.slot_cadence import SlotCadence
from eventjobs.domain.timing import Steps, aligned, resolve_start, start_of
from eventjobs.events.cadence import Cadence, CatchUp, NextDue, Timing, TimingPolicies, TimingState, Unit

ON_TIME: Final = timedelta(seconds=60)


def cut(at: datetime) -> datetime:
    """Return an instant cut down to the second."""
    return at.replace(microsecond=0)


def answered(state: TimingState) -> Answered | None:
    """Return the last answered moment, if there is one."""
    if state.last_answered is None or state.last_local is None:
        return None
    return Answered(state.last_answered, state.last_local, state.last_fold)


def label_answered(policies: TimingPolicies, state: TimingState, due: NextDue) -> tuple[str, int]:
    """
    Return the local time and fold that count as answered last once `due` is.

    Under `wall_clock` a run "now" in a zone that was moved west does not bring that day back.
    """
    label = due.local, due.fold
    if policies.timing is not Timing.WALL_CLOCK or state.last_local is None:
        return label
    return max(label, (state.last_local, state.last_fold))


def anchor_day_of(cadence: Cadence, policies: TimingPolicies, state: TimingState, due: datetime) -> int:
    """Return the day of the month that months after a due moment keep: its own where it begins the count (R17)."""
    if cadence.unit is not Unit.MONTH or state.reference is None or state.anchor_day is None:
        return due.day
    if due in (state.pending_at, resolve_start(cadence, policies)):
        return due.day
    return state.anchor_day


def next_after(cadence: Cadence, policies: TimingPolicies, state: TimingState, at: datetime) -> NextDue | None:
    """
    Return the first moment strictly after an instant, and after the last answered one.

    `elapsed` counts whole periods from the reference, or from the start where nothing was answered yet; a spent `once`
    has none.
    """
    at = at if state.last_answered is None else max(at, state.last_answered)
    if isinstance(cadence, SlotCadence) and state.reference is not None:
        at = max(at, state.reference)  # the end of the slot in which it was activated (G35)
    if policies.timing is not Timing.ELAPSED:
        return aligned(cadence, policies, answered(state)).after(at)
    start = start_of(cadence, policies)
    if cadence.unit is Unit.ONCE:
        return None if state.completed or start.due <= at else start
    if state.reference is not None:
        return Steps(cadence, state.reference, state.anchor_day or state.reference.day, first=1).after(at)
    return start if start.due > at else Steps(cadence, start.due, start.due.day, first=1).after(at)


def following(cadence: Cadence, policies: TimingPolicies, state: TimingState, due: NextDue) -> Moments:
    """Return the moments after a due one, supposing that it does not re-anchor."""
    if cadence.unit is Unit.ONCE:
        return Nothing()
    if policies.timing is not Timing.ELAPSED:
        return aligned(cadence, policies, Answered(due.due, *label_answered(policies, state, due)))
    if state.resume_at is not None:
        return Steps(cadence, state.resume_at, state.resume_at.day, first=0)
    return Steps(cadence, due.due, anchor_day_of(cadence, policies, state, due.due), first=1)


def catch_up_window(policies: TimingPolicies) -> timedelta | None:
    """Return how late a moment may still run: never less than the tolerance for "on time", `None` without limit."""
    if policies.catch_up is CatchUp.NEVER:
        return ON_TIME
    window = policies.catch_up_window_s
    return None if window is None else max(timedelta(seconds=window), ON_TIME)


def why_missed(policies: TimingPolicies, *, over: bool) -> str:
    """Return why moments that no run covers are missed; `over`: their owner has expired."""
    if over:
        return "expired"
    return "catch_up_never" if policies.catch_up is CatchUp.NEVER else "catch_up_window"
