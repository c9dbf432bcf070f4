"""The Jobs page: schedules by section, and services, as of any position (R59)."""

from dataclasses import dataclass
from typing import Final

from eventjobs.errors import Invalid
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Document
from eventjobs.projections.things import WantedThings, list_holds, list_schedules, list_services

COUNT_SCHEDULES: Final = statement("reads/count_schedules")
COUNT_SERVICES: Final = statement("reads/count_services")

OWN: Final = "workspace"
SECTIONS: Final = ("active", "onboarding", "maintenance", OWN)
SERVICES: Final = "services"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPage:
    """
    Which part of the page: one section, where `cursor` goes on, or the first part of each.

    Without integrations every schedule is the workspace's own: none belongs to a `feature`, none drifted (`drift`) from
    a definition. Services have no activity, so no `state` finds one.
    """

    section: str | None = None
    cursor: str | None = None
    limit: int = 100
    q: str | None = None
    state: str | None = None
    feature: str | None = None
    drift: bool | None = None

    def check(self) -> None:
        """Raise `Invalid` `bad_cursor` for a cursor that goes on nowhere."""
        if self.cursor is not None and self.section not in (OWN, SERVICES):
            raise Invalid.at("cursor", "bad_cursor", "a cursor goes on in the section that gave it out")

    def shows(self, section: str) -> bool:
        """Tell whether the items of a section are wanted."""
        return self.section in (None, section)

    @property
    def managed_only(self) -> bool:
        """Whether only what comes from an integration is wanted."""
        return self.feature is not None or self.drift is True


async def jobs_page(pool: TimedPool, workspace: str, wanted: WantedPage, position: int) -> Document:
    """Return holds, and every section as `{count, items, next}`; those not asked for have their count alone."""
    wanted.check()
    own = _nothing() if wanted.managed_only else await _schedules(pool, workspace, wanted, position)
    without_services = wanted.managed_only or wanted.state is not None
    return {
        "holds": await list_holds(pool, workspace, position),
        "schedules": {name: own if name == OWN else _nothing() for name in SECTIONS},
        "services": _nothing() if without_services else await _services(pool, workspace, wanted, position),
    }


async def _schedules(pool: TimedPool, workspace: str, wanted: WantedPage, position: int) -> Document:
    things = WantedThings(q=wanted.q, state=wanted.state, cursor=wanted.cursor, limit=wanted.limit)
    section = _nothing()
    section["count"] = await pool.fetchval(COUNT_SCHEDULES, workspace, position, things.q, things.active)
    if wanted.shows(OWN):
        section |= await list_schedules(pool, workspace, things, position)
    return section


async def _services(pool: TimedPool, workspace: str, wanted: WantedPage, position: int) -> Document:
    things = WantedThings(q=wanted.q, cursor=wanted.cursor, limit=wanted.limit)
    section = _nothing()
    section["count"] = await pool.fetchval(COUNT_SERVICES, workspace, position, things.q)
    if wanted.shows(SERVICES):
        section |= await list_services(pool, workspace, things, position)
    return section


def _nothing() -> Document:
    return {"count": 0, "items": [], "next": None}
