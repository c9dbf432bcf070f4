"""
What has an outcome, or runs, in the slots of a calendar: by the sums that are kept, or row by row.

The sums of quarters of an hour are those of the present. They were the same at an earlier position wherever nothing has
had an outcome since, which is nearly everywhere; the other quarters are gone through row by row.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from eventjobs.domain.occurrence import occurrence_id
from eventjobs.postgres.pool import Reads
from eventjobs.postgres.statements import statement
from eventjobs.projections.calendar_slots import SUCCEEDED, TROUBLES, Slot, WantedCalendar, entry
from eventjobs.projections.documents import Row
from eventjobs.projections.outcomes import QUARTER_MIN
from eventjobs.projections.temporal import PRESENT

FIND_OUTCOMES_LEVEL: Final = statement("reads/find_outcomes_level")
COUNT_SLOT_OUTCOMES: Final = statement("reads/count_slot_outcomes")
LIST_SLOT_RUNNING: Final = statement("reads/list_slot_running")
LIST_SLOT_TROUBLES: Final = statement("reads/list_slot_troubles")
LIST_SLOT_SUCCESSES: Final = statement("reads/list_slot_successes")
LIST_SLOT_OUTCOMES_AT: Final = statement("reads/list_slot_outcomes_at")
LIST_UNSETTLED_QUARTERS: Final = statement("reads/list_unsettled_quarters")

NONE: Final[Mapping[tuple[int, str, str], int]] = {}


async def answered(
    reads: Reads, workspace: str, position: int, wanted: WantedCalendar, slots: Mapping[int, Slot]
) -> None:
    """Add what has an outcome and what runs; of what went well entries where there is room for them."""
    rows = await _counted(reads, workspace, position, wanted)
    for row in rows:
        if wanted.wants(row["outcome"]):
            slots[row["slot"]].counts[row["outcome"]] += row["count"]
    entries = [row for row in rows if row["owner_kind"] is not None]
    _add_entries([row for row in entries if wanted.wants(row["outcome"])], slots)
    if wanted.owner is not None:
        return
    troubles = [(place, outcome) for place, slot in slots.items() for outcome in TROUBLES if slot.counts[outcome]]
    if troubles:
        at, outcomes = _windows([place for place, _ in troubles], wanted), [outcome for _, outcome in troubles]
        _add_entries(await reads.fetch(LIST_SLOT_TROUBLES, workspace, position, *at, outcomes, wanted.each), slots)
    well = [place for place, slot in slots.items() if slot.counts[SUCCEEDED] and len(slot.items) < wanted.each]
    if well:
        at = _windows(well, wanted)
        rows = await reads.fetch(LIST_SLOT_SUCCESSES, workspace, position, *at, wanted.each)
        _add_entries(rows, slots, less={_owner_in(row): row["count"] for row in entries})


async def _counted(reads: Reads, workspace: str, position: int, wanted: WantedCalendar) -> Sequence[Row]:
    """
    Return how many moments of each slot have which outcome, with the owner where that is an entry.

    One owner has no sums, nor have the few days of zones that once did not begin at a quarter of an hour. Sums of a
    view that has stopped, or has not caught up yet, are not those of the runs.
    """
    bounds, first, last = wanted.bounds, wanted.bounds[0], wanted.bounds[-1]
    is_summed = wanted.owner is None and all(map(_begins_a_quarter, bounds))
    if not is_summed or not await reads.fetchval(FIND_OUTCOMES_LEVEL):
        owner = wanted.owner or (None, None)
        return await reads.fetch(LIST_SLOT_OUTCOMES_AT, workspace, position, bounds, *owner, [first], [last])
    rows = [
        *await reads.fetch(COUNT_SLOT_OUTCOMES, workspace, position, bounds),
        *await reads.fetch(LIST_SLOT_RUNNING, workspace, position, bounds),
    ]
    if position == PRESENT:
        return rows
    quarters = await reads.fetch(LIST_UNSETTLED_QUARTERS, workspace, position, first, last)
    if quarters:
        windows = [row["begins"] for row in quarters], [row["ends"] for row in quarters]
        rows += await reads.fetch(LIST_SLOT_OUTCOMES_AT, workspace, position, bounds, None, None, *windows)
    return _merged(rows)


def _merged(rows: Sequence[Row]) -> Sequence[Row]:
    """Join what one owner has running in quarters of both kinds of one slot."""
    found: dict[tuple[int, str, str], Any] = {}
    for row in rows:
        if row["owner_kind"] is None:
            continue
        same = found.setdefault(_owner_in(row), {**row, "count": 0})
        same["count"] += row["count"]
        for name, chosen in (("first", min), ("last", max), ("cadence_version", max)):
            same[name] = chosen(same[name], row[name])
    entries = sorted(found.values(), key=lambda row: (row["slot"], row["first"], row["owner_kind"], row["owner_id"]))
    return [*(row for row in rows if row["owner_kind"] is None), *entries]


def _begins_a_quarter(bound: datetime) -> bool:
    return bound.timestamp() % (60 * QUARTER_MIN) == 0


def _windows(
    places: Sequence[int], wanted: WantedCalendar
) -> tuple[Sequence[int], Sequence[datetime], Sequence[datetime]]:
    return places, [wanted.bounds[place - 1] for place in places], [wanted.bounds[place] for place in places]


def _owner_in(row: Row) -> tuple[int, str, str]:
    return row["slot"], row["owner_kind"], row["owner_id"]


def _add_entries(
    rows: Sequence[Row], slots: Mapping[int, Slot], less: Mapping[tuple[int, str, str], int] = NONE
) -> None:
    for row in rows:
        owner, count = (row["owner_kind"], row["owner_id"]), row["count"] - less.get(_owner_in(row), 0)
        named = occurrence_id(*owner, row["cadence_version"], row["first"]) if count == 1 else None
        slots[row["slot"]].items.append(
            entry(
                owner,
                row["outcome"],
                (count, row["first"], row["last"]),
                reason=row["reason"] if row["reason"] == row["other_reason"] else None,
                occurrence=named,
                run=named if row["ran"] else None,
            )
        )
