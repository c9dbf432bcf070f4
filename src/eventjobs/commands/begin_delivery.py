"""
The runner's own: begin a try at sending a message.

The append decides which instance sends: of two that try, the second finds the try begun. A try that never said how it
ended is over at its instant, ambiguously, and the next one begins. Whether an alert is a mail of its own or one that
a digest counts is decided here too, at its first try: it is known by then how many its address was mailed.
"""

from datetime import timedelta
from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.delivering import fail
from eventjobs.commands.sparing import DIGEST, spared, summed_up
from eventjobs.commands.spec import CommandFields, CommandSpec, Id
from eventjobs.commands.world import World
from eventjobs.domain.mailbox import is_limited
from eventjobs.domain.notification import TRY_S, Notification, Progress
from eventjobs.domain.streams import notification_stream
from eventjobs.events.notification import NotificationAttempted


class BeginDelivery(CommandFields):
    """The message whose time has come."""

    notification: Id


def decide(command: BeginDelivery, world: World, context: Context) -> None:
    """Begin the next try, and answer with its number and message; nothing where it is not time, or another's."""
    stream = notification_stream(context.workspace, command.notification)
    present: Notification = world.state(stream)
    if present.state is Progress.SENDING and present.until is not None and present.until <= context.now:
        fail(world, context, stream, "interrupted", "nobody knows how the try ended", ambiguous=True, at_once=True)
        present = world.state(stream)
    due = present.retry_at is None or present.retry_at <= context.now
    if present.state is not Progress.PENDING or present.wanted is None or not due:
        return
    wanted = present.wanted
    if present.attempt == 0 and is_limited(wanted) and spared(world, context, stream, wanted):
        return
    if wanted.kind == DIGEST:
        wanted = summed_up(world, context, stream, wanted)
    attempt = present.attempt + 1
    until = context.now + timedelta(seconds=TRY_S)
    world.emit(stream, NotificationAttempted(attempt=attempt, instance=context.instance, until=until))
    world.answer.update(attempt=attempt, wanted=wanted)


SPEC: Final = CommandSpec(
    name="BeginDelivery",
    command=BeginDelivery,
    streams=lambda command, context: [notification_stream(context.workspace, command.notification)],
    decide=decide,
    internal=True,
    summary="Begin a try at sending a message",
)
