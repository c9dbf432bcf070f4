"""Reads of the views: the Jobs page, things, lists of things, runs and occurrences, as of any moment."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeAlias

from aiohttp import web
from pydantic import AfterValidator, Field

from eventjobs.api.acting import Action, Around, around, with_actions
from eventjobs.api.actions import CALENDAR, FLOW, GROUP, INTEGRATION, JOB, MEMBER, RUN, SCHEDULE, SERVICE, drift_actions
from eventjobs.api.answers import json_answer
from eventjobs.api.moment import ListQuery, Moment, now_of, parse_instant, view_moment
from eventjobs.api.owners import find_group, find_job, find_owner
from eventjobs.api.ports import Document
from eventjobs.api.problems import BAD_CURSOR, HttpRefusal
from eventjobs.api.registry import Call, Caller
from eventjobs.api.shared import AT
from eventjobs.auth.keyring import StoredKey
from eventjobs.auth.people import Person
from eventjobs.domain.access import HISTORIANS
from eventjobs.domain.load import DAY
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

    section: Literal["active", "onboarding", "maintenance", "workspace", "services", "flows"] | None = None
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


class SearchQuery(ListQuery):
    """Which text."""

    q: Annotated[Search, Field(min_length=1)]


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


class NotificationsQuery(WindowQuery):
    """Which messages: about which owner, in which state, by which channel."""

    state: Literal["pending", "sending", "sent", "given_up", "suppressed"] | None = None
    channel: Literal["email", "webhook", "heartbeat"] | None = None


class OccurrencesQuery(WindowQuery):
    """Which occurrences."""

    outcome: Literal["ran", "skipped", "missed", "waiting", "coming"] | None = None


BUSIEST: Final = 10
"""How many of the busiest minutes are named."""
_DATA_EXCEPTION: Final = "22"
"""The class of SQLSTATE for values that the database cannot take: those of a forged cursor."""
_JOBS: Final = {"services": SERVICE, "flows": FLOW}
_NOT_FILTERS: Final = frozenset({"as_of", "wait_for"})
Find: TypeAlias = Callable[[Call, Moment, str], Awaitable[Document | None]]
"""How a thing is found: by its id, as of a moment."""


def thing(
    kind: str, find: Find, actions: Callable[[Document], Mapping[str, Action]] | None = None
) -> Callable[[Call], Awaitable[web.StreamResponse]]:
    """Return a handler that answers with one thing, its definition version as ETag, and what the caller may do."""

    async def handle(call: Call) -> web.StreamResponse:
        moment = await view_moment(call)
        found = await _found(call, moment, kind, find)
        if actions is not None:
            (found,) = with_actions([found], actions(found), await around(call, moment))
        return answer(call, moment, found)

    return handle


def _in_view(name: str) -> Find:
    return lambda call, moment, the_id: getattr(call.deps.views, name)(call.workspace, the_id, position=moment.read_at)


async def _found(call: Call, moment: Moment, kind: str, find: Find) -> Document:
    the_id = call.parameter("id")
    found = await find(call, moment, the_id) if may_be(the_id) else None
    if found is None:
        raise NotFound("not_found", f"there is no {kind} {the_id[:100]!r}")
    return found


async def run(call: Call) -> web.StreamResponse:
    """Answer with a run; what the caller may do with it depends on its owner as well."""
    moment = await view_moment(call)
    found = await _found(call, moment, "run", _in_view("run"))
    owner = await find_owner(call, moment, found["owner"]["kind"], found["owner"]["id"])
    (found,) = with_actions([found], RUN, replace(await around(call, moment), owner=owner))
    return answer(call, moment, found)


async def jobs_page(call: Call) -> web.StreamResponse:
    """Answer with the Jobs page, or a part of one section."""
    if call.query.cursor is not None and call.query.section is None:
        raise Invalid.at("section", "missing", "a cursor goes on in one section")
    return await read_list(call, partial(call.deps.views.jobs_page, call.workspace), _on_the_page)


async def schedules(call: Call) -> web.StreamResponse:
    """Answer with schedules."""
    return await read_list(call, partial(call.deps.views.schedules, call.workspace), partial(on_items, SCHEDULE))


async def services(call: Call) -> web.StreamResponse:
    """Answer with services."""
    return await read_list(call, partial(call.deps.views.services, call.workspace), partial(on_items, SERVICE))


async def flows(call: Call) -> web.StreamResponse:
    """Answer with flows."""
    return await read_list(call, partial(call.deps.views.flows, call.workspace), partial(on_items, FLOW))


async def integrations(call: Call) -> web.StreamResponse:
    """Answer with the workspace's registrations."""
    return await read_list(call, partial(call.deps.views.integrations, call.workspace), partial(on_items, INTEGRATION))


