"""What comes of many owners between two instants, slot by slot, as far ahead as can be worked out at once."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from heapq import heapify, heappop, heappush
from itertools import chain
from typing import Final, NamedTuple

from eventjobs.domain.blackouts import BLACKOUT, blackouts
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.cron_days import CronDays
from eventjobs.domain.halts import Halt, in_force
from eventjobs.domain.moments import Moments
from eventjobs.domain.reference import following
from eventjobs.domain.timing import TICK, LocalDays
from eventjobs.events.cadence import NextDue
from eventjobs.postgres.pool import Reads
from eventjobs.projections.calendar_reads import calendars_of
from eventjobs.projections.coming import LIST_COMING
from eventjobs.projections.documents import Row, next_of, policies_of, timing_of
from eventjobs.projections.slot_rows import rule_of

OWNERS_MAX: Final = 1_000
"""How many owners are looked at, those that are due first."""
TALLIES_MAX: Final = 6_000
"""How many owners' slots are told at once: two hundred owners have a moment on each day of a month."""
MOMENTS_MAX: Final = 30_000
"""After how many moments nothing more is worked out: those of the wall clock are gone through one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """
    What comes of one owner in one slot: how many moments, the first and the last; `reason` why they are skipped.

    `gone_through` is what it took to know: one, or each of them.
    """

    slot: int
    owner: tuple[str, str]
    cadence_version: int
    count: int
    first: datetime
    last: datetime
    reason: str | None
    gone_through: int


class _Part(NamedTuple):
    """The moments of one slot: how many, the first and the last, and how many of them were gone through."""

    slot: int
    number: int
    first: datetime
    last: datetime
    gone_through: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What comes, in order; with `until` only what comes before that instant."""

    tallies: Sequence[Tally]
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """Whom to look ahead for, those that are due first, and their calendars; all who are due before `known_until`."""

    rows: Sequence[Row]
    calendars: Mapping[str, Calendar]
    known_until: datetime | None = None


NOBODY: Final = Ahead(rows=(), calendars={})


async def list_ahead(
    reads: Reads, workspace: str, position: int, until: datetime, owner: tuple[str, str] | None
) -> Ahead:
    """Return who is due before an instant: one owner, or the first of all."""
    rows = await reads.fetch(LIST_COMING, workspace, position, *(owner or (None, None)), until, OWNERS_MAX + 1)
    known_until = rows[OWNERS_MAX]["due"] if len(rows) > OWNERS_MAX else None
    rows = rows[:OWNERS_MAX]
    calendars = await calendars_of(reads, workspace, rows, position)
    return Ahead(rows=rows, calendars=calendars, known_until=known_until)


def foreseen(ahead: Ahead, bounds: Sequence[datetime]) -> Foresight:
    """Return what comes in slots, which begin and end at these instants."""
    end = ahead.known_until or bounds[-1]
    found: list[Tally] = []
    for one in _in_order(ahead, bounds, end):
        if isinstance(one, datetime):
            return Foresight(tallies=found, until=one)
        if len(found) == TALLIES_MAX:
            return Foresight(tallies=found, until=one.first)
        found.append(one)
    return Foresight(tallies=found, until=ahead.known_until)


def _in_order(ahead: Ahead, bounds: Sequence[datetime], end: datetime) -> Iterator[Tally | datetime]:
    """
    Yield tallies by their first moment; nothing is worked out of owners that are due later than is asked for.

    An instant in the end is that from which on not all is known: as many moments were gone through as may be.
    """
    rows, calendars = ahead.rows, ahead.calendars

    @cache  # many owners name the same few calendars
    def halts_of(names: tuple[str, ...]) -> Sequence[Halt]:
        return blackouts({name: calendars[name] for name in names if name in calendars}, bounds[0], bounds[-1])

    queue = [(row["due"], place) for place, row in enumerate(rows)]
    heapify(queue)
    going: dict[int, tuple[Tally, Iterator[Tally]]] = {}
    spent, until = 0, bounds[-1]
    while queue and queue[0][0] < until:
        at, place = heappop(queue)
        if place in going:
            tally, onward = going.pop(place)
            yield tally
            at = bounds[tally.slot]  # what it has next is not before that
        else:
            onward = _tallies(rows[place], bounds, end, halts_of)
        if spent > MOMENTS_MAX:
            until = min(until, at)
            continue
        coming = next(onward, None)
        if coming is not None:
            spent += coming.gone_through
            going[place] = coming, onward
            heappush(queue, (coming.first, place))
    if until < bounds[-1]:
        yield until


def _tallies(
    row: Row, bounds: Sequence[datetime], end: datetime, halts_of: Callable[[tuple[str, ...]], Sequence[Halt]]
) -> Iterator[Tally]:
    """Yield what an owner has in each slot; nothing that begins after `end`."""
    policies, due = policies_of(row), next_of(row)
    if due is None:
        return
    moments = following(rule_of(row), policies.timing, timing_of(row), due)
    is_ahead = due.due >= bounds[0]
    if isinstance(moments, LocalDays | CronDays):
        onward = (instant.utc for instant in moments.instants_after(due.due if is_ahead else bounds[0] - TICK))
        parts = _gone_through(chain((due.due,), onward) if is_ahead else onward, bounds, end)
    else:
        parts = _reckoned(moments, due if is_ahead else moments.after(bounds[0] - TICK), bounds, end)
    halts = halts_of(tuple(policies.calendars))
    for part in parts:
        begins, ends = in_force(halts, part.first), in_force(halts, part.last)
        yield Tally(
            slot=part.slot,
            owner=(row["owner_kind"], row["id"]),
            cadence_version=row["cadence_version"],
            count=part.number,
            first=part.first,
            last=part.last,
            reason=BLACKOUT if begins is not None and begins == ends else None,
            gone_through=part.gone_through,
        )


def _gone_through(instants: Iterator[datetime], bounds: Sequence[datetime], end: datetime) -> Iterator[_Part]:
    """Count ascending instants slot by slot: to begin anew for each slot would go through many again."""
    slot = count = 0
    first = last = bounds[0]
    for at in instants:
        if count and at < bounds[slot]:
            count, last = count + 1, at
            continue
        if count:
            yield _Part(slot, count, first, last, count)
        if at > end or at >= bounds[-1]:
            return
        slot, count, first, last = bisect_right(bounds, at), 1, at, at
    if count:
        yield _Part(slot, count, first, last, count)


def _reckoned(moments: Moments, found: NextDue | None, bounds: Sequence[datetime], end: datetime) -> Iterator[_Part]:
    """Reckon slot by slot how many there are, however many."""
    while found is not None and found.due <= end and found.due < bounds[-1]:
        slot = bisect_right(bounds, found.due)
        later = moments.after(found.due)
        passed = None
        if later is not None and later.due < bounds[slot]:
            passed = moments.passed(found.due, bounds[slot] - TICK)
        if passed is None:
            yield _Part(slot, 1, found.due, found.due, 1)
            found = later
        else:
            yield _Part(slot, 1 + passed.count, found.due, passed.last.due, 1)
            found = moments.after(passed.last.due)
