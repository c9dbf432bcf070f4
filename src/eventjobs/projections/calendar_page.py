"""
The days of a calendar, slot by slot: what became of the moments in them, and which come.

What one owner has of one outcome in one slot is one entry, however many moments that are. All is read from one
snapshot; what follows from it is worked out aside, so that nobody else waits for it.
"""

import asyncio
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from eventjobs.domain.blackouts import blackouts
from eventjobs.domain.halts import Halt
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.postgres.pool import Reads, TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.calendar_outcomes import answered
from eventjobs.projections.calendar_reads import calendar_of
from eventjobs.projections.calendar_slots import WEIGHTS, Slot, WantedCalendar, entry
from eventjobs.projections.coming import COMING
from eventjobs.projections.documents import Document, Row
from eventjobs.projections.foresight import NOBODY, Ahead, Tally, foreseen, list_ahead
from eventjobs.projections.occurrence_reads import OPEN
from eventjobs.projections.storms import moments_of
from eventjobs.projections.things import LIST_CALENDARS
from eventjobs.projections.waiting import WAITING, list_waiting

LIST_STORMS: Final = statement("reads/list_storms")

CALENDARS_MAX: Final = 200
HALTS_MAX: Final = 1_000
SLOT_HALTS_MAX: Final = 20
"""How many blackouts are told, and how many of them in a slot."""

STORMS_MAX: Final = 50
STORM_MOMENTS_MAX: Final = 500
"""Answers that stand for more moments than this, or that are more than this many, are told as a whole."""

_SECOND: Final = timedelta(seconds=1)


async def calendar_page(pool: TimedPool, workspace: str, position: int, wanted: WantedCalendar) -> Document:
    """
    Return `{slots, spans, coming_until, left_out}`.

    Every slot, what is told as a whole, how far is looked ahead, and of what there is more than is told.
    """
    slots: defaultdict[int, Slot] = defaultdict(Slot)
    ahead = NOBODY
    async with pool.acquire() as reads, reads.transaction(isolation="repeatable_read", readonly=True):
        if wanted.outcome not in OPEN:
            await answered(reads, workspace, position, wanted, slots)
        spans, is_left = await _storms(reads, workspace, position, wanted, slots)
        if wanted.wants(WAITING):
            await _waiting(reads, workspace, position, wanted, slots)
        if wanted.wants(COMING):
            ahead = await list_ahead(reads, workspace, position, wanted.bounds[-1], wanted.owner)
        calendars = await reads.fetch(LIST_CALENDARS, workspace, position, "", CALENDARS_MAX + 1, None)
    until, halts = await asyncio.to_thread(_worked_out, ahead, calendars, wanted, slots)
    places = range(1, len(wanted.bounds))
    halted = {place: _meeting(halts, wanted.bounds[place - 1], wanted.bounds[place]) for place in places}
    are_halts_left = len(halts) > HALTS_MAX or len(calendars) > CALENDARS_MAX
    left = {
        "spans": is_left,
        "blackouts": are_halts_left or any(len(there) > SLOT_HALTS_MAX for there in halted.values()),
    }
    return {
        "slots": [_slot_document(slots[place], place, wanted, halted[place][:SLOT_HALTS_MAX]) for place in places],
        "spans": spans,
        "coming_until": until,
        "left_out": [name for name, is_any in left.items() if is_any],
    }


def _worked_out(
    ahead: Ahead, calendars: Sequence[Row], wanted: WantedCalendar, slots: Mapping[int, Slot]
) -> tuple[datetime | None, Sequence[Halt]]:
    """
    Add what comes.

    Returns up to when it is known, and at least the first `HALTS_MAX` blackouts where there are more.
    """
    comes, told = foreseen(ahead, wanted.bounds), Counter[int]()
    for tally in comes.tallies:
        told[tally.slot] += 1
        if told[tally.slot] <= wanted.each:  # they come in order, and no more are told
            slots[tally.slot].add(_coming(tally))
        else:
            slots[tally.slot].counts[COMING] += tally.count
    halts: list[Halt] = []
    for row in calendars[:CALENDARS_MAX]:
        if len(halts) <= HALTS_MAX:
            halts += blackouts({row["id"]: calendar_of(row)}, wanted.bounds[0], wanted.bounds[-1])
    return comes.until, halts


