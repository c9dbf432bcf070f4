"""What comes, as people are shown it before and after a change."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice, takewhile
from types import MappingProxyType
from typing import Final

from eventjobs.domain import zones
from eventjobs.domain.blackouts import blackouts
from eventjobs.domain.cadence import due_at, start_label
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.due import Span, answer_due
from eventjobs.domain.halts import Halt, in_force_at
from eventjobs.domain.moments import Moments, Nothing
from eventjobs.domain.reference import following, next_after
from eventjobs.domain.timing import CLOCK_PERIODS, TICK, Steps, aligned, start_of, step
from eventjobs.events.cadence import Cadence, NextDue, Timing, TimingPolicies, TimingState, Unit

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """A coming moment and what is odd about it: `dst_gap`, `dst_repeat`, `drifted_from_label`, `paused`, `blackout`."""

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
    until: datetime | None = None,
    halts: Sequence[Halt] = (),
    calendars: Mapping[str, Calendar] = MappingProxyType({}),
) -> list[Coming]:
    """
    Return the next `n` moments, fewer where no more come before `until`, supposing that each runs on time.

    A moment that runs at once is left out: one that is pending, and with `now` one that is due by then. One in a halt
    or in a blackout of `calendars` is there with its reason as a note.
    """
    at = state.pending_at or now
    if next_due is not None and at is not None and next_due.due <= at:
        after = answer_due(cadence, policies, state, next_due, at).if_run
        state, next_due = after.state, after.next
    if next_due is None:
        return []
    onward = _onward(next_due, following(cadence, policies, state, next_due))
    dues = islice(takewhile(lambda one: until is None or one.due < until, onward), n)
    return [Coming(due=due, notes=_notes(cadence, due, halt)) for due, halt in _halted(dues, halts, calendars)]


def _halted(
    dues: Iterable[NextDue], halts: Sequence[Halt], calendars: Mapping[str, Calendar]
) -> Iterator[tuple[NextDue, Halt | None]]:
    """Pair moments with the halt that each lies in; the blackouts of months without a moment are not looked for."""
    for _, month in groupby(dues, key=lambda due: (due.due.year, due.due.month)):
        there = list(month)
        instants = [due.due for due in there]
        blacked_out = blackouts(calendars, instants[0], instants[-1])
        yield from zip(there, in_force_at([*halts, *blacked_out], instants), strict=True)


def _onward(due: NextDue | None, moments: Moments) -> Iterator[NextDue]:
    while due is not None:
        yield due
        due = moments.after(due.due)


def _notes(cadence: Cadence, due: NextDue, halt: Halt | None) -> tuple[str, ...]:
    notes = []
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
    in the day where the period divides it. A time that a gap shifted is not drifted, nor is one of a cron.
    """
    if due.asked is not None or cadence.unit is Unit.CRON:
        return False
    label, shown = start_label(cadence), datetime.fromisoformat(due.local)
    off = timedelta(hours=shown.hour - label.hour, minutes=shown.minute - label.minute, seconds=shown.second)
    if cadence.unit in CLOCK_PERIODS:
        period = cadence.every * CLOCK_PERIODS[cadence.unit]
        return not _DAY % period and bool(off % period)
    if cadence.unit is Unit.MONTH:
        same_month = step(shown.replace(tzinfo=zones.HORIZON.tzinfo), 0, Unit.MONTH, label.day)
        return bool(off) or (same_month is not None and same_month.day != shown.day)
    return bool(off)


def moments_since(cadence: Cadence, policies: TimingPolicies, at: datetime) -> Iterator[NextDue]:
    """Yield the moments of a cadence from an instant on, as if it had run on time ever since its start."""
    if policies.timing is not Timing.ELAPSED:
        moments = aligned(cadence, policies, None)
        return _onward(moments.after(at - TICK), moments)
    nothing_answered = TimingState()
    start = start_of(cadence, policies)
    begin = start if start.due >= at else next_after(cadence, policies, nothing_answered, at - TICK)
    return _onward(begin, following(cadence, policies, nothing_answered, start))


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