async def integration(call: Call) -> web.StreamResponse:
    """Answer with a registration, and what the caller may do about each difference from its definition."""
    moment = await view_moment(call)
    found = await _found(call, moment, "integration", _in_view("integration"))
    present = await around(call, moment)
    (found,) = with_actions([found], INTEGRATION, present)
    drift = [one for each in found["drift"] for one in with_actions([each], drift_actions(each), present)]
    return answer(call, moment, {**found, "drift": drift})


async def definitions(call: Call) -> web.StreamResponse:
    """Answer with the definitions that the workspace publishes."""
    return await read_list(call, partial(call.deps.views.definitions, call.workspace))


async def definition(call: Call) -> web.StreamResponse:
    """Answer with a definition, and with its registrations in those workspaces that the key covers."""
    moment = await view_moment(call)
    the_id, grant = call.parameter("id"), call.grant
    only = None if grant.covers(EVERYWHERE) else sorted(grant.workspaces)
    views = call.deps.views
    found = (
        await views.definition(call.workspace, the_id, only=only, position=moment.read_at) if may_be(the_id) else None
    )
    if found is None:
        raise NotFound("not_found", f"there is no definition {the_id[:100]!r}")
    return answer(call, moment, found)


async def calendars(call: Call) -> web.StreamResponse:
    """Answer with blackout calendars."""
    return await read_list(call, partial(call.deps.views.calendars, call.workspace), partial(on_items, CALENDAR))


async def runs(call: Call) -> web.StreamResponse:
    """Answer with runs, the newest first."""
    return await read_list(call, partial(call.deps.views.runs, call.workspace))


async def notifications(call: Call) -> web.StreamResponse:
    """Answer with messages, the newest first."""
    return await read_list(call, partial(call.deps.views.notifications, call.workspace))


async def occurrences(call: Call) -> web.StreamResponse:
    """Answer with past occurrences and their outcome, and with coming ones."""
    return await read_list(call, partial(call.deps.views.occurrences, call.workspace))


async def keys(call: Call) -> web.StreamResponse:
    """Answer with the keys that were issued in the workspace; never with a secret or its hash."""
    return await read_list(call, partial(call.deps.views.keys, call.workspace))


async def members(call: Call) -> web.StreamResponse:
    """Answer with who belongs to the workspace."""
    return await read_list(call, partial(call.deps.views.members, call.workspace), partial(on_items, MEMBER))


async def search(call: Call) -> web.StreamResponse:
    """Answer with whatever has a text in its id or name; keys and members only to who may list them."""
    keys = call.grant.may_read(HISTORIANS, call.workspace)
    return await read_list(call, partial(call.deps.views.search, call.workspace, keys=keys))


async def load(call: Call) -> web.StreamResponse:
    """Answer with how many runs will be open in each minute of the day."""
    moment = await view_moment(call)
    begin = now_of(call, moment)
    minutes = await call.deps.views.load(call.workspace, begin, position=moment.read_at)
    busiest = sorted(range(len(minutes)), key=lambda minute: (-minutes[minute], minute))[:BUSIEST]
    document = {
        "zone": "UTC",
        "since": begin,
        "until": begin + DAY,
        "grid": [minutes[hour * 60 : hour * 60 + 60] for hour in range(24)],
        "busiest": [
            {"at": f"{minute // 60:02}:{minute % 60:02}", "runs": minutes[minute]}
            for minute in busiest
            if minutes[minute]
        ],
    }
    return answer(call, moment, document)


async def workspace(call: Call) -> web.StreamResponse:
    """Answer with the workspace itself."""
    moment = await view_moment(call)
    found = await call.deps.views.workspace(call.workspace, position=moment.read_at)
    if found is None:
        raise NotFound("unknown_workspace", "there is no such workspace")
    return answer(call, moment, found)


