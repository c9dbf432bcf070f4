"""
The cookies of a browser that signed in or is about to, and who may send them.

A cookie comes along with whatever a browser sends here, whichever page made it do so: with one, only our own pages are
listened to. Over TLS, which the address of the page tells, a cookie is bound to this host and travels over TLS alone.

Browsers leave a `Strict` cookie out where another site leads to us, as an identity provider does at the end of a
sign-in. Both may be strict all the same: what the provider leads to is a page that needs no cookie, and it is that page
which hands in the provider's answer.
"""

from datetime import timedelta
from typing import Final

from aiohttp import web

from eventjobs.api.problems import HttpRefusal
from eventjobs.api.registry import Call, Caller
from eventjobs.auth.oidc import attempt
from eventjobs.auth.oidc.attempt import Attempt
from eventjobs.auth.sessions import LASTS, digest_of

PLAIN: Final = "eventjobs_session"
SECURE: Final = f"__Host-{PLAIN}"
"""Browsers take a cookie of this name only over TLS, and only from this very host."""
ATTEMPT: Final = "eventjobs_sign_in"
SECURE_ATTEMPT: Final = f"__Host-{ATTEMPT}"

_SITE: Final = "Sec-Fetch-Site"


def session_of(request: web.Request) -> bytes | None:
    """Return the digest of the session that a request comes with."""
    secret = _sent(request, PLAIN)
    return digest_of(secret) if secret else None


async def session_caller(call: Call) -> Caller | None:
    """Return whom the session of a request stands for; raises as `require_own_page` does."""
    digest = session_of(call.request)
    session = None if digest is None else await call.find_session(digest)
    who = None if session is None else await call.find_caller(session)
    if who is not None:
        require_own_page(call.request)
        call.session = digest
    return who


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
    _keep(request, response, PLAIN, secret, LASTS)


def forget_session(response: web.Response) -> None:
    """Have the browser let go of its session."""
    _forget(response, PLAIN)


def attempt_of(request: web.Request) -> Attempt | None:
    """
    Return the sign-in by an identity provider that was begun in this browser.

    Over TLS the cookie of the plain name is not looked at: a neighbouring host may have set it, to have somebody signed
    in here as somebody else.
    """
    text = request.cookies.get(_name(request, ATTEMPT))
    return Attempt.read(text) if text else None


def keep_attempt(request: web.Request, response: web.Response, begun: Attempt) -> None:
    """Have the browser keep what it will need when it comes back from the provider."""
    _keep(request, response, ATTEMPT, begun.text, attempt.LASTS)


def forget_attempt(response: web.Response) -> None:
    """Have the browser let go of a sign-in that came to its end."""
    _forget(response, ATTEMPT)


def _sent(request: web.Request, name: str) -> str | None:
    return request.cookies.get(f"__Host-{name}") or request.cookies.get(name)


def _keep(request: web.Request, response: web.Response, name: str, value: str, lasts: timedelta) -> None:
    response.set_cookie(
        _name(request, name),
        value,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="Strict",
    )


def _name(request: web.Request, name: str) -> str:
    return f"__Host-{name}" if _is_secure(request) else name


def _is_secure(request: web.Request) -> bool:
    return request.headers.get("Origin", "").startswith("https:")


def _forget(response: web.Response, name: str) -> None:
    response.del_cookie(name, path="/", httponly=True, samesite="Strict")
    response.del_cookie(f"__Host-{name}", path="/", secure=True, httponly=True, samesite="Strict")
