"""`eventjobs notifications`: messages on their way, and one real message to try whether they arrive."""

import os
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from eventjobs.channels.installed import channels_of, mail_password
from eventjobs.channels.message import Channel as Sender
from eventjobs.channels.message import Delivery, Message
from eventjobs.cli import exits
from eventjobs.cli.output import print_json, say
from eventjobs.cli.pages import tell_list
from eventjobs.cli.target import Where, data_folder
from eventjobs.cli.view import NOW, AsOf, Cursor, Json, Limit, Owner, fetch
from eventjobs.clock import SystemClock
from eventjobs.domain.notification import Channel
from eventjobs.domain.recipient import distinct
from eventjobs.errors import UsageWrong
from eventjobs.ids import SystemIds
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from eventjobs.settings import Settings, load_settings

notifications: Final = App(name="notifications", help="List messages, and try whether they arrive.")


@notifications.command(name="list")
async def list_notifications(
    *,
    owner: Owner = None,
    state: Annotated[str | None, Parameter(help="only pending, sending, sent, given_up or suppressed ones")] = None,
    channel: Annotated[str | None, Parameter(help="only those by email, webhook or heartbeat")] = None,
    as_of: AsOf = None,
    cursor: Cursor = None,
    limit: Limit = None,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """List messages, the newest first: to whom, how often they were tried, how they ended."""
    asked = {"owner": owner, "state": state, "channel": channel, "as_of": as_of, "cursor": cursor, "limit": limit}
    document = await fetch(where, "notifications", asked)
    if json:
        print_json(document)
    else:
        tell_list(document)
    return exits.OK


@notifications.command(name="test")
async def send_one(
    *,
    email: Annotated[tuple[str, ...], Parameter(help="mail it to this address; may be given again")] = (),
    webhook: Annotated[str | None, Parameter(help="post it to this URL, or to secret://name of one")] = None,
    secret: Annotated[str, Parameter(help="the secret://name of the key that signs it")] = "",
    previous_secret: Annotated[str | None, Parameter(help="the secret://name of the key before it")] = None,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """
    Send one real message with the settings as they are here, and say what became of it; nothing is recorded.

    Each of several addresses gets a mail of its own, as the recipients of alerts do. Secrets are those of the workspace
    that -w or EVENTJOBS_WORKSPACE names. Exit code 1: it did not get through to somebody.
    """
    if bool(email) == (webhook is not None):
        raise UsageWrong("give one of --email and --webhook")
    settings = load_settings({"data_dir": where.data_dir})
    recipients = [webhook] if webhook is not None else distinct(email)
    if len(recipients) > settings.recipients:
        raise UsageWrong(f"there are at most {settings.recipients} recipients")
    channel = _channel(settings, Channel.EMAIL if webhook is None else Channel.WEBHOOK)
    signed = {"signed_with": secret or None, "also_signed_with": previous_secret}
    messages = [_message(where, recipient=recipient, **signed) for recipient in recipients]
    told = [_told(message, await channel.send(message)) for message in messages]
    if json:
        print_json({"items": told})
    else:
        for one in told:
            say(f"{one['recipient']}: {one['outcome']}: {one['detail']}")
    return exits.OK if all(one["outcome"] == "sent" for one in told) else exits.REFUSED


def _message(where: Where, **fields: Any) -> Message:
    clock = SystemClock()
    return Message(
        id=SystemIds().new().replace("-", ""),
        workspace=where.workspace or os.environ.get("EVENTJOBS_WORKSPACE") or "none",
        kind="test",
        subject_kind="installation",
        subject="eventjobs",
        about={"at": clock.now().isoformat()},
        **fields,
    )


def _told(message: Message, delivery: Delivery) -> dict[str, Any]:
    how = {"outcome": delivery.ending, "reason": delivery.reason, "detail": delivery.detail}
    return {"recipient": message.recipient, **how, "id": message.id}


def _channel(settings: Settings, name: str) -> Sender:
    folder = data_folder(settings.data_dir, os.environ)
    folders = [folder / "secrets", *([settings.secrets_dir] if settings.secrets_dir else [])]
    calls = GuardedOutbound(OutboundRules.parse(settings.outbound_allow))
    secrets = SecretStore(folders, dict(os.environ))
    channels = channels_of(settings, calls, secrets, SystemClock(), "test", mail_password(settings))
    if name not in channels:
        raise UsageWrong("this installation cannot send mail: set EVENTJOBS_SMTP_URL and EVENTJOBS_MAIL_FROM")
    return channels[name]
