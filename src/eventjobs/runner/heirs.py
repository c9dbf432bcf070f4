"""
The other instances: who tries something first, and who goes on with a run when this one stops.

Both are chosen by the highest hash of the thing and the instance among those that live, so all instances choose alike
without talking to each other, and what a leaving one had spreads over the others.
"""

import asyncio
from collections.abc import Iterable
from hashlib import blake2b
from typing import Final

from eventjobs.clock import Clock
from eventjobs.runner.leases import Watch
from eventjobs.runner.ports import Roster

TURNS_KEPT: Final = 10_000
"""So many turns are remembered: in a storm the same things are asked for each second."""
AMONG_S: Final = 0.05
"""For so long the turns are among the same instances, whoever comes or goes: thousands are asked for at once."""


class Heirs:
    """`Peers` by the beats that the rescuer watches."""

    def __init__(self, roster: Roster, watch: Watch, clock: Clock, instance: str) -> None:
        self._roster = roster
        self._watch = watch
        self._clock = clock
        self._instance = instance
        self._reading = asyncio.Lock()
        self._read_at = float("-inf")
        self._among: tuple[str, ...] = ()
        self._among_at = float("-inf")
        self._turns: dict[tuple[str, ...], int] = {}

    def goes_first(self, *what: str) -> bool:
        """Tell whether this instance has the highest hash of those that live and take work."""
        return choose(what, {*self._takers(), self._instance}) == self._instance

    def turn(self, *what: str) -> int:
        """Return how many of those that live and take work have a higher hash than this instance."""
        now = self._clock.monotonic()
        if now - self._among_at >= AMONG_S:
            self._among_at = now
            among = tuple(instance for instance in self._takers() if instance != self._instance)
            if among != self._among or len(self._turns) >= TURNS_KEPT:
                self._among, self._turns = among, {}
        turn = self._turns.get(what)
        if turn is None:
            named = "\0".join(what)
            own = _weight(named, self._instance)
            turn = self._turns[what] = sum(_weight(named, other) > own for other in self._among)
        return turn

    def others(self) -> bool:
        """Tell whether another instance lives that takes work."""
        return any(instance != self._instance for instance in self._takers())

    async def withdraw(self) -> None:
        """Mark this instance's row; whoever reads it from now on gives it no work."""
        await self._roster.withdraw(self._instance)

    async def heir(self, run: str) -> str | None:
        """
        Return a live instance that takes work, by a reading that began after the call.

        Two instances that stop together have both marked their rows before they read, so at most one of them can still
        take the other for a taker: no run goes to and fro between them.
        """
        await self._read_after(self._clock.monotonic())
        return choose((run,), {*self._takers()} - {self._instance})

    async def forget(self, instance: str) -> None:
        """Remove the row of an instance that is gone, unless its beat rose."""
        beat = self._watch.beat(instance)
        if beat is not None:
            await self._roster.forget(instance, beat)

    def _takers(self) -> Iterable[str]:
        lively = self._watch.lively(self._clock.monotonic())
        return (instance for instance in lively if instance not in self._roster.withdrawn)

    async def _read_after(self, asked: float) -> None:
        async with self._reading:
            if self._read_at <= asked:
                began = self._clock.monotonic()
                self._watch.observe(await self._roster.read(), self._clock.monotonic(), own=self._instance)
                self._read_at = began


class Alone:
    """`Peers` of an instance that knows of no others."""

    def goes_first(self, *_what: str) -> bool:
        """Who is alone goes first."""
        return True

    def turn(self, *_what: str) -> int:
        """Nobody is before it."""
        return 0

    def others(self) -> bool:
        """There are none."""
        return False

    async def withdraw(self) -> None:
        """Nobody needs to know."""

    async def heir(self, _run: str) -> str | None:
        """There is none."""
        return None

    async def forget(self, _instance: str) -> None:
        """There is nobody to forget."""


def choose(what: Iterable[str], among: Iterable[str]) -> str | None:
    """Return the instance with the highest hash for `what` (`None`: there is none)."""
    named = "\0".join(what)
    return max(among, key=lambda instance: (_weight(named, instance), instance), default=None)


def _weight(named: str, instance: str) -> bytes:
    return blake2b(f"{named}\0{instance}".encode(), digest_size=8).digest()
