"""
The days of a calendar, slot by slot: what became of the moments in them, and which come.

What one owner has of one outcome in one slot is one entry, however many moments that are.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.domain.blackouts import blackouts
from eventjobs.domain.halts import Halt
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.calendar_reads import calendar_of
from eventjobs.projections.coming import COMING
from eventjobs.projections.documents import Document, Row
from eventjobs.projections.foresight import Foresight, Tally, foreseen
from eventjobs.projections.occurrences import MISSED, SKIPPED
from eventjobs.projections.storms import moments_of
from eventjobs.projections.temporal import PRESENT
from eventjobs.projections.things import LIST_CALENDARS
from eventjobs.projections.waiting import WAITING, list_waiting

COUNT_SLOT_MOMENTS: Final = statement("reads/count_slot_moments")
LIST_SLOT_TROUBLES: Final = statement("reads/list_slot_troubles")
LIST_SLOT_SUCCESSES: Final = statement("reads/list_slot_successes")
LIST_SLOT_OUTCOMES_AT: Final = statement("reads/list_slot_outcomes_at")
LIST_STORMS: Final = statement("reads/list_storms")

CALENDARS_MAX: Final = 200
STORMS_MAX: Final = 50
STORM_MOMENTS_MAX: Final = 500
"""Answers that stand for more moments than this, or that are more than this many, are told as a whole."""

LOOKED_AT_MAX: Final = 10_000
"""How many moments that ran are looked at one by one, so that entries of each owner can be told."""
SUCCEEDED: Final = "succeeded"

_STORM: Final = "storm"
_SECOND: Final = timedelta(seconds=1)
_WEIGHTS: Final = ("failed", MISSED, "aborted", SKIPPED, WAITING, "running", SUCCEEDED, COMING)
"""What asks for somebody comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCalendar:
    """
    Which slots: where they begin, ascending, and where the last one ends; at most `each` entries of a slot.

    Of one owner or all; of one outcome, which of what ran is its run's, or all.
    """

    bounds: Sequence[datetime]
    each: int
    owner: tuple[str, str] | None = None
    outcome: str | None = None

    def wants(self, outcome: str) -> bool:
        """Tell whether what has an outcome is asked for."""
        return self.outcome in (None, outcome)


@dataclass(slots=True)
class _Slot:
    counts: Counter[str] = field(default_factory=Counter)
    items: list[Document] = field(default_factory=list)
    is_cut: bool = False


async def calendar_page(pool: TimedPool, workspace: str, position: int, wanted: WantedCalendar) -> Document:
    """Return `{slots, spans, coming_until}`: every slot, what is told as a whole, and how far is looked ahead."""
    slots: defaultdict[int, _Slot] = defaultdict(_Slot)
    await _answered(pool, workspace, position, wanted, slots)
    spans = await _storms(pool, workspace, position, wanted, slots)
    if wanted.wants(WAITING):
        await _waiting(pool, workspace, position, wanted, slots)
    ahead = Foresight(tallies=(), until=None)
    if wanted.wants(COMING):
        ahead = await foreseen(pool, workspace, position, wanted.bounds, wanted.owner)
    for tally in ahead.tallies:
        _add(slots[tally.slot], _coming(tally))
    halts = await _blackouts(pool, workspace, position, wanted.bounds)
    return {
        "slots": [
            _slot_document(slots[place], begin, wanted.bounds[place], wanted.each, halts)
            for place, begin in enumerate(wanted.bounds[:-1], start=1)
        ],
        "spans": spans,
        "coming_until": ahead.until,
    }


async def _answered(
    pool: TimedPool, workspace: str, position: int, wanted: WantedCalendar, slots: Mapping[int, _Slot]
) -> None:
    """Add what has an outcome. At present few rows tell it: what went well is what is left of all that there is."""
    owner = wanted.owner or (None, None)
    if position != PRESENT:
        at = (workspace, position, wanted.bounds, *owner, wanted.outcome, wanted.each)
        _add_outcomes(await pool.fetch(LIST_SLOT_OUTCOMES_AT, *at), wanted, slots)
        return
    outcome = None if wanted.wants(SUCCEEDED) else wanted.outcome
    troubles = await pool.fetch(LIST_SLOT_TROUBLES, workspace, wanted.bounds, *owner, outcome, wanted.each)
    if wanted.wants(SUCCEEDED):
        await _succeeded(pool, workspace, wanted, slots, troubles)
    _add_outcomes([row for row in troubles if wanted.wants(row["outcome"])], wanted, slots)


async def _succeeded(
    pool: TimedPool, workspace: str, wanted: WantedCalendar, slots: Mapping[int, _Slot], troubles: Sequence[Row]
) -> None:
    window, owner = (wanted.bounds[:-1], wanted.bounds[1:]), wanted.owner or (None, None)
    answers = {row["slot"]: row["count"] for row in await pool.fetch(COUNT_SLOT_MOMENTS, workspace, *window, *owner)}
    most = LOOKED_AT_MAX
    if sum(answers.values()) > LOOKED_AT_MAX:
        most = LOOKED_AT_MAX // len(answers)
    well = Counter(answers) - Counter(_by_slot(troubles))
    for place, count in well.items():
        slots[place].counts[SUCCEEDED] += count
        slots[place].is_cut = answers[place] > most
    rows = await pool.fetch(LIST_SLOT_SUCCESSES, workspace, *window, *owner, most, wanted.each) if well else ()
    for row in rows:
        slots[row["slot"]].items.append(_ran(row))


def _by_slot(troubles: Sequence[Row]) -> Mapping[int, int]:
    counts: Counter[int] = Counter()
    for row in troubles:
        counts[row["slot"]] += row["of_outcome"] if row["is_first"] else 0
    return counts


