"""A browser signs in with a key, is listened to only from our own pages, and signs out."""

import asyncio
from datetime import timedelta
from http.cookies import SimpleCookie

import aiohttp
import pytest

from eventjobs.api.app import WRONG_KEYS_MAX
from eventjobs.api.session_cookie import PLAIN, SECURE
from eventjobs.auth.sessions import LASTS
from tests.api.rig import Answered, Rig, ShiftedClock
from tests.support.sessions import MemorySessions
from tests.support.waiting import eventually

OWN = {"Sec-Fetch-Site": "same-origin"}


def cookie_of(answered: Answered, name: str = PLAIN) -> SimpleCookie:
    found: SimpleCookie = SimpleCookie()
    for header in answered.headers.getall("Set-Cookie"):
        found.load(header)
    assert found[name].value
    return found


def sent(cookie: SimpleCookie, name: str = PLAIN, **more: str) -> dict[str, str]:
    return {"Cookie": f"{name}={cookie[name].value}", **more}


async def signed_in(rig: Rig, key: str = "") -> dict[str, str]:
    """Sign in and return the headers that our own page sends from then on."""
    return sent(cookie_of(await rig.sign_in(key)), **OWN)


async def test_a_session_has_the_rights_of_its_key_and_acts_in_its_name(rig: Rig) -> None:
    headers = await signed_in(rig, await rig.issue("reader", "operator", id="ops", where="acme"))

    me = await rig.get("/v1/me", key=None, headers=headers)
    ran = await rig.command("RunNow", {"owner": {"kind": "service", "id": "load"}}, key=None, headers=headers)
    refused = await rig.command("DeleteService", {"id": "load"}, key=None, headers=headers)

    assert (me.json["actor"], me.json["roles"]) == ("key:acme/ops", ["operator", "reader"])
    assert (ran.status, refused.status) == (201, 403)
    assert {fact.actor for fact in await rig.facts(after=ran.json["position"] - 1)} == {"key:acme/ops"}


async def test_who_is_signed_in_may_be_asked_by_anybody(rig: Rig) -> None:
    nobody = await rig.get("/v1/me/session", key=None)
    somebody = await rig.get("/v1/me/session", key=None, headers=await signed_in(rig))

    assert (nobody.status, nobody.json) == (200, {"me": None, "stranger": None, "provider": None})
    assert somebody.json["me"] == (await rig.get("/v1/me")).json


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_is_not_the_key(rig: Rig) -> None:
    (made,) = cookie_of(await rig.sign_in()).values()

    assert made["httponly"]
    assert made["samesite"] == "Strict"
    assert made["path"] == "/"
    assert made["max-age"] == str(int(LASTS.total_seconds()))
    assert not made["secure"]
    assert rig.key not in made.value
    assert len(made.value) == 43


async def test_over_tls_the_cookie_is_bound_to_the_host_and_to_tls(rig: Rig) -> None:
    over_tls = await rig.sign_in(Origin="https://127.0.0.1")
    made = cookie_of(over_tls, SECURE)[SECURE]

    assert made["secure"]
    assert made["path"] == "/"
    assert made["domain"] == ""
    headers = sent(cookie_of(over_tls, SECURE), SECURE, **OWN)
    assert (await rig.get("/v1/me", key=None, headers=headers)).status == 200


async def test_signing_out_ends_the_session_on_the_server(rig: Rig) -> None:
    headers = await signed_in(rig)

    out = await rig.call("DELETE", "/v1/me/session", key=None, headers=headers)

    assert (out.status, out.body) == (204, b"")
    assert (await rig.get("/v1/me", key=None, headers=headers)).status == 401


async def test_signing_in_again_ends_the_browsers_session_before(rig: Rig) -> None:
    before = cookie_of(await rig.sign_in())

    again = cookie_of(await rig.sign_in(Cookie=f"{PLAIN}={before[PLAIN].value}"))

    assert again[PLAIN].value != before[PLAIN].value
    assert (await rig.get("/v1/me", key=None, headers=sent(before))).status == 401
    assert (await rig.get("/v1/me", key=None, headers=sent(again))).status == 200


async def test_a_session_is_over_after_twelve_hours_and_with_its_key(rig: Rig) -> None:
    clock = rig.deps.clock
    assert isinstance(clock, ShiftedClock)
    own = await signed_in(rig)
    clock.ahead = LASTS - timedelta(minutes=1)
    revoked = await signed_in(rig, await rig.issue("reader", id="short"))

    assert [(await rig.get("/v1/me", key=None, headers=one)).status for one in (own, revoked)] == [200, 200]
    await rig.command("RevokeKey", {"id": "short"}, workspace="*")
    clock.ahead = LASTS + timedelta(minutes=1)
    assert [(await rig.get("/v1/me", key=None, headers=one)).status for one in (own, revoked)] == [401, 401]


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "https://evil.test"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1.evil.test"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": "http://[::1"},
    {"Origin": "", "Sec-Fetch-Site": "cross-site"},
    {},
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
async def test_what_another_page_makes_a_browser_send_is_refused_and_does_nothing(
    rig: Rig, foreign: dict[str, str]
) -> None:
    headers = {"Cookie": (await signed_in(rig))["Cookie"], **foreign}
    before = rig.log.known_head.position

    refused = await rig.command("DeleteService", {"id": "load"}, key=None, headers=headers)
    out = await rig.call("DELETE", "/v1/me/session", key=None, headers=headers)
    signed = await rig.post("/v1/me/session", {"key": rig.key}, key=None, headers=foreign)

    assert [(one.status, one.code) for one in (refused, out, signed)] == [(403, "cross_site")] * 3
    assert "role" not in refused.json["title"]
    assert rig.log.known_head.position == before
    assert (await rig.get("/v1/me", key=None, headers={**headers, **OWN})).status == 200


