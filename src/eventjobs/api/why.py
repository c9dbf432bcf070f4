"""Why an owner did or did not run at an instant."""

from typing import Annotated, Final

from aiohttp import web
from pydantic import Field

from eventjobs.api.answers import json_answer
from eventjobs.api.moment import ReadQuery, log_moment, parse_instant
from eventjobs.api.reads import Owner, parse_owner
from eventjobs.api.registry import Call
from eventjobs.audit.why import why_owner
from eventjobs.domain.streams import CONNECT_JOBS
from eventjobs.errors import Invalid
from eventjobs.events.run import Ref

SUPPORTED: Final = ("schedule", "group", *CONNECT_JOBS)
TURN_S_MAX: Final = 5.0
"""How long one waits for its turn; after that the answer is 503 `busy`."""


class WhyQuery(ReadQuery):
    """About whom, and which instant; `as_of` tells it as it could be told then."""

    owner: Owner
    at: Annotated[str, Field(max_length=40, description="An instant with its offset; without it, now")] | None = None


async def why(call: Call) -> web.StreamResponse:
    """Answer with the verdict, a sentence, and the facts that lead to it."""
    moment = await log_moment(call)
    kind, owner_id = parse_owner(call.query.owner)
    if kind not in SUPPORTED:
        raise Invalid.at(
            "owner", "not_supported", f"a {kind} is never due by itself: ask of a schedule, a group or a Connect job"
        )
    at = call.deps.clock.now() if call.query.at is None else parse_instant("at", call.query.at)
    if at > call.deps.clock.now():
        raise Invalid.at("at", "at_in_future", "this instant has not come: a dry run tells what would happen")
    async with call.deps.why_places.take(1, TURN_S_MAX):
        found = await why_owner(
            call.deps.log, call.workspace, Ref(kind=kind, id=owner_id), at, before=moment.position + 1
        )
    document = {"as_of": moment.document(), "owner": {"kind": kind, "id": owner_id}, "at": at, **found.document()}
    return json_answer(call.request_id, document)
