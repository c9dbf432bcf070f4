"""Static pages from memory: a fixed table, so that no path leads anywhere else."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from eventjobs.api.answers import headers_for
from eventjobs.api.edge import REQUEST_ID
from eventjobs.api.ports import Page, Pages


def page_routes(pages: Pages) -> list[web.RouteDef]:
    """Return a route per page."""
    return [web.get(path, _handler(page)) for path, page in sorted(pages.items())]


def _handler(page: Page) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        headers = headers_for(
            request[REQUEST_ID],
            Content_Type=page.content_type,
            Content_Security_Policy=page.policy,
            Cache_Control="no-cache",
            ETag=page.etag,
            Vary="Accept-Encoding",
        )
        if request.headers.get("If-None-Match") == page.etag:
            return web.Response(status=304, headers=headers)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return web.Response(body=page.gzipped, headers=headers)
        return web.Response(body=page.body, headers=headers)

    return handle
