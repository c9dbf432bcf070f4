"""
How many alerts one address is mailed in an hour, and what becomes of the others (REL89).

The first ones of an hour are mails of their own. Those that come when there were enough are counted, and one digest
after the hour says how many there were and of what. Webhooks are not limited: a program that misses a recovery would
hold an incident open for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from eventjobs.domain.notification import Channel, notification_id
from eventjobs.events.mailbox import MailboxEvent, MailboxSpared, MailboxSummedUp, MailboxTold
from eventjobs.events.notification import NotificationRequested

LIMITED: Final = frozenset({"alert.raised", "alert.recovered"})
"""The kinds of messages that a flood is made of."""
HOUR: Final = timedelta(hours=1)
NAMED: Final = 20
"""How many of those that the counted messages are about are named in the digest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """
    An address in one hour: how many were mailed, how many only counted, and of what (`kind id`, the first of them).

    `summed_up`: the digest is on its way.
    """

    told: int = 0
    spared: int = 0
    subjects: Mapping[str, int] = field(default_factory=dict)
    summed_up: bool = False


INITIAL = Mailbox()


def evolve(mailbox: Mailbox, event: MailboxEvent) -> Mailbox:
    """Move it by one fact."""
    match event:
        case MailboxTold():
            return replace(mailbox, told=mailbox.told + 1)
        case MailboxSpared(subject=subject):
            name = f"{subject.kind} {subject.id}"
            known = mailbox.subjects
            named = {**known, name: known.get(name, 0) + 1} if name in known or len(known) < NAMED else known
            return replace(mailbox, spared=mailbox.spared + 1, subjects=named)
        case MailboxSummedUp():
            return replace(mailbox, summed_up=True)
        case _:
            assert_never(event)


def is_limited(wanted: NotificationRequested) -> bool:
    """Tell whether a message counts for its address's hour."""
    return wanted.channel == Channel.EMAIL and wanted.kind in LIMITED


def hour_of(now: datetime) -> datetime:
    """Return when the hour began."""
    return now.replace(minute=0, second=0, microsecond=0)


def mailbox_id(workspace: str, address: str, hour: datetime) -> str:
    """Return the id of an address in an hour."""
    return notification_id(workspace, ("mailbox", hour.isoformat()), Channel.EMAIL, address)
