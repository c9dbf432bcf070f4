"""
What activating a group, or giving an active one another schedule or minute, means for time (G13, G30, G33, G35, G57).

Nothing runs at once. A schedule that repeats never begins in the slot that is under way: it waits for the next one,
whatever minute was drawn (G35). The other decisions on time are those of every cadence (`due.py`, `edits.py`).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Final

from eventjobs.domain.activation import on_activated
from eventjobs.domain.due import Decision
from eventjobs.domain.moments import Moments
from eventjobs.domain.reference import following, next_after
from eventjobs.domain.slot_cadence import slot_days
from eventjobs.domain.slots import SLOT, cadence_of, drawn
from eventjobs.domain.timing import aligned
from eventjobs.events.cadence import Gap, NextDue, TimingPolicies, TimingState
from eventjobs.events.slots import SlotSchedule, SlotType

RUNS_MAX: Final = 1_000
"""How many coming runs are counted."""
_SECOND: Final = timedelta(seconds=1)
_BEFORE_ALL: Final = datetime(1969, 1, 1, tzinfo=UTC)


def on_slots_set(
    schedule: SlotSchedule, policies: TimingPolicies, state: TimingState, now: datetime, expires_at: datetime | None
) -> Decision:
    """
    Decide what comes when a group is activated, or while active gets another schedule or another draw.

    Moments up to `now` must have been answered before. Raises `ValueError` for a schedule that is not ready.
    """
    begin = slot_under_way(schedule, policies, now)
    if begin is not None:
        state = replace(state, reference=begin + SLOT - _SECOND)
    return on_activated(cadence_of(schedule, expires_at), policies, state, now)


def on_minute_drawn(
    schedule: SlotSchedule, policies: TimingPolicies, state: TimingState, expires_at: datetime | None
) -> Decision:
    """
    Decide what comes with a minute that was drawn anew when a moment was answered: never in the slot of that (G30).

    Raises `ValueError` for a schedule that is not ready, or where nothing was answered.
    """
    answered = state.last_answered
    if answered is None:
        raise ValueError("nothing was answered")
    begin = slot_under_way(schedule, policies, answered) or answered
    beyond = replace(state, reference=begin + SLOT - _SECOND)
    return Decision(next=next_after(cadence_of(schedule, expires_at), policies, beyond, answered), state=beyond)


def is_drawn_anew(state: TimingState) -> bool:
    """Tell whether the minute was drawn since the last moment was answered."""
    return state.reference is not None and state.last_answered is not None and state.reference > state.last_answered


def thresholds(schedule: SlotSchedule, policies: TimingPolicies, at: datetime) -> tuple[datetime, ...]:
    """Return the instants next to `at` at which `on_slots_set` begins to decide otherwise: the edges of its slots."""
    starts = _starts(schedule, policies)
    near = [starts.after(at - 2 * SLOT), starts.after(at)]
    return tuple(edge for due in near if due is not None for edge in (due.due, due.due + SLOT))


def slot_under_way(schedule: SlotSchedule, policies: TimingPolicies, now: datetime) -> datetime | None:
    """Return when the slot of its own that now lies in began."""
    start = _starts(schedule, policies).after(now - SLOT)
    return start.due if start is not None and start.due <= now else None


def first_start(schedule: SlotSchedule, policies: TimingPolicies) -> NextDue | None:
    """Return when its first slot begins, whether a gap leaves it out or not; `None` where there is none."""
    return _starts(schedule, replace(policies, gap=Gap.SHIFT)).after(_BEFORE_ALL)


def _starts(schedule: SlotSchedule, policies: TimingPolicies) -> Moments:
    """Return the moments at which its slots begin."""
    return aligned(cadence_of(drawn(schedule, 0), None), policies, None)


@lru_cache(maxsize=20_000)  # pages show the same again until the next run
def runs_left(
    schedule: SlotSchedule, policies: TimingPolicies, next_due: NextDue | None, expires_at: datetime | None
) -> int | None:
    """Return how many runs come from the next moment on, at most `RUNS_MAX`; `None` where they never end (G57)."""
    if next_due is None:
        return 0
    if schedule.type is not SlotType.ONCE and expires_at is None and schedule.until_date is None:
        return None
    days = slot_days(cadence_of(schedule, expires_at), policies, None)
    return 1 + sum(1 for _ in islice(days.instants_after(next_due.due), RUNS_MAX - 1))


def is_last(
    schedule: SlotSchedule, policies: TimingPolicies, state: TimingState, due: NextDue, expires_at: datetime | None
) -> bool:
    """Tell whether no other run comes after one."""
    return following(cadence_of(schedule, expires_at), policies, state, due).after(due.due) is None
