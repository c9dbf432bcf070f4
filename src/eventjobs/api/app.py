"""Puts the HTTP surface together: one middleware, the routes, the document, the pages."""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from eventjobs.api.admission import admit
from eventjobs.api.answers import headers_for
from eventjobs.api.body import BODY_BYTES_MAX
from eventjobs.api.connections import Door, Runner
from eventjobs.api.deps import ApiDeps
from eventjobs.api.edge import REQUEST_ID, ROUTE_LABEL, make_edge
from eventjobs.api.live import Live
from eventjobs.api.openapi import document
from eventjobs.api.pace import Pace
from eventjobs.api.pages import page_routes
from eventjobs.api.registry import Call, Route
from eventjobs.api.routes import ROUTES
from eventjobs.api.shared import Shared

KEEPALIVE_S: Final = 10.0
"""How long a connection may be silent: between requests, and before its headers are whole."""
LINGER_S: Final = 2.0
HEADER_BYTES_MAX: Final = 8190
HEADERS_MAX: Final = 100
WRONG_KEYS_MAX: Final = 10
"""How many keys that are none may be tried in a row from an address, to sign in; then one every five seconds."""
WRONG_KEYS_PER_S: Final = 0.2
TOO_MANY_WRONG: Final = "too many keys that are none were tried from this address"
LIVE: Final = web.AppKey("live", Live)
DEPS: Final = web.AppKey("deps", ApiDeps)


def build_app(deps: ApiDeps) -> web.Application:
    """Return the application; live streams end at once when it shuts down."""
    live, pace = Live(deps), Pace(deps.requests_per_second, deps.clock.monotonic)
    sign_ins = Pace(WRONG_KEYS_PER_S, deps.clock.monotonic, burst=WRONG_KEYS_MAX, detail=TOO_MANY_WRONG)
    app = web.Application(middlewares=[make_edge(deps)], client_max_size=BODY_BYTES_MAX)
    app[LIVE], app[DEPS] = live, deps
    shared = Shared(deps.clock.monotonic, deps.clock.now)
    for route in ROUTES:
        endpoint = _endpoint(route, deps, live, pace, sign_ins, shared)
        if route.method == "GET":
            app.router.add_get(route.path, endpoint, allow_head=route.name != "live")
        else:
            app.router.add_route(route.method, route.path, endpoint)
    app.router.add_get("/openapi.json", _openapi(deps))
    app.add_routes(page_routes(deps.pages))

    async def end_streams(_: web.Application) -> None:
        live.close()

    app.on_shutdown.append(end_streams)
    return app


def make_runner(app: web.Application, *, shutdown_timeout_s: float = 10.0) -> Runner:
    """Return a runner with every limit of a connection set; what is still answered at a stop gets the time-out."""
    deps = app[DEPS]
    return Runner(
        app,
        door=Door(deps.connections, deps.metrics.connections, deps.metrics.connections_refused),
        make_id=deps.ids.new,
        handle_signals=False,
        access_log=None,
        keepalive_timeout=KEEPALIVE_S,
        lingering_time=LINGER_S,
        max_line_size=HEADER_BYTES_MAX,
        max_field_size=HEADER_BYTES_MAX,
        max_headers=HEADERS_MAX,
        auto_decompress=False,
        shutdown_timeout=shutdown_timeout_s,
    )


def _endpoint(
    route: Route, deps: ApiDeps, live: Live, pace: Pace, sign_ins: Pace, shared: Shared
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def endpoint(request: web.Request) -> web.StreamResponse:
        request[ROUTE_LABEL] = route.path
        call = Call(request, deps, live, request[REQUEST_ID], sign_ins)
        await admit(call, route, pace)
        return await (shared.answer(call, route.handler) if route.is_shared else route.handler(call))

    return endpoint


def _openapi(deps: ApiDeps) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    made: list[bytes] = []

    async def openapi(request: web.Request) -> web.StreamResponse:
        if not made:
            made.append(document(deps.version))
        return web.Response(body=made[0], headers=headers_for(request[REQUEST_ID], Content_Type="application/json"))

    return openapi
