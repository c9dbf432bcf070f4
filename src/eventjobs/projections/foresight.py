"""What comes of many owners between two instants, slot by slot, as far ahead as can be worked out at once."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from heapq import heapify, heappop, heappush
from typing import Final

from eventjobs.domain.blackouts import BLACKOUT, blackouts
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.halts import Halt, in_force
from eventjobs.domain.reference import following
from eventjobs.domain.timing import TICK
from eventjobs.events.cadence import NextDue
from eventjobs.postgres.pool import TimedPool
from eventjobs.projections.calendar_reads import calendars_of
from eventjobs.projections.coming import LIST_COMING
from eventjobs.projections.documents import Row, next_of, policies_of, timing_of
from eventjobs.projections.slot_rows import rule_of

OWNERS_MAX: Final = 500
"""How many owners are looked at, those that are due first."""
TALLIES_MAX: Final = 1_500
"""How many owners' slots are told at once."""
MOMENTS_MAX: Final = 30_000
"""How many moments they may have together: those of a cron are found one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What comes of one owner in one slot: how many moments, the first and the last; `reason` why they are skipped."""

    slot: int
    owner: tuple[str, str]
    cadence_version: int
    count: int
    first: datetime
    last: datetime
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Foresight:
    """What comes, in order; with `until` only what comes before that instant."""

    tallies: Sequence[Tally]
    until: datetime | None


async def foreseen(
    pool: TimedPool, workspace: str, position: int, bounds: Sequence[datetime], owner: tuple[str, str] | None
) -> Foresight:
    """Return what comes in slots, which begin and end at these instants, of one owner or of all."""
    rows = await pool.fetch(LIST_COMING, workspace, position, *(owner or (None, None)), bounds[-1], OWNERS_MAX)
    calendars = await calendars_of(pool, workspace, rows, position)
    end = rows[-1]["due"] if len(rows) == OWNERS_MAX else bounds[-1]
    found: list[Tally] = []
    moments = 0
    for tally in _in_order(rows, bounds, calendars):
        if tally.first > end or len(found) == TALLIES_MAX or moments > MOMENTS_MAX:
            return Foresight(tallies=found, until=min(tally.first, end))
        found.append(tally)
        moments += tally.count
    return Foresight(tallies=found, until=None if end == bounds[-1] else end)


def _in_order(rows: Sequence[Row], bounds: Sequence[datetime], calendars: Mapping[str, Calendar]) -> Iterator[Tally]:
    """Yield tallies by their first moment; nothing is worked out of owners that are due later than is asked for."""

    @cache  # many owners name the same few calendars
    def halts_of(names: tuple[str, ...]) -> Sequence[Halt]:
        return blackouts({name: calendars[name] for name in names if name in calendars}, bounds[0], bounds[-1])

    queue = [(row["due"], place) for place, row in enumerate(rows)]
    heapify(queue)
    going: dict[int, tuple[Tally, Iterator[Tally]]] = {}
    while queue:
        _, place = heappop(queue)
        if place in going:
            tally, onward = going.pop(place)
            yield tally
        else:
            onward = _tallies(rows[place], bounds, halts_of)
        coming = next(onward, None)
        if coming is not None:
            going[place] = coming, onward
            heappush(queue, (coming.first, place))


def _tallies(
    row: Row, bounds: Sequence[datetime], halts_of: Callable[[tuple[str, ...]], Sequence[Halt]]
) -> Iterator[Tally]:
    policies, due = policies_of(row), next_of(row)
    if due is None:
        return
    moments = following(rule_of(row), policies.timing, timing_of(row), due)
    halts = halts_of(tuple(policies.calendars))
    found: NextDue | None = due if due.due >= bounds[0] else moments.after(bounds[0] - TICK)
    while found is not None and found.due < bounds[-1]:
        slot = bisect_right(bounds, found.due)
        passed = moments.passed(found.due, bounds[slot] - TICK)
        last = found.due if passed is None else passed.last.due
        begins, ends = in_force(halts, found.due), in_force(halts, last)
        yield Tally(
            slot=slot,
            owner=(row["owner_kind"], row["id"]),
            cadence_version=row["cadence_version"],
            count=1 if passed is None else 1 + passed.count,
            first=found.due,
            last=last,
            reason=BLACKOUT if begins is not None and begins == ends else None,
        )
        found = moments.after(last)