def _meeting(halts: Sequence[Halt], begin: datetime, end: datetime) -> Sequence[Halt]:
    return [halt for halt in halts[:HALTS_MAX] if halt.since < end and (halt.until is None or halt.until > begin)]


def _coming(tally: Tally) -> Document:
    named = occurrence_id(*tally.owner, tally.cadence_version, tally.first) if tally.count == 1 else None
    return entry(tally.owner, COMING, (tally.count, tally.first, tally.last), reason=tally.reason, occurrence=named)


async def _storms(
    reads: Reads, workspace: str, position: int, wanted: WantedCalendar, slots: Mapping[int, Slot]
) -> tuple[list[Document], bool]:
    """Add the moments of answers that stand for several; return those of very many, and whether there are more."""
    begin, end, owner = wanted.bounds[0], wanted.bounds[-1], wanted.owner or (None, None)
    rows = await reads.fetch(LIST_STORMS, workspace, position, begin, end, *owner, wanted.outcome, STORMS_MAX + 1)
    spans, left = [], STORM_MOMENTS_MAX
    for row in rows[:STORMS_MAX]:
        is_inside = begin <= row["due"] and row["last"] < end
        if is_inside and row["count"] > left:
            spans.append(_span(row))
            continue
        dues = await moments_of(reads, workspace, row, left + 1, after=begin - _SECOND)
        dues = [due for due in dues if due < end]
        if len(dues) > left:
            spans.append(_span(row))
            continue
        left -= len(dues)
        for place, item in _storm_entries(row, dues, wanted.bounds):
            slots[place].add(item)
    return spans, len(rows) > STORMS_MAX


def _storm_entries(row: Row, dues: Sequence[datetime], bounds: Sequence[datetime]) -> Iterable[tuple[int, Document]]:
    by_slot: defaultdict[int, list[datetime]] = defaultdict(list)
    for due in dues:
        by_slot[bisect_right(bounds, due)].append(due)
    owner = (row["owner_kind"], row["owner_id"])
    for slot, there in by_slot.items():
        named = occurrence_id(*owner, row["cadence_version"], there[0]) if len(there) == 1 else None
        moments = (len(there), there[0], there[-1])
        yield slot, entry(owner, row["outcome"], moments, reason=row["reason"], occurrence=named)


def _span(row: Row) -> Document:
    moments = (row["count"], row["due"], row["last"])
    return entry((row["owner_kind"], row["owner_id"]), row["outcome"], moments, reason=row["reason"])


async def _waiting(
    reads: Reads, workspace: str, position: int, wanted: WantedCalendar, slots: Mapping[int, Slot]
) -> None:
    begin, end = wanted.bounds[0], wanted.bounds[-1]
    waiting = await list_waiting(
        reads, workspace, wanted.owner, position=position, after=(begin - _SECOND, ""), until=end
    )
    for one in waiting:
        if one["due"] < begin:
            continue
        owner, due = (one["owner"]["kind"], one["owner"]["id"]), one["due"]
        reason = one["delays"][-1]["reason"] if one["delays"] else None
        slots[bisect_right(wanted.bounds, due)].add(
            entry(owner, WAITING, (1, due, due), reason=reason, occurrence=one["id"])
        )


def _slot_document(slot: Slot, place: int, wanted: WantedCalendar, halts: Sequence[Halt]) -> Document:
    items = sorted(slot.items, key=lambda item: (WEIGHTS.index(item["outcome"]), item["due"]))[: wanted.each]
    return {
        "at": wanted.bounds[place - 1],
        "until": wanted.bounds[place],
        "counts": {outcome: slot.counts[outcome] for outcome in WEIGHTS if slot.counts[outcome]},
        "items": sorted(items, key=lambda item: (item["due"], item["owner"]["id"])),
        "blackouts": [
            {"calendar": halt.by, "note": halt.note, "since": halt.since, "until": halt.until} for halt in halts
        ],
    }