async def workspaces(call: Call) -> web.StreamResponse:
    """Answer with the workspaces that the key covers."""
    grant = call.grant
    only = None if grant.covers(EVERYWHERE) else sorted(grant.workspaces)
    return await read_list(call, partial(call.deps.views.workspaces, only=only))


async def me(call: Call) -> web.StreamResponse:
    """Answer with who the caller is and what they may do."""
    return json_answer(call.request_id, me_document(call.caller))


def me_document(who: Caller) -> Document:
    """Return what a caller may know about themselves."""
    match who:
        case StoredKey():
            return _key_document(who)
        case Person():
            return _person_document(who)


def _key_document(key: StoredKey) -> Document:
    grant = key.grant
    return {
        "actor": key.actor,
        "key": key.stream.id,
        "issued_in": key.stream.workspace,
        "member": key.member,
        "name": None,
        "roles": sorted(grant.roles),
        "workspaces": sorted(grant.workspaces),
        "read_only": grant.read_only,
        "expires_at": grant.expires_at,
        "memberships": [],
    }


def _person_document(person: Person) -> Document:
    memberships = [one for _, one in sorted(person.memberships.items())]
    return {
        "actor": person.actor_in(EVERYWHERE),
        "key": None,
        "issued_in": None,
        "member": memberships[0].member,
        "name": memberships[0].name,
        "roles": sorted({role for one in memberships for role in one.roles}),
        "workspaces": sorted(person.memberships),
        "read_only": all(one.read_only for one in memberships),
        "expires_at": None,
        "memberships": [
            {
                "workspace": one.stream.workspace,
                "member": one.member,
                "roles": sorted(one.roles),
                "read_only": one.read_only,
            }
            for one in memberships
        ],
    }


schedule: Final = thing("schedule", _in_view("schedule"), lambda _: SCHEDULE)
service: Final = thing("service", _in_view("service"), lambda _: SERVICE)
flow: Final = thing("flow", _in_view("flow"), lambda _: FLOW)
feature: Final = thing("feature", _in_view("feature"))
key: Final = thing("key", _in_view("key"))
member: Final = thing("member", _in_view("member"), lambda _: MEMBER)
notification: Final = thing("notification", _in_view("notification"))
calendar: Final = thing("calendar", _in_view("calendar"), lambda _: CALENDAR)
group: Final = thing("group", find_group, lambda _: GROUP)
job: Final = thing("job", find_job, lambda found: JOB[found["kind"]])
occurrence: Final = thing("occurrence", _in_view("occurrence"))


def on_items(actions: Mapping[str, Action], document: Document, around: Around) -> Document:
    """Say what may be done with each item of a list."""
    return {**document, "items": with_actions(document["items"], actions, around)}


def _on_the_page(document: Document, around: Around) -> Document:
    """Say what may be done with each row of the Jobs page."""
    schedules = {name: on_items(SCHEDULE, section, around) for name, section in document["schedules"].items()}
    jobs = {name: on_items(actions, document[name], around) for name, actions in _JOBS.items()}
    return {**document, "schedules": schedules, **jobs}


async def read_list(
    call: Call,
    read: Callable[..., Awaitable[Document]],
    acting: Callable[[Document, Around], Document] | None = None,
    more: Callable[[Call, Moment], Mapping[str, Any]] = lambda *_: {},
) -> web.Response:
    """Answer with a list that `read` gets by the query's filters and `more`, with what `acting` adds."""
    moment = await view_moment(call)
    try:
        document = await read(**_filters(call, moment), **more(call, moment))
    except Exception as error:
        if call.query.cursor is not None and sqlstate(error).startswith(_DATA_EXCEPTION):
            raise HttpRefusal(400, BAD_CURSOR, "this is no cursor that was given out here") from error
        raise
    if acting is not None:
        document = acting(document, await around(call, moment))
    return answer(call, moment, document)


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


def may_be(text: str) -> bool:
    """Tell whether a text of an address may be an id."""
    return text.isascii() and text.isprintable()


def answer(call: Call, moment: Moment, document: Mapping[str, Any]) -> web.Response:
    """Answer with a document of a moment, its version as ETag where it has one."""
    version = document.get("version")
    headers = {} if version is None else {"ETag": f'"{version}"'}
    response = json_answer(call.request_id, {"as_of": moment.document(), **document}, headers=headers)
    response[AT] = moment.position
    return response
