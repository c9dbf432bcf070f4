import asyncio
import base64
import gzip
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from pydantic import ValidationError

from eventjobs.errors import JobFailed
from eventjobs.handlers.context import JobRef, Suspended
from eventjobs.handlers.http import HttpConfig
from eventjobs.handlers.workbench import Workbench
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound, refusal
from tests.handlers.conftest import REGISTRY, Attempt


class Receiver:
    """A real server on loopback that answers as it is told and keeps what it was sent."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: Callable[[web.Request], Any] = lambda _: web.json_response({"fine": True})
        self.port = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.got.append((request.method, dict(request.headers), await request.read()))
        answer = self.answer(request)
        return await answer if asyncio.iscoroutine(answer) else answer

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


@pytest.fixture
def call(allowing: Any, attempt: Callable[..., Attempt], receiver: Receiver) -> Callable[..., Any]:
    async def run(of: dict[str, Any] | None = None, **config: Any) -> Any:
        bench = allowing(f"127.0.0.1:{receiver.port}")
        return await attempt(bench, **(of or {})).perform("http", {"url": receiver.url(), **config})

    return run


async def test_the_request_says_who_calls(call: Any, receiver: Receiver) -> None:
    result = await call(
        of={"run": "r-1", "row": 3, "attempt": 2, "term": 5},
        method="PUT",
        headers={"X-Mine": "yes"},
        body={"a": [1, "ü"]},
    )
    ((method, headers, body),) = receiver.got
    assert (method, json.loads(body)) == ("PUT", {"a": [1, "ü"]})
    assert headers["Content-Type"] == "application/json"
    assert {name: headers[f"Eventjobs-{name}"] for name in ("Run", "Job", "Attempt", "Term")} == {
        "Run": "r-1",
        "Job": "service/load",
        "Attempt": "2",
        "Term": "5",
    }
    assert headers["X-Mine"] == "yes"
    assert result.output == {"status": 200, "content_type": "application/json; charset=utf-8", "body": {"fine": True}}


async def test_without_a_body_of_its_own_the_request_has_the_input_and_earlier_outputs(
    call: Any, receiver: Receiver
) -> None:
    given = {"job_input": {"order": 7}, "outputs": {1: {"approved": True}}}
    await call(of=given)
    assert json.loads(receiver.got[0][2]) == {"input": {"order": 7}, "outputs": {"1": {"approved": True}}}
    for config in ({"body": "mine"}, {"method": "GET"}):
        await call(of=given, **config)
    assert [body for _, _, body in receiver.got[1:]] == [b"mine", b""]


FLOW = {"job": JobRef("flow", "approve"), "callback_url": "http://here/v1/acme/callbacks/signed"}
SAYS_SO = {"Eventjobs-Suspended": "the buyer"}


async def test_a_flow_says_where_it_is_answered_and_202_with_a_word_suspends_it(call: Any, receiver: Receiver) -> None:
    receiver.answer = lambda _: web.Response(status=202, headers=SAYS_SO)
    result = await call(of={**FLOW, "due": datetime(2026, 12, 1, 20, tzinfo=UTC)})
    headers = receiver.got[0][1]
    assert (headers["Eventjobs-Callback"], headers["Eventjobs-Due"]) == (FLOW["callback_url"], "2026-12-01T20:00:00Z")
    assert result == Suspended(waits_for="the buyer")


async def test_an_answer_that_repeats_the_signed_part_of_the_callback_gives_it_to_nobody(
    call: Any, receiver: Receiver
) -> None:
    receiver.answer = lambda _: web.Response(status=404, text="cannot reach /v1/acme/callbacks/signed")
    with pytest.raises(JobFailed) as failed:
        await call(of=FLOW)
    assert "signed" not in str(failed.value.output)
    assert "cannot reach /v1/acme/callbacks/***" in str(failed.value.output)


@pytest.mark.parametrize(("of", "status", "word"), [(FLOW, 202, {}), (FLOW, 200, SAYS_SO), ({}, 202, SAYS_SO)])
async def test_nothing_else_suspends(
    call: Any, receiver: Receiver, of: dict[str, Any], status: int, word: dict[str, str]
) -> None:
    receiver.answer = lambda _: web.Response(status=status, headers=word)
    assert (await call(of=of)).output["status"] == status


async def test_all_attempts_of_a_job_run_share_one_key_and_no_other_has_it(call: Any, receiver: Receiver) -> None:
    for of in ({"attempt": 1}, {"attempt": 2, "term": 2}, {"row": 2}, {"run": "run-2"}, {"workspace": "other"}):
        await call(of=of)
    first, second, *others = [headers["Idempotency-Key"] for _, headers, _ in receiver.got]
    assert first == second
    assert len({first, *others}) == 4


@pytest.mark.parametrize(
    ("status", "success", "succeeds", "retryable"),
    [
        (204, ["200-299"], True, False),
        (404, ["200-299"], False, False),
        (404, ["200-299", 404], True, False),
        (200, ["201"], False, False),
        (408, ["200-299"], False, True),
        (425, ["200-299"], False, True),
        (429, ["200-299"], False, True),
        (500, ["200-299"], False, True),
        (503, ["200-299"], False, True),
        (301, ["200-299"], False, False),
        (301, ["300-399"], True, False),
    ],
)
async def test_the_status_says_whether_it_succeeded_and_may_be_tried_again(
    call: Any, receiver: Receiver, status: int, success: list[Any], succeeds: bool, retryable: bool
) -> None:
    receiver.answer = lambda _: web.Response(status=status, headers={"Location": "/elsewhere"})
    if succeeds:
        assert (await call(success=success)).output["status"] == status
        return
    with pytest.raises(JobFailed, match=str(status)) as failed:
        await call(success=success)
    assert failed.value.retryable == retryable
    assert failed.value.output["status"] == status
    assert len(receiver.got) == 1, "no redirect was followed"


async def test_no_more_than_64_kb_of_an_endless_answer_are_read(call: Any, receiver: Receiver) -> None:
    sent = 0

    async def endless(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 10_000)
                sent += 10_000
        except ConnectionError:
            return response

    receiver.answer = endless
    result = await call()
    assert result.output["truncated"]
    assert len(result.output["body"]) == 8192


async def test_a_compressed_answer_is_not_blown_up(call: Any, receiver: Receiver) -> None:
    bomb = gzip.compress(b"\0" * 20_000_000)
    receiver.answer = lambda _: web.Response(body=bomb, headers={"Content-Encoding": "gzip"})
    result = await call()
    assert receiver.got[0][1]["Accept-Encoding"] == "identity"
    assert len(json.dumps(result.output)) < 64 * 1024
    assert "\0" not in result.output["body"]


async def test_an_answer_that_trickles_is_given_up(call: Any, receiver: Receiver) -> None:
    async def trickle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x")
                await asyncio.sleep(0.02)
        return response

    receiver.answer = trickle
    with pytest.raises(JobFailed, match=r"no complete answer within 0\.3 s") as failed:
        await call(timeout="PT0.3S")
    assert failed.value.retryable


async def test_nobody_listening_may_be_tried_again(allowing: Any, attempt: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(JobFailed, match="the call failed") as failed:
        await attempt(allowing(f"127.0.0.1:{port}")).perform("http", {"url": f"http://127.0.0.1:{port}/"})
    assert failed.value.retryable


async def test_the_signature_is_that_of_standard_webhooks(call: Any, receiver: Receiver, tmp_path: Any) -> None:
    key = b"0123456789abcdef"
    folder = tmp_path / "secrets/acme"
    folder.mkdir(parents=True)
    (folder / "new").write_text("whsec_" + base64.b64encode(key).decode())
    (folder / "old").write_text("plain-old-secret")
    await call(body={"x": 1}, signature={"secret": "secret://new", "previous_secret": "secret://old"})
    ((_, headers, body),) = receiver.got
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = [
        "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
        for secret in (key, b"plain-old-secret")
    ]
    assert headers["webhook-signature"].split(" ") == expected
    assert headers["webhook-id"] == headers["Idempotency-Key"]


async def test_a_secret_in_an_answer_is_blanked(call: Any, receiver: Receiver, tmp_path: Any) -> None:
    folder = tmp_path / "secrets/acme"
    folder.mkdir(parents=True)
    (folder / "token").write_text("t0p-secret")
    receiver.answer = lambda request: web.json_response({"you sent": request.headers["Authorization"]})
    result = await call(headers={"Authorization": "secret://token"})
    assert receiver.got[0][1]["Authorization"] == "t0p-secret"
    assert result.output["body"] == {"you sent": "***"}


async def test_proxies_of_the_environment_are_ignored(call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert (await call()).output["status"] == 200


async def test_without_permission_a_private_address_is_not_called(
    bench: Workbench, attempt: Any, receiver: Receiver
) -> None:
    for host in ("127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::ffff:127.0.0.1]"):
        with pytest.raises(JobFailed) as failed:
            await attempt(bench).perform("http", {"url": receiver.url(host=host)})
        assert not failed.value.retryable
    assert receiver.got == []


async def test_a_literal_address_is_checked_again_when_the_socket_is_made(receiver: Receiver) -> None:
    outbound = GuardedOutbound()
    async with outbound.session(total_s=5) as session:
        with pytest.raises(aiohttp.ClientError) as failed:
            await session.get(receiver.url())
    assert str(refusal(failed.value)) == f"127.0.0.1:{receiver.port} is not allowed"
    assert receiver.got == []


async def test_a_name_that_leads_to_a_private_address_is_not_called(
    bench: Workbench, attempt: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"]]

    async def getaddrinfo(_: str, port: int, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers[len(asked) % 2]]

    asked: list[str] = []
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    for _ in range(2):
        with pytest.raises(JobFailed, match="leads to 127") as failed:
            await attempt(bench).perform("http", {"url": "http://hooks.example.org/"})
        assert not failed.value.retryable
        asked.append("")
    assert receiver.got == []


async def test_the_connection_goes_to_the_address_that_was_checked(
    bench: Workbench, attempt: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        address = host
        if host == "hooks.example.org":
            asked.append(host)
            address = "127.0.0.1" if len(asked) == 1 else "127.0.0.2"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    allowed = replace(bench, outbound=GuardedOutbound(OutboundRules.parse(["127.0.0.1/32"])))
    await attempt(allowed).perform("http", {"url": f"http://hooks.example.org:{receiver.port}/"})
    assert receiver.got[0][1]["Host"] == f"hooks.example.org:{receiver.port}"
    assert asked == ["hooks.example.org"], "one look-up, and no second one for the connection"
    with pytest.raises(JobFailed, match=r"leads to 127\.0\.0\.2"):
        await attempt(allowed).perform("http", {"url": f"http://hooks.example.org:{receiver.port}/"})


async def test_a_session_follows_no_redirect_even_if_asked(receiver: Receiver) -> None:
    receiver.answer = lambda _: web.Response(status=302, headers={"Location": "/other"})
    outbound = GuardedOutbound(OutboundRules.parse([f"127.0.0.1:{receiver.port}"]))
    async with outbound.session(total_s=5) as session:
        with pytest.raises(OSError, match="redirects are not followed"):
            await session.get(receiver.url())
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "config",
    [
        {"url": "http://127.0.0.1/"},
        {"url": "http://169.254.169.254/latest/meta-data"},
        {"url": "http://user:pw@example.org/"},
        {"url": "http://example.org:25/"},
        {"url": "http://example.org/", "headers": {"X": "a\r\nY: b"}},
        {"url": "http://example.org/", "headers": {"X\r\n": "a"}},
        {"url": "http://example.org/", "headers": {"Host": "a"}},
        {"url": "http://example.org/", "headers": {"idempotency-key": "a"}},
        {"url": "http://example.org/", "method": "TRACE"},
        {"url": "http://example.org/", "success": ["2xx"]},
        {"url": "http://example.org/", "success": []},
        {"url": "http://example.org/", "timeout": "PT0S"},
        {"url": "http://example.org/", "signature": {"secret": "whsec_abc"}},
        {"url": "http://example.org/", "other": 1},
        {},
    ],
)
def test_a_wrong_configuration_is_known_when_the_job_is_defined(config: dict[str, Any]) -> None:
    registry = replace(REGISTRY, rules={"outbound": OutboundRules()})
    (problem, *_) = registry.problems("http", config)
    assert problem.path.startswith("config")


def test_a_url_that_is_a_secret_is_judged_when_it_is_called() -> None:
    registry = replace(REGISTRY, rules={"outbound": OutboundRules()})
    assert registry.problems("http", {"url": "secret://hook"}) == ()


def test_the_defaults_are_a_post_and_any_2xx() -> None:
    config = HttpConfig.model_validate({"url": "https://example.org/"})
    assert (config.method, config.accepts(200), config.accepts(299), config.accepts(300)) == ("POST", True, True, False)
    with pytest.raises(ValidationError):
        HttpConfig.model_validate({"url": 1})
