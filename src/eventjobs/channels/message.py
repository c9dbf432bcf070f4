"""What is sent, and how that went: the same for every channel."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

Ending: TypeAlias = Literal["sent", "failed", "ambiguous"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """
    One message to one recipient.

    `id` is the same for every try. `recipient`, `signed_with` and `also_signed_with`, the key before it, are as the
    alerts name them, `secret://name` where they are secret; `link` leads to the run where a public address is known.
    """

    id: str
    workspace: str
    kind: str
    subject_kind: str
    subject: str
    recipient: str
    run: str | None = None
    signed_with: str | None = None
    also_signed_with: str | None = None
    about: Mapping[str, Any]
    link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """
    How a try ended.

    `sent`: the other side said that it took it. `failed`: it did not. `ambiguous`: it may have, and nobody said.
    `reason` is a stable word, `detail` a sentence without secrets; `asked_s` is the wait that the receiver asked for.
    """

    ending: Ending
    reason: str = ""
    detail: str = ""
    retryable: bool = True
    asked_s: float | None = None


class Channel(Protocol):
    """A way to send."""

    async def send(self, message: Message) -> Delivery:
        """Try once, within less than a minute; whatever goes wrong is in the answer."""
        ...
