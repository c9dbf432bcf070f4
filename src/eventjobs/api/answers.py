"""Answers that have a body: JSON, with the headers that every answer carries."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from aiohttp import web
from multidict import CIMultiDict

from eventjobs.api.problems import Problem

NOTHING_MAY_LOAD: Final = "default-src 'none'; frame-ancestors 'none'"
REQUEST_ID: Final = "X-Request-Id"
POSITION: Final = "Eventjobs-Position"

_ALWAYS: Final[Mapping[str, str]] = {
    "Server": "eventjobs",
    "Cache-Control": "no-store",
    "Content-Security-Policy": NOTHING_MAY_LOAD,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_JSON: Final = "application/json"
_OPTIONS: Final = orjson.OPT_UTC_Z


def headers_for(request_id: str, **more: str) -> CIMultiDict[str]:
    """Return the headers of an answer; names of further ones with `_` for `-`."""
    headers = CIMultiDict(_ALWAYS)
    headers[REQUEST_ID] = request_id
    for name, value in more.items():
        headers[name.replace("_", "-")] = value
    return headers


def encoded(document: Any) -> bytes:
    """Return a document as JSON bytes."""
    return orjson.dumps(document, _plain, _OPTIONS)


def json_answer(
    request_id: str, document: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    """Answer with a document."""
    all_headers = headers_for(request_id, Content_Type=_JSON)
    if headers:
        all_headers.update(headers)
    return web.Response(body=encoded(document), status=status, headers=all_headers)


def problem_answer(request_id: str, problem: Problem) -> web.Response:
    """Answer with an error."""
    headers = headers_for(request_id, Content_Type="application/problem+json")
    headers.update(problem.headers)
    response = web.Response(body=encoded(problem.document(request_id)), status=problem.status, headers=headers)
    if problem.close:
        response.force_close()
    return response


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(f"{type(value).__qualname__} is no JSON value")
