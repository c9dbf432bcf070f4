"""How many connections there may be, and what is answered to what is no HTTP."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from eventjobs.api.connections import ConnectionLimits, network_of
from tests.api.rig import Rig, started
from tests.api.wire import head, send
from tests.support.capturing import capture_logs
from tests.support.waiting import eventually

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def opened(rig: Rig, count: int) -> AsyncIterator[list[Pair]]:
    pairs: list[Pair] = []
    try:
        pairs += [await asyncio.open_connection("127.0.0.1", rig.port) for _ in range(count)]
        yield pairs
    finally:
        for _, writer in pairs:
            writer.close()


def inside(rig: Rig) -> float:
    return rig.deps.metrics.connections._value.get()


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(2.0):
            return await reader.read(1) == b""
    except ConnectionError:
        return True


@pytest.fixture
async def narrow() -> AsyncIterator[Rig]:
    """A server with room for three strangers at one address and for six connections in all."""
    async with started(connections=ConnectionLimits(per_address=3, in_all=6)) as rig:
        yield rig


async def test_one_stranger_too_many_at_an_address_is_closed_at_once(narrow: Rig) -> None:
    async with opened(narrow, 3):
        await eventually(lambda: inside(narrow) == 3)
        async with opened(narrow, 2) as late:
            assert [await is_closed(reader) for reader, _ in late] == [True, True]
        assert inside(narrow) == 3
    await eventually(lambda: inside(narrow) == 0)
    assert (await narrow.get("/v1/me")).status == 200


async def test_a_connection_that_showed_a_valid_key_is_no_strangers(narrow: Rig) -> None:
    async with opened(narrow, 3) as pairs:
        for reader, writer in pairs:
            writer.write(head(narrow, "/v1/me", method="GET"))
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        async with opened(narrow, 3) as more:
            await eventually(lambda: inside(narrow) == 6)
            more[0][1].write(head(narrow, "/healthz", method="GET"))
            assert (await more[0][0].readline()).startswith(b"HTTP/1.1 200")
            async with opened(narrow, 1) as late:
                assert await is_closed(late[0][0])


async def test_a_wrong_key_leaves_a_stranger_a_stranger(narrow: Rig) -> None:
    narrow.key = "ej_nobody_at_all"
    async with opened(narrow, 3) as pairs:
        for reader, writer in pairs:
            writer.write(head(narrow, "/v1/me", method="GET"))
            assert (await reader.readline()).startswith(b"HTTP/1.1 401")
        async with opened(narrow, 1) as late:
            assert await is_closed(late[0][0])


async def test_five_hundred_strangers_at_one_address_are_a_hundred_and_bar_nobody_else(rig: Rig) -> None:
    async with opened(rig, 500):
        await eventually(lambda: rig.deps.metrics.connections_refused._value.get() == 400)
        assert inside(rig) == 100 + 1
        assert (await rig.get("/v1/me")).status == 200


@pytest.mark.parametrize(
    ("peer", "network"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("::ffff:192.0.2.7", 1, 0, 0), "192.0.2.7"),
        (("2001:db8:1:2:3::4", 1, 0, 0), "20010db800010002::/64"),
        (("2001:db8:1:2:ffff::", 1, 0, 0), "20010db800010002::/64"),
        (("fe80::1%eth0", 1, 0, 2), "fe80000000000000::/64"),
        ("", ""),
        (None, ""),
    ],
)
def test_of_ipv6_a_network_is_one_address(peer: Any, network: str) -> None:
    assert network_of(peer) == network


SOFT_AND_HARD = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, (300, {hard}))
from eventjobs.api.connections import room_for
print(room_for(2_000), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(("hard", "room", "soft"), [(4_096, 2_000, 2_256), (600, 344, 600)])
def test_the_limit_of_open_files_is_raised_and_where_it_cannot_be_there_are_fewer_connections(
    hard: int, room: int, soft: int
) -> None:
    told = subprocess.run(
        [sys.executable, "-c", SOFT_AND_HARD.format(hard=hard)], capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == f"{room} {soft}"
    assert ("few_files" in told.stdout) == (room < 2_000)


BROKEN = {
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "bad_request"),
    "another version": (b"GET /v1/me HTTP/9.9\r\n\r\n", 400, "bad_request"),
    "a space before the colon": (b"GET /v1/me HTTP/1.1\r\nHost : localhost\r\n\r\n", 400, "bad_request"),
    "a folded header": (b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n", 400, "bad_request"),
    "a bare line feed": (b"GET /v1/me HTTP/1.1\nHost: localhost\n\n", 400, "bad_request"),
    "a bare carriage return": (b"GET /v1/me HTTP/1.1\r\nHost: local\rhost\r\n\r\n", 400, "bad_request"),
    "two lengths": (
        b"POST /v1/x/commands HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        400,
        "bad_request",
    ),
    "a long header": (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 9_000 + b"\r\n\r\n", 431, "head_too_large"),
    "a long address": (b"GET /" + b"x" * 9_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431, "head_too_large"),
    "an odd expectation": (b"GET /livez HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\n\r\n", 417, "expectation_failed"),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_what_is_no_http_is_answered_with_a_problem(rig: Rig, case: str) -> None:
    sent, status, code = BROKEN[case]
    before = rig.log.known_head.position

    answered = await send(rig, sent)

    assert (answered.status, answered.code) == (status, code)
    assert "content-type: application/problem+json" in answered.head.lower()
    problem = orjson.loads(answered.body)
    assert f"x-request-id: {problem['request_id']}" in answered.head.lower()
    assert b"xxx" not in answered.body
    assert answered.closed or status == 417
    assert rig.log.known_head.position == before


CHUNKS = {
    "a length in C": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a bare line feed": b"2\n{}\n0\n\n",
    "a negative length": b"-2\r\n{}\r\n0\r\n\r\n",
    "too much": b"1\r\n{}\r\n0\r\n\r\n",
    "no length": b"\r\n{}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("case", CHUNKS)
async def test_a_chunk_that_two_readers_would_read_differently_is_400(rig: Rig, case: str) -> None:
    before = rig.log.known_head.position
    lines = ("Content-Type: application/json", "Transfer-Encoding: chunked")

    answered = await send(rig, head(rig, "/v1/acme/commands/AddService", *lines) + CHUNKS[case])

    assert (answered.status, answered.code, answered.closed) == (400, "bad_request", True)
    assert rig.log.known_head.position == before


async def test_three_thousand_malformed_cookies_are_one_line_in_the_log(rig: Rig) -> None:
    cookies = b"; ".join(b"=\x01%d" % n for n in range(3_000))

    with capture_logs() as lines:
        answered = await send(rig, b"GET /v1/me HTTP/1.1\r\nHost: localhost\r\nCookie: " + cookies + b"\r\n\r\n")

    assert (answered.status, answered.code, answered.closed) == (400, "bad_request", True)
    assert lines == [{"event": "malformed_request", "kind": "BadHttpMessage", "log_level": "info"}]


async def test_a_client_that_never_finishes_its_head_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.api.app.KEEPALIVE_S", 0.3)
    async with started() as rig, opened(rig, 3) as pairs:
        (silent, _), (_, dribbling), (asked, asking) = pairs
        asking.write(head(rig, "/livez", method="GET"))
        assert (await asked.readline()).startswith(b"HTTP/1.1 200")
        with pytest.raises(ConnectionError):
            await _dribble(dribbling, head(rig, "/livez", *[f"X-{n}: 1" for n in range(90)], method="GET"))
        assert await is_closed(silent)
        await eventually(lambda: inside(rig) == 0)


async def _dribble(writer: asyncio.StreamWriter, sent: bytes) -> None:
    async with asyncio.timeout(5):
        for byte in sent:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.02)


async def test_a_client_that_does_not_read_its_answer_is_closed(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eventjobs.api.connections.STALLED_S_MAX", 0.3)
    name = "x" * 200
    batch = [{"command": "AddService", "data": {"id": f"s{n}", "handler": "noop", "name": name}} for n in range(900)]
    assert (await rig.post("/v1/acme/commands", batch)).status == 200
    await rig.session.close()
    async with opened(rig, 1) as pairs:
        pairs[0][1].transport.pause_reading()  # type: ignore[attr-defined]
        pairs[0][1].write(head(rig, "/v1/acme/events?limit=1000", method="GET") * 20)
        await eventually(lambda: inside(rig) == 1)

        await eventually(lambda: inside(rig) == 0)
