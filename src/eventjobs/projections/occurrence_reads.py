"""
Occurrences in a window: the answered ones with their outcome, storms expanded, then the coming ones.

What is coming is worked out from the recorded due moments as of the position that is read.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from eventjobs.domain.due import Span
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.preview import occurrences_between, preview
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.documents import (
    Document,
    Row,
    cadence_of,
    due_document,
    next_of,
    occurrence_document,
    policies_of,
    timing_of,
)

OCCURRENCES: Final = statement("reads/occurrences")
SCHEDULES: Final = statement("reads/schedules")
PAGE: Final = 200
COMING_EACH: Final = 10
"""How many coming moments of one owner are shown."""
_BEGIN: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which occurrences: of one owner or all, `since` included, `until` not, of one outcome or all."""

    owner: tuple[str, str] | None = None
    since: datetime | None = None
    until: datetime | None = None
    outcome: str | None = None

    def holds(self, due: datetime) -> bool:
        """Tell whether a moment is in it."""
        return (self.since is None or due >= self.since) and (self.until is None or due < self.until)


async def list_occurrences(
    pool: TimedPool, workspace: str, position: int, window: Window, cursor: str | None, limit: int
) -> Document:
    """Return a page, ordered by due moment and id."""
    after = read_cursor(cursor, datetime, str) or (_BEGIN, "")
    items: list[Document] = []
    if window.outcome != "coming":
        async for row in _answered(pool, workspace, position, window, after):
            items += [
                one
                for one in _expanded(row, await _rule(pool, workspace, row), after)
                if window.holds(one["due"]) and (one["due"], one["id"]) > after
            ]
            if len(items) > limit:
                break
    if window.outcome in (None, "coming") and len(items) <= limit:
        items += [one for one in await _coming(pool, workspace, position, window) if (one["due"], one["id"]) > after]
    items.sort(key=lambda one: (one["due"], one["id"]))
    more = len(items) > limit
    items = items[:limit]
    return {"items": items, "next": write_cursor(items[-1]["due"], items[-1]["id"]) if more else None}


async def _answered(
    pool: TimedPool, workspace: str, position: int, window: Window, after: tuple[Any, ...]
) -> AsyncIterator[Row]:
    owner = window.owner or (None, None)
    since = max((at for at in (window.since, after[0]) if at is not None), default=None)
    page: tuple[Any, Any] = (None, None)
    while True:
        rows: Sequence[Row] = await pool.fetch(
            OCCURRENCES, workspace, position, *owner, since, window.until, *page, PAGE, window.outcome
        )
        for row in rows:
            yield row
        if len(rows) < PAGE:
            return
        page = (rows[-1]["due"], rows[-1]["id"])


async def _rule(pool: TimedPool, workspace: str, row: Row) -> Row | None:
    """Return the schedule's row as it was, where the moments of a storm follow from its cadence."""
    if row["count"] == 1 or row["owner_kind"] != "schedule":
        return None
    found: Row | None = await pool.fetchrow(
        SCHEDULES, workspace, row["from_position"], row["owner_id"], "", 1, None, None
    )
    return found


def _expanded(row: Row, rule: Row | None, after: tuple[Any, ...]) -> list[Document]:
    if rule is None:
        return [occurrence_document(row, row["due"], row["id"])]
    span = Span(count=row["count"], first=row["due"], last=row["last"], anchor_day=row["anchor_day"])
    moments = occurrences_between(cadence_of(rule), policies_of(rule).timing, span, PAGE, after=after[0])
    return [
        occurrence_document(
            row, one.due, occurrence_id(row["owner_kind"], row["owner_id"], row["cadence_version"], one.due)
        )
        for one in moments
    ]


async def _coming(pool: TimedPool, workspace: str, position: int, window: Window) -> list[Document]:
    if window.owner is not None and window.owner[0] != "schedule":
        return []
    only = None if window.owner is None else window.owner[1]
    items: list[Document] = []
    last = ""
    while True:
        rows: Sequence[Row] = await pool.fetch(SCHEDULES, workspace, position, only, last, PAGE, None, True)
        for row in rows:
            items += [one for one in coming_of(row) if window.holds(one["due"])]
        if len(rows) < PAGE:
            return items
        last = rows[-1]["id"]


def coming_of(row: Row) -> list[Document]:
    """The coming moments of one schedule's row, as documents."""
    due = next_of(row)
    if due is None or row["deleted_at"] is not None:
        return []
    cadence = cadence_of(row)
    return [
        {
            "id": occurrence_id("schedule", row["id"], row["cadence_version"], one.due.due),
            "owner": {"kind": "schedule", "id": row["id"]},
            "cadence_version": row["cadence_version"],
            "outcome": "coming",
            **due_document(one.due, cadence.time_zone),
            "notes": list(one.notes),
        }
        for one in preview(cadence, policies_of(row).timing, timing_of(row), due, COMING_EACH)
    ]
