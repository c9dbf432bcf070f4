"""Reads of workspaces, keys, services, flows and schedules: pages by id, deleted things left out, and single ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.calendar_reads import calendar_documents, calendars_of
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.documents import (
    Document,
    flow_document,
    hold_document,
    key_document,
    member_document,
    schedule_document,
    service_document,
)
from eventjobs.projections.origins import origins_of
from eventjobs.projections.shown_runs import shown_runs_of

FIND_KEY: Final = statement("reads/find_key")
FIND_MEMBER: Final = statement("reads/find_member")
LIST_CALENDARS: Final = statement("reads/list_calendars")
LIST_SCHEDULES: Final = statement("reads/list_schedules")
LIST_FLOWS: Final = statement("reads/list_flows")
LIST_SERVICES: Final = statement("reads/list_services")
FIND_WORKSPACE: Final = statement("reads/find_workspace")
LIST_WORKSPACES: Final = statement("reads/list_workspaces")
LIST_HOLDS: Final = statement("reads/list_holds")
LIST_KEYS: Final = statement("reads/list_keys")
LIST_MEMBERS: Final = statement("reads/list_members")

LIMIT_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedThings:
    """
    Which part of a list: `q` is a part of an id or a name, `state` is `active` or `inactive`.

    Schedules also by `section` of the Jobs page, by `feature`, and by whether they `drift` from their definition.
    """

    q: str | None = None
    state: str | None = None
    cursor: str | None = None
    limit: int = 100
    section: str | None = None
    feature: str | None = None
    drift: bool | None = None

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
    filters = (wanted.q, wanted.active, wanted.section, wanted.feature, wanted.drift)
    rows = await pool.fetch(LIST_SCHEDULES, workspace, position, wanted.after, limit + 1, *filters)
    origins = await origins_of(pool, workspace, "schedule", rows, position)
    runs = await shown_runs_of(pool, workspace, rows[:limit], position)
    calendars = await calendars_of(pool, workspace, rows, position)
    return _page(rows, limit, lambda row: schedule_document(row, runs, calendars, origins))


async def list_services(pool: TimedPool, workspace: str, wanted: WantedThings, position: int) -> Document:
    """Return services by id."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_SERVICES, workspace, position, wanted.after, limit + 1, wanted.q)
    runs = await shown_runs_of(pool, workspace, rows[:limit], position)
    origins = await origins_of(pool, workspace, "service", rows, position)
    return _page(rows, limit, lambda row: service_document(row, runs, origins))


async def list_flows(pool: TimedPool, workspace: str, wanted: WantedThings, position: int) -> Document:
    """Return flows by id."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_FLOWS, workspace, position, wanted.after, limit + 1, wanted.q)
    runs = await shown_runs_of(pool, workspace, rows[:limit], position)
    origins = await origins_of(pool, workspace, "flow", rows, position)
    return _page(rows, limit, lambda row: flow_document(row, runs, origins))


async def list_calendars(pool: TimedPool, workspace: str, wanted: WantedThings, position: int) -> Document:
    """Return blackout calendars by id."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_CALENDARS, workspace, position, wanted.after, limit + 1, wanted.q)
    shown = await calendar_documents(pool, workspace, rows, position)
    return _page(shown, limit, dict)


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


async def find_key(pool: TimedPool, workspace: str, key_id: str, position: int) -> Document | None:
    """Return one key that a workspace issued."""
    row = await pool.fetchrow(FIND_KEY, workspace, key_id, position)
    return None if row is None else key_document(row)


async def list_members(pool: TimedPool, workspace: str, wanted: WantedThings, position: int) -> Document:
    """Return the members of a workspace by id."""
    limit = capped(wanted.limit)
    rows = await pool.fetch(LIST_MEMBERS, workspace, position, wanted.after, limit + 1, wanted.q)
    return _page(rows, limit, member_document)


async def find_member(pool: TimedPool, workspace: str, member: str, position: int) -> Document | None:
    """Return one member, also after they were removed."""
    row = await pool.fetchrow(FIND_MEMBER, workspace, member, position)
    return None if row is None else member_document(row)


async def list_holds(pool: TimedPool, workspace: str, position: int) -> Sequence[Document]:
    """Return the holds that concern a workspace, the deployment's first."""
    return [hold_document(row) for row in await pool.fetch(LIST_HOLDS, workspace, position)]


def capped(limit: int) -> int:
    """Return a page's size within 1 and 1,000."""
    return max(1, min(limit, LIMIT_MAX))


def _page(rows: Sequence[Any], limit: int, shape: Callable[[Any], Document]) -> Document:
    items = [shape(row) for row in rows[:limit]]
    return {"items": items, "next": write_cursor(items[-1]["id"]) if len(rows) > limit else None}
