"""
The cookie of a browser that signed in, and who may send it.

A cookie comes along with whatever a browser sends here, whichever page made it do so: with one, only our own pages are
listened to. Over TLS, which the address of the page tells, the cookie is bound to this host and travels over TLS alone.
"""

from typing import Final

from aiohttp import web

from eventjobs.api.problems import HttpRefusal
from eventjobs.api.registry import Call
from eventjobs.auth.keyring import StoredKey
from eventjobs.auth.sessions import LASTS, digest_of

PLAIN: Final = "eventjobs_session"
SECURE: Final = f"__Host-{PLAIN}"
"""Browsers take a cookie of this name only over TLS, and only from this very host."""

_SITE: Final = "Sec-Fetch-Site"


def session_of(request: web.Request) -> bytes | None:
    """Return the digest of the session that a request comes with."""
    cookies = request.cookies
    secret = cookies.get(SECURE) or cookies.get(PLAIN)
    return digest_of(secret) if secret else None


async def session_key(call: Call) -> StoredKey | None:
    """Return the valid key of the session that a request comes with; raises as `require_own_page` does."""
    session = session_of(call.request)
    lookup = None if session is None else await call.deps.sessions.find(session, call.deps.clock.now())
    key = None if lookup is None else await call.deps.keyring.find_again(lookup)
    if key is not None:
        require_own_page(call.request)
        call.session = session
    return key


def require_own_page(request: web.Request) -> None:
    """Raise `HttpRefusal` 403 unless one of our own pages asks; who only looks may also be a person's address bar."""
    looks = request.method in ("GET", "HEAD")
    site, origin = request.headers.get(_SITE), request.headers.get("Origin")
    if site is not None:
        is_own = site == "same-origin" or (looks and site == "none")
    elif origin is not None:
        host = request.headers.get("Host")
        is_own = origin in (f"http://{host}", f"https://{host}")
    else:
        is_own = looks
    if not is_own:
        raise HttpRefusal(403, "cross_site", "with a session only this service's own pages are listened to")


def keep_session(request: web.Request, response: web.Response, secret: str) -> None:
    """Have the browser keep a session's secret, out of reach of scripts."""
    is_secure = request.headers.get("Origin", "").startswith("https:")
    response.set_cookie(
        SECURE if is_secure else PLAIN,
        secret,
        max_age=int(LASTS.total_seconds()),
        path="/",
        secure=is_secure,
        httponly=True,
        samesite="Strict",
    )


def forget_session(response: web.Response) -> None:
    """Have the browser let go of its session."""
    response.del_cookie(PLAIN, path="/", httponly=True, samesite="Strict")
    response.del_cookie(SECURE, path="/", secure=True, httponly=True, samesite="Strict")
