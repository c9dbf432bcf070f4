"""
Signing in from a browser, and out again.

The key is sent once and becomes a session with the same rights; wrong keys are few for each address and time.
"""

from typing import Annotated, Final

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
from eventjobs.api.session_cookie import forget_session, keep_session, require_own_page, session_key, session_of
from eventjobs.auth.sessions import SECRET_BYTES, digest_of
from eventjobs.auth.token import TOKEN_CHARS_MAX

CREATED: Final = 201
GONE: Final = 204


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
    await deps.sessions.begin(digest_of(secret), key.lookup, deps.clock.now())
    before = session_of(request)
    if before is not None:
        await deps.sessions.end(before)
    response = json_answer(call.request_id, me_document(key), status=CREATED)
    keep_session(request, response, secret)
    return response


async def signed_in(call: Call) -> web.StreamResponse:
    """Answer with who is signed in; that nobody is, is no error."""
    key = await session_key(call)
    return json_answer(call.request_id, {"me": None if key is None else me_document(key)})


async def sign_out(call: Call) -> web.StreamResponse:
    """End the session that the request comes with."""
    if call.session is not None:
        await call.deps.sessions.end(call.session)
    response = web.Response(status=GONE, headers=headers_for(call.request_id))
    forget_session(response)
    return response
