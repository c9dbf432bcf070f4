"""Who a run belongs to, or may: groups and jobs of every kind, as of a moment."""

from collections.abc import Mapping
from typing import Any

from eventjobs.api.moment import Moment, now_of
from eventjobs.api.ports import Document
from eventjobs.api.registry import Call
from eventjobs.domain.streams import CONNECT_JOBS


def seen(call: Call, moment: Moment) -> Mapping[str, Any]:
    """Return from where groups and Connect jobs are looked at: what counts as now, and the kinds a group may have."""
    return {"now": now_of(call, moment), "kinds": call.deps.limits.group_kinds}


async def find_owner(call: Call, moment: Moment, kind: str, the_id: str) -> Document | None:
    """Return the owner of a run."""
    views, at = call.deps.views, moment.read_at
    if kind == "schedule":
        return await views.schedule(call.workspace, the_id, position=at)
    if kind == "group":
        return await find_group(call, moment, the_id)
    if kind in CONNECT_JOBS:
        return await views.connect_job(call.workspace, the_id, **seen(call, moment), position=at)
    return await views.job(call.workspace, the_id, position=at)


async def find_group(call: Call, moment: Moment, the_id: str) -> Document | None:
    """Return a group."""
    return await call.deps.views.group(call.workspace, the_id, **seen(call, moment), position=moment.read_at)


async def find_job(call: Call, moment: Moment, the_id: str) -> Document | None:
    """Return a job of any kind; ids are unique over all kinds."""
    views, at = call.deps.views, moment.read_at
    found = await views.job(call.workspace, the_id, position=at)
    return found or await views.connect_job(call.workspace, the_id, **seen(call, moment), position=at)
