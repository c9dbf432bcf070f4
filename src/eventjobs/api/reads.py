"""Reads of the views: the Jobs page, things, lists of things, runs and occurrences, as of any moment."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, Literal

from aiohttp import web
from pydantic import AfterValidator, Field

from eventjobs.api.answers import json_answer
from eventjobs.api.moment import ListQuery, Moment, parse_instant, view_moment
from eventjobs.api.ports import Document, Views
from eventjobs.api.problems import BAD_CURSOR, HttpRefusal
from eventjobs.api.registry import Call
from eventjobs.errors import Invalid, NotFound
from eventjobs.ids import EVERYWHERE, ID_PATTERN, is_id
from eventjobs.log.faults import sqlstate


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("contains control or invisible characters")
    return text


Search = Annotated[str, Field(max_length=200, description="Part of an id or a name"), AfterValidator(_printable)]
Owner = Annotated[str, Field(max_length=100, description="`schedule/nightly`")]
Instant = Annotated[str, Field(max_length=40, description="An instant with its offset")]

OWNER_KINDS: Final = ("schedule", "group", "service", "flow", "import", "export", "partner", "feed")


class JobsPageQuery(ListQuery):
    """Which part of the Jobs page; without `section` the first part of each."""

    section: Literal["active", "onboarding", "maintenance", "workspace", "services"] | None = None
    q: Search | None = None
    state: Literal["active", "inactive"] | None = None
    feature: Annotated[str, Field(pattern=ID_PATTERN)] | None = None
    drift: bool | None = None


class ThingsQuery(ListQuery):
    """Which things."""

    q: Search | None = None


class SchedulesQuery(ThingsQuery):
    """Which schedules."""

    state: Literal["active", "inactive"] | None = None


class WindowQuery(ListQuery):
    """Of which owner, in which window: `since` is included, `until` is not."""

    owner: Owner | None = None
    since: Instant | None = None
    until: Instant | None = None


class RunsQuery(WindowQuery):
    """Which runs."""

    state: (
        Literal["queued", "waiting", "running", "suspended", "stopping", "succeeded", "failed", "aborted", "skipped"]
        | None
    ) = None


class OccurrencesQuery(WindowQuery):
    """Which occurrences."""

    outcome: Literal["ran", "skipped", "missed", "coming"] | None = None


_DATA_EXCEPTION: Final = "22"
"""The class of SQLSTATE for values that the database cannot take: those of a forged cursor."""
_NOT_FILTERS: Final = frozenset({"as_of", "wait_for"})
_Find = Callable[[Views, str, str, int | None], Awaitable[Document | None]]


def thing(kind: str, find: _Find) -> Callable[[Call], Awaitable[web.StreamResponse]]:
    """Return a handler that answers with one thing, its definition version as ETag."""

    async def handle(call: Call) -> web.StreamResponse:
        moment = await view_moment(call)
        the_id = call.parameter("id")
        found = await find(call.deps.views, call.workspace, the_id, moment.read_at) if _may_be(the_id) else None
        if found is None:
            raise NotFound("not_found", f"there is no {kind} {the_id[:100]!r}")
        return _answer(call, moment, found)

    return handle


async def jobs_page(call: Call) -> web.StreamResponse:
    """Answer with the Jobs page, or a part of one section."""
    if call.query.cursor is not None and call.query.section is None:
        raise Invalid.at("section", "missing", "a cursor goes on in one section")
    return await _list(call, partial(call.deps.views.jobs_page, call.workspace))


async def schedules(call: Call) -> web.StreamResponse:
    """Answer with schedules."""
    return await _list(call, partial(call.deps.views.schedules, call.workspace))


async def services(call: Call) -> web.StreamResponse:
    """Answer with services."""
    return await _list(call, partial(call.deps.views.services, call.workspace))


async def runs(call: Call) -> web.StreamResponse:
    """Answer with runs, the newest first."""
    return await _list(call, partial(call.deps.views.runs, call.workspace))


async def occurrences(call: Call) -> web.StreamResponse:
    """Answer with past occurrences and their outcome, and with coming ones."""
    return await _list(call, partial(call.deps.views.occurrences, call.workspace))


async def keys(call: Call) -> web.StreamResponse:
    """Answer with the keys that were issued in the workspace; never with a secret or its hash."""
    return await _list(call, partial(call.deps.views.keys, call.workspace))


async def workspace(call: Call) -> web.StreamResponse:
    """Answer with the workspace itself."""
    moment = await view_moment(call)
    found = await call.deps.views.workspace(call.workspace, position=moment.read_at)
    if found is None:
        raise NotFound("unknown_workspace", "there is no such workspace")
    return _answer(call, moment, found)


async def workspaces(call: Call) -> web.StreamResponse:
    """Answer with the workspaces that the key covers."""
    grant = call.grant
    only = None if grant.covers(EVERYWHERE) else sorted(grant.workspaces)
    return await _list(call, partial(call.deps.views.workspaces, only=only))


async def me(call: Call) -> web.StreamResponse:
    """Answer with who the caller is and what the key allows."""
    key, grant = call.caller, call.grant
    document = {
        "actor": key.actor,
        "key": key.stream.id,
        "issued_in": key.stream.workspace,
        "roles": sorted(grant.roles),
        "workspaces": sorted(grant.workspaces),
        "read_only": grant.read_only,
        "expires_at": grant.expires_at,
    }
    return json_answer(call.request_id, document)


schedule: Final = thing("schedule", lambda views, *where: views.schedule(where[0], where[1], position=where[2]))
service: Final = thing("service", lambda views, *where: views.service(where[0], where[1], position=where[2]))
job: Final = thing("job", lambda views, *where: views.job(where[0], where[1], position=where[2]))
run: Final = thing("run", lambda views, *where: views.run(where[0], where[1], position=where[2]))
occurrence: Final = thing("occurrence", lambda views, *where: views.occurrence(where[0], where[1], position=where[2]))


async def _list(call: Call, read: Callable[..., Awaitable[Document]]) -> web.Response:
    moment = await view_moment(call)
    try:
        document = await read(**_filters(call, moment))
    except Exception as error:
        if call.query.cursor is not None and sqlstate(error).startswith(_DATA_EXCEPTION):
            raise HttpRefusal(400, BAD_CURSOR, "this is no cursor that was given out here") from error
        raise
    return _answer(call, moment, document)


def _filters(call: Call, moment: Moment) -> Mapping[str, Any]:
    """Return the query's fields as the views take them."""
    given = {name: value for name, value in call.query if name not in _NOT_FILTERS}
    for name in ("since", "until"):
        if given.get(name) is not None:
            given[name] = _instant(name, given[name])
    if given.get("owner") is not None:
        given["owner"] = parse_owner(given["owner"])
    return {**given, "position": moment.read_at}


def _instant(name: str, text: str) -> datetime:
    return parse_instant(name, text)


def parse_owner(text: str) -> tuple[str, str]:
    """Return kind and id of an owner; raises `Invalid` for another text."""
    kind, _, owner_id = text.partition("/")
    if kind not in OWNER_KINDS or not is_id(owner_id):
        raise Invalid.at("owner", "bad_owner", "an owner is written kind/id, e.g. schedule/nightly")
    return kind, owner_id


def _may_be(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _answer(call: Call, moment: Moment, document: Mapping[str, Any]) -> web.Response:
    version = document.get("version")
    headers = {} if version is None else {"ETag": f'"{version}"'}
    return json_answer(call.request_id, {"as_of": moment.document(), **document}, headers=headers)
