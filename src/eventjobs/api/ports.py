"""What the edge needs from the rest, as ports: views, the projector's place, log lines, readiness, pages."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

Document: TypeAlias = dict[str, Any]


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

    async def job(self, workspace: str, job_id: str, *, position: int | None) -> Document | None:
        """A job of any kind."""
        ...

    async def runs(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the runs, the newest first."""
        ...

    async def run(self, workspace: str, run_id: str, *, position: int | None) -> Document | None:
        """A run with its stages, job runs and attempts."""
        ...

    async def occurrences(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the occurrences, past and coming."""
        ...

    async def occurrence(self, workspace: str, occurrence_id: str, *, position: int | None) -> Document | None:
        """An occurrence."""
        ...

    async def workspaces(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the workspaces; `only` names those that the caller may see."""
        ...

    async def workspace(self, workspace: str, *, position: int | None) -> Document | None:
        """A workspace."""
        ...

    async def keys(self, *args: Any, **kwargs: Any) -> Document:
        """A part of the keys; never a secret or its hash."""
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
