"""
History: a workspace's facts, those of one stream, and the whole log's.

As a page of JSON, or as NDJSON (`Accept: application/x-ndjson`) from the first to the last that was there when the
request came, in pieces that never stand in memory together.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

import orjson
import structlog
from aiohttp import web
from pydantic import Field

from eventjobs.api.answers import headers_for, json_answer
from eventjobs.api.moment import POSITION_MAX, Moment, ReadQuery, log_moment
from eventjobs.api.problems import BAD_CURSOR, HttpRefusal
from eventjobs.api.registry import Call
from eventjobs.audit.sentences import Narrator
from eventjobs.errors import NotFound
from eventjobs.events.recorded import Recorded
from eventjobs.log.event_json import event_json
from eventjobs.log.port import EVERYTHING, Filter

NDJSON: Final = "application/x-ndjson"
PAGE: Final = 100
PAGE_BYTES: Final = 8 * 2**20
"""A page ends with the fact that makes its facts this long together, also before its `limit`."""
PIECE: Final = 100
"""How many facts are read at once: each may be as long as a request."""

_log: Final = structlog.get_logger("eventjobs.api")

Position = Annotated[int, Field(ge=0, le=POSITION_MAX)]


class HistoryQuery(ReadQuery):
    """Which facts; `after` and `before` exclude their position."""

    after: Position = 0
    before: Position | None = None
    types: Annotated[str, Field(max_length=1000, description="Comma-separated, e.g. `run.opened,run.ended`")] | None = (
        None
    )
    actor: Annotated[str, Field(max_length=200)] | None = None
    cursor: Annotated[str, Field(max_length=20, description="The `next` of the part before")] | None = None
    limit: Annotated[int, Field(ge=1, le=1000)] | None = None
    sentences: Annotated[bool, Field(description="Say each fact of a page of JSON as a sentence, too")] = False


@dataclass(frozen=True, slots=True)
class _Range:
    """The facts that are asked for: after and before positions, and what they match."""

    after: int
    before: int
    matching: Filter
    limit: int | None


async def workspace_events(call: Call) -> web.StreamResponse:
    """Answer with the workspace's own facts."""
    return await _answer(call, _filter(call.query, workspace=call.workspace))


async def stream_events(call: Call) -> web.StreamResponse:
    """Answer with one stream's facts; 404 for one that has none."""
    stream = call.parameter("stream")
    whole = Filter(workspace=call.workspace, stream=stream)
    if not await call.deps.log.read(0, 1, matching=whole):
        raise NotFound("not_found", f"there is no stream {stream!r}")
    return await _answer(call, _filter(call.query, workspace=call.workspace, stream=stream))


async def log_events(call: Call) -> web.StreamResponse:
    """Answer with all facts of the log, of every workspace."""
    return await _answer(call, _filter(call.query))


def _filter(query: HistoryQuery, *, workspace: str | None = None, stream: str | None = None) -> Filter:
    types = None if query.types is None else tuple(part.strip() for part in query.types.split(","))
    if workspace is None and stream is None and types is None and query.actor is None:
        return EVERYTHING
    return Filter(workspace=workspace, stream=stream, types=types, actor=query.actor)


async def _answer(call: Call, matching: Filter) -> web.StreamResponse:
    moment = await log_moment(call)
    wanted = _range(call.query, moment, matching)
    if NDJSON in call.request.headers.get("Accept", ""):
        return await _stream(call, wanted)
    items, following = await _page(call, wanted)
    return json_answer(call.request_id, {"as_of": moment.document(), "items": items, "next": following})


async def _page(call: Call, wanted: _Range) -> tuple[list[orjson.Fragment], str | None]:
    """Return the page's facts and the cursor of the next page; none after the last one."""
    limit, size = wanted.limit or PAGE, 0
    items: list[orjson.Fragment] = []
    narrator = Narrator() if call.query.sentences else None
    async for facts in _pieces(call, replace(wanted, limit=limit)):
        for fact in facts:
            said = {} if narrator is None else {"sentence": await _sentence(call, narrator, fact)}
            items.append(orjson.Fragment(event_json(fact, **said)))
            size += len(fact.data)
            if len(items) == limit or size >= PAGE_BYTES:
                return items, str(fact.position)
    return items, None


async def _sentence(call: Call, narrator: Narrator, fact: Recorded[Any]) -> str:
    """Return the fact as a sentence; of a row of a run only its opening knows which job that is."""
    event = _told(fact)
    if not narrator.knows(event):
        own = Filter(workspace=fact.stream.workspace, stream=fact.stream.name)
        for opening in await call.deps.log.read(0, 1, matching=own):
            narrator.tell(_told(opening))
    return narrator.tell(event)


def _told(fact: Recorded[Any]) -> Mapping[str, Any]:
    return {"stream": fact.stream.name, "type": fact.type, "at": fact.at.isoformat(), "data": orjson.loads(fact.data)}


def _range(query: HistoryQuery, moment: Moment, matching: Filter) -> _Range:
    before = moment.position + 1
    if query.before is not None:
        before = min(before, query.before)
    return _Range(max(query.after, _cursor(query.cursor)), before, matching, query.limit)


def _cursor(text: str | None) -> int:
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()):
        raise HttpRefusal(400, BAD_CURSOR, "this is no cursor that was given out here")
    return int(text)


async def _stream(call: Call, wanted: _Range) -> web.StreamResponse:
    pieces = _pieces(call, wanted)
    first = await anext(pieces, None)
    response = web.StreamResponse(headers=headers_for(call.request_id, Content_Type=NDJSON))
    await response.prepare(call.request)
    try:
        await response.write(_lines(first or []))
        async for facts in pieces:
            await response.write(_lines(facts))
    except ConnectionError:
        return response
    except Exception as error:  # noqa: BLE001 the status is out: break the connection off, so that nobody takes it for whole
        _log.error("stream_broke_off", exc_info=error)
        if call.request.transport is not None:
            call.request.transport.abort()
        return response
    await response.write_eof()
    return response


async def _pieces(call: Call, wanted: _Range) -> AsyncIterator[Sequence[Recorded[Any]]]:
    after, left = wanted.after, wanted.limit
    while left is None or left > 0:
        size = PIECE if left is None else min(PIECE, left)
        facts = await call.deps.log.read(after, size, before=wanted.before, matching=wanted.matching)
        if facts:
            yield facts
        if len(facts) < size:
            return
        after, left = facts[-1].position, None if left is None else left - len(facts)


def _lines(facts: Sequence[Recorded[Any]]) -> bytes:
    return b"".join(event_json(fact) + b"\n" for fact in facts)
