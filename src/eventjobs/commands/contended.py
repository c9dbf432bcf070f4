"""
Streams that many commands of this process change at once.

Of those that decide at the same time one is written, and the others have lost a race. Where all of them try again at
once, the last of many loses too often; so who has lost goes on by turns, in the order of their losses.
"""

import asyncio
from collections.abc import Hashable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self
from weakref import WeakValueDictionary

PATIENCE_S: Final = 10.0
"""How long a turn is waited for. The versions decide who writes; turns only spare work, and one may get stuck."""


class Contended:
    """The turns of streams, each for as long as somebody has it or waits for it."""

    def __init__(self, *, patience_s: float = PATIENCE_S) -> None:
        self.patience_s = patience_s
        self._turns: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def turn_of(self, stream: Hashable) -> asyncio.Lock:
        """Return the turn of a stream; one at a time has it."""
        turn = self._turns.get(stream)
        if turn is None:
            turn = self._turns[stream] = asyncio.Lock()
        return turn


class Turn:
    """The one turn that a command may have; who has two could wait for each other."""

    def __init__(self, contended: Contended) -> None:
        self._contended = contended
        self._held: asyncio.Lock | None = None

    async def take(self, stream: Hashable) -> None:
        """
        Wait for the turn of a stream, and give back that of another.

        Who has waited too long goes on without: were the database away, each would else wait for the others' failures.
        """
        turn = self._contended.turn_of(stream)
        if turn is self._held:
            return
        self._give_back()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._contended.patience_s):
                await turn.acquire()
                self._held = turn

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    def _give_back(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.release()
