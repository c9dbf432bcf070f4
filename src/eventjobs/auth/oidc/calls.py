"""Calls to the provider: JSON only, small, soon answered, never redirected, and never by a proxy of the environment."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus

import aiohttp
import orjson

from eventjobs.auth.oidc.faults import ProviderAway

TOTAL_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 512 * 1024
OK: Final = 200
_REFUSED: Final = range(400, 500)
_PUSHED_BACK: Final = 429


async def fetch(url: str) -> Mapping[str, Any]:
    """Return the document at a URL; raises `ProviderAway`."""
    status, document = await _call("GET", url, {}, None)
    if status != OK:
        raise ProviderAway(f"it answered {status}")
    return document


async def post_form(
    url: str, fields: Mapping[str, str], *, login: tuple[str, str] | None = None
) -> tuple[int, Mapping[str, Any]]:
    """
    Return the status (200, or one that refuses) and the document with which a form is answered.

    `login` is a name and password to send along. Raises `ProviderAway`.
    """
    headers = {} if login is None else {"Authorization": f"Basic {_basic(*login)}"}
    status, document = await _call("POST", url, headers, fields)
    if status != OK and (status not in _REFUSED or status == _PUSHED_BACK):
        raise ProviderAway(f"it answered {status}")
    return status, document


async def _call(
    method: str, url: str, headers: Mapping[str, str], fields: Mapping[str, str] | None
) -> tuple[int, Mapping[str, Any]]:
    try:
        async with (
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=TOTAL_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            ) as session,
            session.request(method, url, headers=headers, data=fields, allow_redirects=False) as response,
        ):
            body = await _read(response)
            status = response.status
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise ProviderAway(type(error).__name__) from error
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if not isinstance(document, dict):
        raise ProviderAway(f"it answered {status} without a JSON object")
    return status, document


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise ProviderAway(f"it answered with more than {ANSWER_BYTES_MAX} bytes")
    return bytes(body)


def _basic(name: str, password: str) -> str:
    """Both are encoded as in a form first (RFC 6749, section 2.3.1)."""
    return b64encode(f"{quote_plus(name)}:{quote_plus(password)}".encode()).decode()
