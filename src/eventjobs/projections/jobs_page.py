"""The Jobs page: schedules by section, services and flows, as of any position (R59)."""

from dataclasses import dataclass, replace
from typing import Final

from eventjobs.errors import Invalid
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.documents import Document
from eventjobs.projections.things import WantedThings, list_flows, list_holds, list_schedules, list_services

COUNT_SCHEDULES: Final = statement("reads/count_schedules")
COUNT_FLOWS: Final = statement("reads/count_flows")
COUNT_SERVICES: Final = statement("reads/count_services")

OWN: Final = "workspace"
SECTIONS: Final = ("active", "onboarding", "maintenance", OWN)
SERVICES: Final = "services"
FLOWS: Final = "flows"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPage:
    """
    Which part of the page: one section, where `cursor` goes on, or the first part of each.

    A `feature` finds the schedules of a feature, `drift` those that differ from their definition. Services and flows
    have no activity of a schedule's kind, so no `state` finds one, nor do these.
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
        if self.cursor is not None and self.section not in (*SECTIONS, SERVICES, FLOWS):
            raise Invalid.at("cursor", "bad_cursor", "a cursor goes on in the section that gave it out")

    def shows(self, section: str) -> bool:
        """Tell whether the items of a section are wanted."""
        return self.section in (None, section)

    @property
    def of_schedules_only(self) -> bool:
        """Whether something is asked for that only schedules have."""
        return (self.feature, self.drift, self.state) != (None, None, None)


async def jobs_page(pool: TimedPool, workspace: str, wanted: WantedPage, position: int) -> Document:
    """Return holds, and every section as `{count, items, next}`; those not asked for have their count alone."""
    wanted.check()
    without_jobs = wanted.of_schedules_only
    schedules = await _schedules(pool, workspace, wanted, position)
    return {
        "holds": await list_holds(pool, workspace, position),
        "schedules": schedules,
        "services": _nothing() if without_jobs else await _services(pool, workspace, wanted, position),
        "flows": _nothing() if without_jobs else await _flows(pool, workspace, wanted, position),
    }


async def _schedules(pool: TimedPool, workspace: str, wanted: WantedPage, position: int) -> Document:
    things = WantedThings(
        q=wanted.q,
        state=wanted.state,
        cursor=wanted.cursor,
        limit=wanted.limit,
        feature=wanted.feature,
        drift=wanted.drift,
    )
    filters = (things.q, things.active, things.feature, things.drift)
    counts = {row["section"]: row["count"] for row in await pool.fetch(COUNT_SCHEDULES, workspace, position, *filters)}
    sections: Document = {}
    for name in SECTIONS:
        section = {**_nothing(), "count": counts.get(name, 0)}
        if wanted.shows(name) and section["count"]:
            section |= await list_schedules(pool, workspace, replace(things, section=name), position)
        sections[name] = section
    return sections


async def _services(pool: TimedPool, workspace: str, wanted: WantedPage, position: int) -> Document:
    things = WantedThings(q=wanted.q, cursor=wanted.cursor, limit=wanted.limit)
    section = _nothing()
    section["count"] = await pool.fetchval(COUNT_SERVICES, workspace, position, things.q)
    if wanted.shows(SERVICES):
        section |= await list_services(pool, workspace, things, position)
    return section


async def _flows(pool: TimedPool, workspace: str, wanted: WantedPage, position: int) -> Document:
    things = WantedThings(q=wanted.q, cursor=wanted.cursor, limit=wanted.limit)
    section = _nothing()
    section["count"] = await pool.fetchval(COUNT_FLOWS, workspace, position, things.q)
    if wanted.shows(FLOWS):
        section |= await list_flows(pool, workspace, things, position)
    return section


def _nothing() -> Document:
    return {"count": 0, "items": [], "next": None}
