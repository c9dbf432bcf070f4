"""
Reads of occurrences: first what was answered, by due moment, then what comes.

A storm that was written as one answer is shown as its moments.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from eventjobs.domain.occurrence import occurrence_id
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.coming import COMING, list_coming
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.delay_reads import delays_of
from eventjobs.projections.documents import Document, occurrence_document
from eventjobs.projections.storms import moments_of
from eventjobs.projections.things import capped

LIST_OUTCOMES: Final = statement("reads/list_outcomes")
LIST_OWNER_OUTCOMES: Final = statement("reads/list_owner_outcomes")
FIND_OCCURRENCE: Final = statement("reads/find_occurrence")
FIND_STORM: Final = statement("reads/find_storm")

_BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_ID: Final = re.compile(r"(schedule|group)\.(.+)\.([1-9][0-9]{0,8})\.([0-9]{8}t[0-9]{6})z")

WAITING: Final = "waiting"
"""Instead of an outcome, of a moment in its owner's queue."""
_Named: TypeAlias = tuple[str, str, int, datetime]
"""Owner's kind and id, cadence version, and due moment, as an occurrence's id tells them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which occurrences: of one owner or all, `since` included, `until` not, of one outcome, `coming`, or all."""

    owner: tuple[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    outcome: str | None = None


class _Start(NamedTuple):
    """After which moment a page begins, and whether the page before it had come to the coming ones."""

    comes: bool
    due: datetime
    id: str


async def list_occurrences(
    pool: TimedPool, workspace: str, position: int, window: Window, cursor: str | None, limit: int
) -> Document:
    """Return answered moments in order, then coming ones; without `until` ten of each owner."""
    limit, begin = capped(limit), window.since or _BEGIN
    start = _Start(*(read_cursor(cursor, bool, datetime, str) or (window.outcome == COMING, begin, "")))
    items: list[Document] = []
    if not start.comes:
        items = await _answered(pool, workspace, position, window, start, limit + 1)
    if len(items) <= limit and window.outcome in (None, COMING):
        items += await list_coming(
            pool,
            workspace,
            window.owner,
            position=position,
            after=(start.due, start.id) if start.comes else (begin, ""),
            until=window.until,
            limit=limit + 1 - len(items),
        )
    if len(items) <= limit:
        return {"items": items, "next": None}
    last = items[limit - 1]
    return {"items": items[:limit], "next": write_cursor(last["outcome"] == COMING, last["due"], last["id"])}


async def find_occurrence(pool: TimedPool, workspace: str, wanted: str, position: int) -> Document | None:
    """Return an answered occurrence, also one that was written with others, or one that waits."""
    row = await pool.fetchrow(FIND_OCCURRENCE, workspace, wanted, position)
    delays = (await delays_of(pool, workspace, [wanted], position)).get(wanted, ())
    if row is not None:
        return occurrence_document(row, row["due"], wanted, delays)
    named = _named(wanted)
    if named is None:
        return None
    due = named[-1]
    if delays:
        return _waiting(wanted, named, delays)
    for storm in await pool.fetch(FIND_STORM, workspace, *named, position):
        if due in await moments_of(pool, workspace, storm, 1, after=due - _SECOND):
            return occurrence_document(storm, due, wanted, ())
    return None


def _waiting(wanted: str, named: _Named, delays: Sequence[Document]) -> Document:
    """Return a moment in its owner's queue: it has no outcome, and why it waits stands in its delays."""
    kind, owner, cadence_version, due = named
    return {
        "id": wanted,
        "owner": {"kind": kind, "id": owner},
        "cadence_version": cadence_version,
        "due": due,
        "outcome": WAITING,
        "delays": list(delays),
    }


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
            named = occurrence_id(row["owner_kind"], row["owner_id"], row["cadence_version"], due)
            if (due, named) > (start.due, start.id) and (window.until is None or due < window.until):
                found.append(occurrence_document(row, due, named, ()))
    found.sort(key=lambda item: (item["due"], item["id"]))
    return found[:limit]


def _named(wanted: str) -> _Named | None:
    found = _ID.fullmatch(wanted)
    if found is None:
        return None
    try:
        due = datetime.strptime(found[4], "%Y%m%dt%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return found[1], found[2], int(found[3]), due
