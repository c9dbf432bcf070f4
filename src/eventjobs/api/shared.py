"""
One answer for many: pages that show the same hear of the same fact, and ask for the same at the same time.

Who waits for a position is answered with what others with the same rights were answered, if it is as new as that and
was made a moment ago; while it is being made, it is waited for. So however many pages are open, the views are asked
twice a second at most for each thing that is shown. Whoever waits for no position is answered anew, and so is everyone
who waited for an answer that came to nothing.

For the position each waits alone: one that never comes is nobody else's matter.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aiohttp import web

from eventjobs.api.answers import REQUEST_ID
from eventjobs.api.moment import awaited, views_at
from eventjobs.api.registry import Call, Handler

APART_S: Final = 0.5
"""How long an answer is good for others, and how far apart two of the same kind are made, at least …"""
APART_S_MAX: Final = 3.0
"""… and at most: one that takes long to make is made less often."""
SHARE: Final = 0.1
"""What part of the time an answer may take that many wait for again and again."""
BYTES_MAX: Final = 32 * 2**20
AT: Final = web.ResponseKey("at", int)
"""Up to which position an answer knows what happened; one without it is made for its caller alone."""


@dataclass(frozen=True, slots=True)
class _Made:
    """An answer before it is sent, what position it knows, when it was made by both clocks, and how long it is good."""

    response: web.Response
    position: int
    at: float
    now: datetime
    good_s: float


class Shared:
    """The answers of the last moment, and those that are being made."""

    def __init__(self, monotonic: Callable[[], float], now: Callable[[], datetime]) -> None:
        self._monotonic = monotonic
        self._now = now
        self._made: OrderedDict[Hashable, _Made] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[bool]] = {}
        self._bytes = 0

    async def answer(self, call: Call, handler: Handler) -> web.StreamResponse:
        """Answer a read with what was made for others, or with what is made for all who wait for it now."""
        position = awaited(call)
        if position is None or call.query.as_of is not None:
            return await handler(call)
        await views_at(call, position)
        key = _key(call)
        while True:
            made = self._made.get(key)
            if made is not None and made.position >= position and self._is_fresh(made):
                return _copy(made.response, call.request_id)
            making = self._making.get(key)
            if making is None:
                return await self._make(key, call, handler)
            if not await asyncio.shield(making):
                return await handler(call)

    async def _make(self, key: Hashable, call: Call, handler: Handler) -> web.StreamResponse:
        over = self._making[key] = asyncio.get_running_loop().create_future()
        is_kept = False
        try:
            before = self._made.get(key)
            if before is not None:
                await asyncio.sleep(max(0.0, before.at + before.good_s - self._monotonic()))
            begun = self._monotonic()
            response = await handler(call)
            if isinstance(response, web.Response) and AT in response:
                at = self._monotonic()
                good_s = min(APART_S_MAX, max(APART_S, (at - begun) / SHARE))
                is_kept = self._keep(key, _Made(_copy(response, ""), response[AT], at, self._now(), good_s))
            return response
        finally:
            del self._making[key]
            over.set_result(is_kept)

    def _keep(self, key: Hashable, made: _Made) -> bool:
        self._let_go(key)
        self._made[key] = made
        self._bytes += _size(made)
        while self._made and (self._bytes > BYTES_MAX or not self._is_fresh(next(iter(self._made.values())))):
            self._let_go(next(iter(self._made)))
        return key in self._made

    def _let_go(self, key: Hashable) -> None:
        made = self._made.pop(key, None)
        if made is not None:
            self._bytes -= _size(made)

    def _is_fresh(self, made: _Made) -> bool:
        good = timedelta(seconds=made.good_s)
        return self._monotonic() - made.at < made.good_s and abs(self._now() - made.now) < good


def _key(call: Call) -> Hashable:
    """What an answer depends on: the address but for what is waited for, and the caller's rights."""
    query = call.query.model_dump_json(exclude={"wait_for"}, exclude_none=True)
    rights = (call.grant, call.grant.within(call.workspace))
    return (
        call.request.path,
        query,
        *((one.roles, one.workspaces, one.read_only) for one in rights),
    )


def _copy(response: web.Response, request_id: str) -> web.Response:
    headers = response.headers.copy()
    headers[REQUEST_ID] = request_id
    return web.Response(body=response.body, status=response.status, headers=headers)


def _size(made: _Made) -> int:
    return len(made.response.body) if isinstance(made.response.body, bytes) else 0
