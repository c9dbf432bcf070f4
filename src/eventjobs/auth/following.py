"""
What is known of a few kinds of facts, kept up with the log in memory.

Before each decision the facts beyond what is known are read, as far as this process knows of any; that costs nothing
while nothing was appended.
"""

from collections.abc import Callable
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from eventjobs.log.port import EventLog, Filter

PAGE: Final = 1_000


class Following:
    """Gives each fact that `matching` lets through to `apply`, once and in order."""

    def __init__(self, log: EventLog, matching: Filter, apply: Callable[[Recorded[Any]], None]) -> None:
        self._log = log
        self._matching = matching
        self._apply = apply
        self.position = 0
        """The position up to which every fact was applied."""

    async def begin(self, position: int) -> None:
        """Go on behind what is known up to `position`, and read the log to its head."""
        self.position = position
        await self._read_to((await self._log.head()).position)

    async def catch_up(self) -> None:
        """Read the log as far as this process knows it."""
        if self.position < self._log.known_head.position:
            await self._read_to(self._log.known_head.position)

    async def _read_to(self, target: int) -> None:
        while self.position < target:
            head = max(target, self._log.known_head.position)
            facts = await self._log.read(self.position, PAGE, before=head + 1, matching=self._matching)
            for fact in facts:
                if fact.position > self.position:  # another request may have read it meanwhile
                    self._apply(fact)
                    self.position = fact.position
            if len(facts) < PAGE:
                self.position = max(self.position, head)
