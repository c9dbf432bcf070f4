"""How far the views are, as this process knows it; readers wait here for what they wrote."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from eventjobs.clock import Clock
from eventjobs.log.port import EventLog
from eventjobs.projections.checkpoints import Checkpoint

_log: Final = structlog.get_logger("eventjobs.projector")


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewStatus:
    """Where one view is; `lag` in positions, `behind_s` how long it has not had all that this process knew."""

    name: str
    position: int
    lag: int
    behind_s: float
    stopped_at: int | None = None
    reason: str | None = None


class ViewPositions:
    """The checkpoints, as last seen."""

    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._points: dict[str, Checkpoint] = {}
        self._level_at: dict[str, float] = {}
        self._moved = asyncio.Event()

    @property
    def known(self) -> bool:
        """Whether they were ever read."""
        return bool(self._points)

    def going(self) -> Sequence[Checkpoint]:
        """Return those that are not stopped."""
        return [point for point in self._points.values() if point.stopped_at is None]

    def places(self) -> Sequence[int]:
        """Return the positions of those that are not stopped, each once, ascending."""
        return sorted({point.position for point in self.going()})

    def position(self, name: str | None = None) -> int:
        """Return up to where a view is built; without a name, all that are not stopped (0: not known yet)."""
        if name is not None:
            return self._points[name].position if name in self._points else 0
        return min((point.position for point in self.going()), default=0)

    async def wait_for(self, position: int, timeout_s: float, *, name: str | None = None) -> bool:
        """Wait until the view, or all that are not stopped, is built up to a position; tell whether it is."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.position(name) < position:
                    await self._moved.wait()
        except TimeoutError:
            return False
        return True

    def status(self) -> Sequence[ViewStatus]:
        """Return where each view is."""
        head, now = self._log.known_head.position, self._clock.monotonic()
        return [
            ViewStatus(
                name=point.name,
                position=point.position,
                lag=max(0, head - point.position),
                behind_s=0.0 if point.position >= head else now - self._level_at.get(point.name, now),
                stopped_at=point.stopped_at,
                reason=point.reason,
            )
            for point in self._points.values()
        ]

    def trouble(self) -> str | None:
        """Return a stable word if a view has stopped."""
        return "view_stopped" if len(self.going()) < len(self._points) else None

    def learn(self, points: Iterable[Checkpoint]) -> None:
        """Take newer checkpoints, and wake who waits."""
        head, now = self._log.known_head.position, self._clock.monotonic()
        for point in points:
            known = self._points.get(point.name)
            if point.stopped_at is not None and (known is None or known.stopped_at is None):
                _log.error("view_stopped", view=point.name, position=point.stopped_at, reason=point.reason)
            if point.position >= head or known is None:
                self._level_at[point.name] = now
            self._points[point.name] = point
        self._moved.set()
        self._moved = asyncio.Event()
