"""A mail server on this machine's own address, for the demonstration: what is sent to it is shown, and goes nowhere."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr

from eventjobs.cli.output import say
from eventjobs.settings import Settings

HOST: Final = "127.0.0.1"
SENDER: Final = "eventjobs@example.org"


class Mailbox:
    """The mails that came and were not shown yet, in their order."""

    def __init__(self) -> None:
        self.url = ""
        self._mails: asyncio.Queue[EmailMessage] = asyncio.Queue()

    async def next(self) -> EmailMessage:
        """Wait for a mail and take it out."""
        return await self._mails.get()

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 its name
        """Take a mail, as the server calls it."""
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        self._mails.put_nowait(mail)
        return "250 taken"


@asynccontextmanager
async def open_mailbox() -> AsyncIterator[Mailbox]:
    """Yield a mailbox with its server at `url`, on a free port."""
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="localhost", ident="eventjobs demo"), HOST, 0)
    box.url = f"smtp://{HOST}:{server.sockets[0].getsockname()[1]}"
    try:
        yield box
    finally:
        server.close()


@asynccontextmanager
async def mailing(settings: Settings) -> AsyncIterator[tuple[Settings, Mailbox | None]]:
    """Yield settings that have a mail server: the one that is set, or else a mailbox's, and this mailbox."""
    if settings.smtp_url is not None:
        yield settings, None
        return
    async with open_mailbox() as box:
        mail = {"smtp_url": SecretStr(box.url), "mail_from": settings.mail_from or SENDER}
        yield settings.model_copy(update=mail), box


def tell_mail(mail: EmailMessage) -> None:
    """Print who is told what: the text part, not the HTML one."""
    part = mail.get_body(("plain",))
    say("\nA mail arrived:", "bold")
    lines = [f"To: {mail['To']}", f"Subject: {mail['Subject']}", ""]
    for line in (*lines, *(part.get_content().splitlines() if part is not None else ())):
        say(f"  | {line}".rstrip())
