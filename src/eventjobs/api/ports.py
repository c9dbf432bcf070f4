"""What the edge needs from the rest, as ports: views, the projector's place, log lines, readiness, pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref

Document: TypeAlias = dict[str, Any]


class Sharing(Protocol):
    """A schedule that runs some of the same jobs as another."""

    @property
    def schedule(self) -> str:
        """Its id."""
        ...

    @property
    def jobs(self) -> Sequence[str]:
        """The ids of the jobs that both run."""
        ...

    def meets(self, due: datetime, lasts: timedelta) -> datetime | None:
        """Its moment whose run would be open at the same time as one that is due then and lasts so long."""
        ...


class Views(Protocol):
    """
    What the projections built, as JSON-ready documents.

    `position` reads as of that position, `None` the present; a single thing is `None` where there is none. Lists are
    `{items, next}`; `cursor` is a `next` that was given out before (raises `Rejected` `bad_cursor` for another one).
    """

    async def jobs_page(self, *args: Any, **kwargs: Any) -> Document:
        """The Jobs page, or a part of one section."""
        ...

    async def schedules(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the schedules."""
        ...

    async def schedule(self, workspace: str, schedule_id: str, *, position: int | None) -> Document | None:
        """A schedule."""
        ...

    async def services(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the services."""
        ...

    async def service(self, workspace: str, service_id: str, *, position: int | None) -> Document | None:
        """A service."""
        ...

    async def flows(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the flows."""
        ...

    async def flow(self, workspace: str, flow_id: str, *, position: int | None) -> Document | None:
        """A flow."""
        ...

    async def calendars(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the blackout calendars."""
        ...

    async def calendar(self, workspace: str, calendar_id: str, *, position: int | None) -> Document | None:
        """A blackout calendar."""
        ...

    async def job(self, workspace: str, job_id: str, *, position: int | None) -> Document | None:
        """A service or a flow."""
        ...

    async def connect_job(
        self, workspace: str, job_id: str, *, now: datetime, kinds: Sequence[str], position: int | None
    ) -> Document | None:
        """A Connect job; `now` and `kinds` as for groups."""
        ...

    async def group(
        self, workspace: str, group_id: str, *, now: datetime, kinds: Sequence[str], position: int | None
    ) -> Document | None:
        """A group as it is at `now`; groups may have jobs of these `kinds`."""
        ...

    async def group_jobs(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the groups."""
        ...

    async def all_jobs(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the Connect jobs."""
        ...

    async def completed_jobs(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the job runs of Connect jobs that ended, the newest first."""
        ...

    async def group_candidates(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the Connect jobs, each with why it may not be in a group."""
        ...

    async def integrations(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the registrations."""
        ...

    async def integration(self, workspace: str, integration_id: str, *, position: int | None) -> Document | None:
        """A registration, with its drift."""
        ...

    async def feature(self, workspace: str, feature_id: str, *, position: int | None) -> Document | None:
        """A feature of a registration."""
        ...

    async def definitions(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the definitions that a workspace publishes."""
        ...

    async def definition(
        self, workspace: str, definition_id: str, *, only: Sequence[str] | None, position: int | None
    ) -> Document | None:
        """A definition; `only` names the workspaces whose registrations the caller may see."""
        ...

    async def runs(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the runs, the newest first."""
        ...

    async def run(self, workspace: str, run_id: str, *, position: int | None) -> Document | None:
        """A run with its stages, job runs and attempts."""
        ...

    async def notifications(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the messages, the newest first."""
        ...

    async def notification(self, workspace: str, notification_id: str, *, position: int | None) -> Document | None:
        """A message."""
        ...

    async def occurrences(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the occurrences, past and coming."""
        ...

    async def occurrence(self, workspace: str, occurrence_id: str, *, position: int | None) -> Document | None:
        """An occurrence."""
        ...

    async def calendar_page(self, *args: Any, **kwargs: Any) -> Document:
        """The slots of some days with their outcomes, and what comes."""
        ...

    async def newest_outcomes(self, *args: Any, **kwargs: Any) -> Sequence[Document]:
        """What became of the newest moments of a window."""
        ...

    async def lateness(self, *args: Any, **kwargs: Any) -> Document:
        """How late the newest starts of a window were."""
        ...

    async def strips(
        self, workspace: str, owners: Sequence[tuple[str, str]], *, position: int | None
    ) -> Sequence[Document]:
        """The last occurrences of each of these owners `(kind, id)`."""
        ...

    async def workspaces(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the workspaces; `only` names those that the caller may see."""
        ...

    async def workspace(self, workspace: str, *, position: int | None) -> Document | None:
        """A workspace."""
        ...

    async def holds(self, workspace: str, *, position: int | None) -> Sequence[Document]:
        """The holds of all starts that concern a workspace, the deployment's first."""
        ...

    async def open_runs(self, workspace: str) -> Mapping[tuple[str, str], int]:
        """How many runs each owner `(kind, id)` has open now."""
        ...

    async def load(
        self, workspace: str, begin: datetime, *, position: int | None = None, without: StreamId | None = None
    ) -> Sequence[int]:
        """How many runs are open in each minute of the day, UTC, in the 24 hours from `begin` on."""
        ...

    async def sharing(self, workspace: str, jobs: Mapping[str, Sequence[str]], own: str) -> Sequence[Sharing]:
        """The active schedules but `own` that share one of these jobs, ids by kind."""
        ...

    async def duration(self, workspace: str, owner: Ref) -> timedelta:
        """How long a run of an owner takes, by those that were seen."""
        ...

    async def search(self, *args: Any, **kwargs: Any) -> Document:
        """What has a text in its id or name, the best first."""
        ...

    async def service_types(self, workspace: str, *, position: int | None) -> Sequence[Document]:
        """Each Connector/Module/Type of the workspace, with its handler and how many services have it."""
        ...

    async def keys(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the keys; never a secret or its hash."""
        ...

    async def key(self, workspace: str, key_id: str, *, position: int | None) -> Document | None:
        """A key; never a secret or its hash."""
        ...

    async def members(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the members."""
        ...

    async def member(self, workspace: str, member_id: str, *, position: int | None) -> Document | None:
        """A member."""
        ...


class Following(Protocol):
    """How far the views are."""

    def position(self) -> int:
        """Return the position up to which every view is built."""
        ...

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        """Wait until the views are at `position`; tell whether they are."""
        ...


class LogLines(Protocol):
    """The lines that attempts wrote; they are no events and are kept for a time only."""

    async def read(
        self,
        workspace: str,
        run: str,
        row: int | None,
        attempt: int | None,
        after: tuple[int, int, int],
        limit: int,
    ) -> Sequence[Mapping[str, Any]]:
        """Return lines after `(row, attempt, line)`, in order, of one row or attempt or of all."""
        ...

    async def read_last(
        self, workspace: str, run: str, row: int | None, attempt: int | None, until: datetime | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        """Return the last lines, by their time, of one row or attempt or of all; `until` leaves out later ones."""
        ...


class Readiness(Protocol):
    """Whether this instance can do its work."""

    async def problems(self) -> Sequence[str]:
        """Return what is in the way, in stable words; nothing when writes are accepted and views are ≤ 1 s behind."""
        ...


class Page(Protocol):
    """A static file, held in memory: its bytes, plain and compressed, and the policy of what it may load."""

    @property
    def content_type(self) -> str:
        """Its media type."""
        ...

    @property
    def body(self) -> bytes:
        """Its bytes."""
        ...

    @property
    def gzipped(self) -> bytes:
        """The same, compressed."""
        ...

    @property
    def policy(self) -> str:
        """Its Content-Security-Policy."""
        ...

    @property
    def etag(self) -> str:
        """Its ETag, with the quotes."""
        ...


Pages: TypeAlias = Mapping[str, Page]
"""Static files by path (`/docs`, `/docs/swagger-ui.css`)."""
