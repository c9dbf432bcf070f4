"""The moments that come, of one schedule or of all in a workspace, supposing that each runs on time."""

from datetime import datetime
from heapq import nsmallest
from typing import Final

from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.preview import Coming, preview
from eventjobs.domain.reference import following
from eventjobs.domain.timing import TICK
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import (
    Document,
    Row,
    cadence_of,
    due_document,
    next_of,
    policies_of,
    timing_of,
)

LIST_COMING: Final = statement("reads/list_coming")

COMING: Final = "coming"
COMING_EACH: Final = 10
"""How many moments of an owner are shown where no end was asked for."""
SCHEDULES_MAX: Final = 1_000
"""How many schedules are looked at, those that are due first."""


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
    if owner is not None and owner[0] != "schedule":
        return []
    only = None if owner is None else owner[1]
    found: list[Document] = []
    for row in await pool.fetch(LIST_COMING, workspace, position, only, until, SCHEDULES_MAX):
        if len(found) >= limit and row["due"] > found[-1]["due"]:
            break
        found += [item for item in _coming_of(row, after[0], until, limit) if (item["due"], item["id"]) > after]
        found = nsmallest(limit, found, key=lambda item: (item["due"], item["id"]))
    return found


def _coming_of(row: Row, since: datetime, until: datetime | None, limit: int) -> list[Document]:
    cadence, timing, state, first = cadence_of(row), policies_of(row).timing, timing_of(row), next_of(row)
    if first is not None and first.due < since:
        first = following(cadence, timing, state, first).after(since - TICK)
    return [
        _document(row, one, cadence.time_zone)
        for one in preview(cadence, timing, state, first, COMING_EACH if until is None else limit + 1)
        if until is None or one.due.due < until
    ]


def _document(row: Row, one: Coming, zone: str) -> Document:
    return {
        "id": occurrence_id("schedule", row["id"], row["cadence_version"], one.due.due),
        "owner": {"kind": "schedule", "id": row["id"]},
        "cadence_version": row["cadence_version"],
        "outcome": COMING,
        **due_document(one.due, zone),
        "notes": list(one.notes),
    }
