"""The fields that Connect jobs and groups have alike, and their translation into what facts hold."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import Field

from eventjobs.commands.alert_fields import WebhookFields, recipient_errors, webhook_errors
from eventjobs.commands.context import Context
from eventjobs.commands.fields import Duration
from eventjobs.commands.spec import CommandFields
from eventjobs.commands.world import World
from eventjobs.domain.cadence import is_date
from eventjobs.domain.expiry import check_expiry, default_expiry, expiry_instant, warning_instants
from eventjobs.domain.recipient import distinct
from eventjobs.domain.slots import TIMING
from eventjobs.errors import FieldError, Invalid
from eventjobs.events.cadence import CatchUp, Gap, Repeat, Timing, TimingPolicies
from eventjobs.events.connect import Notification
from eventjobs.events.schedule import AlertWebhook, SchedulePolicies

NAME: Final = re.compile(r"(?! )[A-Za-z0-9 !\-=@_\[\]{}]{1,100}(?<! )")
"""Which names groups and jobs may have (G8); a space at an end would make two names look alike."""

ConnectName = Annotated[str, Field(max_length=200)]
Addresses = Annotated[tuple[Annotated[str, Field(max_length=320)], ...], Field(max_length=1_000)]
LastDay = Annotated[str, Field(max_length=10)]
"""A last day, `YYYY-MM-DD`, or `never`."""


class NotificationFields(CommandFields):
    """Who is told that a run ended, and of which ends; `failure_recipients` are told of failures besides."""

    mode: Literal["always", "failure", "none"] = "none"
    recipients: Addresses = ()
    failure_recipients: Addresses = ()
    webhook: Annotated[tuple[WebhookFields, ...], Field(max_length=1_000)] = ()
    on_rejects: bool = False
    on_recovery: bool = False


class GroupNotificationFields(NotificationFields):
    """
    The same of a group.

    By `also_send_job_mails` each of its jobs tells those of its own how it went besides (G66). `on_success` are called
    when a run succeeded, whatever the mode, and after no other one (G52).
    """

    also_send_job_mails: bool = False
    on_success: Annotated[tuple[WebhookFields, ...], Field(max_length=1_000)] = ()


class SlotPolicyFields(CommandFields):
    """How those behave that go by slots: what is late, what meets an open run, what the clock change leaves out."""

    gap: Literal["shift", "skip"] = "shift"
    repeat: Literal["first", "second", "both"] = "first"
    catch_up: Literal["due", "never"] = "due"
    catch_up_window: Duration | None = None
    overlap: Literal["skip", "queue_one", "queue_all", "cancel_running"] = "skip"


class Expiry(NamedTuple):
    """The last day (`None`: it never expires), the instant after it, and the warnings before it that are ahead."""

    on: str | None
    at: datetime | None
    warn_at: tuple[datetime, ...]


def notification_of(fields: NotificationFields, context: Context, world: World) -> Notification:
    """Return who is told; raises `Invalid` with every wrong recipient, and warns where no mail can be sent."""
    errors = list(_wrong_recipients(fields, context))
    if errors:
        raise Invalid.fields(errors)
    group = _of_group(fields)
    if (fields.recipients or fields.failure_recipients) and not context.reach.mail:
        detail = "this installation cannot send mail: set EVENTJOBS_SMTP_URL"
        world.warn("email_not_configured", detail, "notification.recipients")
    return Notification(
        mode=fields.mode,
        recipients=distinct(fields.recipients),
        failure_recipients=distinct(fields.failure_recipients),
        webhooks=_webhooks(fields.webhook),
        on_rejects=fields.on_rejects,
        on_recovery=fields.on_recovery,
        also_send_job_mails=group.also_send_job_mails,
        on_success=_webhooks(group.on_success),
    )


def _of_group(fields: NotificationFields) -> GroupNotificationFields:
    """Return what only groups have; a job has none of it."""
    return fields if isinstance(fields, GroupNotificationFields) else GroupNotificationFields()


def _webhooks(fields: Sequence[WebhookFields]) -> tuple[AlertWebhook, ...]:
    return tuple(dict.fromkeys(AlertWebhook(**dict(one)) for one in fields))


def _wrong_recipients(fields: NotificationFields, context: Context) -> Iterator[FieldError]:
    yield from recipient_errors("notification.recipients", fields.recipients)
    yield from recipient_errors("notification.failure_recipients", fields.failure_recipients)
    yield from webhook_errors("notification.webhook", fields.webhook, context)
    hooks = _of_group(fields).on_success
    yield from webhook_errors("notification.on_success", hooks, context)
    limit = context.limits.recipients
    if len(fields.recipients) + len(fields.failure_recipients) + len(fields.webhook) + len(hooks) > limit:
        yield FieldError("notification", "too_many_recipients", f"there are at most {limit} recipients")


def slot_policies_of(fields: SlotPolicyFields) -> SchedulePolicies:
    """Return the policies; by default what is late runs for an hour (G43)."""
    window = fields.catch_up_window
    timing = TimingPolicies(
        timing=Timing.WALL_CLOCK,
        gap=Gap(fields.gap),
        repeat=Repeat(fields.repeat),
        catch_up=CatchUp(fields.catch_up),
        catch_up_window_s=TIMING.catch_up_window_s if window is None else int(window.total_seconds()),
    )
    return SchedulePolicies(timing=timing, overlap=fields.overlap, on_failure="stop")


def check_name(name: str, path: str = "name") -> None:
    """Raise `Invalid` `name_invalid` for a name with other characters, or too long (G8)."""
    if not NAME.fullmatch(name):
        detail = "a name has 1 to 100 characters out of A-Z a-z 0-9 space ! - = @ _ [ ] { }, and no space at its ends"
        raise Invalid.at(path, "name_invalid", detail)


def expiry_of(text: str | None, created_at: datetime, world: World, context: Context) -> Expiry:
    """
    Return when it expires: by a last day in the workspace's zone, `never`, or 30 days after creation (G55).

    Raises `Invalid` for no date, one that is not ahead, or one beyond what the installation allows (G58).
    """
    last_day = last_day_of(text, created_at, world, context)
    return expiry_on(None if last_day is None else date.fromisoformat(last_day), created_at, world, context)


def last_day_of(text: str | None, created_at: datetime, world: World, context: Context) -> str | None:
    """Return the last day that is asked for, `None` for never, whether it is ahead or not."""
    if text == "never":
        return None
    if text is None:
        return default_expiry(world.workspace().time_zone, created_at, context.limits.expiry_days).isoformat()
    if not is_date(text):
        raise Invalid.at("expires_on", "date_invalid", "A date of the calendar, as YYYY-MM-DD, or never.")
    return text


def expiry_on(last_day: date | None, created_at: datetime, world: World, context: Context) -> Expiry:
    """The same for a date, `None` for never."""
    zone = world.workspace().time_zone
    cap = context.limits.expiry_days
    errors = check_expiry(zone, last_day, context.now, created_at=created_at, max_days=cap)
    if errors:
        raise Invalid.fields(errors)
    if last_day is None:
        return Expiry(None, None, ())
    at = expiry_instant(zone, last_day)
    return Expiry(last_day.isoformat(), at, warning_instants(zone, last_day, context.now))
