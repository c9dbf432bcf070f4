"""What becomes of a message when a try did not get it through."""

from datetime import datetime
from urllib.parse import urlsplit

from eventjobs.commands.context import Context
from eventjobs.commands.reporting import report_to
from eventjobs.commands.world import World
from eventjobs.domain.notification import Notification, retry_at
from eventjobs.domain.notification_policy import NOBODY, Happened, recipients
from eventjobs.domain.report import HookReport, SucceededReport
from eventjobs.events.notification import NotificationFailed, NotificationGivenUp, NotificationRequested
from eventjobs.events.recorded import StreamId
from eventjobs.outbound.secrets import is_reference


def fail(
    world: World,
    context: Context,
    stream: StreamId,
    reason: str,
    detail: str,
    *,
    ambiguous: bool,
    retryable: bool = True,
    at_once: bool = False,
    asked_s: float | None = None,
) -> None:
    """Record that the newest try failed, and what comes after it: another one, `at_once` or later, or none."""
    present: Notification = world.state(stream)
    again: datetime | None = None
    if retryable and present.wanted is not None:
        chance = context.random.uniform()
        again = retry_at(present.wanted.channel, present.attempt, now=context.now, chance=chance, asked_s=asked_s)
    if at_once and again is not None:
        again = context.now
    failed = NotificationFailed(
        attempt=present.attempt, reason=reason, detail=detail, ambiguous=ambiguous, retry_at=again
    )
    world.emit(stream, failed)
    if again is None:
        lost: Notification = world.state(stream)
        given_up = NotificationGivenUp(attempts=lost.attempt, ambiguous=lost.ambiguous, reason=reason)
        world.emit(stream, given_up)
        if present.wanted is not None and present.wanted.kind == SucceededReport.KIND:
            _tell_of_hook(world, context, stream, present.wanted, given_up)


def _tell_of_hook(
    world: World, context: Context, stream: StreamId, wanted: NotificationRequested, lost: NotificationGivenUp
) -> None:
    """Tell whom a group tells of failures that a call after its run did not get through; the run's result stays."""
    group = world.group(wanted.subject.id)
    told = recipients(group.notification, {Happened.HOOK_FAILED})
    if told == NOBODY:
        return
    report = HookReport(
        owner=wanted.subject,
        name=group.name,
        run=wanted.run,
        at=context.now,
        call=stream.id,
        hook=host_of(wanted.recipient),
        attempts=lost.attempts,
        reason=lost.reason,
    )
    report_to(world, context, told, report)


def host_of(recipient: str) -> str:
    """Return whom a URL leads to: the rest of it may be a secret of its receiver."""
    return recipient if is_reference(recipient) else urlsplit(recipient).hostname or ""
