"""What activating a schedule means for time (R13, R14, R24, R31)."""

from dataclasses import replace
from datetime import datetime, timedelta

from eventjobs.domain.cadence import due_at
from eventjobs.domain.due import Cause, Decision, answer_due
from eventjobs.domain.reference import catch_up_window, cut, next_after
from eventjobs.domain.timing import Steps, start_of
from eventjobs.events.cadence import Cadence, CatchUp, CauseDetail, NextDue, Timing, TimingPolicies, TimingState, Unit


def on_activated(
    cadence: Cadence,
    policies: TimingPolicies,
    state: TimingState,
    now: datetime,
    *,
    run_if_behind: bool = True,
) -> Decision:
    """
    Decide what an activation (or a creation as active) makes due.

    `run_if_behind=False` re-anchors at now and waits a full period (R31).
    """
    state = on_inactivated(state)
    if policies.timing is not Timing.ELAPSED:
        return _aligned(cadence, policies, state, now, run_if_behind=run_if_behind)
    if cadence.unit is Unit.ONCE:
        return _once(cadence, policies, state, now, run_if_behind=run_if_behind)
    start = start_of(cadence, policies)
    if state.reference is None and start.due > now:
        return Decision(next=start, state=state)
    if not run_if_behind:
        return resting(cadence, policies, anchored(state, cut(now)), now)
    if state.reference is None:
        return _first(cadence, policies, state, start, now)
    return _again(cadence, policies, state, now)


def on_inactivated(state: TimingState) -> TimingState:
    """Return the state of a schedule that was switched off: nothing is pending."""
    return replace(state, pending=None, pending_at=None, resume_at=None)


def anchored(state: TimingState, at: datetime) -> TimingState:
    """Return the state whose periods and months count from an instant."""
    return replace(state, reference=at, anchor_day=at.day)


def resting(cadence: Cadence, policies: TimingPolicies, state: TimingState, now: datetime) -> Decision:
    """
    Wait for the first whole period ahead; a start that is ahead holds the schedule until then (R28). Nothing runs.

    Moments that have passed never fell due; the last of them becomes the reference.
    """
    start = start_of(cadence, policies)
    if state.reference is None:
        state = anchored(state, cut(now))
    if start.due <= now:
        state = _advanced(cadence, state, now)
    due = next_after(cadence, policies, state, state.reference or now)
    if start.due > now and (due is None or due.due < start.due):
        due = start
    return Decision(next=due, state=state, notes=nothing_comes(due))


def _advanced(cadence: Cadence, state: TimingState, now: datetime) -> TimingState:
    reference = state.reference or cut(now)
    passed = Steps(cadence, reference, state.anchor_day or reference.day, first=1).passed(reference, now)
    return state if passed is None else replace(state, reference=passed.last.due)


def is_within_window(policies: TimingPolicies, due: datetime, now: datetime) -> bool:
    """Say whether a moment that an activation or edit makes due may still run."""
    if policies.catch_up is CatchUp.NEVER:
        return False
    window = catch_up_window(policies)
    return window is None or now - due <= window


def nothing_comes(due: NextDue | None) -> tuple[str, ...]:
    """Return the warning for a schedule that nothing makes due any more."""
    return ("never_fires",) if due is None else ()


def _first(cadence: Cadence, policies: TimingPolicies, state: TimingState, start: NextDue, now: datetime) -> Decision:
    if start.due == cut(now):
        return _on_its_start(cadence, policies, state, start, now)
    if policies.catch_up is CatchUp.NEVER:
        return resting(cadence, policies, anchored(state, cut(now)), now)
    return run_now(cadence, policies, state, now, CauseDetail.FIRST_ACTIVATION)


def _on_its_start(
    cadence: Cadence, policies: TimingPolicies, state: TimingState, start: NextDue, now: datetime
) -> Decision:
    then = answer_due(cadence, policies, state, start, now).if_run.next
    return Decision(
        next=start,
        state=state,
        runs_now=True,
        cause=Cause.SCHEDULED,
        cause_detail=CauseDetail.FIRST_ACTIVATION,
        nominal_due=start.due,
        then=then,
    )


def _again(cadence: Cadence, policies: TimingPolicies, state: TimingState, now: datetime) -> Decision:
    due = next_after(cadence, policies, state, state.reference or now)
    start = start_of(cadence, policies)
    behind = due is not None and due.due <= now and start.due <= now
    if due is None or not behind or not is_within_window(policies, due.due, now):
        return resting(cadence, policies, state, now)
    return run_now(cadence, policies, state, now, CauseDetail.REACTIVATED, nominal=due.due)


def _once(
    cadence: Cadence, policies: TimingPolicies, state: TimingState, now: datetime, *, run_if_behind: bool
) -> Decision:
    start = start_of(cadence, policies)
    if state.completed:
        return Decision(next=None, state=state)
    if start.due > now:
        return Decision(next=start, state=state)
    if start.due == cut(now) and state.last_answered is None:
        return _on_its_start(cadence, policies, state, start, now)
    if policies.catch_up is CatchUp.NEVER or not run_if_behind:
        return Decision(next=None, state=state, notes=nothing_comes(None))
    detail = CauseDetail.FIRST_ACTIVATION if state.last_answered is None else CauseDetail.REACTIVATED
    return run_now(cadence, policies, state, now, detail)


def _aligned(
    cadence: Cadence, policies: TimingPolicies, state: TimingState, now: datetime, *, run_if_behind: bool
) -> Decision:
    literal = policies.catch_up is CatchUp.ALWAYS_ON_TIGHTEN and cadence.unit is not Unit.CRON  # which has no start
    first = literal and state.last_answered is None and start_of(cadence, policies).due <= now
    if first and run_if_behind:
        return run_now(cadence, policies, state, now, CauseDetail.FIRST_ACTIVATION)
    due = next_after(cadence, policies, state, now)
    return Decision(next=due, state=state, notes=nothing_comes(due))


def run_now(
    cadence: Cadence,
    policies: TimingPolicies,
    state: TimingState,
    now: datetime,
    detail: CauseDetail,
    *,
    nominal: datetime | None = None,
    resume_at: datetime | None = None,
    notes: tuple[str, ...] = (),
) -> Decision:
    """
    Make a schedule due at once.

    The occurrence is named by `nominal`, else by now, cut down to the second; never by an instant at or before the
    last answered one.
    """
    named = nominal or cut(now)
    if state.last_answered is not None and named <= state.last_answered:
        named = state.last_answered + timedelta(seconds=1)
    due = due_at(cadence, named)
    state = replace(state, pending=detail, pending_at=max(cut(now), named), resume_at=resume_at)
    then = answer_due(cadence, policies, state, due, max(now, named)).if_run.next
    return Decision(
        next=due,
        state=state,
        runs_now=named <= now,
        cause=Cause.CATCH_UP,
        cause_detail=detail,
        nominal_due=named,
        then=then,
        notes=notes,
    )
