"""Who may ask for what: keys, workspaces, roles, on every route there is."""

from datetime import timedelta

import pytest

from eventjobs.api.registry import Route, Scope
from eventjobs.api.routes import ROUTES
from eventjobs.commands import PUBLIC
from eventjobs.commands.spec import CommandSpec
from eventjobs.domain.access import ANY_ROLE, ROLES
from tests.api.rig import Answered, Rig, schedule
from tests.api.wire import head, send

EXAMPLES = {spec.name: spec.example for spec in PUBLIC}

closed = pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.scope not in (Scope.OPEN, Scope.SIGNED, Scope.LINK, Scope.SIGN_IN)],
    ids=lambda route: route.name,
)
in_workspace = pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.scope is Scope.WORKSPACE], ids=lambda route: route.name
)
with_roles = pytest.mark.parametrize(
    "route", [route for route in ROUTES if route.roles and route.roles != ANY_ROLE], ids=lambda route: route.name
)
every_command = pytest.mark.parametrize("spec", PUBLIC, ids=lambda spec: spec.name)


async def ask(rig: Rig, route: Route, *, workspace: str = "acme", key: str | None = "") -> Answered:
    path = route.path.format(workspace=workspace, id="load", stream="service:load", command="DeleteService")
    if route.method == "POST":
        return await rig.post(path, {"id": "load"}, key=key)
    return await rig.call(route.method, path, key=key)


def same(one: Answered, other: Answered) -> bool:
    """Tell whether two problems differ in nothing but their request's id."""
    return {**one.json, "request_id": ""} == {**other.json, "request_id": ""} and one.status == other.status


@closed
async def test_without_a_key_every_route_is_401_with_one_answer(rig: Rig, route: Route) -> None:
    refused = await ask(rig, route, key=None)

    assert (refused.status, refused.code) == (401, "unauthorized")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@in_workspace
async def test_a_workspace_that_is_not_covered_looks_like_one_that_is_not_there(rig: Rig, route: Route) -> None:
    made = await rig.post("/v1/workspaces", {"id": "other"})
    assert made.status == 201
    key = await rig.issue(*ROLES)
    before = rig.log.known_head.position

    foreign = await ask(rig, route, workspace="other", key=key)
    absent = await ask(rig, route, workspace="absent", key=key)
    absent_for_all = await ask(rig, route, workspace="absent")

    assert (foreign.status, foreign.code) == (404, "unknown_workspace")
    assert same(foreign, absent)
    assert same(foreign, absent_for_all)
    assert rig.log.known_head.position == before


@with_roles
async def test_roles_that_are_not_enough_are_403_and_recorded_elsewhere(rig: Rig, route: Route) -> None:
    others = [role for role in ROLES if role not in route.roles]
    where = ("*",) if route.scope is Scope.DEPLOYMENT else ("acme",)
    key = await rig.issue(*others, workspaces=where, id="weak")
    before = rig.log.known_head.position

    refused = await ask(rig, route, key=key)

    assert (refused.status, refused.code) == (403, "forbidden")
    assert set(refused.json["needed"]) == route.roles
    (fact,) = await rig.facts(after=before)
    assert (fact.type, fact.stream, fact.actor) == ("access.attempt_refused", ("*", "access:~refused"), "key:weak")
    assert fact.event.action == f"{route.method} {route.path}"


async def test_the_whole_log_is_for_keys_of_the_whole_deployment(rig: Rig) -> None:
    key = await rig.issue(*ROLES, workspaces=("acme",))

    assert (await rig.get("/v1/log/events", key=key)).status == 403
    assert (await rig.get("/v1/log/events")).status == 200


@every_command
async def test_every_command_is_403_without_its_role_and_recorded(rig: Rig, spec: CommandSpec) -> None:
    others = [role for role in ROLES if role not in spec.roles] or ["reader"]
    key = await rig.issue(*others, workspaces=("*",), id="weak")
    before = rig.log.known_head.position

    refused = await rig.command(spec.name, EXAMPLES[spec.name], key=key)

    assert (refused.status, refused.code) == (403, "forbidden")
    (fact,) = await rig.facts(after=before)
    assert (fact.type, fact.event.action, fact.event.workspace) == ("access.attempt_refused", spec.name, "acme")


@every_command
async def test_read_only_beats_every_role(rig: Rig, spec: CommandSpec) -> None:
    key = await rig.issue(*ROLES, workspaces=("*",), read_only=True)

    assert (await rig.command(spec.name, EXAMPLES[spec.name], key=key)).status == 403


async def test_rights_are_checked_before_the_body_is_read(rig: Rig) -> None:
    key = await rig.issue("reader")

    assert (await rig.command("AddService", b"{", key=key)).status == 403


