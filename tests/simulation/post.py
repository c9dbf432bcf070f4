"""
The world outside that messages are sent to: a mail server, receivers of webhooks, monitors that want heartbeats.

They take a message at once or late or not at all, say so or not, push back, are gone, break, and lie in both
directions. Whatever becomes of the sender, what arrives arrives.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from eventjobs.channels.message import Delivery, Message
from tests.simulation.machines import NOBODY

if TYPE_CHECKING:
    from tests.simulation.member import Member
    from tests.simulation.world import World

CHANNELS: Final = ("email", "webhook", "heartbeat")
HONEST: Final = 0.5
"""How often a message arrives and its receiver says so."""
LEAVES: Final = 0.01
"""How often a receiver says that nobody is there any more."""
BREAKS: Final = 0.02
"""How often a channel raises what nobody foresaw."""


@dataclass(frozen=True, slots=True)
class Manner:
    """What a receiver does: whether the message arrives, and what is said of it after how many seconds at most."""

    name: str
    arrives: bool
    says: Callable[[], Delivery]
    after_s: float = 1.0


def _refused() -> Delivery:
    return Delivery(ending="failed", reason="refused", detail="status 500")


def _unanswered() -> Delivery:
    return Delivery(ending="ambiguous", reason="no_answer", detail="the request went out and was not answered")


def _sent() -> Delivery:
    return Delivery(ending="sent", detail="status 200")


TAKEN: Final = Manner("taken", arrives=True, says=_sent)
DENIED: Final = Manner("taken_and_denied", arrives=True, says=_refused)
THROWN_AWAY: Final = Manner("thrown_away", arrives=False, says=_sent)
MANNERS: Final = (
    Manner("refused", arrives=False, says=_refused),
    Manner("pushed_back", arrives=False, says=lambda: Delivery(ending="failed", reason="refused", asked_s=40.0)),
    Manner("dropped", arrives=False, says=lambda: Delivery(ending="failed", reason="no_connection")),
    Manner("dropped_on_the_way", arrives=False, says=_unanswered),
    Manner("taken_without_a_word", arrives=True, says=_unanswered),
    Manner("taken_late", arrives=True, says=_sent, after_s=90.0),
    DENIED,
    THROWN_AWAY,
)
GONE: Final = Manner("gone", arrives=False, says=lambda: Delivery(ending="failed", reason="gone", retryable=False))


class Post:
    """Everybody whom the service can tell something."""

    def __init__(self, world: "World", random: Random) -> None:
        self._world = world
        self._random = random
        self.is_calm = False
        self.arrived: Counter[str] = Counter()
        self.denied: Counter[str] = Counter()
        self.thrown_away: Counter[str] = Counter()

    def channels(self, member: "Member") -> Mapping[str, "SimulatedChannel"]:
        """The ways to send that an instance has."""
        return {name: SimulatedChannel(self, member, name) for name in CHANNELS}

    async def take(self, member: "Member", channel: str, message: Message) -> Delivery:
        """A try of an instance at a message."""
        world, draw = self._world, self._random
        world.sending(member, message)
        manner = TAKEN if self.is_calm else self._drawn(channel)
        if not self.is_calm and draw.random() < BREAKS:
            raise RuntimeError("as drawn")
        world.seen.note(f"message_{manner.name}")
        after_s = manner.after_s * draw.random()
        self.denied[message.id] += manner is DENIED
        self.thrown_away[message.id] += manner is THROWN_AWAY
        if manner.arrives:
            world.loop.call_later(after_s * draw.random(), self._arrive, message.id, context=NOBODY)
        await asyncio.sleep(after_s)
        return manner.says()

    def _drawn(self, channel: str) -> Manner:
        chance = self._random.random()
        if chance < HONEST:
            return TAKEN
        leaves = channel != "email" and chance < HONEST + LEAVES  # there is no such answer to a mail
        return GONE if leaves else self._random.choice(MANNERS)

    def _arrive(self, message: str) -> None:
        self.arrived[message] += 1
        self._world.arrived(message)


class SimulatedChannel:
    """`channels.message.Channel` of one instance."""

    def __init__(self, post: Post, member: "Member", name: str) -> None:
        self._post = post
        self._member = member
        self._name = name

    async def send(self, message: Message) -> Delivery:
        """Try once."""
        return await self._post.take(self._member, self._name, message)
