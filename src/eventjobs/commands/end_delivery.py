"""The runner's own: say how a try at sending a message ended."""

from typing import Annotated, Final, Literal

from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.delivering import fail, host_of
from eventjobs.commands.notifying import request, to_all
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.notification import Notification, Progress
from eventjobs.domain.streams import alert_stream, notification_stream
from eventjobs.events.alert import AlertRecipientDisabled
from eventjobs.events.notification import NotificationRequested, NotificationSent
from eventjobs.events.recorded import StreamId

GONE: Final = "gone"
"""The reason of a receiver that wants nothing any more."""
LOST: Final = "alert.recipient_disabled"
"""The kind of the message that tells the others of it."""


class EndDelivery(CommandFields):
    """
    How try number `attempt` ended: `sent`, `failed` (it did not get through) or `ambiguous` (nobody knows).

    `asked_s`: the wait that the receiver asked for; not `retryable`: another try would end the same way.
    """

    notification: Id
    attempt: Annotated[int, Field(ge=1)]
    outcome: Literal["sent", "failed", "ambiguous"]
    reason: Annotated[str, Field(max_length=64)] = ""
    detail: Annotated[str, Field(max_length=2_000)] = ""
    retryable: bool = True
    asked_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


def decide(command: EndDelivery, world: World, context: Context) -> None:
    """Record it; a try that is over already, because it took too long, is counted as it was recorded then."""
    stream = notification_stream(context.workspace, command.notification)
    present: Notification = world.state(stream)
    if present.state is not Progress.SENDING or present.attempt != command.attempt:
        return
    if command.outcome == "sent":
        world.emit(stream, NotificationSent(attempt=command.attempt, detail=command.detail))
        return
    fail(
        world,
        context,
        stream,
        command.reason,
        command.detail,
        ambiguous=command.outcome == "ambiguous",
        retryable=command.retryable,
        asked_s=command.asked_s,
    )
    if command.reason == GONE and present.wanted is not None:
        _disable(world, context, stream, present.wanted)


def _disable(world: World, context: Context, stream: StreamId, wanted: NotificationRequested) -> None:
    """Send nothing more to who says that nobody is there, and tell the others (REL82)."""
    if wanted.subject.kind != "schedule":
        return
    incidents = alert_stream(context.workspace, wanted.subject.id)
    if (wanted.channel, wanted.recipient) not in world.state(incidents).disabled:
        world.emit(incidents, AlertRecipientDisabled(channel=wanted.channel, recipient=wanted.recipient))
        about = {"at": context.now, "gone": f"{wanted.channel} {host_of(wanted.recipient)}"}
        what = {"kind": LOST, "subject": wanted.subject, "run": None, "about": about}
        others = to_all(world.schedule(wanted.subject.id).alerts, world.state(incidents).disabled, **what)
        request(world, context, (((LOST, stream.id), other) for other in others))


SPEC: Final = CommandSpec(
    name="EndDelivery",
    command=EndDelivery,
    streams=lambda command, context: [notification_stream(context.workspace, command.notification)],
    decide=decide,
    internal=True,
    summary="Say how a try at sending a message ended",
)
