"""An SMTP server and an HTTP server that keep a journal, and that drop, delay, refuse and lie as they are told."""

import asyncio
import ssl
import subprocess
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiohttp import web
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = b"jobs", b"swordfish-and-chips"
HANG_S = 5.0


@dataclass
class Mail:
    """A mail that the server has, whatever it said about it."""

    recipients: list[str]
    parsed: EmailMessage
    raw: bytes

    @property
    def id(self) -> str:
        return str(self.parsed["Message-ID"])


@dataclass
class MailSink:
    """Answers the tries of each recipient by its plan, then with 250."""

    plans: dict[str, list[str]] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    users: list[bytes] = field(default_factory=list)
    port: int = 0
    _server: Any = None

    async def open(self, *, tls: ssl.SSLContext | None = None, starttls: bool = False, port: int = 0) -> "MailSink":
        extra: dict[str, Any] = {}
        if tls is not None:
            extra = {"authenticator": self._authenticate, "auth_required": True, "auth_require_tls": starttls}
        if starttls:
            extra |= {"tls_context": tls, "require_starttls": True}

        def connected() -> SMTP:
            with warnings.catch_warnings():
                # It does not see that the whole connection is TLS.
                warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
                return SMTP(self, hostname="sink", ident="sink", **extra)

        wrapped = tls if tls is not None and not starttls else None
        self._server = await asyncio.get_running_loop().create_server(connected, "127.0.0.1", port, ssl=wrapped)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def _authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.users.append(data.login)
        return AuthResult(success=(data.login, data.password) == (USER, PASSWORD), handled=False)

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        plan = self.plans.get(address, [])
        if plan and plan[0] in ("later", "never", "drop"):
            fault = plan.pop(0)
            if fault == "drop":
                server.transport.abort()
            return {"later": "450 4.2.0 greylisted", "never": "550 5.1.1 no such user"}.get(fault, "421 bye")
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        raw = bytes(envelope.content or b"")
        plan = self.plans.get(envelope.rcpt_tos[0], [])
        fault = plan.pop(0) if plan else "take"
        if fault == "refuse":
            return "451 4.3.0 try again"
        if fault == "hang":
            await asyncio.sleep(HANG_S)
            return "250 too late"
        if fault == "lose":  # it says nothing, and does not have the mail either
            server.transport.abort()
            return "250 unheard"
        self.mails.append(Mail(list(envelope.rcpt_tos), message_from_bytes(raw, policy=policy.default), raw))  # type: ignore[arg-type]
        if fault == "lie":  # it has the mail, and does not say so
            server.transport.abort()
        return "250 taken"


@dataclass
class Call:
    """A request that the server has, whatever it answered."""

    path: str
    method: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


@dataclass
class HttpSink:
    """Answers the tries of each path by its plan, then with 200."""

    plans: dict[str, list[Any]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    taken: list[Call] = field(default_factory=list)
    asked_s: str = "60"
    url: str = ""
    _runner: Any = None

    async def open(self) -> "HttpSink":
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        call = Call(request.path, request.method, dict(request.headers), await request.read())
        self.calls.append(call)
        plan = self.plans.get(request.path, [])
        fault = plan.pop(0) if plan else 200
        if fault == "hang":
            await asyncio.sleep(HANG_S)
        if fault in (200, 204, "lie"):
            self.taken.append(call)
        if fault in ("lie", "lose"):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if fault == 429:
            return web.Response(status=429, headers={"Retry-After": self.asked_s})
        if fault == 302:
            return web.Response(status=302, headers={"Location": "http://127.0.0.1/elsewhere"})
        return web.Response(status=fault if isinstance(fault, int) else 200)


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a certificate for localhost; return the server's context, and the file that clients trust."""
    key, cert = folder / "key.pem", folder / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", str(key), "-out",
         str(cert), "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert
