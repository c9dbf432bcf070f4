"""
Answers before jobs, and starts before ends: while many due moments wait for their answer, the rest waits a little.

All instances write to one log, one batch at a time. In a storm the ends of the first runs, of whichever instance, would
make the last ones begin late; and so would the jobs of the first runs, which need the processors that the last answers
need. What does not end is no storm but the usual load, and then nobody waits.
"""

import asyncio
from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Final

from eventjobs.runner.answered import Moment

STORM: Final = 100
"""From so many unanswered moments on it is a storm."""
STORM_S: Final = 10.0
"""How long a storm lasts at most; after that it is over until fewer moments wait."""
LONGEST_S: Final = 3.0
"""How long an end or a first job waits at most: its job is busy as long."""


class Calm:
    """Whether what is due is answered, as the ticker saw it last; nobody waits until it has looked."""

    def __init__(self) -> None:
        self._is_storm = False
        self._since_s: float | None = None
        self._unanswered: set[Moment] = set()
        self._by_due: Counter[datetime] = Counter()
        self._waiting: dict[asyncio.Event, None] = {}  # in the order in which they came, which a set has not
        self._beginning: dict[asyncio.Event, None] = {}
        self._latest = datetime.min.replace(tzinfo=UTC)  # of what was due with those that begin

    def note(self, unanswered: Collection[Moment], at_s: float) -> None:
        """Take note of which moments wait for an answer, or come in a moment, at `at_s` on the monotonic clock."""
        if len(unanswered) < STORM:
            self.end()
            return
        self._unanswered, self._by_due = set(unanswered), Counter(moment[-1] for moment in unanswered)
        self._let_begin()
        if self._since_s is None:
            self._since_s, self._is_storm = at_s, True
        elif at_s - self._since_s >= STORM_S:
            self._let_go()

    def answered(self, moment: Moment) -> None:
        """Hear that a moment has its answer, whoever gave it."""
        if moment in self._unanswered:
            self._unanswered.discard(moment)
            self._by_due[moment[-1]] -= 1
            if len(self._unanswered) < STORM:
                self.end()
            else:
                self._let_begin()

    def end(self) -> None:
        """Let go of all who wait: nothing is due, or nobody looks any more."""
        self._since_s = None
        self._let_go()

    async def wait_to_begin(self, due: datetime | None, called: asyncio.Event) -> None:
        """Wait, before the first job of what was `due`, for the answers to all that was due by then, as `wait` does."""
        if self._is_storm and due is not None and self._before(due) >= STORM:
            self._latest = max(self._latest, due) if self._beginning else due
            self._beginning[called] = None
            try:
                await self.wait(called)
            finally:
                self._beginning.pop(called, None)

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

    def _before(self, due: datetime) -> int:
        """Return how many moments due no later than `due` have no answer yet."""
        return sum(count for moment, count in self._by_due.items() if moment <= due)

    def _let_begin(self) -> None:
        if self._beginning and self._before(self._latest) < STORM:
            for called in self._beginning:
                called.set()
            self._beginning.clear()

    def _let_go(self) -> None:
        self._is_storm = False
        self._unanswered, self._by_due = set(), Counter()
        for called in self._waiting:
            called.set()
