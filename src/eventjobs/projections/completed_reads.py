"""The tab of completed jobs: a row for each job run of a Connect job that ended, the newest first (G49, G80, G81)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.documents import Document, Row, lasted, loads
from eventjobs.projections.things import capped

LIST_COMPLETED_JOBS: Final = statement("reads/list_completed_jobs")

USUAL: Final = timedelta(days=7)
"""How far back the tab looks where nothing is said."""
REJECTED: Final = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedCompleted:
    """Which: of one state, job, group or cause, ended in `[since, until)`; without `since` in the last seven days."""

    state: str | None = None
    job: str | None = None
    group: str | None = None
    trigger: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: str | None = None
    limit: int = 100


async def list_completed(
    pool: TimedPool, workspace: str, wanted: WantedCompleted, position: int, now: datetime
) -> Document:
    """Return a page; what was skipped, or carried over from a run before, did not run."""
    limit = capped(wanted.limit)
    begin = wanted.since or (wanted.until or now) - USUAL
    before = read_cursor(wanted.cursor, datetime, int) or (None, None)
    filters = (wanted.state, wanted.job, wanted.group, wanted.trigger)
    rows = await pool.fetch(LIST_COMPLETED_JOBS, workspace, position, begin, wanted.until, *before, *filters, limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "items": [_document(row) for row in rows[:limit]],
        "next": None if last is None else write_cursor(last["ended_at"], last["from_position"]),
    }


def _document(row: Row) -> Document:
    counts = loads(row["counts"]) or {}
    in_group = row["owner_kind"] == "group"
    return {
        "run": row["run"],
        "row": row["row"],
        "job": {"kind": row["kind"], "id": row["job"]},
        "name": row["name"],
        "state": row["state"],
        "reason": row["reason"],
        "error": row["detail"],
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
        "duration_s": lasted(row["started_at"], row["ended_at"]),
        "counts": counts,
        "has_rejects": counts.get(REJECTED, 0) > 0,
        "group": {"kind": "group", "id": row["owner_id"]} if in_group else None,
        "position": row["row"] if in_group else None,
        "trigger": row["cause"],
        "trigger_detail": row["cause_detail"],
        "due": row["due"],
    }
