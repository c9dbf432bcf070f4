"""
The one middleware: ids, the host, the clock, and the answer to whatever goes wrong.

Everything that each request pays stands here; what only some need stands with their routes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from eventjobs.api.answers import problem_answer
from eventjobs.api.deps import ApiDeps
from eventjobs.api.problems import HttpRefusal, problem_of

REQUEST_ID: Final = web.RequestKey("request_id", str)
ROUTE_LABEL: Final = web.RequestKey("route_label", str)

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
_UNMATCHED: Final = "unmatched"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Hosts:
    """The names under which this service may be called; with a port, only on that port."""

    def __init__(self, names: Sequence[str]) -> None:
        self._known = LOOPBACK | {name.lower() for name in names}

    def check(self, host: str | None) -> None:
        """Raise `HttpRefusal` 421 for a name that is not ours."""
        lowered = (host or "").lower()
        if lowered in self._known or _without_port(lowered) in self._known:
            return
        raise HttpRefusal(421, "unknown_host", "this host is not served here; EVENTJOBS_HOSTS names those that are")


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() and not name.endswith(":") else host


def make_edge(deps: ApiDeps) -> Middleware:
    """Make the middleware."""
    hosts = Hosts(deps.hosts)
    measure = _measure(deps)

    @web.middleware
    async def edge(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        started = deps.clock.monotonic()
        request_id = request[REQUEST_ID] = deps.ids.new()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            hosts.check(request.headers.get("Host"))
            response = await handler(request)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 the table knows every kind; an unforeseen one is logged and is a 500
            response = problem_answer(request_id, problem_of(error))
        measure(request, response.status, deps.clock.monotonic() - started)
        return response

    return edge


def _measure(deps: ApiDeps) -> Callable[[web.Request, int, float], None]:
    counted: dict[tuple[str, str, int], Callable[[], None]] = {}
    timed: dict[str, Callable[[float], None]] = {}

    def measure(request: web.Request, status: int, seconds: float) -> None:
        route = request.get(ROUTE_LABEL, _UNMATCHED)
        method = request.method if request.method in _METHODS else "other"
        count = counted.get((method, route, status))
        if count is None:
            count = counted[method, route, status] = deps.metrics.http_requests.labels(method, route, status).inc
        count()
        if route not in timed:
            timed[route] = deps.metrics.http_s.labels(route).observe
        timed[route](seconds)

    return measure
