"""
Starts before ends: while many due moments wait for their answer, the words of runs that ended wait a little.

All instances write to one log, one batch at a time. In a storm the ends of the first runs, of whichever instance, would
make the last ones begin late. What does not end is no storm but the usual load, and then nobody waits.
"""

import asyncio
from typing import Final

STORM: Final = 100
"""From so many unanswered moments on it is a storm."""
STORM_S: Final = 10.0
"""How long a storm lasts at most; after that it is over until fewer moments wait."""
LONGEST_S: Final = 3.0
"""How long an end waits at most: its job is busy as long."""


class Calm:
    """Whether what is due is answered, as the ticker saw it last; nobody waits until it has looked."""

    def __init__(self) -> None:
        self._is_storm = False
        self._since_s: float | None = None
        self._waiting: dict[asyncio.Event, None] = {}  # in the order in which they came, which a set has not

    def note(self, unanswered: int, at_s: float) -> None:
        """Take note of how many moments wait for an answer, or come in a moment, at `at_s` on the monotonic clock."""
        if unanswered < STORM:
            self.end()
            return
        if self._since_s is None:
            self._since_s, self._is_storm = at_s, True
        elif at_s - self._since_s >= STORM_S:
            self._let_go()

    def end(self) -> None:
        """Let go of all who wait: nothing is due, or nobody looks any more."""
        self._since_s = None
        self._let_go()

    async def wait(self, called: asyncio.Event) -> None:
        """Wait until the storm is over, for as long as it is worth, or until who waits is `called` for something."""
        if not self._is_storm:
            return
        self._waiting[called] = None
        try:
            async with asyncio.timeout(LONGEST_S):
                await called.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.pop(called, None)

    def _let_go(self) -> None:
        self._is_storm = False
        for called in self._waiting:
            called.set()
