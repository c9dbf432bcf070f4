"""
Facts about how many alerts one address was mailed in one hour: in the stream `mailbox:<id>`, one for each such hour.

These classes are a storage format.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from eventjobs.events.run import Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxTold:
    """The message `notification` is mailed by itself."""

    TYPE: ClassVar[str] = "mailbox.told"
    SCHEMA: ClassVar[int] = 1

    notification: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSpared:
    """The message `notification` about `subject` was one too many: the message `digest` counts it."""

    TYPE: ClassVar[str] = "mailbox.spared"
    SCHEMA: ClassVar[int] = 1

    notification: str
    subject: Ref
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MailboxSummedUp:
    """The hour is over and `digest` goes out: nothing is counted here any more."""

    TYPE: ClassVar[str] = "mailbox.summed_up"
    SCHEMA: ClassVar[int] = 1

    digest: str


MailboxEvent: TypeAlias = MailboxTold | MailboxSpared | MailboxSummedUp
