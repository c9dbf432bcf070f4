"""`eventjobs history`: what happened, as sentences or as events."""

from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

from cyclopts import Parameter

from eventjobs.audit.sentences import Narrator
from eventjobs.audit.sentences.words import instant
from eventjobs.cli import exits
from eventjobs.cli.client import Client
from eventjobs.cli.output import console, print_line
from eventjobs.cli.target import Where, find_target
from eventjobs.cli.view import NOW
from eventjobs.errors import UsageWrong

SHOWN: Final = 50
PAGE: Final = 1000
BACK: Final = 8

Event = Mapping[str, Any]


async def history(
    *,
    live: Annotated[bool, Parameter(negative="", help="go on with what happens from now on, until Ctrl-C")] = False,
    stream: Annotated[str | None, Parameter(help="of one stream only, e.g. schedule:nightly or run:<id>")] = None,
    after: Annotated[int | None, Parameter(help="only after this position")] = None,
    before: Annotated[int | None, Parameter(help="only before this position")] = None,
    types: Annotated[str | None, Parameter(help="only these event types, separated by commas")] = None,
    actor: Annotated[str | None, Parameter(help="only what this actor did, e.g. key:admin")] = None,
    limit: Annotated[int, Parameter(help="how many, of the last ones, or with --after of the first ones")] = SHOWN,
    where: Where = NOW,
    json: Annotated[bool, Parameter(negative="", help="print one event a line, as JSON")] = False,
) -> int:
    """Tell what happened, each event as a sentence."""
    if live and before is not None:
        raise UsageWrong("--live goes on for ever; it cannot end --before a position")
    if limit < 1:
        raise UsageWrong("--limit is at least 1")
    narrator = Narrator()
    query = {"types": types, "actor": actor, "before": before}
    async with Client(find_target(where)) as client:
        root = f"/v1/{client.target.need_workspace()}"
        last = 0 if after is None else after
        async for event in _past(client, root, stream, after, query, limit):
            last = event["position"]
            await _show(client, root, event, narrator, as_json=json)
        if live:
            async for event in _following(client, root, stream, last, query):
                await _show(client, root, event, narrator, as_json=json)
    return exits.OK


async def _past(
    client: Client, root: str, stream: str | None, after: int | None, query: Mapping[str, Any], limit: int
) -> AsyncIterator[Event]:
    """Yield what is asked for in ascending order: the first ones after a position, else the last ones there are."""
    path = f"{root}/streams/{quote(stream, safe=':')}/events" if stream else f"{root}/events"
    if after is not None:
        async for event in _all(client, path, after, query, limit):
            yield event
        return
    for event in await _last(client, path, query, limit):
        yield event


async def _last(client: Client, path: str, query: Mapping[str, Any], limit: int) -> Sequence[Event]:
    """Return the last events, looking further and further back until there are enough."""
    head = (await client.get(path, {"limit": 1}))["as_of"]["position"]
    span = limit * BACK
    while True:
        after = max(0, head - span)
        latest = deque([event async for event in _all(client, path, after, query, None)], maxlen=limit)
        if after == 0 or len(latest) == limit:
            return list(latest)
        span *= BACK


async def _all(
    client: Client, path: str, after: int, query: Mapping[str, Any], limit: int | None
) -> AsyncIterator[Event]:
    left = limit
    while left is None or left > 0:
        size = PAGE if left is None else min(PAGE, left)
        got = 0
        async for event in client.lines(path, {**query, "after": after, "limit": size}):
            got += 1
            after = event["position"]
            yield event
        if got < size:
            return
        left = None if left is None else left - got


async def _following(
    client: Client, root: str, stream: str | None, last: int, query: Mapping[str, Any]
) -> AsyncIterator[Event]:
    """Yield events as they happen; the live stream says that there is something, the history says what."""
    path = f"{root}/streams/{quote(stream, safe=':')}/events" if stream else f"{root}/events"
    async for frame in client.frames(f"{root}/live", last_id=str(last)):
        if frame.event != "progress" and frame.id is not None and int(frame.id) > last:
            async for event in _all(client, path, last, query, None):
                last = max(last, event["position"])
                yield event
            last = max(last, int(frame.id))


async def _show(client: Client, root: str, event: Event, narrator: Narrator, *, as_json: bool) -> None:
    if as_json:
        print_line(event)
        return
    if not narrator.knows(event):
        async for opening in client.lines(f"{root}/streams/{quote(event['stream'], safe=':')}/events", {"limit": 1}):
            narrator.tell(opening)
    sentence = narrator.tell(event)
    console().print(f"{event['position']:>8}  {instant(str(event['at']))}  {sentence}", markup=False)
