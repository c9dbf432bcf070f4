"""
Signing in by an identity provider, where one is configured.

Our page asks where to go, the browser goes there and comes back to our page with the provider's answer in its address,
and our page hands that in. So both steps are asked for by one of our own pages, as every change is, and nothing is
changed by a mere look at an address. Sign-ins that lead to nothing are few for each address and time.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import structlog
from aiohttp import web
from pydantic import AfterValidator, Field

from eventjobs.api.admission import CHALLENGE
from eventjobs.api.answers import json_answer
from eventjobs.api.body import read_body
from eventjobs.api.field_errors import validated
from eventjobs.api.json_text import read_json
from eventjobs.api.problems import RETRY_AFTER_S, HttpRefusal
from eventjobs.api.reads import me_document
from eventjobs.api.registry import Call
from eventjobs.api.schemas import Body
from eventjobs.api.session_cookie import attempt_of, forget_attempt, keep_attempt, keep_session, require_own_page
from eventjobs.api.sessions import CREATED, end_session_before
from eventjobs.auth.oidc.attempt import SECRET_BYTES, Attempt
from eventjobs.auth.oidc.client import OidcClient, ProviderAnswer, SignedIn
from eventjobs.auth.oidc.faults import ProviderAway, SignInRefused
from eventjobs.auth.sessions import SECRET_BYTES as SESSION_SECRET_BYTES
from eventjobs.auth.sessions import PersonSession, digest_of
from eventjobs.errors import NotFound

_log: Final = structlog.get_logger("eventjobs.sign_in")

_NOT_BEGUN: Final = "this sign-in was not begun in this browser, took longer than ten minutes, or was used before"
PAGE_BYTES_MAX: Final = 2_000
"""The page goes along in a cookie, and browsers drop those of more than 4 KiB."""


def _own_page(page: str) -> str:
    if not page.startswith("/") or page.startswith("//") or "\\" in page or not page.isprintable():
        raise ValueError("is the dashboard's address behind the #: /workspace/page")
    if len(page.encode()) > PAGE_BYTES_MAX:
        raise ValueError(f"has more than {PAGE_BYTES_MAX} bytes")
    return page


class BeginSignIn(Body):
    """Where the dashboard shall go on: the part of its address behind the `#`."""

    page: Annotated[str, Field(max_length=PAGE_BYTES_MAX), AfterValidator(_own_page)] = "/"


class FinishSignIn(Body):
    """What the provider sent the browser back with."""

    state: Annotated[str, Field(min_length=1, max_length=200)]
    code: Annotated[str, Field(min_length=1, max_length=4_000)] | None = None
    error: Annotated[str, Field(max_length=200)] | None = None
    iss: Annotated[str, Field(max_length=500)] | None = None


async def begin_sign_in(call: Call) -> web.StreamResponse:
    """Answer with where the provider asks who it is."""
    body = await _asked(call, BeginSignIn)
    provider, deps = _provider(call), call.deps
    attempt = Attempt.begin(deps.random.token(SECRET_BYTES), body.page, deps.clock.now())
    try:
        url = await provider.begin(attempt)
    except ProviderAway as away:
        raise _away(provider, away) from away
    response = json_answer(call.request_id, {"url": url})
    keep_attempt(call.request, response, attempt)
    return response


async def finish_sign_in(call: Call) -> web.StreamResponse:
    """Begin a session for whom the provider signed in; raises `HttpRefusal` 401 where that is nobody, 503."""
    body = await _asked(call, FinishSignIn)
    provider, attempt = _provider(call), attempt_of(call.request)
    tries = f"sign-in {call.address}"
    call.sign_ins.take(tries, 0)
    if attempt is None:
        raise _refused(_NOT_BEGUN)
    answer = ProviderAnswer(state=body.state, code=body.code, error=body.error, issuer=body.iss)
    try:
        signed = await provider.finish(attempt, answer, call.deps.clock.now())
    except SignInRefused as refused:
        _log.warning("sign_in_refused", reason=str(refused))
        raise _refused(f"{provider.name} did not sign you in: {refused}") from refused
    except ProviderAway as away:
        raise _away(provider, away) from away
    call.sign_ins.give_back(tries)
    return await _begun(call, attempt, signed)


async def _asked(call: Call, model: Any) -> Any:
    require_own_page(call.request)
    body = await read_body(call.request, call.deps.body_timeout_s)
    _ = read_json(body)
    return validated(model, body)


def _provider(call: Call) -> OidcClient:
    if call.deps.provider is None:
        raise NotFound("no_provider", "there is no sign-in by an identity provider here")
    return call.deps.provider


async def _begun(call: Call, attempt: Attempt, signed: SignedIn) -> web.StreamResponse:
    """Keep a session in place of one that the browser had; raises `HttpRefusal` 401 for a sign-in that was used."""
    deps = call.deps
    who = await deps.people.find(signed.identity)
    session = PersonSession(identity=signed.identity, position=deps.people.position, id_token=signed.id_token)
    secret = deps.random.token(SESSION_SECRET_BYTES)
    now = deps.clock.now()
    if not await deps.sessions.begin_once(
        digest_of(secret), session, now, sign_in=attempt.digest, until=attempt.over_at
    ):
        raise _refused(_NOT_BEGUN)
    await end_session_before(call)
    document: Mapping[str, Any] = {"page": attempt.page, "me": None if who is None else me_document(who)}
    response = json_answer(call.request_id, document, status=CREATED)
    keep_session(call.request, response, secret)
    forget_attempt(response)
    return response


def _refused(detail: str) -> HttpRefusal:
    return HttpRefusal(401, "sign_in_refused", detail, headers=CHALLENGE)


def _away(provider: OidcClient, away: ProviderAway) -> HttpRefusal:
    _log.warning("provider_away", reason=str(away))
    return HttpRefusal(
        503,
        "provider_away",
        f"{provider.name} does not answer now; a key still signs you in",
        extra={"outcome": "none"},
        headers={"Retry-After": RETRY_AFTER_S},
    )
