"""Reads a request's body within its limits of kind, size and time."""

import asyncio
from typing import Final

from aiohttp import web

from eventjobs.api.problems import HttpRefusal

BODY_BYTES_MAX: Final = 1024 * 1024
BODY_S_MAX: Final = 10.0
JSON_TYPE: Final = "application/json"


async def read_body(request: web.Request, timeout_s: float = BODY_S_MAX) -> bytes:
    """Return the body; raises `HttpRefusal` 408, 413 or 415, before reading where the headers say enough."""
    _check_headers(request)
    content = request.content
    if content.is_eof():
        return _small_enough(content.read_nowait(-1))
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(request)
    except TimeoutError as error:
        raise HttpRefusal(408, "body_too_slow", f"a body arrives within {timeout_s:g} s", close=True) from error
    except web.RequestPayloadError as error:
        raise HttpRefusal(400, "bad_request", "the body broke off", close=True) from error


async def _read(request: web.Request) -> bytes:
    chunks = bytearray()
    while not request.content.at_eof():
        chunks += await request.content.readany()
        _small_enough(chunks)
    return bytes(chunks)


def _check_headers(request: web.Request) -> None:
    headers = request.headers
    if headers.get("Content-Type") != JSON_TYPE and not _is_json(request):
        raise HttpRefusal(415, "not_json_type", f"send Content-Type: {JSON_TYPE}")
    if headers.get("Content-Encoding", "identity").lower() != "identity":
        raise HttpRefusal(415, "encoded_body", "send the body without a Content-Encoding")
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise _too_large()


def _is_json(request: web.Request) -> bool:
    if "Content-Type" not in request.headers:
        return False
    return request.content_type == JSON_TYPE and (request.charset or "utf-8").lower() in ("utf-8", "utf8")


def _small_enough(body: bytes | bytearray) -> bytes:
    if len(body) > BODY_BYTES_MAX:
        raise _too_large()
    return bytes(body)


def _too_large() -> HttpRefusal:
    return HttpRefusal(413, "body_too_large", f"a body has at most {BODY_BYTES_MAX} bytes", close=True)
