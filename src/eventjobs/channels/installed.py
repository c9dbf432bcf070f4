"""The ways to send that an installation has, by its settings."""

from collections.abc import Mapping

from eventjobs.channels.email import EmailChannel, SmtpServer
from eventjobs.channels.message import Channel
from eventjobs.channels.webhook import HeartbeatChannel, WebhookChannel
from eventjobs.clock import Clock
from eventjobs.errors import SettingsInvalid
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from eventjobs.settings import Settings


def channels_of(
    settings: Settings,
    calls: GuardedOutbound,
    secrets: SecretStore,
    clock: Clock,
    installation: str,
    password: str | None,
) -> Mapping[str, Channel]:
    """Return the ways to send that this installation has; raises `SettingsInvalid` where the mail server's lack."""
    channels: dict[str, Channel] = {
        "webhook": WebhookChannel(calls, secrets, clock),
        "heartbeat": HeartbeatChannel(calls, secrets),
    }
    if settings.smtp_url is None:
        return channels
    if settings.mail_from is None:
        raise SettingsInvalid("EVENTJOBS_MAIL_FROM is needed with EVENTJOBS_SMTP_URL")
    server = SmtpServer.of(settings.smtp_url.get_secret_value(), password=password, ca_file=settings.smtp_ca_file)
    try:
        return {**channels, "email": EmailChannel(server, settings.mail_from, installation[:8], clock)}
    except OSError as fault:  # ssl's errors are of this kind
        raise SettingsInvalid(f"EVENTJOBS_SMTP_CA_FILE cannot be read: {fault.strerror}") from None


def mail_password(settings: Settings) -> str | None:
    """Return the mail server's password from its file; raises `SettingsInvalid` where that cannot be read."""
    if settings.smtp_password_file is None:
        return None
    try:
        return settings.smtp_password_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as fault:
        raise SettingsInvalid(f"EVENTJOBS_SMTP_PASSWORD_FILE cannot be read: {type(fault).__name__}") from None
