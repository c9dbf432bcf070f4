"""
Messages by mail: one to each recipient, through one SMTP server, in a text part and an HTML part.

Its Message-ID follows from the message's id and is the same for every try. The recipient given to the server is the
address as it was checked, never one read back from a header. A refusal is an answer; what ends between handing the mail
over and the server's word on it is ambiguous.
"""

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aiosmtplib
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from eventjobs.channels import reports, wording
from eventjobs.channels.message import Delivery, Message
from eventjobs.clock import Clock
from eventjobs.domain.recipient import is_address

STEP_S: Final = 10.0
"""How long one word of the server is waited for."""
WIRE: Final = SMTP.clone(cte_type="7bit", max_line_length=500)
"""
Plain ASCII on the wire: not every server takes eight bits, and whether this one does is not asked. A header stays on
its line: folded after its colon, as the library likes to do it, a subject begins with a space where it is read.
"""
PART_CHARS_MAX: Final = 20_000
TOO_LONG: Final = "too long for a mail"
PORTS: Final = {"smtp": 25, "smtps": 465, "starttls": 587}
"""The schemes of a server's URL: without TLS, with TLS from the first byte, with TLS or not at all."""

_TEMPLATES: Final = Environment(
    loader=PackageLoader("eventjobs.channels"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    keep_trailing_newline=True,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpServer:
    """Where mail is handed over, and as whom."""

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None

    @classmethod
    def of(cls, url: str, *, password: str | None = None, ca_file: Path | None = None) -> "SmtpServer":
        """Read a URL `smtps://user:password@host:port`; `password` wins over the one in it."""
        parts = urlsplit(url)
        own = unquote(parts.password) if parts.password else None
        return cls(
            scheme=parts.scheme,
            host=parts.hostname or "",
            port=parts.port or PORTS[parts.scheme],
            user=unquote(parts.username) if parts.username else None,
            password=password or own,
            ca_file=ca_file,
        )


class EmailChannel:
    """Sends mail as `sender`; `installation` keeps the Message-IDs of two installations apart."""

    def __init__(
        self, server: SmtpServer, sender: str, installation: str, clock: Clock, *, step_s: float = STEP_S
    ) -> None:
        self._server = server
        self._sender = sender
        self._domain = sender.rpartition("@")[2]
        self._installation = installation
        self._clock = clock
        self._step_s = step_s
        self._tls = ssl.create_default_context(cafile=server.ca_file)

    async def send(self, message: Message) -> Delivery:
        """Try once."""
        if not is_address(message.recipient):
            return Delivery(ending="failed", reason="recipient_invalid", detail="no plain address", retryable=False)
        mail = self.compose(message).as_bytes()
        server, handed_over = self._server, False
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.scheme == "smtps",
            start_tls=server.scheme == "starttls",
            tls_context=self._tls,
            timeout=self._step_s,
            local_hostname=self._domain,
        )
        try:
            await client.connect()
            if server.user is not None:
                await client.login(server.user, server.password or "")
            await client.mail(self._sender)
            await client.rcpt(message.recipient)
            handed_over = True
            answer = await client.data(mail)
        except aiosmtplib.SMTPAuthenticationError as refusal:
            return Delivery(ending="failed", reason="not_authenticated", detail=f"the server said {refusal.code}")
        except aiosmtplib.SMTPResponseException as refusal:
            return Delivery(ending="failed", reason="refused", detail=f"the server said {refusal.code}")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as fault:
            name = type(fault).__name__
            if handed_over:
                return Delivery(ending="ambiguous", reason="no_answer", detail=f"no word on the mail: {name}")
            return Delivery(ending="failed", reason="no_connection", detail=f"no connection: {name}")
        finally:
            client.close()
        return Delivery(ending="sent", detail=f"the server said {answer.code}")

    def compose(self, message: Message) -> EmailMessage:
        """Return the mail; its headers are made of ids, fixed words and checked addresses."""
        template = "report" if message.kind in reports.KINDS else "alert"
        said = {
            "headline": wording.headline(message),
            "facts": wording.facts(message),
            "failed_jobs": wording.failed_jobs(message),
            "suppressed": wording.suppressed(message),
            "jobs": reports.jobs(message),
            "counted": reports.COUNTED,
            "left_out": 0,
            "link": message.link,
        }
        mail = EmailMessage(policy=WIRE)
        mail["From"] = self._sender
        mail["To"] = message.recipient
        mail["Subject"] = wording.subject(message)
        mail["Date"] = format_datetime(self._clock.now())
        mail["Message-ID"] = f"<{message.id}.{self._installation}@{self._domain}>"
        mail["List-Id"] = f"<{message.workspace}.{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
        mail.set_content(_part(f"{template}.txt", said))
        mail.add_alternative(_part(f"{template}.html", said), subtype="html")
        return mail


def _part(template: str, said: Mapping[str, Any]) -> str:
    """Render a part; where it is too long what the jobs said is left out, then the jobs, and the link to it stays."""
    part = ""
    for told in _ever_shorter(said):
        part = _TEMPLATES.get_template(template).render(told)
        if len(part) <= PART_CHARS_MAX:
            break
    return part


def _ever_shorter(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield said
    failed = [{**job, "detail": TOO_LONG} for job in said["failed_jobs"]]
    jobs = [{**job, "error": TOO_LONG if job["error"] else ""} for job in said["jobs"]]
    yield {**said, "failed_jobs": failed, "jobs": jobs}
    yield {**said, "failed_jobs": [], "jobs": [], "left_out": len(failed) + len(jobs)}
