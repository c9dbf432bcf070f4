"""
The deployment's own sign of life: a URL that is called once a minute while the service is well.

An outside monitor that hears nothing for some minutes knows that the service is not; nobody in here could tell.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from eventjobs.channels.webhook import call
from eventjobs.clock import Clock
from eventjobs.outbound.guarded import GuardedOutbound

EVERY_S: Final = 60.0
AGAIN_S: Final = 5.0
"""How soon it is looked again whether the service is well, or whose turn it is."""

_log: Final = structlog.get_logger("eventjobs.heartbeat")


class Heartbeat:
    """Calls `url` while `problems` names none and it is this instance's turn."""

    def __init__(
        self,
        url: str,
        outbound: GuardedOutbound,
        clock: Clock,
        problems: Callable[[], Awaitable[Sequence[str]]],
        *,
        is_ours: Callable[[], bool] = lambda: True,
    ) -> None:
        self._url = url
        self._outbound = outbound
        self._clock = clock
        self._problems = problems
        self._is_ours = is_ours

    async def beat_for_ever(self) -> None:
        """Beat every minute; a call that fails is a log line, the monitor's silence is the alarm."""
        while True:
            await self._clock.sleep(EVERY_S if await self.beat() else AGAIN_S)

    async def beat(self) -> bool:
        """Call once, if all is well; tell whether that was so."""
        if not self._is_ours() or await self._problems():
            return False
        delivery = await call(self._outbound, "GET", self._url, {}, None)
        if delivery.ending != "sent":
            _log.warning("heartbeat_failed", reason=delivery.reason, detail=delivery.detail)
        return True