async def test_our_own_page_is_known_by_its_origin_where_browsers_say_no_more(rig: Rig) -> None:
    cookie = {"Cookie": (await signed_in(rig))["Cookie"]}

    ran = await rig.command("DeleteService", {"id": "load"}, key=None, headers={**cookie, "Origin": rig.url})
    typed = await rig.get("/v1/me", key=None, headers={**cookie, "Sec-Fetch-Site": "none"})

    assert (ran.status, typed.status) == (201, 200)


async def test_a_key_in_a_header_needs_no_page_and_wins(rig: Rig) -> None:
    headers = {**await signed_in(rig, await rig.issue("reader")), "Sec-Fetch-Site": "cross-site"}

    assert (await rig.get("/v1/me", headers=headers)).json["actor"] == "key:admin"


async def test_wrong_keys_are_few_and_right_ones_are_not_counted(rig: Rig) -> None:
    right = [(await rig.sign_in()).status for _ in range(WRONG_KEYS_MAX + 5)]
    wrong = [await rig.sign_in("ej_AAAAAAAAAAAA_wrong") for _ in range(WRONG_KEYS_MAX + 1)]

    assert set(right) == {201}
    assert [one.status for one in wrong] == [401] * WRONG_KEYS_MAX + [429]
    assert int(wrong[-1].headers["Retry-After"]) >= 1
    assert "Set-Cookie" not in wrong[0].headers


class Client(asyncio.Transport):
    """A client at an address of our choice; keeps what it is sent."""

    def __init__(self, address: str) -> None:
        super().__init__({"peername": (address, 50_000, 0, 0)})
        self.got = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.got += data

    def is_closing(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is open."""


async def wrong_key_from(rig: Rig, address: str) -> int:
    """Try to sign in from an address with a key that is none; returns the answer's status."""
    assert rig.runner.server is not None
    client, connection, body = Client(address), rig.runner.server(), b'{"key":"wrong"}'
    connection.connection_made(client)
    head = "POST /v1/me/session HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.data_received(head.encode() + body)
    await eventually(lambda: b"\r\n" in client.got)
    connection.connection_lost(None)
    return int(client.got.split()[1])


async def test_wrong_keys_from_one_ipv6_network_are_counted_together(rig: Rig) -> None:
    tried = [await wrong_key_from(rig, f"2001:db8:1:2::{n}") for n in range(WRONG_KEYS_MAX + 1)]

    assert tried == [401] * WRONG_KEYS_MAX + [429]
    assert await wrong_key_from(rig, "2001:db8:1:3::1") == 401


async def test_a_key_for_calendars_opens_no_session(rig: Rig) -> None:
    until = (rig.deps.clock.now() + timedelta(days=1)).isoformat()
    key = await rig.issue("calendar", read_only=True, expires_at=until)

    assert (await rig.sign_in(key)).status == 401


@pytest.mark.parametrize("body", [{}, {"key": ""}, {"key": "x" * 600}, {"key": 7}, {"key": "x", "more": 1}])
async def test_other_fields_than_a_key_are_refused_without_showing_them(rig: Rig, body: dict[str, object]) -> None:
    refused = await rig.post("/v1/me/session", body, key=None, headers={"Origin": rig.url})

    assert refused.status == 422
    assert b"xxx" not in refused.body


async def test_a_live_stream_ends_with_its_session(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.api.live.CHECK_KEY_S", 0.0)
    monkeypatch.setattr("eventjobs.api.live.CHECK_LINK_S", 0.05)
    headers = await signed_in(rig)
    async with rig.session.get(f"{rig.url}/v1/acme/live", headers=headers) as stream:
        assert stream.status == 200
        await rig.call("DELETE", "/v1/me/session", key=None, headers=headers)

        async with asyncio.timeout(5.0):
            await stream.content.read()


async def test_a_live_stream_breaks_off_while_nobody_can_say_whether_its_session_holds(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise OSError("the database is away")

    monkeypatch.setattr("eventjobs.api.live.CHECK_KEY_S", 0.0)
    monkeypatch.setattr("eventjobs.api.live.CHECK_LINK_S", 0.05)
    headers = await signed_in(rig)
    async with rig.session.get(f"{rig.url}/v1/acme/live", headers=headers) as stream:
        assert await stream.content.readline() == b": live\n"
        monkeypatch.setattr(MemorySessions, "find", away)

        async with asyncio.timeout(5.0):
            with pytest.raises(aiohttp.ClientPayloadError):
                await stream.content.read()