async def test_only_an_administrator_of_everything_makes_workspaces(rig: Rig) -> None:
    key = await rig.issue("administrator", workspaces=("acme",))

    refused = await rig.post("/v1/workspaces", {"id": "mine"}, key=key)

    assert (refused.status, refused.code) == (403, "forbidden")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic {key}",
        "Token {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {short}",
        "Bearer ej_{unknown}",
        "Bearer {key}, Bearer {key}",
        "Bearer \xff\xfe",
    ],
)
async def test_a_credential_that_is_none_is_401_with_the_same_answer(rig: Rig, authorization: str) -> None:
    text = authorization.format(key=rig.key, short=rig.key[:-1], unknown="u" * 12 + "_" + "s" * 43)
    lines = f"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nAuthorization: {text}\r\n\r\n".encode("latin-1")

    refused = await send(rig, lines)

    assert (refused.status, refused.code) == (401, "unauthorized")


async def test_two_credentials_are_none(rig: Rig) -> None:
    refused = await send(rig, head(rig, "/v1/me", f"Authorization: Bearer {rig.key}", method="GET"))

    assert refused.status in {400, 401}


async def test_the_scheme_has_no_case(rig: Rig) -> None:
    assert (await rig.get("/v1/me", key=None, headers={"Authorization": f"bearer {rig.key}"})).status == 200


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "key", "Authorization", "whatever"])
async def test_a_key_in_the_address_is_400_even_with_a_valid_header(rig: Rig, name: str) -> None:
    refused = await rig.get(f"/v1/me?{name}={rig.key}")

    assert (refused.status, refused.code) == (400, "credential_in_url")
    assert rig.key.encode() not in refused.body


async def test_a_key_in_the_path_is_400(rig: Rig) -> None:
    assert (await rig.get(f"/v1/acme/streams/{rig.key}/events")).code == "credential_in_url"


async def test_a_revoked_key_fails_on_the_next_request(rig: Rig) -> None:
    key = await rig.issue("reader", id="gone")
    assert (await rig.get("/v1/me", key=key)).status == 200

    revoked = await rig.command("RevokeKey", {"id": "gone"}, workspace="*")

    assert revoked.status == 201
    assert (await rig.get("/v1/me", key=key)).status == 401


async def test_an_expired_key_fails(rig: Rig) -> None:
    now = rig.deps.clock.now()
    key = await rig.issue("reader", expires_at=(now + timedelta(hours=1)).isoformat())
    assert (await rig.get("/v1/me", key=key)).status == 200

    rig.deps.clock.ahead = timedelta(hours=1)  # type: ignore[attr-defined]

    assert (await rig.get("/v1/me", key=key)).status == 401


async def test_nobody_gives_rights_that_they_lack(rig: Rig) -> None:
    key = await rig.issue("administrator", workspaces=("acme",))

    for workspaces in (["*"], ["other"], ["acme", "other"]):
        refused = await rig.command("IssueKey", {"roles": ["reader"], "workspaces": workspaces}, key=key)
        assert (refused.status, refused.code) == (403, "forbidden")
        assert (await rig.facts())[-1].type == "access.attempt_refused"


async def test_a_workspace_named_elsewhere_than_in_the_path_is_no_field(rig: Rig) -> None:
    refused = await rig.command("AddService", {"handler": "noop", "workspace": "other"})

    assert refused.code == "unknown_field"


async def test_me_says_who_calls_and_what_the_key_allows(rig: Rig) -> None:
    key = await rig.issue("reader", "operator", id="ci", where="acme")

    assert (await rig.get("/v1/me", key=key)).json == {
        "actor": "key:acme/ci",
        "key": "ci",
        "issued_in": "acme",
        "member": None,
        "name": None,
        "roles": ["operator", "reader"],
        "workspaces": ["acme"],
        "read_only": False,
        "expires_at": None,
        "memberships": [],
    }


def test_no_get_changes_anything() -> None:
    assert {route.method for route in ROUTES} == {"GET", "POST", "DELETE"}
    keyless = (Scope.SIGNED, Scope.SIGN_IN)
    commands = [route for route in ROUTES if route.method == "POST" and route.scope not in keyless]
    assert all(route.tag in ("commands", "workspaces") for route in commands)


async def test_R111_a_refused_attempt_is_in_the_deployments_history_and_not_in_the_things_own(rig: Rig) -> None:
    await rig.command("CreateSchedule", schedule())
    key = await rig.issue("reader", id="curious")

    refused = await rig.command("DeleteSchedule", {"id": "nightly"}, key=key)
    tried = await rig.command("DeleteSchedule", {"id": "nightly"}, key=key, query="?dry_run=true")

    assert (refused.status, tried.status) == (403, 403)
    (shown,) = (await rig.get("/v1/log/events?types=access.attempt_refused")).json["items"]
    assert (shown["workspace"], shown["stream"], shown["actor"]) == ("*", "access:~refused", "key:curious")
    assert shown["data"] == {"workspace": "acme", "action": "DeleteSchedule", "needed": ["integration_author"]}
    everywhere = (await rig.get("/v1/*/streams/access:~refused/events")).json["items"]
    assert [event["position"] for event in everywhere] == [shown["position"]]
    own = (await rig.get("/v1/acme/streams/schedule:nightly/events")).json["items"]
    assert [event["type"] for event in own] == ["schedule.created"]
