"""The moments that come, of one owner or of all in a workspace, supposing that each runs on time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from heapq import nsmallest
from typing import Final

from eventjobs.domain.calendar import Calendar
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.preview import Coming, preview
from eventjobs.domain.reference import following
from eventjobs.domain.slots import is_drawn_later
from eventjobs.domain.timing import TICK
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.calendar_reads import calendars_of
from eventjobs.projections.documents import (
    Document,
    Row,
    due_document,
    next_of,
    policies_of,
    timing_of,
)
from eventjobs.projections.slot_rows import rule_of, schedule_of

LIST_COMING: Final = statement("reads/list_coming")

COMING: Final = "coming"
COMING_EACH: Final = 10
"""How many moments of an owner are shown where no end was asked for."""
OWNERS_MAX: Final = 1_000
"""How many owners are looked at, those that are due first."""


async def list_coming(
    pool: TimedPool,
    workspace: str,
    owner: tuple[str, str] | None,
    *,
    position: int,
    after: tuple[datetime, str],
    until: datetime | None,
    limit: int,
) -> list[Document]:
    """Return at most `limit` moments later than `after` (a due instant and an occurrence's id), in order."""
    found: list[Document] = []
    each, end = COMING_EACH if until is None else limit + 1, until
    rows = await pool.fetch(LIST_COMING, workspace, position, *(owner or (None, None)), until, OWNERS_MAX)
    calendars = await calendars_of(pool, workspace, rows, position)
    for row in rows:
        if len(found) >= limit:
            end = found[-1]["due"] + TICK
            if row["due"] >= end:
                break
        found += [item for item in _coming_of(row, calendars, after[0], end, each) if (item["due"], item["id"]) > after]
        found = nsmallest(limit, found, key=lambda item: (item["due"], item["id"]))
    return found


def _coming_of(
    row: Row, calendars: Mapping[str, Calendar], since: datetime, until: datetime | None, n: int
) -> list[Document]:
    policies, state, first = policies_of(row), timing_of(row), next_of(row)
    cadence, timing = rule_of(row), policies.timing
    named = {name: calendars[name] for name in policies.calendars if name in calendars}
    if first is not None and first.due < since:
        first = following(cadence, timing, state, first).after(since - TICK)
    return [
        _document(row, one, cadence.time_zone)
        for one in preview(cadence, timing, state, first, n, until=until, calendars=named)
    ]


def _not_drawn(row: Row, one: Coming) -> Sequence[str]:
    """Note that a minute, and so the moment and its id, is still to be drawn (G30)."""
    if row["schedule"] is None or not is_drawn_later(schedule_of(row), next_of(row), one.due):
        return ()
    return ("minute_not_drawn",)


def _document(row: Row, one: Coming, zone: str) -> Document:
    return {
        "id": occurrence_id(row["owner_kind"], row["id"], row["cadence_version"], one.due.due),
        "owner": {"kind": row["owner_kind"], "id": row["id"]},
        "cadence_version": row["cadence_version"],
        "outcome": COMING,
        **due_document(one.due, zone),
        "notes": [*one.notes, *_not_drawn(row, one)],
    }
