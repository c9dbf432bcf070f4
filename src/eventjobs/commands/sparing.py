"""What goes to one address in an hour: the first alerts by themselves, the others together in a digest (REL89)."""

from dataclasses import replace
from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.notifying import message, request
from eventjobs.commands.world import World
from eventjobs.domain.mailbox import HOUR, Mailbox, hour_of, mailbox_id
from eventjobs.domain.notification import Channel, notification_id
from eventjobs.domain.streams import mailbox_stream
from eventjobs.events.mailbox import MailboxSpared, MailboxSummedUp, MailboxTold
from eventjobs.events.notification import NotificationRequested, NotificationSuppressed
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref

DIGEST: Final = "alert.digest"
"""The kind of the message that counts the others."""


def spared(world: World, context: Context, stream: StreamId, wanted: NotificationRequested) -> bool:
    """Count a message for its address's hour; tell whether there were enough, so that the digest counts this one."""
    hour = hour_of(context.now)
    box = mailbox_stream(context.workspace, mailbox_id(context.workspace, wanted.recipient, hour))
    present: Mailbox = world.state(box)
    if present.summed_up:
        return False
    if present.told < context.limits.alert_mails_per_hour:
        world.emit(box, MailboxTold(notification=stream.id))
        return False
    about = {"mailbox": box.id, "since": hour, "at": hour + HOUR}
    subject = Ref(kind="workspace", id=context.workspace)
    digest = message(Channel.EMAIL, wanted.recipient, kind=DIGEST, subject=subject, run=None, about=about)
    request(world, context, [((DIGEST, box.id), replace(digest, not_before=hour + HOUR))])
    digest_id = notification_id(context.workspace, (DIGEST, box.id), Channel.EMAIL, wanted.recipient)
    world.emit(box, MailboxSpared(notification=stream.id, subject=wanted.subject, digest=digest_id))
    world.emit(stream, NotificationSuppressed(digest=digest_id))
    return True


def summed_up(world: World, context: Context, stream: StreamId, wanted: NotificationRequested) -> NotificationRequested:
    """Return a digest with what it counts; from its first try on nothing is added, so that each try says the same."""
    box = mailbox_stream(context.workspace, wanted.about["mailbox"])
    present: Mailbox = world.state(box)
    if not present.summed_up:
        world.emit(box, MailboxSummedUp(digest=stream.id))
    counted = {"told": present.told, "suppressed": present.spared, "subjects": dict(present.subjects)}
    return replace(wanted, about={**wanted.about, **counted})
