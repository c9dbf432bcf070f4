"""
Whether this instance can do its work: the log answers and can be written to, and the views keep up.

What others find out (a lost lease, a stopped projection) they add as checks of their own.
"""

from collections.abc import Callable, Sequence
from typing import Final

from eventjobs.api.ports import Following
from eventjobs.clock import Clock
from eventjobs.errors import LogFault
from eventjobs.log.port import EventLog

BEHIND_S_MAX: Final = 1.0
CHECKED_S: Final = 0.5

Check = Callable[[], str | None]
"""Returns a stable word for what is in the way, `None` where nothing is."""


class LogReadiness:
    """Asks the log's storage, at most twice a second, and compares the views with it."""

    def __init__(self, log: EventLog, following: Following, clock: Clock, checks: Sequence[Check] = ()) -> None:
        self._log = log
        self._following = following
        self._clock = clock
        self._checks = tuple(checks)
        self._answered_at = float("-inf")
        self._answer: Sequence[str] = ()

    async def problems(self) -> Sequence[str]:
        """Return what is in the way."""
        now = self._clock.monotonic()
        if now - self._answered_at >= CHECKED_S or self._answer:
            self._answer = await self._found()
            self._answered_at = now
        return self._answer

    async def _found(self) -> Sequence[str]:
        try:
            is_behind = await self._is_behind((await self._log.head()).position)
        except (LogFault, OSError, TimeoutError):
            return ["log_unavailable"]
        found = [word for check in self._checks if (word := check()) is not None]
        return [*found, "views_behind"] if is_behind else found

    async def _is_behind(self, head: int) -> bool:
        """Tell whether a fact that the views lack is more than a second old."""
        position = self._following.position()
        if position >= head:
            return False
        age = self._clock.now() - await self._log.at_of(position + 1)
        return age.total_seconds() > BEHIND_S_MAX
