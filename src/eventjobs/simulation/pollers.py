"""What the loops of an instance look for, so that virtual time jumps over the looks that would find nothing."""

import asyncio
import math
from collections.abc import Mapping
from contextlib import suppress

from eventjobs.clock import Clock
from eventjobs.runner.alarms import Alarms
from eventjobs.runner.leases import BEAT_S
from eventjobs.runner.reporter import FOLLOWED, Reporter
from eventjobs.runner.ticker import LOOK_AHEAD
from eventjobs.simulation.sparse import SparseLog
from eventjobs.simulation.views import MemoryUpcoming, MemoryWatched


class Beats:
    """The beats of all instances that ever lived, as the others read them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: dict[str, float] = {}
        self._stopped: dict[str, float] = {}
        self._died = asyncio.Event()

    def begin(self, instance: str) -> None:
        """An instance joins."""
        self._began[instance] = self._clock.monotonic()

    def stop(self, instance: str) -> None:
        """Its beat stands still from now on; its row stays, for it did not leave in order."""
        self._stopped[instance] = self._clock.monotonic()
        self._died.set()
        self._died = asyncio.Event()

    async def wait_for_death(self) -> None:
        """Wait until an instance dies."""
        await self._died.wait()

    def is_alive(self, instance: str) -> bool:
        """Tell whether an instance lives."""
        return instance in self._began and instance not in self._stopped

    async def read(self) -> Mapping[str, int]:
        """Return instance → beat."""
        now = self._clock.monotonic()
        return {name: int((self._stopped.get(name, now) - began) // BEAT_S) for name, began in self._began.items()}


class Due:
    """What the ticker looks for: a due moment that comes near."""

    def __init__(self, upcoming: MemoryUpcoming, clock: Clock) -> None:
        self._upcoming = upcoming
        self._clock = clock

    async def ahead_s(self) -> float:
        """Return how far away the next thing is, infinity where only a change brings one."""
        return await self._upcoming.ahead_s(self._clock.now(), LOOK_AHEAD)

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait for something that may bring it nearer."""
        await self._upcoming.wait_for_change(timeout_s)


class Orphans:
    """What the rescuer looks for: the open runs of an instance that does not live."""

    def __init__(self, upcoming: MemoryUpcoming, beats: Beats) -> None:
        self._upcoming = upcoming
        self._beats = beats

    async def ahead_s(self) -> float:
        """Return how far away the next thing is, infinity where only a change brings one."""
        orphans = (run for run in await self._upcoming.open_runs() if not self._beats.is_alive(run.instance))
        return math.inf if next(orphans, None) is None else 0.0

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait for something that may bring it nearer."""
        _ = timeout_s
        await self._beats.wait_for_death()


class Wrong:
    """What the watch over schedules looks for: facts, where any schedule is watched, and the time of its next look."""

    def __init__(self, alarms: Alarms, watched: MemoryWatched, log: SparseLog, clock: Clock) -> None:
        self._alarms = alarms
        self._watched = watched
        self._log = log
        self._clock = clock
        self._known = 0

    async def ahead_s(self) -> float:
        """Return how far away the next thing is, infinity where only a change brings one."""
        self._known = self._log.known_head.position
        if not await self._watched.watched():
            return math.inf
        if self._alarms.position < self._known:
            return 0.0
        look_at = self._alarms.next_look()
        return math.inf if look_at is None else max(0.0, (look_at - self._clock.now()).total_seconds())

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait for something that may bring it nearer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._log.wait_beyond(self._known, math.inf)


class Untold:
    """What the reporter looks for: a fact of a group or a job that people may be told of."""

    def __init__(self, reporter: Reporter, log: SparseLog) -> None:
        self._reporter = reporter
        self._log = log
        self._looked = 0
        self._wanted = 0

    async def ahead_s(self) -> float:
        """Return how far away the next thing is, infinity where only a change brings one."""
        head = self._log.known_head.position
        if found := await self._log.read(self._looked, 1, matching=FOLLOWED):
            self._wanted = found[0].position
        self._looked = self._wanted if found else head
        return 0.0 if self._reporter.position < self._wanted else math.inf

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait for something that may bring it nearer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._log.wait_beyond(self._looked, math.inf)
