"""
Who may come in: the caller, the workspace, the roles.

A workspace that a caller's rights do not cover looks exactly like one that does not exist. A known caller whose roles
are not enough is refused, and that is recorded.
"""

import re
from functools import lru_cache
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from eventjobs.api.body import BODY_BYTES_MAX
from eventjobs.api.connections import Connection
from eventjobs.api.field_errors import invalid
from eventjobs.api.pace import Pace
from eventjobs.api.problems import HttpRefusal
from eventjobs.api.registry import Call, Caller, Query, Route, Scope
from eventjobs.api.session_cookie import session_caller, session_of
from eventjobs.auth.token import looks_like_token
from eventjobs.domain.streams import workspace_stream
from eventjobs.errors import FieldError, Invalid, NotFound
from eventjobs.ids import WORKSPACE_ID_PATTERN

_CREDENTIALS: Final = frozenset(
    {"access_token", "api_key", "apikey", "auth", "authorization", "bearer", "key", "password", "secret", "token"}
)
_WORKSPACE_ID: Final = re.compile(WORKSPACE_ID_PATTERN)
_SCHEME: Final = "bearer "
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="eventjobs"'}


async def admit(call: Call, route: Route, pace: Pace) -> None:
    """Fill in who calls, for which workspace, with which parameters; or raise."""
    request = call.request
    if "%00" in request.raw_path:
        raise HttpRefusal(400, "bad_text", "the address holds the character U+0000")
    if route.scope is Scope.LINK:
        await _admit_link(call, pace)
    elif request.query_string or "_" in request.path:
        _refuse_credentials(request)
    if route.scope is Scope.SIGN_IN:
        pace.take(f"address {call.address}", _body_bytes(request))
    elif route.scope is Scope.SIGNED:
        pace.take(f"address {call.address}", _body_bytes(request))
        call.workspace = request.match_info["workspace"]
    elif route.scope not in (Scope.OPEN, Scope.LINK):
        call.who = await _caller(call, pace)
        if isinstance(request.protocol, Connection):
            request.protocol.recognise()
        pace.take(call.who.lookup, _body_bytes(request))
    if route.scope is Scope.WORKSPACE:
        call.workspace = request.match_info["workspace"]
        await require_workspace(call)
    if route.roles:
        await require_roles(call, route.roles, f"{route.method} {route.path}")
    call.query = _parameters(route.query, request)


async def require_workspace(call: Call) -> None:
    """Raise `NotFound` unless the call's workspace exists and the caller's rights cover it."""
    workspace = call.workspace
    if not call.grant.covers(workspace) or not await _exists(call, workspace):
        raise NotFound("unknown_workspace", "there is no such workspace")


async def require_roles(call: Call, roles: frozenset[str], action: str) -> None:
    """Record the attempt and raise `Forbidden` unless the caller has one of the roles in the call's workspace."""
    if not call.grant.may_read(roles, call.workspace):
        await call.deps.dispatcher.refuse(action, sorted(roles), call.context(call.workspace))


async def _caller(call: Call, pace: Pace) -> Caller:
    given = call.request.headers.getall("Authorization", ())
    if not given:
        who = await _signed_in(call, pace)
        if who is not None:
            return who
    if len(given) == 1 and given[0][: len(_SCHEME)].lower() == _SCHEME:
        key = await call.deps.keyring.find(given[0][len(_SCHEME) :].strip())
        if key is not None and not key.grant.is_for_calendars:
            return key
    raise HttpRefusal(401, "unauthorized", "send a valid key as Authorization: Bearer …", headers=CHALLENGE)


async def _signed_in(call: Call, pace: Pace) -> Caller | None:
    """Return whom the session of a browser's cookie stands for."""
    if session_of(call.request) is None:
        return None
    pace.take(f"address {call.address}", 0)
    return await session_caller(call)


async def _admit_link(call: Call, pace: Pace) -> None:
    """Take the key from the address, where it is one for calendars; another one must never have come there."""
    pace.take(f"address {call.address}", 0)
    given = call.request.query.getall("token", ())
    key = await call.deps.keyring.find(given[0]) if len(given) == 1 else None
    if key is not None and not key.grant.is_for_calendars:
        raise _credential_in_url()
    call.who, call.workspace = key, call.request.match_info["workspace"]
    if key is None or not key.grant.covers(call.workspace):
        raise NotFound("not_found", "there is no such calendar, or its key is over")
    await require_workspace(call)


def _body_bytes(request: web.Request) -> int:
    """Return what the body may come to, before it is read."""
    if request.method == "GET":
        return 0
    length = request.content_length
    if length is None:
        return BODY_BYTES_MAX if request.can_read_body else 0
    return length


async def _exists(call: Call, workspace: str) -> bool:
    if workspace in call.deps.known_workspaces:
        return True
    if _WORKSPACE_ID.fullmatch(workspace) is None:
        return False
    stream = workspace_stream(workspace)
    states = call.deps.dispatcher.states
    await states.refresh([stream])
    if not (await states.load([stream]))[stream].state.exists:
        return False
    call.deps.known_workspaces.add(workspace)
    return True


def _refuse_credentials(request: web.Request) -> None:
    named = any(name.lower() in _CREDENTIALS for name in request.query)
    if named or looks_like_token(request.path_qs):
        raise _credential_in_url()


def _credential_in_url() -> HttpRefusal:
    detail = "a key in a URL ends up in logs: revoke it, and send it as Authorization: Bearer"
    return HttpRefusal(400, "credential_in_url", detail)


def _parameters(model: type[Query], request: web.Request) -> Query:
    try:
        if not request.query_string:
            return _defaults(model)
        given = request.query
        twice = sorted({name for name in given if len(given.getall(name)) > 1})
        if twice:
            raise Invalid.fields([FieldError(name, "duplicate_parameter", "given more than once") for name in twice])
        return model.model_validate(dict(given))
    except ValidationError as error:
        raise invalid(error) from error


@lru_cache(maxsize=64)
def _defaults(model: type[Query]) -> Query:
    return model()
