"""Reads of runs: pages with the newest first, and one in detail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.delay_reads import delays_of
from eventjobs.projections.documents import Document, run_detail, run_document
from eventjobs.projections.notification_reads import notifications_of
from eventjobs.projections.things import capped

LIST_RUNS: Final = statement("reads/list_runs")
LIST_OWNER_RUNS: Final = statement("reads/list_owner_runs")
FIND_RUN: Final = statement("reads/find_run")
LIST_JOB_RUNS: Final = statement("reads/list_job_runs")
LIST_SUSPENSIONS: Final = statement("reads/list_suspensions")
LIST_ATTEMPTS: Final = statement("reads/list_attempts")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRuns:
    """Which runs: of one owner `(kind, id)`, in one state, opened in `[since, until)`."""

    owner: tuple[str, str] | None = None
    state: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_runs(
    pool: TimedPool, workspace: str, position: int, wanted: WantedRuns, cursor: str | None, limit: int
) -> Document:
    """Return a page of runs."""
    limit = capped(limit)
    before = read_cursor(cursor, datetime, int) or (None, None)
    sql = LIST_RUNS if wanted.owner is None else LIST_OWNER_RUNS
    window, owner = (wanted.since, wanted.until), wanted.owner or ()
    rows = await pool.fetch(sql, workspace, position, *window, *before, wanted.state, limit + 1, *owner)
    last = rows[limit - 1] if len(rows) > limit else None
    delays = await delays_of(pool, workspace, (row["id"] for row in rows[:limit]), position)
    return {
        "items": [run_document(row, delays.get(row["id"], ())) for row in rows[:limit]],
        "next": None if last is None else write_cursor(last["opened_at"], last["from_position"]),
    }


async def find_run(pool: TimedPool, workspace: str, run: str, position: int) -> Document | None:
    """Return a run with its stages, their job runs, every attempt, and the messages about it, all of one moment."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        row = await connection.fetchrow(FIND_RUN, workspace, run, position)
        if row is None:
            return None
        job_runs = await connection.fetch(LIST_JOB_RUNS, workspace, run, position)
        attempts = await connection.fetch(LIST_ATTEMPTS, workspace, run, position)
        suspensions = await connection.fetch(LIST_SUSPENSIONS, workspace, run, position)
        delays = await delays_of(connection, workspace, [run], position)
        told = await notifications_of(connection, workspace, run, position)
    return {**run_detail(row, delays.get(run, ()), job_runs, attempts, suspensions), "notifications": told}
