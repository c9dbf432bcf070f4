"""
Signing in from a browser with a key, and out again.

The key is sent once and becomes a session with the same rights; wrong keys are few for each address and time.
"""

from typing import Annotated, Final

import structlog
from aiohttp import web
from pydantic import Field, SecretStr

from eventjobs.api.admission import CHALLENGE
from eventjobs.api.answers import headers_for, json_answer
from eventjobs.api.body import read_body
from eventjobs.api.field_errors import validated
from eventjobs.api.json_text import read_json
from eventjobs.api.problems import HttpRefusal
from eventjobs.api.reads import me_document
from eventjobs.api.registry import Call
from eventjobs.api.schemas import Body
from eventjobs.api.session_cookie import (
    forget_session,
    keep_session,
    require_own_page,
    session_caller,
    session_of,
)
from eventjobs.auth.oidc.faults import ProviderAway
from eventjobs.auth.sessions import SECRET_BYTES, KeySession, PersonSession, Session, digest_of
from eventjobs.auth.token import TOKEN_CHARS_MAX

CREATED: Final = 201
GONE: Final = 204

_log: Final = structlog.get_logger("eventjobs.sign_in")


class SignIn(Body):
    """The key that the session shall stand for."""

    key: Annotated[SecretStr, Field(min_length=1, max_length=TOKEN_CHARS_MAX)]


async def sign_in(call: Call) -> web.StreamResponse:
    """Begin a session, in place of one that the browser had; raises `HttpRefusal` 401 for a key that is none."""
    request, deps = call.request, call.deps
    require_own_page(request)
    body = await read_body(request, deps.body_timeout_s)
    _ = read_json(body)
    given = validated(SignIn, body).key.get_secret_value().strip()
    tries = f"sign-in {call.address}"
    call.sign_ins.take(tries, 0)
    key = await deps.keyring.find(given)
    if key is None or key.grant.is_for_calendars:
        raise HttpRefusal(401, "unauthorized", "this is no valid key", headers=CHALLENGE)
    call.sign_ins.give_back(tries)
    secret = deps.random.token(SECRET_BYTES)
    await deps.sessions.begin(digest_of(secret), KeySession(key.lookup), deps.clock.now())
    await end_session_before(call)
    response = json_answer(call.request_id, me_document(key), status=CREATED)
    keep_session(request, response, secret)
    return response


async def end_session_before(call: Call) -> None:
    """End the session that a browser had before it signed in anew."""
    before = session_of(call.request)
    if before is not None:
        await call.deps.sessions.end(before)


async def signed_in(call: Call) -> web.StreamResponse:
    """Answer with who is signed in, that nobody is being no error, and with how one may sign in."""
    who = await session_caller(call)
    stranger = None if who is not None else await _stranger(call)
    provider = call.deps.provider
    document = {
        "me": None if who is None else me_document(who),
        "stranger": stranger,
        "provider": None if provider is None else {"name": provider.name, "issuer": provider.issuer},
    }
    return json_answer(call.request_id, document)


async def _stranger(call: Call) -> dict[str, str] | None:
    """Return whom the provider signed in who is a member of nothing."""
    session = await _session(call)
    if not isinstance(session, PersonSession) or await call.deps.people.find(session.identity) is not None:
        return None
    require_own_page(call.request)
    return {"issuer": session.identity.issuer, "subject": session.identity.subject}


async def _session(call: Call) -> Session | None:
    digest = session_of(call.request)
    return None if digest is None else await call.find_session(digest)


async def sign_out(call: Call) -> web.StreamResponse:
    """End the session that the request comes with, if any; say where the provider ends its own."""
    session, digest = await _session(call), session_of(call.request)
    if session is not None and digest is not None:
        require_own_page(call.request)
        await call.deps.sessions.end(digest)
    elsewhere = await _ends_at(call, session)
    if elsewhere is None:
        response = web.Response(status=GONE, headers=headers_for(call.request_id))
    else:
        response = json_answer(call.request_id, {"url": elsewhere})
    forget_session(response)
    return response


async def _ends_at(call: Call, session: Session | None) -> str | None:
    provider = call.deps.provider
    if provider is None or not isinstance(session, PersonSession) or not call.deps.trusts(session.identity.issuer):
        return None
    try:
        return await provider.sign_out_url(session.id_token)
    except ProviderAway as away:
        _log.warning("provider_away", reason=str(away))
        return None
