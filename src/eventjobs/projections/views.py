"""
What the views answer, as of any position.

Lists page by key; `cursor` is the `next` of the page before. A single thing that is not there, or is another
workspace's, is `None`. Nothing here holds a *now*: coming moments follow from the recorded ones.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.calendar_page import calendar_page
from eventjobs.projections.calendar_reads import calendars_of, find_calendar
from eventjobs.projections.calendar_slots import WantedCalendar
from eventjobs.projections.completed_reads import WantedCompleted, list_completed
from eventjobs.projections.connect_documents import Seen
from eventjobs.projections.connect_reads import (
    WantedRows,
    find_connect_jobs,
    find_group,
    list_candidates,
    list_connect_jobs,
    list_groups,
)
from eventjobs.projections.documents import Document, flow_document, schedule_document, service_document
from eventjobs.projections.integration_reads import (
    find_definition,
    find_feature,
    find_integration,
    list_definitions,
    list_integrations,
)
from eventjobs.projections.jobs_page import WantedPage, jobs_page
from eventjobs.projections.load_reads import Sharing, duration_of, list_sharing, load_of
from eventjobs.projections.notification_reads import (
    WantedNotifications,
    alerts_of,
    find_notification,
    list_notifications,
)
from eventjobs.projections.occurrence_reads import Window, find_occurrence, list_occurrences
from eventjobs.projections.origins import origins_of
from eventjobs.projections.outcome_reads import WantedOutcomes, lateness, newest_outcomes, strips
from eventjobs.projections.run_reads import WantedRuns, find_run, list_runs
from eventjobs.projections.search import WantedText, search
from eventjobs.projections.shown_runs import shown_runs_of
from eventjobs.projections.temporal import PRESENT
from eventjobs.projections.things import (
    FIND_WORKSPACE,
    WantedThings,
    find_key,
    find_member,
    list_calendars,
    list_flows,
    list_holds,
    list_keys,
    list_members,
    list_schedules,
    list_services,
    list_workspaces,
)

LIST_SERVICE_TYPES: Final = statement("reads/list_service_types")
COUNT_OPEN_RUNS: Final = statement("reads/count_open_runs")
FIND_SCHEDULE: Final = statement("reads/find_schedule")
FIND_FLOW: Final = statement("reads/find_flow")
FIND_SERVICE: Final = statement("reads/find_service")


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
        if row is None:
            return None
        runs = await shown_runs_of(self._pool, workspace, [row], _at(position))
        calendars = await calendars_of(self._pool, workspace, [row], _at(position))
        alerts = await alerts_of(self._pool, workspace, schedule_id, _at(position))
        origins = await origins_of(self._pool, workspace, "schedule", [row], _at(position))
        return {**schedule_document(row, runs, calendars, origins), **alerts}

    async def services(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return services by id; filters as `WantedThings`."""
        return await list_services(self._pool, workspace, WantedThings(**wanted), _at(position))

    async def service(self, workspace: str, service_id: str, *, position: int | None = None) -> Document | None:
        """Return one service, also after its deletion."""
        row = await self._pool.fetchrow(FIND_SERVICE, workspace, service_id, _at(position))
        if row is None:
            return None
        runs = await shown_runs_of(self._pool, workspace, [row], _at(position))
        origins = await origins_of(self._pool, workspace, "service", [row], _at(position))
        return service_document(row, runs, origins)

    async def flows(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return flows by id; filters as `WantedThings`."""
        return await list_flows(self._pool, workspace, WantedThings(**wanted), _at(position))

    async def flow(self, workspace: str, flow_id: str, *, position: int | None = None) -> Document | None:
        """Return one flow, also after its deletion."""
        row = await self._pool.fetchrow(FIND_FLOW, workspace, flow_id, _at(position))
        if row is None:
            return None
        runs = await shown_runs_of(self._pool, workspace, [row], _at(position))
        origins = await origins_of(self._pool, workspace, "flow", [row], _at(position))
        return flow_document(row, runs, origins)

    async def integrations(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return a workspace's registrations by id; filters as `WantedThings`."""
        return await list_integrations(self._pool, workspace, WantedThings(**wanted), _at(position))

    async def integration(self, workspace: str, integration_id: str, *, position: int | None = None) -> Document | None:
        """Return one registration with its drift."""
        return await find_integration(self._pool, workspace, integration_id, _at(position))

    async def feature(self, workspace: str, feature_id: str, *, position: int | None = None) -> Document | None:
        """Return one feature of a registration, by `<integration>.<its id there>`."""
        return await find_feature(self._pool, workspace, feature_id, _at(position))

    async def definitions(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return the definitions that a workspace publishes, by id; filters as `WantedThings`."""
        return await list_definitions(self._pool, workspace, WantedThings(**wanted), _at(position))

    async def definition(
        self, workspace: str, definition_id: str, *, only: Sequence[str] | None = None, position: int | None = None
    ) -> Document | None:
        """Return one definition with its registrations in the workspaces `only` names, or in all."""
        return await find_definition(self._pool, workspace, definition_id, only, _at(position))

    async def calendars(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return blackout calendars by id; filters as `WantedThings`."""
        return await list_calendars(self._pool, workspace, WantedThings(**wanted), _at(position))

    async def calendar(self, workspace: str, calendar_id: str, *, position: int | None = None) -> Document | None:
        """Return one blackout calendar."""
        return await find_calendar(self._pool, workspace, calendar_id, _at(position))

    async def job(self, workspace: str, job_id: str, *, position: int | None = None) -> Document | None:
        """Return one service or flow; ids are unique over all kinds of job."""
        service = await self.service(workspace, job_id, position=position)
        return service or await self.flow(workspace, job_id, position=position)

    async def connect_job(
        self, workspace: str, job_id: str, *, now: datetime, kinds: Sequence[str], position: int | None = None
    ) -> Document | None:
        """Return one Connect job, also after its deletion; `now` and `kinds` as for groups."""
        seen = Seen(now=now, kinds=kinds)
        return (await find_connect_jobs(self._pool, workspace, [job_id], _at(position), seen)).get(job_id)

    async def group(
        self, workspace: str, group_id: str, *, now: datetime, kinds: Sequence[str], position: int | None = None
    ) -> Document | None:
        """Return one group, also after its deletion, as it is at `now`; groups may have jobs of these `kinds`."""
        return await find_group(self._pool, workspace, group_id, _at(position), Seen(now=now, kinds=kinds))

    async def group_jobs(
        self, workspace: str, *, now: datetime, kinds: Sequence[str], position: int | None = None, **wanted: Any
    ) -> Document:
        """Return the tab of groups; filters as `WantedRows`."""
        seen = Seen(now=now, kinds=kinds)
        return await list_groups(self._pool, workspace, WantedRows(**wanted), _at(position), seen)

    async def all_jobs(
        self, workspace: str, *, now: datetime, kinds: Sequence[str], position: int | None = None, **wanted: Any
    ) -> Document:
        """Return the tab of all Connect jobs; filters as `WantedRows`."""
        seen = Seen(now=now, kinds=kinds)
        return await list_connect_jobs(self._pool, workspace, WantedRows(**wanted), _at(position), seen)

    async def group_candidates(
        self, workspace: str, *, now: datetime, kinds: Sequence[str], position: int | None = None, **wanted: Any
    ) -> Document:
        """Return every Connect job, and why it may not be in a group; filters as `WantedRows`."""
        seen = Seen(now=now, kinds=kinds)
        return await list_candidates(self._pool, workspace, WantedRows(**wanted), _at(position), seen)

    async def completed_jobs(
        self, workspace: str, *, now: datetime, kinds: Sequence[str], position: int | None = None, **wanted: Any
    ) -> Document:
        """
        Return the job runs of Connect jobs that ended, the newest first; filters as `WantedCompleted`.

        `of` is the job of each as it stands.
        """
        page = await list_completed(self._pool, workspace, WantedCompleted(**wanted), _at(position), now)
        ids = sorted({item["job"]["id"] for item in page["items"]})
        jobs = await find_connect_jobs(self._pool, workspace, ids, _at(position), Seen(now=now, kinds=kinds))
        return {**page, "items": [{**item, "of": jobs[item["job"]["id"]]} for item in page["items"]]}

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

    async def notifications(
        self,
        workspace: str,
        *,
        position: int | None = None,
        cursor: str | None = None,
        limit: int = 100,
        **wanted: Any,
    ) -> Document:
        """Return messages, the newest first; filters as `WantedNotifications`."""
        where = (self._pool, workspace, _at(position))
        return await list_notifications(*where, WantedNotifications(**wanted), cursor, limit)

    async def notification(
        self, workspace: str, notification_id: str, *, position: int | None = None
    ) -> Document | None:
        """Return one message."""
        return await find_notification(self._pool, workspace, notification_id, _at(position))

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

    async def calendar_page(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return what became of the moments of some days, slot by slot, and what comes, as `WantedCalendar`."""
        return await calendar_page(self._pool, workspace, _at(position), WantedCalendar(**wanted))

    async def newest_outcomes(
        self, workspace: str, *, position: int | None = None, **wanted: Any
    ) -> Sequence[Document]:
        """Return what became of the newest moments of a window, the newest first, as `WantedOutcomes`."""
        return await newest_outcomes(self._pool, workspace, _at(position), WantedOutcomes(**wanted))

    async def lateness(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return how late the newest starts of a window were, as `WantedOutcomes`."""
        return await lateness(self._pool, workspace, _at(position), WantedOutcomes(**wanted))

    async def strips(
        self, workspace: str, owners: Sequence[tuple[str, str]], *, position: int | None = None
    ) -> Sequence[Document]:
        """Return the last occurrences of each of these owners `(kind, id)`."""
        return await strips(self._pool, workspace, _at(position), owners)

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

    async def holds(self, workspace: str, *, position: int | None = None) -> Sequence[Document]:
        """Return the holds of all starts that concern a workspace, the deployment's first."""
        return await list_holds(self._pool, workspace, _at(position))

    async def open_runs(self, workspace: str) -> Mapping[tuple[str, str], int]:
        """Return how many runs each owner `(kind, id)` has open now."""
        rows = await self._pool.fetch(COUNT_OPEN_RUNS, workspace)
        return {(row["owner_kind"], row["owner_id"]): row["count"] for row in rows}

    async def load(
        self, workspace: str, begin: datetime, *, position: int | None = None, without: StreamId | None = None
    ) -> Sequence[int]:
        """Return how many runs are open in each minute of the day, UTC, in the 24 hours from `begin` on."""
        return await load_of(self._pool, workspace, _at(position), begin, without=without)

    async def sharing(self, workspace: str, jobs: Mapping[str, Sequence[str]], own: str) -> Sequence[Sharing]:
        """Return the active schedules but `own` that share one of these jobs, ids by kind."""
        return await list_sharing(self._pool, workspace, jobs, own)

    async def duration(self, workspace: str, owner: Ref) -> timedelta:
        """Return how long a run of an owner takes, by those that were seen."""
        return await duration_of(self._pool, workspace, owner)

    async def search(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return what has a text in its id or name, the best first; filters as `WantedText`."""
        return await search(self._pool, workspace, _at(position), WantedText(**wanted))

    async def service_types(self, workspace: str, *, position: int | None = None) -> Sequence[Document]:
        """Return each Connector/Module/Type of the workspace, with its handler and how many services have it."""
        return [dict(row) for row in await self._pool.fetch(LIST_SERVICE_TYPES, workspace, _at(position))]

    async def keys(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return the keys that were issued in a workspace, without anything of their secrets."""
        return await list_keys(self._pool, workspace, WantedThings(**wanted), _at(position))

    async def key(self, workspace: str, key_id: str, *, position: int | None = None) -> Document | None:
        """Return one key, also after it was revoked."""
        return await find_key(self._pool, workspace, key_id, _at(position))

    async def members(self, workspace: str, *, position: int | None = None, **wanted: Any) -> Document:
        """Return the members of a workspace by id; filters as `WantedThings`."""
        return await list_members(self._pool, workspace, WantedThings(**wanted), _at(position))

    async def member(self, workspace: str, member_id: str, *, position: int | None = None) -> Document | None:
        """Return one member, also after they were removed."""
        return await find_member(self._pool, workspace, member_id, _at(position))


def _at(position: int | None) -> int:
    return PRESENT if position is None else position
