"""The log's proof, for auditors: where its chain stands, what the audit of occurrences found, and a part verified."""

from typing import Annotated, Any, Final

from aiohttp import web
from pydantic import Field

from eventjobs.api.answers import json_answer
from eventjobs.api.moment import POSITION_MAX, Moment, ReadQuery, log_moment
from eventjobs.api.registry import Call
from eventjobs.audit.parts import verify_part
from eventjobs.errors import Invalid
from eventjobs.events import EVENT_TYPES
from eventjobs.log.port import ZERO_CHAIN

TURN_S_MAX: Final = 5.0
"""How long one waits for its turn; after that the answer is 503 `busy`."""
TYPES: Final = sorted({event.TYPE for event in EVENT_TYPES})


class PartQuery(ReadQuery):
    """Which part: from after a position, where the part before ended with a chain value, up to another position."""

    after: Annotated[int, Field(ge=0, le=POSITION_MAX)] = 0
    chain: (
        Annotated[
            str,
            Field(
                pattern=r"^[0-9a-f]{64}$",
                description="The `chain` of the part before; without it the stored value at `after` is taken as given",
            ),
        ]
        | None
    ) = None
    until: Annotated[int, Field(ge=1, le=POSITION_MAX, description="Without it, the head")] | None = None


async def audit(call: Call) -> web.StreamResponse:
    """Answer with the chain's value at a moment, and what the audit of occurrences has found by now."""
    moment = await log_moment(call)
    found = None if call.deps.found is None else await call.deps.found()
    document = {
        "as_of": moment.document(),
        "chain": await _chain(call, moment),
        "occurrences": None if found is None else found.document(call.workspace),
        "types": TYPES,
    }
    return json_answer(call.request_id, document)


async def verification(call: Call) -> web.StreamResponse:
    """Answer with how far a part of the log is verified, and with what is wrong there."""
    query: PartQuery = call.query
    moment = await log_moment(call)
    until = moment.position if query.until is None else min(query.until, moment.position)
    if query.after > until:
        raise Invalid.at("after", "as_of_in_future", "the log has not come to this position")
    read = call.deps.read_stored or call.deps.log.read
    chain = None if query.chain is None else bytes.fromhex(query.chain)
    async with call.deps.proof_places.take(1, TURN_S_MAX):
        part = await verify_part(read, call.deps.clock, after=query.after, chain=chain, until=until)
    broken = None if part.broken is None else {"position": part.broken.position, "what": part.broken.what}
    document: dict[str, Any] = {
        "as_of": moment.document(),
        "after": query.after,
        "position": part.position,
        "chain": part.chain.hex(),
        "until": until,
        "broken": broken,
    }
    return json_answer(call.request_id, document)


async def _chain(call: Call, moment: Moment) -> str | None:
    if moment.position == 0:
        return ZERO_CHAIN.hex()
    facts = await call.deps.log.read(moment.position - 1, 1, before=moment.position + 1)
    return facts[0].chain.hex() if facts else None
