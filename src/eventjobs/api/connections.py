"""
Connections: how many there may be, and the answer to what is no HTTP.

A connection counts for its address until a valid key was shown on it: strangers share few, callers are bounded by what
their keys may do, and all together are bounded too. One too many is accepted and closed, which costs less than to let
it wait.
"""

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

import prometheus_client
import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from prometheus_client import Gauge

from eventjobs.api.answers import problem_answer
from eventjobs.api.problems import UNFORESEEN, Problem, problem_of

FILES_RESERVED: Final = 256
"""Open files that are kept for everything but clients: the database, jobs, logs."""
STALLED_S_MAX: Final = 30.0
"""How long an answer waits for a client that takes none of it."""
_NETWORK_BITS: Final = 64

MALFORMED: Final = Problem(
    status=400, code="bad_request", detail="this is no HTTP request that two readers would understand alike", close=True
)
HEAD_TOO_LARGE: Final = Problem(
    status=431, code="head_too_large", detail="the address or a header is longer than 8,190 bytes", close=True
)

_log: Final = structlog.get_logger("eventjobs.http")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How many connections may be open: of strangers at one address, and in all."""

    per_address: int = 100
    in_all: int = 2_000


class Door:
    """Counts who is inside, and tells the metrics."""

    def __init__(self, limits: ConnectionLimits, inside: Gauge, refused: prometheus_client.Counter) -> None:
        self._limits = limits
        self._inside = inside
        self._refused = refused
        self._strangers: Counter[str] = Counter()
        self._open = 0

    def enter(self, address: str) -> bool:
        """Count a stranger's connection, or refuse it."""
        if self._open >= self._limits.in_all or self._strangers[address] >= self._limits.per_address:
            self._refused.inc()
            return False
        self._open += 1
        self._strangers[address] += 1
        self._inside.set(self._open)
        return True

    def recognise(self, address: str) -> None:
        """Count a connection for its address no longer."""
        self._strangers[address] -= 1
        if not self._strangers[address]:
            del self._strangers[address]

    def leave(self) -> None:
        """Take a connection out of the count."""
        self._open -= 1
        self._inside.set(self._open)


class Connection(web.RequestHandler):
    """One client's connection: counted, and answered with a problem document even where it sent no HTTP."""

    __slots__ = ("_door", "_is_inside", "_make_id", "_stalled", "_stranger_from")

    def __init__(self, manager: web.Server, *, door: Door, make_id: Callable[[], str], **settings: Any) -> None:
        super().__init__(manager, **settings)
        self._door = door
        self._make_id = make_id
        self._is_inside = False
        self._stranger_from: str | None = None
        self._stalled: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Serve it, or close it when there are too many."""
        address = network_of(transport.get_extra_info("peername"))
        if not self._door.enter(address):
            transport.close()
            return
        self._is_inside = True
        self._stranger_from = address
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Make room."""
        self.recognise()
        if self._is_inside:
            self._is_inside = False
            self._door.leave()
        self._take_heart()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for ever: what it asked for takes memory and a place."""
        super().pause_writing()
        if self.transport is not None:
            self._stalled = asyncio.get_running_loop().call_later(STALLED_S_MAX, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on with a client that reads again."""
        self._take_heart()
        super().resume_writing()

    def _take_heart(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def recognise(self) -> None:
        """Take note that a valid key was shown here."""
        if self._stranger_from is not None:
            self._door.recognise(self._stranger_from)
            self._stranger_from = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what the parser refused, or what broke outside of every handler; the connection ends."""
        if request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        if status == MALFORMED.status:
            _log.info("malformed_request", kind=type(exc).__name__)
            return problem_answer(self._make_id(), HEAD_TOO_LARGE if isinstance(exc, LineTooLong) else MALFORMED)
        _log.error("request_broke", exc_info=exc)
        return problem_answer(self._make_id(), UNFORESEEN)

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send an answer; one that the framework made outside of every handler becomes a problem document."""
        if isinstance(resp, web.HTTPException):
            resp = problem_answer(self._make_id(), problem_of(resp))
        return await super().finish_response(request, resp, start_time)


class Listener(web.Server):
    """Makes a `Connection` for each client."""

    def __init__(
        self, handler: Any, *, door: Door, make_id: Callable[[], str], request_factory: Any, **settings: Any
    ) -> None:
        super().__init__(handler, request_factory=request_factory)
        self._door = door
        self._make_id = make_id
        self._settings = settings

    def __call__(self) -> Connection:
        """Make the protocol of a connection that was just accepted."""
        loop = asyncio.get_running_loop()
        return Connection(self, loop=loop, door=self._door, make_id=self._make_id, **self._settings)


class Runner(web.AppRunner):
    """Runs an application behind a door."""

    __slots__ = ("_door", "_make_id")

    def __init__(self, app: web.Application, *, door: Door, make_id: Callable[[], str], **settings: Any) -> None:
        super().__init__(app, **settings)
        self._door = door
        self._make_id = make_id

    async def _make_server(self) -> Listener:
        made = await super()._make_server()
        return Listener(
            made.request_handler,
            door=self._door,
            make_id=self._make_id,
            request_factory=made.request_factory,
            **self._kwargs,
        )


def network_of(peer: Any) -> str:
    """Return what counts as one address: of IPv6 the network that one client is given, of a unix socket nothing."""
    if not isinstance(peer, tuple):
        return ""
    address = ip_address(str(peer[0]).partition("%")[0])
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{int(address) >> (128 - _NETWORK_BITS):x}::/{_NETWORK_BITS}"


def room_for(connections: int) -> int:
    """
    Return for how many connections this process may open files, at most as many as are asked for.

    Raises the process's soft limit for that as far as the hard one allows.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + FILES_RESERVED
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = connections if soft == resource.RLIM_INFINITY else min(connections, soft - FILES_RESERVED)
    if room < connections:
        _log.warning("few_files", open_files=soft, connections=room, wanted=connections)
    return max(1, room)
