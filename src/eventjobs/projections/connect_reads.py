"""The Manage Connect page: groups, Connect jobs and who may join a group, as of any position."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.expiry import WARNED_DAYS, today
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.connect_documents import (
    Seen,
    candidate_document,
    connect_job_document,
    group_document,
)
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.documents import Document, Row, loads
from eventjobs.projections.shown_runs import shown_runs_of
from eventjobs.projections.slot_rows import member_of
from eventjobs.projections.things import FIND_WORKSPACE, LIMIT_MAX, capped

FIND_GROUPS: Final = statement("reads/find_groups")
LIST_GROUPS: Final = statement("reads/list_groups")
LIST_MEMBERS: Final = statement("reads/list_members_of_groups")
FIND_CONNECT_JOBS: Final = statement("reads/find_connect_jobs")
LIST_CONNECT_JOBS: Final = statement("reads/list_connect_jobs")

_SOON: Final = timedelta(days=max(WARNED_DAYS))
_SURELY_OVER: Final = timedelta(days=3)
"""A single moment is over so long after its date, whatever the zone and the gap that it fell into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRows:
    """
    Which part of a tab: a text in id, name or description, the state of the definition, the type of the schedule.

    `expiring` finds those whose last day is near; `order` is `name` or `next_run`. Only groups are `invalid`, only jobs
    have a `kind` and are `grouped` or in the group `group`.
    """

    q: str | None = None
    state: str | None = None
    schedule_type: str | None = None
    running: bool | None = None
    expiring: bool | None = None
    invalid: bool | None = None
    kind: str | None = None
    grouped: bool | None = None
    group: str | None = None
    qualified: bool | None = None
    order: str = "name"
    cursor: str | None = None
    limit: int = 100

    def after(self) -> tuple[Any, Any]:
        """Place and id after which the page begins; raises `Invalid` `bad_cursor`."""
        place, the_id = read_cursor(self.cursor, str, str) or (None, None)
        return place, the_id


async def find_group(pool: TimedPool, workspace: str, group: str, position: int, seen: Seen) -> Document | None:
    """Return one group, also after its deletion."""
    return (await _groups(pool, workspace, [group], position, seen)).get(group)


async def find_connect_jobs(
    pool: TimedPool, workspace: str, jobs: Sequence[str], position: int, seen: Seen
) -> Mapping[str, Document]:
    """Return Connect jobs of whatever kind by their ids, also after their deletion."""
    rows = await pool.fetch(FIND_CONNECT_JOBS, workspace, jobs, position)
    runs = await shown_runs_of(pool, workspace, rows, position)
    return {row["id"]: connect_job_document(row, runs, seen) for row in rows}


async def list_groups(pool: TimedPool, workspace: str, wanted: WantedRows, position: int, seen: Seen) -> Document:
    """
    Return the tab of groups.

    Which are `invalid` is what the rules say of each; the query leaves out nearly all others, the rest is read on for.
    """
    limit, after = capped(wanted.limit), wanted.after()
    shared = await _filters(pool, workspace, wanted, position, seen)
    spent_before = (seen.now - _SURELY_OVER).date().isoformat()
    rest = (wanted.invalid, seen.now, list(seen.kinds), spent_before)
    found: list[tuple[Row, Document]] = []
    size = limit + 1
    while True:
        rows = await pool.fetch(LIST_GROUPS, workspace, position, *shared, *after, size, *rest)
        groups = await _groups(pool, workspace, [row["id"] for row in rows], position, seen)
        shown = [(row, groups[row["id"]]) for row in rows if row["id"] in groups]
        found += [(row, group) for row, group in shown if wanted.invalid in (None, bool(group["invalid"]))]
        if len(found) > limit or len(rows) < size:
            return _page(found, limit)
        after, size = (rows[-1]["place"], rows[-1]["id"]), LIMIT_MAX


async def list_connect_jobs(pool: TimedPool, workspace: str, wanted: WantedRows, position: int, seen: Seen) -> Document:
    """Return the tab of all jobs."""
    rows = await _jobs(pool, workspace, wanted, position, seen, group=wanted.group)
    jobs = await find_connect_jobs(pool, workspace, [row["id"] for row in rows], position, seen)
    return _page([(row, jobs.get(row["id"])) for row in rows], capped(wanted.limit))


async def list_candidates(pool: TimedPool, workspace: str, wanted: WantedRows, position: int, seen: Seen) -> Document:
    """Return every job with the reasons why it does not qualify for the group, or for a new one (G19)."""
    rows = await _jobs(pool, workspace, wanted, position, seen, group=None)
    ids = [row["id"] for row in rows]
    members = await pool.fetch(LIST_MEMBERS, workspace, ids, position)
    candidates = {row["id"]: candidate_document(row, member_of(row), wanted.group, seen) for row in members}
    return _page([(row, candidates.get(row["id"])) for row in rows], capped(wanted.limit))


async def _jobs(
    pool: TimedPool, workspace: str, wanted: WantedRows, position: int, seen: Seen, *, group: str | None
) -> Sequence[Row]:
    filters = await _filters(pool, workspace, wanted, position, seen)
    place = (*wanted.after(), capped(wanted.limit) + 1)
    qualified = (wanted.qualified, seen.now, wanted.group, list(seen.kinds))
    which = (*filters, *place, wanted.kind, wanted.grouped, group, *qualified)
    return await pool.fetch(LIST_CONNECT_JOBS, workspace, position, *which)


async def _filters(
    pool: TimedPool, workspace: str, wanted: WantedRows, position: int, seen: Seen
) -> Sequence[str | bool | None]:
    """Return what both lists filter by, and their order; the last day that is near is one of the workspace's zone."""
    soon = None
    if wanted.expiring is not None:
        row = await pool.fetchrow(FIND_WORKSPACE, workspace, position)
        soon = None if row is None else (today(row["time_zone"], seen.now) + _SOON).isoformat()
    plain = (wanted.q, wanted.state, wanted.schedule_type, wanted.running)
    return (*plain, wanted.expiring, soon, wanted.order == "next_run")


async def _groups(
    pool: TimedPool, workspace: str, groups: Sequence[str], position: int, seen: Seen
) -> Mapping[str, Document]:
    rows = await pool.fetch(FIND_GROUPS, workspace, groups, position)
    ids = sorted({member["job"]["id"] for row in rows for member in loads(row["members"])})
    found = await pool.fetch(LIST_MEMBERS, workspace, ids, position) if ids else ()
    members: Mapping[str, Row] = {row["id"]: row for row in found}
    states: Mapping[str, ConnectJob] = {row["id"]: member_of(row) for row in found}
    runs = await shown_runs_of(pool, workspace, rows, position)
    return {row["id"]: group_document(row, members, states, runs, seen) for row in rows}


def _page(found: Sequence[tuple[Row, Document | None]], limit: int) -> Document:
    """Return a page of the rows; those without a document, as one of the views is behind the others, are left out."""
    last = found[limit - 1][0] if len(found) > limit else None
    return {
        "items": [document for _, document in found[:limit] if document is not None],
        "next": None if last is None else write_cursor(last["place"], last["id"]),
    }
