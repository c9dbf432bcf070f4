"""The fields that say what is watched for and who is told, and their translation into what a schedule's facts hold."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Annotated

from pydantic import Field, StringConstraints

from eventjobs.commands.context import Context
from eventjobs.commands.fields import Duration
from eventjobs.commands.spec import CommandFields
from eventjobs.commands.world import World
from eventjobs.domain.recipient import distinct, is_address
from eventjobs.errors import FieldError, Invalid
from eventjobs.events.schedule import Alerts, AlertWebhook
from eventjobs.outbound.secrets import is_named, is_reference

Url = Annotated[str, StringConstraints(min_length=1, max_length=2_048)]
Secret = Annotated[str, StringConstraints(max_length=100)]


class WebhookFields(CommandFields):
    """
    Where to post (a URL, or `secret://name` of one), and the `secret://name` of the key that signs it.

    While keys are exchanged, `previous_secret` names the one before, which signs too.
    """

    url: Url
    secret: Secret
    previous_secret: Secret | None = None


class AlertFields(CommandFields):
    """What is watched for, who is told, and what is called after each success; without a field, nothing and nobody."""

    late_after: Duration | None = None
    runs_longer_than: Duration | None = None
    no_progress_in: Duration | None = None
    no_success_in: Duration | None = None
    failures_in_a_row: Annotated[int, Field(ge=1, le=1_000)] | None = None
    on_recovery: bool = True
    email: Annotated[tuple[Annotated[str, Field(max_length=320)], ...], Field(max_length=1_000)] = ()
    webhook: Annotated[tuple[WebhookFields, ...], Field(max_length=1_000)] = ()
    heartbeat: Url | None = None


def alerts_of(fields: AlertFields, world: World, context: Context) -> Alerts:
    """Return the alerts; raises `Invalid` with every wrong recipient, and warns where nobody would be told."""
    errors = list(_problems(fields, context))
    if errors:
        raise Invalid.fields(errors)
    webhook = tuple(AlertWebhook(**dict(one)) for one in fields.webhook)
    alerts = Alerts(
        late_after_s=_seconds(fields.late_after),
        runs_longer_than_s=_seconds(fields.runs_longer_than),
        no_progress_in_s=_seconds(fields.no_progress_in),
        no_success_in_s=_seconds(fields.no_success_in),
        failures_in_a_row=fields.failures_in_a_row,
        on_recovery=fields.on_recovery,
        email=distinct(fields.email),
        webhook=tuple(dict.fromkeys(webhook)),
        heartbeat=fields.heartbeat,
    )
    if alerts.email and not context.reach.mail:
        world.warn("email_not_configured", "this installation cannot send mail: set EVENTJOBS_SMTP_URL", "alerts.email")
    watches = any(value is not None for value in _watched(alerts))
    if watches and not (alerts.email or alerts.webhook):
        world.warn("nobody_told", "incidents are recorded and shown, and nobody is told", "alerts")
    if not watches and (alerts.email or alerts.webhook):
        world.warn("nothing_watched", "nothing is watched for, so nobody is ever told", "alerts")
    return alerts


def _watched(alerts: Alerts) -> Sequence[float | None]:
    return (
        alerts.late_after_s,
        alerts.runs_longer_than_s,
        alerts.no_progress_in_s,
        alerts.no_success_in_s,
        alerts.failures_in_a_row,
    )


def _problems(fields: AlertFields, context: Context) -> Iterator[FieldError]:
    yield from recipient_errors("alerts.email", fields.email)
    yield from webhook_errors("alerts.webhook", fields.webhook, context)
    if fields.heartbeat is not None:
        yield from _url_errors("alerts.heartbeat", fields.heartbeat, context)
    limit = context.limits.recipients
    if len(fields.email) + len(fields.webhook) > limit:
        yield FieldError("alerts", "too_many_recipients", f"there are at most {limit} recipients")


def webhook_errors(path: str, webhooks: Sequence[WebhookFields], context: Context) -> Iterator[FieldError]:
    """Yield what is wrong with webhooks."""
    first: dict[str, WebhookFields] = {}
    for place, webhook in enumerate(webhooks):
        where = f"{path}.{place}"
        yield from _url_errors(f"{where}.url", webhook.url, context)
        for name in ("secret", "previous_secret"):
            secret = getattr(webhook, name)
            if secret is not None and not is_named(secret):
                yield FieldError(f"{where}.{name}", "secret_invalid", "the key is named by secret://name")
        if first.setdefault(webhook.url, webhook) != webhook:
            detail = "one URL has one entry; for two keys at once name the older as previous_secret"
            yield FieldError(f"{where}.url", "duplicate_recipient", detail)


def recipient_errors(path: str, addresses: Sequence[str]) -> Iterator[FieldError]:
    """Yield what is wrong with e-mail addresses."""
    for place, address in enumerate(addresses):
        if not is_address(address):
            detail = "one plain address is needed, e.g. ops@example.org"
            yield FieldError(f"{path}.{place}", "recipient_invalid", detail)


def _url_errors(path: str, url: str, context: Context) -> Iterator[FieldError]:
    if is_reference(url):
        if not is_named(url):
            yield FieldError(path, "secret_invalid", "a secret is named by secret://name")
        return
    objection = context.reach.rules.objection(url)
    if objection is not None:
        yield FieldError(path, "url_refused", f"the URL {objection}")


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()
