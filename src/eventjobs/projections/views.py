"""
What the views answer, as of any position.

Lists page by key; `cursor` is the `next` of the page before. A single thing that is not there, or is another
workspace's, is `None`. Nothing here holds a *now*: coming moments follow from the recorded ones.
"""

from collections.abc import Sequence
from typing import Any, Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Document, schedule_document, service_document
from eventjobs.projections.jobs_page import WantedPage, jobs_page
from eventjobs.projections.occurrence_reads import Window, find_occurrence, list_occurrences
from eventjobs.projections.run_reads import WantedRuns, find_run, list_runs
from eventjobs.projections.temporal import PRESENT
from eventjobs.projections.things import (
    WantedThings,
    list_holds,
    list_keys,
    list_schedules,
    list_services,
    list_workspaces,
)

FIND_SCHEDULE: Final = statement("reads/find_schedule")
FIND_SERVICE: Final = statement("reads/find_service")
FIND_WORKSPACE: Final = statement("reads/find_workspace")


class Views:
    """Reads of the views over a pool; `position` `None` is the present."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def jobs_page(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return `{schedules: {active, onboarding, maintenance, workspace}, services}`; filters as `WantedPage`."""
        return await jobs_page(self._pool, workspace, WantedPage(**wanted), _at(position))

    async def schedules(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return schedules by id; filters as `WantedThings`."""
        return await list_schedules(self._pool, workspace, WantedThings(**wanted), _at(position))

    async def schedule(self, workspace: str, schedule_id: str, *, position: int | None = None) -> Document | None:
        """Return one schedule, also after its deletion."""
        row = await self._pool.fetchrow(FIND_SCHEDULE, workspace, schedule_id, _at(position))
        return None if row is None else schedule_document(row)

    async def services(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return services by id; filters as `WantedThings`."""
        return await list_services(self._pool, workspace, WantedThings(**wanted), _at(position))

    async def service(self, workspace: str, service_id: str, *, position: int | None = None) -> Document | None:
        """Return one service, also after its deletion."""
        row = await self._pool.fetchrow(FIND_SERVICE, workspace, service_id, _at(position))
        return None if row is None else service_document(row)

    async def job(self, workspace: str, job_id: str, *, position: int | None = None) -> Document | None:
        """Return one job of any kind; ids are unique over all kinds."""
        return await self.service(workspace, job_id, position=position)

    async def runs(
        self,
        workspace: str,
        *,
        position: int | None = None,
        cursor: str | None = None,
        limit: int = 100,
        **wanted: Any,
    ) -> Document:
        """Return runs, the newest first; filters as `WantedRuns`."""
        return await list_runs(self._pool, workspace, _at(position), WantedRuns(**wanted), cursor, limit)

    async def run(self, workspace: str, run_id: str, *, position: int | None = None) -> Document | None:
        """Return one run with stages, job runs and attempts."""
        return await find_run(self._pool, workspace, run_id, _at(position))

    async def occurrences(
        self,
        workspace: str,
        *,
        position: int | None = None,
        cursor: str | None = None,
        limit: int = 100,
        **wanted: Any,
    ) -> Document:
        """Return answered occurrences in a window, then the coming ones; filters as `Window`."""
        return await list_occurrences(self._pool, workspace, _at(position), Window(**wanted), cursor, limit)

    async def occurrence(self, workspace: str, occurrence_id: str, *, position: int | None = None) -> Document | None:
        """Return one answered occurrence."""
        return await find_occurrence(self._pool, workspace, occurrence_id, _at(position))

    async def workspaces(
        self, *, only: Sequence[str] | None = None, position: int | None = None, **wanted: Any
    ) -> Document:
        """Return workspaces by id: all, or those named."""
        return await list_workspaces(self._pool, only, WantedThings(**wanted), _at(position))

    async def workspace(self, workspace: str, *, position: int | None = None) -> Document | None:
        """Return one workspace, with the holds of all starts that concern it."""
        row = await self._pool.fetchrow(FIND_WORKSPACE, workspace, _at(position))
        if row is None:
            return None
        return {**row, "holds": await list_holds(self._pool, workspace, _at(position))}

    async def keys(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return the keys that were issued in a workspace, without anything of their secrets."""
        return await list_keys(self._pool, workspace, WantedThings(**wanted), _at(position))


def _at(position: int | None) -> int:
    return PRESENT if position is None else position
