"""
Server-sent events: what happens in a workspace, as it happens.

Frames of the log have their position as id, so `Last-Event-ID` resumes without a gap; frames of progress have none. A
stream ends when its reader is too slow, when it may no longer read, and at once when the service stops.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from aiohttp import web
from aiohttp_sse import EventSourceResponse

from eventjobs.api.answers import POSITION, headers_for
from eventjobs.api.deps import ApiDeps
from eventjobs.api.frames import Frames, Watcher, head_frame, log_frame
from eventjobs.api.problems import HttpRefusal
from eventjobs.errors import LogFault
from eventjobs.log.port import Filter
from eventjobs.postgres.faults import DATABASE_FAULTS

CHECK_KEY_S: Final = 5.0
CHECK_LINK_S: Final = 1.0
"""How soon a reader that left is noticed while nothing is to be sent."""
WRITE_S_MAX: Final = 10.0
PAGE: Final = 500

StillAllowed: TypeAlias = Callable[[], Awaitable[bool]]

_POSITION: Final = re.compile(r"[0-9]{1,18}")


class Live:
    """All live streams of this process."""

    def __init__(self, deps: ApiDeps) -> None:
        self._deps = deps
        self._frames = Frames(deps.log, deps.progress, deps.tasks)
        self._open: Counter[str] = Counter()

    async def stream(
        self, request: web.Request, request_id: str, who: str, workspace: str, is_still_allowed: StillAllowed
    ) -> web.StreamResponse:
        """Send a workspace's frames until somebody has enough, or until the caller (`who`) may not see them."""
        resumed = await self._resumed(request)
        if self._open[who] >= self._deps.live_streams_per_key:
            raise HttpRefusal(
                429,
                "too_many_streams",
                f"a key has at most {self._deps.live_streams_per_key} live streams",
                headers={"Retry-After": "10"},
            )
        self._open[who] += 1
        self._deps.metrics.live_streams.inc()
        watcher = self._frames.watch(workspace)
        try:
            return await self._send(request, request_id, watcher, resumed, is_still_allowed)
        finally:
            self._frames.leave(watcher)
            self._deps.metrics.live_streams.dec()
            self._open[who] -= 1
            if not self._open[who]:
                del self._open[who]

    def close(self) -> None:
        """End every stream."""
        self._deps.closing.set()
        self._frames.wake_all()

    async def _resumed(self, request: web.Request) -> int | None:
        """Return the position to go on after, `None` for the present; raises 400 for one that is not in the log."""
        given = request.headers.get("Last-Event-ID")
        if given is None or given == "":
            return None
        if not _POSITION.fullmatch(given):
            raise HttpRefusal(400, "bad_last_event_id", "Last-Event-ID is a position of the log")
        if int(given) > (await self._deps.log.head()).position:
            raise HttpRefusal(400, "bad_last_event_id", "the log has not come to this position")
        return int(given)

    async def _send(
        self,
        request: web.Request,
        request_id: str,
        watcher: Watcher,
        resumed: int | None,
        is_still_allowed: StillAllowed,
    ) -> web.StreamResponse:
        headers = headers_for(request_id, **{POSITION: str(watcher.after if resumed is None else resumed)})
        response = EventSourceResponse(headers=headers, send_timeout=WRITE_S_MAX)
        await response.prepare(request)
        try:
            async with response, asyncio.timeout(None) as patience:
                await _write(response, b": live\n" + head_frame(watcher.after), patience)
                if resumed is not None:
                    await self._catch_up(response, watcher, resumed, patience)
                await self._follow(request, response, watcher, is_still_allowed, patience)
        except (ConnectionError, TimeoutError, LogFault, *DATABASE_FAULTS):
            _abort(request)
        return response

    async def _catch_up(
        self, response: EventSourceResponse, watcher: Watcher, after: int, patience: asyncio.Timeout
    ) -> None:
        own = Filter(workspace=watcher.workspace)
        while not self._deps.closing.is_set():
            facts = await self._deps.log.read(after, PAGE, before=watcher.after + 1, matching=own)
            if facts:
                await _write(response, b"".join(log_frame(fact) for fact in facts), patience)
                after = facts[-1].position
            if len(facts) < PAGE:
                return

    async def _follow(
        self,
        request: web.Request,
        response: EventSourceResponse,
        watcher: Watcher,
        is_still_allowed: StillAllowed,
        patience: asyncio.Timeout,
    ) -> None:
        loop = asyncio.get_running_loop()
        checked_at = loop.time()
        while not self._deps.closing.is_set() and _is_there(request):
            frames = await watcher.take(CHECK_LINK_S)
            if watcher.overrun:
                raise TimeoutError
            if frames:
                await _write(response, frames, patience)
            if loop.time() - checked_at >= CHECK_KEY_S:
                checked_at = loop.time()
                if not await is_still_allowed():
                    return


async def _write(response: EventSourceResponse, data: bytes, patience: asyncio.Timeout) -> None:
    """Send bytes; raises `TimeoutError` when the reader does not take them in time."""
    patience.reschedule(asyncio.get_running_loop().time() + WRITE_S_MAX)
    await response.write(data)
    patience.reschedule(None)


def _is_there(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