def _add_outcomes(rows: Sequence[Row], wanted: WantedCalendar, slots: Mapping[int, _Slot]) -> None:
    for row in rows:
        slot = slots[row["slot"]]
        if row["outcome"] == _STORM:
            continue
        if row["is_first"]:
            slot.counts[row["outcome"]] += row["of_outcome"]
        if row["place"] <= wanted.each:
            slot.items.append(_entry_of(row))


def _ran(row: Row) -> Document:
    owner = (row["owner_kind"], row["owner_id"])
    named = occurrence_id(*owner, row["cadence_version"], row["first"]) if row["count"] == 1 else None
    return _entry(owner, SUCCEEDED, (row["count"], row["first"], row["last"]), occurrence=named, run=named)


def _entry_of(row: Row) -> Document:
    kind, owner, outcome = row["owner_kind"], row["owner_id"], row["outcome"]
    named = occurrence_id(kind, owner, row["cadence_version"], row["first"]) if row["count"] == 1 else None
    return _entry(
        (kind, owner),
        outcome,
        (row["count"], row["first"], row["last"]),
        reason=row["reason"] if row["reason"] == row["other_reason"] else None,
        occurrence=named,
        run=named if row["ran"] else None,
    )


def _entry(
    owner: tuple[str, str],
    outcome: str,
    moments: tuple[int, datetime, datetime],
    *,
    reason: str | None = None,
    occurrence: str | None = None,
    run: str | None = None,
) -> Document:
    count, first, last = moments
    return {
        "owner": {"kind": owner[0], "id": owner[1]},
        "outcome": outcome,
        "reason": reason,
        "count": count,
        "due": first,
        "last": last,
        "occurrence": occurrence,
        "run": run,
    }


def _coming(tally: Tally) -> Document:
    named = occurrence_id(*tally.owner, tally.cadence_version, tally.first) if tally.count == 1 else None
    return _entry(tally.owner, COMING, (tally.count, tally.first, tally.last), reason=tally.reason, occurrence=named)


def _add(slot: _Slot, item: Document) -> None:
    slot.counts[item["outcome"]] += item["count"]
    slot.items.append(item)


async def _storms(
    pool: TimedPool, workspace: str, position: int, wanted: WantedCalendar, slots: Mapping[int, _Slot]
) -> list[Document]:
    """Add the moments of answers that stand for several; return the answers that stand for very many."""
    window, owner = (wanted.bounds[0], wanted.bounds[-1]), wanted.owner or (None, None)
    rows = await pool.fetch(LIST_STORMS, workspace, position, *window, *owner, wanted.outcome, STORMS_MAX)
    spans, left = [], STORM_MOMENTS_MAX
    for row in rows:
        dues = await moments_of(pool, workspace, row, left + 1, after=window[0] - _SECOND)
        dues = [due for due in dues if due < window[1]]
        if len(dues) > left:
            spans.append(_span(row))
            continue
        left -= len(dues)
        for item in _storm_entries(row, dues, wanted.bounds):
            _add(slots[item[0]], item[1])
    return spans


def _storm_entries(row: Row, dues: Sequence[datetime], bounds: Sequence[datetime]) -> Iterable[tuple[int, Document]]:
    by_slot: defaultdict[int, list[datetime]] = defaultdict(list)
    for due in dues:
        by_slot[bisect_right(bounds, due)].append(due)
    owner = (row["owner_kind"], row["owner_id"])
    for slot, there in by_slot.items():
        named = occurrence_id(*owner, row["cadence_version"], there[0]) if len(there) == 1 else None
        moments = (len(there), there[0], there[-1])
        yield slot, _entry(owner, row["outcome"], moments, reason=row["reason"], occurrence=named)


def _span(row: Row) -> Document:
    moments = (row["count"], row["due"], row["last"])
    return _entry((row["owner_kind"], row["owner_id"]), row["outcome"], moments, reason=row["reason"])


async def _waiting(
    pool: TimedPool, workspace: str, position: int, wanted: WantedCalendar, slots: Mapping[int, _Slot]
) -> None:
    begin, end = wanted.bounds[0], wanted.bounds[-1]
    waiting = await list_waiting(
        pool, workspace, wanted.owner, position=position, after=(begin - _SECOND, ""), until=end
    )
    for one in waiting:
        if one["due"] < begin:
            continue
        owner, due = (one["owner"]["kind"], one["owner"]["id"]), one["due"]
        reason = one["delays"][-1]["reason"] if one["delays"] else None
        item = _entry(owner, WAITING, (1, due, due), reason=reason, occurrence=one["id"])
        _add(slots[bisect_right(wanted.bounds, due)], item)


async def _blackouts(pool: TimedPool, workspace: str, position: int, bounds: Sequence[datetime]) -> Sequence[Halt]:
    rows = await pool.fetch(LIST_CALENDARS, workspace, position, "", CALENDARS_MAX, None)
    return blackouts({row["id"]: calendar_of(row) for row in rows}, bounds[0], bounds[-1])


def _slot_document(slot: _Slot, begin: datetime, end: datetime, each: int, halts: Sequence[Halt]) -> dict[str, Any]:
    items = sorted(slot.items, key=lambda item: (_WEIGHTS.index(item["outcome"]), item["due"]))[:each]
    there = [halt for halt in halts if halt.since < end and (halt.until is None or halt.until > begin)]
    return {
        "at": begin,
        "until": end,
        "counts": {outcome: slot.counts[outcome] for outcome in _WEIGHTS if slot.counts[outcome]},
        "is_cut": slot.is_cut,
        "items": sorted(items, key=lambda item: (item["due"], item["owner"]["id"])),
        "blackouts": [
            {"calendar": halt.by, "note": halt.note, "since": halt.since, "until": halt.until} for halt in there
        ],
    }
