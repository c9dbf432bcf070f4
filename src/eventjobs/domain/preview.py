"""What comes, as people are shown it before and after a change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from eventjobs.domain import zones
from eventjobs.domain.cadence import due_at, start_label
from eventjobs.domain.due import Span, answer_due
from eventjobs.domain.halts import Halt, in_force
from eventjobs.domain.reference import following
from eventjobs.domain.timing import TICK, Moments, Nothing, Steps, aligned, step
from eventjobs.events.cadence import Cadence, NextDue, Timing, TimingPolicies, TimingState, Unit

_DAY: Final = timedelta(days=1)
_CLOCK_PERIODS: Final = {Unit.MINUTE: timedelta(minutes=1), Unit.HOUR: timedelta(hours=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A coming moment and what is odd about it: `dst_gap`, `dst_repeat`, `drifted_from_label`, `paused`, `held`."""

    due: NextDue
    notes: tuple[str, ...]


def preview(
    cadence: Cadence,
    policies: TimingPolicies,
    state: TimingState,
    next_due: NextDue | None,
    n: int = 10,
    *,
    now: datetime | None = None,
    halts: Sequence[Halt] = (),
) -> list[Coming]:
    """
    Return the next `n` moments, fewer where no more come, supposing that each runs on time.

    A moment that runs at once is left out: one that is pending, and with `now` one that is due by then. One in a halt
    is there with its reason as a note.
    """
    at = state.pending_at or now
    if next_due is not None and at is not None and next_due.due <= at:
        after = answer_due(cadence, policies, state, next_due, at).if_run
        state, next_due = after.state, after.next
    if next_due is None:
        return []
    dues = _onward(next_due, following(cadence, policies, state, next_due))
    return [Coming(due=due, notes=_notes(cadence, due, halts)) for due in islice(dues, n)]


def _onward(due: NextDue | None, moments: Moments) -> Iterator[NextDue]:
    while due is not None:
        yield due
        due = moments.after(due.due)


def _notes(cadence: Cadence, due: NextDue, halts: Sequence[Halt]) -> tuple[str, ...]:
    notes = []
    halt = in_force(halts, due.due)
    if halt is not None:
        notes.append(halt.reason)
    if due.asked is not None:
        notes.append("dst_gap")
    if zones.is_repeated(cadence.time_zone, datetime.fromisoformat(due.local)):
        notes.append("dst_repeat")
    if drifted_from_label(cadence, due):
        notes.append("drifted_from_label")
    return tuple(notes)


def drifted_from_label(cadence: Cadence, due: NextDue) -> bool:
    """
    Say whether a moment's local time differs from what the cadence's short text promises (R20).

    Days and `once` promise the time of day, months also the day (or the month's last), minutes and hours their places
    in the day where the period divides it. A time that a gap shifted is not drifted.
    """
    if due.asked is not None:
        return False
    label, shown = start_label(cadence), datetime.fromisoformat(due.local)
    off = timedelta(hours=shown.hour - label.hour, minutes=shown.minute - label.minute, seconds=shown.second)
    if cadence.unit in _CLOCK_PERIODS:
        period = cadence.every * _CLOCK_PERIODS[cadence.unit]
        return not _DAY % period and bool(off % period)
    if cadence.unit is Unit.MONTH:
        same_month = step(shown.replace(tzinfo=zones.HORIZON.tzinfo), 0, Unit.MONTH, label.day)
        return bool(off) or (same_month is not None and same_month.day != shown.day)
    return bool(off)


def occurrences_between(
    cadence: Cadence, policies: TimingPolicies, span: Span, limit: int, *, after: datetime | None = None
) -> list[NextDue]:
    """Return the moments that a collapsed span stands for, at most `limit`, with `after` those strictly after it."""
    moments = _moments_of(cadence, policies, span)
    begin = moments.after(span.first - TICK)
    if begin is None or begin.due != span.first:  # a run "now" stands beside the cadence
        begin = due_at(cadence, span.first)
    if after is not None and after >= span.first:
        begin = moments.after(after)
    return list(islice(takewhile(lambda due: due.due <= span.last, _onward(begin, moments)), limit))


def _moments_of(cadence: Cadence, policies: TimingPolicies, span: Span) -> Moments:
    if cadence.unit is Unit.ONCE:
        return Nothing()
    if policies.timing is not Timing.ELAPSED:
        return aligned(cadence, policies, None)
    return Steps(cadence, span.first, span.anchor_day or max(span.first.day, span.last.day), first=0)
