"""
What the views answer, as of any position.

Lists page by key; `cursor` is the `next` of the page before. A single thing that is not there, or is another
workspace's, is `None`. Nothing here holds a *now*: coming moments follow from the recorded ones.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.documents import (
    Document,
    Row,
    loads,
    occurrence_document,
    run_detail,
    run_document,
    schedule_document,
    service_document,
)
from eventjobs.projections.occurrence_reads import SCHEDULES, Window, list_occurrences
from eventjobs.projections.temporal import PRESENT

COUNT_SCHEDULES: Final = statement("reads/count_schedules")
SERVICES: Final = statement("reads/services")
COUNT_SERVICES: Final = statement("reads/count_services")
RUNS: Final = statement("reads/runs")
JOB_RUNS: Final = statement("reads/job_runs")
ATTEMPTS: Final = statement("reads/attempts")
OCCURRENCE: Final = statement("reads/occurrence")
WORKSPACES: Final = statement("reads/workspaces")
KEYS: Final = statement("reads/keys")

SECTIONS: Final = ("active", "onboarding", "maintenance", "workspace")
EMPTY: Final[Document] = {"count": 0, "items": [], "next": None}


class Views:
    """Reads of the views over a pool; `position` `None` is the present."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def jobs_page(
        self,
        workspace: str,
        *,
        position: int | None = None,
        section: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
        q: str | None = None,
        state: str | None = None,
        feature: str | None = None,
        drift: bool | None = None,
    ) -> Document:
        """The Jobs page: schedules by feature status and of the workspace, and services (R59)."""
        filtered = feature is not None  # no schedule here comes from a feature
        schedules = EMPTY
        if section in (None, "workspace") and not filtered:
            page = await self.schedules(
                workspace, position=position, cursor=cursor, limit=limit, q=q, state=state, drift=drift
            )
            schedules = {"count": await self._count_schedules(workspace, position, q, state), **page}
        services = EMPTY
        if section in (None, "services") and not filtered and state is None and drift is None:
            page = await self.services(workspace, position=position, cursor=cursor, limit=limit, q=q)
            services = {"count": await self._pool.fetchval(COUNT_SERVICES, workspace, _at(position), q), **page}
        return {
            "schedules": {name: schedules if name == "workspace" else EMPTY for name in SECTIONS},
            "services": services,
        }

    async def _count_schedules(self, workspace: str, position: int | None, q: str | None, state: str | None) -> Any:
        return await self._pool.fetchval(COUNT_SCHEDULES, workspace, _at(position), q, _active(state))

    async def schedules(
        self,
        workspace: str,
        *,
        position: int | None = None,
        cursor: str | None = None,
        limit: int = 100,
        q: str | None = None,
        state: str | None = None,
        drift: bool | None = None,
    ) -> Document:
        """Schedules by id; `drift` keeps those whose local time differs (or not) from their label (R20)."""
        (last,) = read_cursor(cursor, str) or ("",)
        items: list[Document] = []
        while True:
            rows = await self._pool.fetch(SCHEDULES, workspace, _at(position), None, last, limit + 1, q, _active(state))
            found = [schedule_document(row) for row in rows]
            items += [one for one in found if drift is None or one["drifted_from_label"] is drift]
            if len(rows) <= limit or len(items) > limit:
                return _page(items, limit)
            last = rows[-1]["id"]

    async def schedule(self, workspace: str, schedule_id: str, *, position: int | None = None) -> Document | None:
        """One schedule, also after its deletion."""
        row = await self._pool.fetchrow(SCHEDULES, workspace, _at(position), schedule_id, "", 1, None, None)
        return None if row is None else schedule_document(row)

    async def services(
        self,
        workspace: str,
        *,
        position: int | None = None,
        cursor: str | None = None,
        limit: int = 100,
        q: str | None = None,
    ) -> Document:
        """Services by id."""
        (last,) = read_cursor(cursor, str) or ("",)
        rows = await self._pool.fetch(SERVICES, workspace, _at(position), None, last, limit + 1, q)
        return _page([service_document(row) for row in rows], limit)

    async def service(self, workspace: str, service_id: str, *, position: int | None = None) -> Document | None:
        """One service, also after its deletion."""
        row = await self._pool.fetchrow(SERVICES, workspace, _at(position), service_id, "", 1, None)
        return None if row is None else service_document(row)

    async def job(self, workspace: str, job_id: str, *, position: int | None = None) -> Document | None:
        """One job of any kind."""
        return await self.service(workspace, job_id, position=position)

    async def runs(
        self,
        workspace: str,
        *,
        position: int | None = None,
        owner: tuple[str, str] | None = None,
        state: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Document:
        """Runs, the newest first."""
        before = read_cursor(cursor, datetime, int) or (None, None)
        rows = await self._pool.fetch(
            RUNS, workspace, _at(position), None, *(owner or (None, None)), state, since, until, *before, limit + 1
        )
        last = rows[limit - 1] if len(rows) > limit else None
        return {
            "items": [run_document(row) for row in rows[:limit]],
            "next": None if last is None else write_cursor(last["opened_at"], last["from_position"]),
        }

    async def run(self, workspace: str, run_id: str, *, position: int | None = None) -> Document | None:
        """One run with stages, job runs and attempts."""
        at = _at(position)
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read"):
            nothing = (None, None, None, None, None, None, None)
            row = await connection.fetchrow(RUNS, workspace, at, run_id, *nothing, 1)
            if row is None:
                return None
            job_runs = await connection.fetch(JOB_RUNS, workspace, run_id, at)
            attempts = await connection.fetch(ATTEMPTS, workspace, run_id, at)
        return run_detail(row, job_runs, attempts)

    async def occurrences(
        self,
        workspace: str,
        *,
        position: int | None = None,
        owner: tuple[str, str] | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        outcome: str | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Document:
        """Answered occurrences in a window, then the coming ones."""
        window = Window(owner=owner, since=since, until=until, outcome=outcome)
        return await list_occurrences(self._pool, workspace, _at(position), window, cursor, limit)

    async def occurrence(self, workspace: str, occurrence_id: str, *, position: int | None = None) -> Document | None:
        """One answered occurrence."""
        row = await self._pool.fetchrow(OCCURRENCE, workspace, _at(position), occurrence_id)
        return None if row is None else occurrence_document(row, row["due"], row["id"])

    async def workspaces(
        self,
        *,
        position: int | None = None,
        only: Sequence[str] | None = None,
        cursor: str | None = None,
        limit: int = 100,
    ) -> Document:
        """Workspaces by id."""
        (last,) = read_cursor(cursor, str) or ("",)
        rows = await self._pool.fetch(WORKSPACES, _at(position), only, last, limit + 1)
        return _page([dict(row) for row in rows], limit)

    async def workspace(self, workspace: str, *, position: int | None = None) -> Document | None:
        """One workspace."""
        rows = await self._pool.fetch(WORKSPACES, _at(position), [workspace], "", 1)
        return dict(rows[0]) if rows else None

    async def keys(
        self, workspace: str, *, position: int | None = None, cursor: str | None = None, limit: int = 100
    ) -> Document:
        """The keys that were issued in a workspace."""
        (last,) = read_cursor(cursor, str) or ("",)
        rows = await self._pool.fetch(KEYS, workspace, _at(position), last, limit + 1)
        return _page([_key(row) for row in rows], limit)


def _at(position: int | None) -> int:
    return PRESENT if position is None else position


def _active(state: str | None) -> bool | None:
    return None if state is None else state == "active"


def _page(items: list[Document], limit: int) -> Document:
    more = len(items) > limit
    return {"items": items[:limit], "next": write_cursor(items[limit - 1]["id"]) if more else None}


def _key(row: Row) -> Document:
    return {**dict(row), "roles": loads(row["roles"]), "workspaces": loads(row["workspaces"])}
