"""What receivers of webhooks and heartbeats may do to who calls them, and what they cannot (REL76 to REL83)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import pytest

from eventjobs.channels.message import Message
from eventjobs.channels.webhook import WebhookChannel, call
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from tests.channels.sinks import HttpSink
from tests.support.time import FrozenClock

Answer: TypeAlias = Callable[[asyncio.StreamWriter], Awaitable[None]]
LOCAL: Final = GuardedOutbound(OutboundRules.parse(["127.0.0.1"]))
TOTAL_S: Final = 0.5
HEAD: Final = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


async def _endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def _bomb(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nnot")


async def _endless_header(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x" * 65_536)
        await writer.drain()


async def _trickle(writer: asyncio.StreamWriter) -> None:
    for byte in HEAD:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(TOTAL_S / 5)


async def _no_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example.org ESMTP\r\n")


@asynccontextmanager
async def receiver(answer: Answer) -> AsyncIterator[str]:
    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            _ = await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except OSError:
            pass  # the caller has left, which is what it should do
        finally:
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


@pytest.mark.parametrize(
    ("answer", "ending"),
    [
        (_endless_body, "sent"),
        (_bomb, "sent"),
        (_endless_header, "ambiguous"),
        (_trickle, "ambiguous"),
        (_no_http, "ambiguous"),
    ],
)
async def test_REL79_whatever_an_answer_is_like_it_ends_soon(answer: Answer, ending: str) -> None:
    async with receiver(answer) as url, asyncio.timeout(TOTAL_S * 4):
        assert (await call(LOCAL, "POST", url, {}, b"{}", total_s=TOTAL_S)).ending == ending


@pytest.mark.parametrize("target", ["http://127.0.0.1/private", "file:///etc/passwd", "gopher://x.test/", "//x"])
async def test_REL78_no_redirect_is_followed_wherever_it_leads(target: str) -> None:
    async def redirect(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 307 Go\r\nLocation: {target}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        writer.write(head.encode())

    async with receiver(redirect) as url:
        delivery = await call(LOCAL, "POST", url, {}, b"{}", total_s=TOTAL_S)
    assert (delivery.ending, delivery.reason, delivery.detail) == ("failed", "refused", "status 307")


@pytest.mark.parametrize("first", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::ffff:127.0.0.1"])
async def test_REL77_a_name_that_leads_to_a_private_address_by_now_is_not_called(
    monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    async def found(*_args: Any, **_fields: Any) -> list[Any]:
        return [(2, 1, 6, "", ("93.184.216.34", 80)), (2, 1, 6, "", (first, 80))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)
    delivery = await call(GuardedOutbound(), "POST", "http://rebound.example.org/", {}, b"{}", total_s=TOTAL_S)
    assert (delivery.ending, delivery.reason, delivery.retryable) == ("failed", "address_refused", False)


async def test_REL83_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sink, proxy = await HttpSink().open(), await HttpSink().open()
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "hook").write_text("a key")
    try:
        said: Mapping[str, Any] = {"kind": "alert.raised", "subject_kind": "schedule", "subject": "s", "about": {}}
        message = Message(id="1", workspace="acme", recipient=f"{sink.url}/hook", signed_with="secret://hook", **said)
        channel = WebhookChannel(LOCAL, SecretStore([tmp_path]), FrozenClock(), total_s=TOTAL_S)
        assert (await channel.send(message)).ending == "sent"
        assert (len(sink.calls), len(proxy.calls)) == (1, 0)
    finally:
        await sink.close()
        await proxy.close()
