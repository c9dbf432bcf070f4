"""People sign in by an identity provider, are who it says, and may do what their memberships say."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from joserfc.jws import JWSRegistry

from eventjobs.api.app import WRONG_KEYS_MAX
from eventjobs.api.session_cookie import ATTEMPT, PLAIN, SECURE_ATTEMPT
from eventjobs.auth.oidc import calls, metadata
from eventjobs.auth.oidc.attempt import LASTS, Attempt
from eventjobs.auth.oidc.client import OidcClient, OidcSettings
from eventjobs.auth.oidc.metadata import Provider
from eventjobs.auth.people import Identity
from eventjobs.auth.sessions import PersonSession, digest_of
from eventjobs.clock import SystemClock
from tests.api.rig import Answered, Rig, ShiftedClock, started, with_workspace
from tests.support.capturing import capture_logs
from tests.support.identity_provider import CLIENT, SECRET, IdentityProvider, answer_in, new_key

OWN = {"Sec-Fetch-Site": "same-origin"}
PUBLIC = "https://jobs.example.org"
RSA = new_key("rsa", "RSA")


@dataclass
class World:
    """The provider, our server that trusts it, and seconds by which our view of it is older than it is."""

    idp: IdentityProvider
    rig: Rig
    settings: OidcSettings
    older_s: float = 0.0

    async def begun(self, page: str = "/acme/jobs", **headers: str) -> tuple[str, dict[str, str]]:
        """Begin, and return where the browser goes and the cookie that it has then."""
        begun = await self.rig.post("/v1/me/sign-in", {"page": page}, key=None, headers={**OWN, **headers})
        assert begun.status == 200, begun.body
        name = SECURE_ATTEMPT if headers else ATTEMPT
        return begun.json["url"], {"Cookie": f"{name}={cookies(begun)[name].value}"}

    async def answered(self, url: str, subject: str) -> dict[str, str]:
        """Say at the provider who one is, and return its answer."""
        async with self.rig.session.post(url, data={"subject": subject}, allow_redirects=False) as sent_back:
            assert sent_back.headers["Location"].startswith(f"{PUBLIC}/signed-in?")
            return answer_in(sent_back.headers["Location"])

    async def finish(self, answer: dict[str, str], cookie: dict[str, str], **headers: str) -> Answered:
        return await self.rig.post("/v1/me/sign-in/answer", answer, key=None, headers={**OWN, **cookie, **headers})

    async def sign_in(self, subject: str = "ada@idp", page: str = "/acme/jobs") -> Answered:
        url, cookie = await self.begun(page)
        return await self.finish(await self.answered(url, subject), cookie)

    async def signed_in(self, subject: str = "ada@idp") -> dict[str, str]:
        """Sign in and return the headers that our own page sends from then on."""
        return sent(await self.sign_in(subject))

    async def add(self, workspace: str, *roles: str, subject: str = "ada@idp", **fields: Any) -> None:
        member = {"id": "ada", "name": "Ada Lovelace", "roles": roles, "issuer": self.idp.issuer, "subject": subject}
        added = await self.rig.command("AddMember", {**member, **fields}, workspace=workspace)
        assert added.status == 201, added.body

    async def remove(self, workspace: str, member: str = "ada") -> None:
        assert (await self.rig.command("RemoveMember", {"id": member}, workspace=workspace)).status == 201

    async def me(self, headers: dict[str, str]) -> Answered:
        return await self.rig.get("/v1/me", key=None, headers=headers)


@asynccontextmanager
async def a_world(idp: IdentityProvider, **changed: Any) -> AsyncIterator[World]:
    known = {"issuer": idp.issuer, "client_id": CLIENT, "client_secret": SECRET, "scopes": ("openid", "email")}
    settings = OidcSettings(**{**known, "name": "Example Org", "public_url": PUBLIC, **changed})
    world: World
    provider = Provider(settings.issuer, lambda: SystemClock().monotonic() + world.older_s)
    async with started(provider=OidcClient(settings, provider)) as rig:
        world = World(idp, rig, settings)
        await with_workspace(rig)
        await rig.post("/v1/workspaces", {"id": "beta"})
        yield world


@pytest.fixture
async def idp() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider.running() as provider:
        yield provider


@pytest.fixture
async def world(idp: IdentityProvider) -> AsyncIterator[World]:
    async with a_world(idp) as world:
        yield world


def cookies(answered: Answered) -> SimpleCookie:
    found: SimpleCookie = SimpleCookie()
    for header in answered.headers.getall("Set-Cookie", []):
        found.load(header)
    return found


def sent(answered: Answered) -> dict[str, str]:
    assert answered.status == 201, answered.body
    return {"Cookie": f"{PLAIN}={cookies(answered)[PLAIN].value}", **OWN}


def ahead(world: World, by: timedelta) -> None:
    clock = world.rig.deps.clock
    assert isinstance(clock, ShiftedClock)
    clock.ahead = by


async def test_a_person_has_in_each_workspace_the_roles_of_their_membership_and_acts_as_that_member(
    world: World,
) -> None:
    await world.add("acme", "operator", "flow_author")
    await world.add("beta", "reader", id="a.lovelace")
    headers = await world.signed_in()

    me = (await world.me(headers)).json
    assert (me["key"], me["name"], me["workspaces"]) == (None, "Ada Lovelace", ["acme", "beta"])
    assert [(one["workspace"], one["member"], one["roles"]) for one in me["memberships"]] == [
        ("acme", "ada", ["flow_author", "operator"]),
        ("beta", "a.lovelace", ["reader"]),
    ]
    ran = await world.rig.command("RunNow", {"owner": {"kind": "service", "id": "load"}}, key=None, headers=headers)
    refused = await world.rig.command(
        "AddService", {"id": "x", "handler": "noop"}, workspace="beta", key=None, headers=headers
    )
    nowhere = await world.rig.command("HoldStarts", {}, workspace="gamma", key=None, headers=headers)
    assert (ran.status, refused.status, nowhere.status) == (201, 403, 404)
    facts = await world.rig.facts(after=ran.json["position"] - 1)
    assert {fact.actor for fact in facts if fact.type != "access.attempt_refused"} == {"member:acme/ada"}
    assert [fact.actor for fact in facts if fact.type == "access.attempt_refused"] == ["member:beta/a.lovelace"]


async def test_read_only_beats_the_roles_and_the_deployment_is_nobodys(world: World) -> None:
    await world.add("acme", "administrator", read_only=True)
    await world.add("beta", "administrator")
    headers = await world.signed_in()

    async def status(name: str, workspace: str, fields: Any) -> int:
        return (await world.rig.command(name, fields, workspace=workspace, key=None, headers=headers)).status

    assert await status("IssueKey", "acme", {"roles": ["reader"]}) == 403
    assert await status("IssueKey", "beta", {"roles": ["reader"]}) == 201
    assert await status("IssueKey", "beta", {"roles": ["reader"], "workspaces": ["acme"]}) == 403
    assert (await world.rig.get("/v1/log/events", key=None, headers=headers)).status == 403
    made = await world.rig.post("/v1/workspaces", {"id": "mine"}, key=None, headers=headers)
    assert made.status == 403


async def test_a_member_of_nothing_is_told_their_subject_and_can_do_nothing(world: World) -> None:
    answered = await world.sign_in("248289761001")
    headers = sent(answered)

    assert answered.json == {"me": None, "page": "/acme/jobs"}
    who = (await world.rig.get("/v1/me/session", key=None, headers=headers)).json
    assert who["stranger"] == {"issuer": world.idp.issuer, "subject": "248289761001"}
    assert who["provider"] == {"name": "Example Org", "issuer": world.idp.issuer}
    assert (await world.me(headers)).status == 401
    assert (await world.rig.get("/v1/acme/schedules", key=None, headers=headers)).status == 401
    assert (await world.rig.call("DELETE", "/v1/me/session", key=None, headers=headers)).status == 200
    who = (await world.rig.get("/v1/me/session", key=None, headers=headers)).json
    assert (who["me"], who["stranger"]) == (None, None)


async def test_who_is_removed_is_out_at_once_and_new_roles_need_a_new_session(world: World) -> None:
    await world.add("acme", "operator")
    headers = await world.signed_in()
    assert (await world.me(headers)).status == 200

    await world.remove("acme")
    assert (await world.me(headers)).status == 401
    assert (await world.rig.get("/v1/me/session", key=None, headers=headers)).json["stranger"] is not None
    await world.add("acme", "reader")
    assert (await world.me(headers)).status == 401
    assert (await world.me(await world.signed_in())).json["roles"] == ["reader"]
    await world.add("acme", "administrator", id="somebody-else", subject="bob@idp")
    stays = await world.signed_in()
    await world.remove("acme", "somebody-else")
    assert (await world.me(stays)).status == 200


async def test_who_is_added_twice_acts_as_they_were_added_first(world: World) -> None:
    await world.add("acme", "reader")
    await world.add("acme", "administrator", id="ada-again")

    assert (await world.me(await world.signed_in())).json["member"] == "ada"
    await world.remove("acme")
    assert (await world.me(await world.signed_in())).json["member"] == "ada-again"


async def test_the_same_subject_of_another_issuer_is_somebody_else(world: World) -> None:
    await world.add("acme", "operator", issuer="https://other.example.org")

    assert (await world.sign_in()).json["me"] is None


async def test_a_live_stream_ends_with_the_membership(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.api.live.CHECK_KEY_S", 0.0)
    monkeypatch.setattr("eventjobs.api.live.CHECK_LINK_S", 0.05)
    await world.add("acme", "reader")
    async with world.rig.session.get(f"{world.rig.url}/v1/acme/live", headers=await world.signed_in()) as stream:
        assert stream.status == 200
        await world.remove("acme")

        async with asyncio.timeout(5.0):
            await stream.content.read()


async def test_the_provider_is_asked_for_a_code_with_a_proof_that_changes(world: World) -> None:
    first, second = [parse_qs(urlsplit((await world.begun())[0]).query) for _ in range(2)]

    assert first["scope"] == ["openid email"]
    assert first["redirect_uri"] == [f"{PUBLIC}/signed-in"]
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name][0]) == 43
        assert first[name] != second[name]
    assert len({first[name][0] for name in ("state", "nonce", "code_challenge")}) == 3


async def test_the_cookie_between_the_two_steps_is_short_lived_and_out_of_reach(world: World) -> None:
    body = {"page": "/acme/jobs"}
    plain = await world.rig.post("/v1/me/sign-in", body, key=None, headers=OWN)
    secure = await world.rig.post("/v1/me/sign-in", body, key=None, headers={**OWN, "Origin": PUBLIC})

    made = cookies(plain)[ATTEMPT]
    assert (made["httponly"], made["samesite"], made["path"], made["max-age"]) == (True, "Strict", "/", "600")
    assert not made["secure"]
    assert cookies(secure)[SECURE_ATTEMPT]["secure"]
    attempt = Attempt.read(made.value)
    assert attempt is not None
    state = parse_qs(urlsplit(plain.json["url"]).query)["state"][0]
    assert state == attempt.state
    assert not {attempt.state, attempt.nonce, attempt.verifier} & set(made.value.split("."))
    done = await world.sign_in()
    assert cookies(done)[ATTEMPT].value == ""


async def test_an_answer_is_taken_once_in_time_and_from_the_browser_that_asked(world: World) -> None:
    url, cookie = await world.begun()
    answer = await world.answered(url, "ada@idp")
    _, other = await world.begun()
    moved = {"Cookie": cookie["Cookie"].replace("=1", "=2", 1)}

    wrong = [
        await world.finish(answer, {}),
        await world.finish(answer, other),
        await world.finish(answer, moved),
        await world.finish(answer, {"Cookie": f"{ATTEMPT}=nonsense"}),
        await world.finish({**answer, "state": "x" * 43}, cookie),
    ]
    assert [(one.status, one.code) for one in wrong] == [(401, "sign_in_refused")] * 5
    assert "/token" not in world.idp.asked
    assert (await world.finish(answer, cookie)).status == 201
    assert (await world.finish(answer, cookie)).status == 401
    url, cookie = await world.begun()
    answer = await world.answered(url, "ada@idp")
    ahead(world, LASTS)
    assert (await world.finish(answer, cookie)).status == 401


async def test_an_answer_leads_to_no_second_session_where_a_provider_takes_codes_twice(world: World) -> None:
    url, cookie = await world.begun()
    answer = await world.answered(url, "ada@idp")
    kept = dict(world.idp._codes)
    headers = sent(await world.finish(answer, cookie))
    await world.rig.call("DELETE", "/v1/me/session", key=None, headers=headers)
    world.idp._codes.update(kept)

    again = await world.finish(answer, cookie)

    assert (again.status, again.code) == (401, "sign_in_refused")
    assert PLAIN not in cookies(again)


def now_s() -> int:
    return int(SystemClock().now().timestamp())


CLAIMS: dict[str, Callable[[dict[str, Any]], None]] = {
    "another nonce": lambda claims: claims.update(nonce="n" * 43),
    "no nonce": lambda claims: claims.update(nonce=None),
    "another audience": lambda claims: claims.update(aud="somebody-else"),
    "no audience": lambda claims: claims.update(aud=None),
    "an audience of no kind": lambda claims: claims.update(aud={"a": CLIENT}),
    "several audiences and nobody named": lambda claims: claims.update(aud=[CLIENT, "somebody-else"]),
    "given to another": lambda claims: claims.update(aud=[CLIENT, "somebody-else"], azp="somebody-else"),
    "another issuer": lambda claims: claims.update(iss="https://other.example.org"),
    "over": lambda claims: claims.update(exp=now_s() - 120),
    "no end": lambda claims: claims.update(exp=None),
    "an end of no kind": lambda claims: claims.update(exp="tomorrow"),
    "issued in the future": lambda claims: claims.update(iat=now_s() + 300),
    "issued long ago": lambda claims: claims.update(iat=now_s() - 3600),
    "issued at no time": lambda claims: claims.update(iat=True),
    "not yet valid": lambda claims: claims.update(nbf=now_s() + 300),
    "nobody": lambda claims: claims.update(sub=None),
    "an empty subject": lambda claims: claims.update(sub=""),
    "a subject that hides": lambda claims: claims.update(sub="ada\u202e"),
    "a subject of no kind": lambda claims: claims.update(sub=7),
}


@pytest.mark.parametrize("changed", CLAIMS.values(), ids=CLAIMS)
async def test_a_token_that_says_anything_else_than_it_must_signs_nobody_in(
    world: World, changed: Callable[[dict[str, Any]], None]
) -> None:
    await world.add("acme", "operator")
    world.idp.changed = changed

    with capture_logs() as lines:
        refused = await world.sign_in()

    assert refused.status == 401
    assert refused.code == "sign_in_refused"
    assert PLAIN not in cookies(refused)
    assert [line["event"] for line in lines] == ["sign_in_refused"]


@pytest.mark.parametrize("how", ["unsigned", "signed_with_what_is_public", "tampered", "signed_text"])
async def test_a_token_that_the_provider_did_not_sign_signs_nobody_in(world: World, how: str) -> None:
    await world.add("acme", "operator")
    world.idp.sign = getattr(world.idp, how)

    refused = await world.sign_in()

    assert (refused.status, refused.code) == (401, "sign_in_refused")


async def test_what_is_no_token_signs_nobody_in(world: World) -> None:
    for text in ("", "x", "a.b.c", "." * 5, "é"):
        world.idp.sign = lambda _, text=text: text  # type: ignore[misc]
        assert (await world.sign_in()).code == "sign_in_refused"


async def test_several_audiences_are_fine_where_we_are_named(world: World) -> None:
    world.idp.changed = lambda claims: claims.update(aud=["other", CLIENT], azp=CLIENT, nbf=now_s())

    assert (await world.sign_in()).status == 201


async def test_a_key_that_was_rotated_is_fetched_and_an_old_one_counts_no_more(world: World) -> None:
    first = world.idp.keys[0]
    assert (await world.sign_in()).status == 201
    world.idp.rotate(RSA)
    world.idp.alg = "RS256"
    assert (await world.sign_in()).status == 401  # it was asked for its keys just now
    world.older_s = metadata.NEW_KEYS_S
    assert (await world.sign_in()).status == 201
    asked = world.idp.asked.count("/keys")
    assert (await world.sign_in()).status == 201
    assert world.idp.asked.count("/keys") == asked

    world.idp.alg = "ES256"
    world.idp.sign = lambda claims: replaced(world.idp, first).signed(claims)
    assert (await world.sign_in()).status == 401


def replaced(idp: IdentityProvider, key: Any) -> IdentityProvider:
    """The provider as it would be with another key than it shows."""
    other = IdentityProvider()
    other.issuer, other.keys = idp.issuer, [key]
    return other


async def test_while_the_provider_is_away_keys_still_sign_in_and_then_it_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.idp.is_down = True
    away = await world.rig.post("/v1/me/sign-in", {}, key=None, headers=OWN)
    assert (away.status, away.code) == (503, "provider_away")
    asked = len(world.idp.asked)
    assert (await world.rig.post("/v1/me/sign-in", {}, key=None, headers=OWN)).status == 503
    assert len(world.idp.asked) == asked  # it is not asked again at once
    assert (await world.rig.sign_in()).status == 201

    world.idp.is_down = False
    world.older_s += metadata.AGAIN_S
    url, cookie = await world.begun()
    answer = await world.answered(url, "ada@idp")
    monkeypatch.setattr(calls, "TOTAL_S", 0.2)
    world.idp.delay_s = 0.5
    slow = await world.finish(answer, cookie)
    assert (slow.status, slow.code) == (503, "provider_away")
    world.idp.delay_s = 0.0
    assert (await world.sign_in()).status == 201
    world.idp.is_down = True
    world.older_s += metadata.FRESH_S
    assert (await world.rig.post("/v1/me/sign-in", {}, key=None, headers=OWN)).status == 200  # what it said holds


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://other.example.org"},
        {"token_endpoint": "http://id.example.org/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": None},
    ],
    ids=str,
)
async def test_a_provider_that_says_odd_things_of_itself_is_no_provider(world: World, said: dict[str, Any]) -> None:
    world.idp.metadata = said

    refused = await world.rig.post("/v1/me/sign-in", {}, key=None, headers=OWN)

    assert (refused.status, refused.code) == (503, "provider_away")


@pytest.mark.parametrize("issuer", ["https://evil.test", None])
async def test_an_answer_that_is_not_said_to_be_this_providers_is_refused(world: World, issuer: str | None) -> None:
    url, cookie = await world.begun()
    answer = await world.answered(url, "ada@idp")
    mixed = {name: value for name, value in {**answer, "iss": issuer}.items() if value is not None}

    assert (await world.finish(mixed, cookie)).code == "sign_in_refused"
    assert "/token" not in world.idp.asked


@pytest.mark.parametrize(
    ("secret", "methods"),
    [(SECRET, ["client_secret_basic", "private_key_jwt"]), (SECRET, ["client_secret_post"]), (None, ["none"])],
    ids=str,
)
async def test_we_show_the_provider_who_we_are_as_it_wants_it(
    idp: IdentityProvider, secret: str | None, methods: list[str]
) -> None:
    idp.secret, idp.metadata = secret, {"token_endpoint_auth_methods_supported": methods}
    idp.metadata["authorization_response_iss_parameter_supported"] = False
    async with a_world(idp, client_secret=secret) as world:
        assert (await world.sign_in()).status == 201
        world.idp.secret = "another"
        assert (await world.sign_in()).json["detail"].endswith("it takes no code: invalid_client")


async def test_what_the_provider_refuses_is_told_by_its_code_alone(world: World) -> None:
    url, cookie = await world.begun()
    denied = await world.finish(await world.answered(url, ""), cookie)
    odd = await world.finish({**await world.answered(url, ""), "error": "<b>call 555-EVIL</b>"}, cookie)

    assert denied.json["detail"] == "Example Org did not sign you in: it answered access_denied"
    assert odd.json["detail"] == "Example Org did not sign you in: it answered an error of its own"


ELSEWHERE = [
    "/" + "ü" * 1_500,
    "//evil.test",
    "https://evil.test",
    "javascript:alert(1)",
    "/\\evil.test",
    "",
    "acme/jobs",
    "/a\nb",
    "/a\u202e",
]


@pytest.mark.parametrize("page", ELSEWHERE)
async def test_after_it_the_browser_goes_to_own_pages_alone(world: World, page: str) -> None:
    assert (await world.rig.post("/v1/me/sign-in", {"page": page}, key=None, headers=OWN)).status == 422


async def test_the_page_to_go_on_with_comes_back_unchanged(world: World) -> None:
    page = "/acme/jobs?tab=services&q=über%20all"

    assert (await world.sign_in(page=page)).json["page"] == page


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
async def test_neither_step_is_taken_for_another_site(world: World, site: str) -> None:
    url, cookie = await world.begun()
    answer = await world.answered(url, "ada@idp")

    begun = await world.rig.post("/v1/me/sign-in", {}, key=None, headers={"Sec-Fetch-Site": site})
    finished = await world.finish(answer, cookie, **{"Sec-Fetch-Site": site})

    assert [(one.status, one.code) for one in (begun, finished)] == [(403, "cross_site")] * 2
    assert "Set-Cookie" not in finished.headers


async def test_signing_out_ends_it_here_and_says_where_the_provider_does(world: World) -> None:
    await world.add("acme", "reader")
    headers = await world.signed_in()
    ends = await world.rig.call("DELETE", "/v1/me/session", key=None, headers=headers)

    assert (ends.status, (await world.me(headers)).status) == (200, 401)
    asked = parse_qs(urlsplit(ends.json["url"]).query)
    assert (asked["client_id"], asked["post_logout_redirect_uri"]) == ([CLIENT], [f"{PUBLIC}/"])
    async with world.rig.session.get(ends.json["url"], allow_redirects=False) as back:
        assert back.headers["Location"] == f"{PUBLIC}/"
    world.idp.metadata = {"end_session_endpoint": None}
    world.older_s = metadata.FRESH_S
    ends = await world.rig.call("DELETE", "/v1/me/session", key=None, headers=await world.signed_in())
    assert ends.status == 204


async def test_signing_in_ends_the_session_that_the_browser_had(world: World) -> None:
    await world.add("acme", "reader")
    before = await world.signed_in()
    url, cookie = await world.begun()
    both = {"Cookie": f"{cookie['Cookie']}; {before['Cookie']}"}

    after = sent(await world.finish(await world.answered(url, "ada@idp"), both))

    assert after["Cookie"] != before["Cookie"]
    assert [(await world.me(one)).status for one in (before, after)] == [401, 200]


async def test_answers_that_lead_to_nothing_are_few_and_others_are_not_counted(world: World) -> None:
    right = [(await world.sign_in()).status for _ in range(WRONG_KEYS_MAX + 1)]
    _, cookie = await world.begun()
    wrong = [await world.finish({"state": "x", "code": "y"}, cookie) for _ in range(WRONG_KEYS_MAX + 1)]

    assert set(right) == {201}
    assert [one.status for one in wrong] == [401] * WRONG_KEYS_MAX + [429]


async def test_without_a_provider_there_is_nothing_to_sign_in_by(rig: Rig) -> None:
    refused = [
        await rig.post("/v1/me/sign-in", {}, key=None, headers=OWN),
        await rig.post("/v1/me/sign-in/answer", {"state": "x"}, key=None, headers=OWN),
    ]

    assert [(one.status, one.code) for one in refused] == [(404, "no_provider")] * 2


async def test_nothing_secret_is_logged_or_told(world: World) -> None:
    url, cookie = await world.begun()
    answer = await world.answered(url, "ada@idp")
    with capture_logs() as lines:
        shown = [await world.finish({**answer, "iss": "https://evil.test"}, cookie)]
        world.idp.changed = lambda claims: claims.update(aud="other")
        shown.append(await world.finish(answer, cookie))
        world.idp.is_down, world.older_s = True, metadata.STALE_S
        shown.append(await world.rig.post("/v1/me/sign-in", {}, key=None, headers=OWN))

    said = str(lines) + "".join(one.body.decode() for one in shown)
    assert len(lines) == 3
    for secret in (answer["code"], answer["state"], cookie["Cookie"].split("=")[1], SECRET, "eyJ"):
        assert secret not in said
    assert SECRET not in repr(world.settings)


async def test_a_session_of_a_provider_that_is_trusted_no_more_is_over(idp: IdentityProvider) -> None:
    async def status_with(issuer: str) -> int:
        async with a_world(idp, issuer=issuer) as world:
            await world.add("acme", "operator")
            deps = world.rig.deps
            whose = PersonSession(identity=Identity(idp.issuer, "ada@idp"), position=deps.log.known_head.position)
            now = deps.clock.now()
            await deps.sessions.begin_once(digest_of("x"), whose, now, sign_in=b"", until=now)
            return (await world.me({"Cookie": f"{PLAIN}=x", **OWN})).status

    assert await status_with(idp.issuer) == 200
    assert await status_with("https://other.example.org") == 401


async def test_over_tls_a_cookie_that_a_neighbour_may_have_set_begins_nothing(world: World) -> None:
    url, planted = await world.begun()
    answer = await world.answered(url, "mallory@idp")

    assert (await world.finish(answer, planted, Origin=PUBLIC)).status == 401


async def test_a_cookie_of_the_far_future_is_none_of_ours(world: World) -> None:
    attempt = Attempt(10**12 - 1, "x" * 43, "/")

    refused = await world.finish({"state": attempt.state, "code": "x"}, {"Cookie": f"{ATTEMPT}={attempt.text}"})

    assert (refused.status, refused.code) == (401, "sign_in_refused")


async def test_of_a_long_token_nothing_is_kept(world: World) -> None:
    await world.add("acme", "operator")
    world.idp.changed = lambda claims: claims.update(groups=["a group with a name"] * 1_000)
    headers = await world.signed_in()

    secret = headers["Cookie"].partition("=")[2]
    session = await world.rig.deps.sessions.find(digest_of(secret), world.rig.deps.clock.now())
    assert isinstance(session, PersonSession)
    assert session.id_token is None
    assert (await world.rig.call("DELETE", "/v1/me/session", key=None, headers=headers)).status == 200


@pytest.mark.parametrize("more", [{"ver": "1.0"}, {"x5c": ["A" * 2_000]}], ids=["unknown", "certificate"])
async def test_what_else_a_token_has_in_its_header_is_not_looked_at(world: World, more: dict[str, Any]) -> None:
    key = world.idp.keys[0]
    lenient = JWSRegistry(algorithms=["ES256"], strict_check_header=False)
    world.idp.sign = lambda claims: jwt.encode({"alg": "ES256", "kid": key.kid, **more}, claims, key, registry=lenient)

    assert (await world.sign_in()).status == 201


async def test_a_key_without_an_id_is_rotated_too(world: World) -> None:
    for _ in range(2):
        key = ECKey.generate_key("P-256", {"use": "sig"})
        world.idp.rotate(key)
        world.idp.sign = lambda claims, key=key: jwt.encode({"alg": "ES256"}, claims, key)  # type: ignore[misc]
        assert (await world.sign_in()).status == 201
        world.older_s += metadata.NEW_KEYS_S


async def test_a_member_of_the_deployment_has_their_roles_everywhere(world: World) -> None:
    await world.add("*", "flow_author")
    await world.add("beta", "reader", id="a.lovelace")
    headers = await world.signed_in()

    async def status(workspace: str) -> int:
        service = {"id": "x", "handler": "noop"}
        added = await world.rig.command("AddService", service, workspace=workspace, key=None, headers=headers)
        return added.status

    assert (await status("acme"), await status("beta")) == (201, 403)


async def test_another_tenant_ends_nobodys_session(world: World) -> None:
    await world.add("acme", "operator")
    headers = await world.signed_in()

    await world.add("beta", "reader", id="whoever", name="Somebody else")
    assert (await world.me(headers)).json["workspaces"] == ["acme"]
    await world.remove("beta", "whoever")
    assert (await world.me(headers)).status == 200
