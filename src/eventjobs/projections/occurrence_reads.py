"""
Reads of occurrences: first what was answered, by due moment, then what waits and what comes.

A storm that was written as one answer is shown as its moments.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from eventjobs.domain.occurrence import occurrence_id
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.coming import COMING, list_coming
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.delay_reads import delays_of
from eventjobs.projections.documents import Document, occurrence_document
from eventjobs.projections.storms import moments_of
from eventjobs.projections.things import capped
from eventjobs.projections.waiting import WAITING, list_waiting, named, waiting_document

LIST_OUTCOMES: Final = statement("reads/list_outcomes")
LIST_OWNER_OUTCOMES: Final = statement("reads/list_owner_outcomes")
FIND_OCCURRENCE: Final = statement("reads/find_occurrence")
FIND_JOB_KIND: Final = statement("reads/find_job_kind")
FIND_STORM: Final = statement("reads/find_storm")

_BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
OPEN: Final = (WAITING, COMING)
"""What stands instead of an outcome where there is none yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which: of one owner or all, `since` included, `until` not; of one outcome, `waiting`, `coming`, or all."""

    owner: tuple[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    outcome: str | None = None


class _Start(NamedTuple):
    """After which moment a page begins, and whether the page before it had come to those without an outcome."""

    comes: bool
    due: datetime
    id: str


async def list_occurrences(
    pool: TimedPool, workspace: str, position: int, window: Window, cursor: str | None, limit: int
) -> Document:
    """Return answered moments in order, then those that wait, then coming ones; without `until` ten of each owner."""
    limit, begin = capped(limit), window.since or _BEGIN
    start = _Start(*(read_cursor(cursor, bool, datetime, str) or (window.outcome in OPEN, begin, "")))
    items: list[Document] = []
    if not start.comes:
        items = await _answered(pool, workspace, position, window, start, limit + 1)
    if len(items) <= limit and window.outcome in (None, *OPEN):
        after = (start.due, start.id) if start.comes else (begin, "")
        items += await _open(pool, workspace, position, window, after, limit + 1 - len(items))
    if len(items) <= limit:
        return {"items": items, "next": None}
    last = items[limit - 1]
    return {"items": items[:limit], "next": write_cursor(last["outcome"] in OPEN, last["due"], last["id"])}


async def find_occurrence(pool: TimedPool, workspace: str, wanted: str, position: int) -> Document | None:
    """Return an answered occurrence, also one that was written with others, or one that waits."""
    row = await pool.fetchrow(FIND_OCCURRENCE, workspace, wanted, position)
    delays = (await delays_of(pool, workspace, [wanted], position)).get(wanted, ())
    if row is not None:
        return occurrence_document(row, row["due"], wanted, delays)
    name = named(wanted)
    if name is None:
        return None
    kind = await pool.fetchval(FIND_JOB_KIND, workspace, name.owner, position) if name.kind == "job" else name.kind
    if delays:
        return waiting_document(wanted, name, kind, delays)
    for storm in await pool.fetch(FIND_STORM, workspace, kind, *name[1:], position):
        if name.due in await moments_of(pool, workspace, storm, 1, after=name.due - _SECOND):
            return occurrence_document(storm, name.due, wanted, ())
    return None


async def _open(
    pool: TimedPool, workspace: str, position: int, window: Window, after: tuple[datetime, str], limit: int
) -> list[Document]:
    """Return the moments without an outcome that are wanted, in order."""
    found: list[Document] = []
    if window.outcome != COMING:
        found = await list_waiting(pool, workspace, window.owner, position=position, after=after, until=window.until)
    if window.outcome != WAITING:
        found += await list_coming(
            pool, workspace, window.owner, position=position, after=after, until=window.until, limit=limit
        )
    return sorted(found, key=lambda item: (item["due"], item["id"]))[:limit]


async def _answered(
    pool: TimedPool, workspace: str, position: int, window: Window, start: _Start, limit: int
) -> list[Document]:
    sql = LIST_OUTCOMES if window.owner is None else LIST_OWNER_OUTCOMES
    owner = window.owner or ()
    rows = await pool.fetch(sql, workspace, position, start.due, start.id, window.until, window.outcome, limit, *owner)
    delays = await delays_of(pool, workspace, (row["id"] for row in rows if row["count"] == 1), position)
    found: list[Document] = []
    for row in rows:
        if row["count"] == 1:
            found.append(occurrence_document(row, row["due"], row["id"], delays.get(row["id"], ())))
            continue
        for due in await moments_of(pool, workspace, row, limit + 1, after=start.due - _SECOND):
            name = occurrence_id(row["owner_kind"], row["owner_id"], row["cadence_version"], due)
            if (due, name) > (start.due, start.id) and (window.until is None or due < window.until):
                found.append(occurrence_document(row, due, name, ()))
    found.sort(key=lambda item: (item["due"], item["id"]))
    return found[:limit]
