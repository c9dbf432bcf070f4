"""Reads of workspaces, keys, services and schedules: pages by id, deleted things left out, and single ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.documents import Document, hold_document, key_document, schedule_document, service_document

LIST_SCHEDULES: Final = statement("reads/list_schedules")
LIST_SERVICES: Final = statement("reads/list_services")
LIST_WORKSPACES: Final = statement("reads/list_workspaces")
LIST_HOLDS: Final = statement("reads/list_holds")
LIST_KEYS: Final = statement("reads/list_keys")

LIMIT_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedThings:
    """Which part of a list: `q` is a part of an id or a name, `state` is `active` or `inactive`."""

    q: str | None = None
    state: str | None = None
    cursor: str | None = None
    limit: int = 100

    @property
    def active(self) -> bool | None:
        """The state as it is stored."""
        return None if self.state is None else self.state == "active"

    @property
    def after(self) -> str:
        """The id after which the page begins; raises `Invalid` `bad_cursor`."""
        (last,) = read_cursor(self.cursor, str) or ("",)
        return str(last)


async def list_schedules(pool: TimedPool, workspace: str, wanted: WantedThings, position: int) -> Document:
    """Return schedules by id."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_SCHEDULES, workspace, position, wanted.after, limit + 1, wanted.q, wanted.active)
    return _page(rows, limit, schedule_document)


async def list_services(pool: TimedPool, workspace: str, wanted: WantedThings, position: int) -> Document:
    """Return services by id."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_SERVICES, workspace, position, wanted.after, limit + 1, wanted.q)
    return _page(rows, limit, service_document)


async def list_workspaces(pool: TimedPool, only: Sequence[str] | None, wanted: WantedThings, position: int) -> Document:
    """Return workspaces by id: all of them, or those named."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_WORKSPACES, position, wanted.after, None if only is None else list(only), limit + 1)
    return _page(rows, limit, dict)


async def list_keys(pool: TimedPool, workspace: str, wanted: WantedThings, position: int) -> Document:
    """Return the keys that a workspace issued, revoked ones included, by id."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_KEYS, workspace, position, wanted.after, limit + 1)
    return _page(rows, limit, key_document)


async def list_holds(pool: TimedPool, workspace: str, position: int) -> Sequence[Document]:
    """Return the holds that concern a workspace, the deployment's first."""
    return [hold_document(row) for row in await pool.fetch(LIST_HOLDS, workspace, position)]


def capped(limit: int) -> int:
    """Return a page's size within 1 and 1,000."""
    return max(1, min(limit, LIMIT_MAX))


def _page(rows: Sequence[Any], limit: int, shape: Callable[[Any], Document]) -> Document:
    items = [shape(row) for row in rows[:limit]]
    return {"items": items, "next": write_cursor(items[-1]["id"]) if len(rows) > limit else None}
