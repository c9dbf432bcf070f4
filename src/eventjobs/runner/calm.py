"""
Starts before ends: while many due moments wait for their answer, the words of runs that ended wait a little.

All instances write to one log, one batch at a time. In a storm the ends of the first runs, of whichever instance, would
make the last ones begin late.
"""

import asyncio
from typing import Final

STORM: Final = 100
"""From so many unanswered moments on it is a storm."""
LONGEST_S: Final = 3.0
"""How long an end waits at most: its job is busy as long."""


class Calm:
    """Whether what is due is answered, as the ticker saw it last; nobody waits until it has looked."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._event.set()

    def note(self, unanswered: int) -> None:
        """Take note of how many moments have passed, or come in a moment, without an answer, whoever should give it."""
        if unanswered < STORM:
            self._event.set()
        else:
            self._event.clear()

    async def wait(self) -> None:
        """Wait until the storm is over, or for as long as it is worth."""
        if self._event.is_set():
            return
        try:
            async with asyncio.timeout(LONGEST_S):
                await self._event.wait()
        except TimeoutError:
            pass
