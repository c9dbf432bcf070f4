"""
Runs whose instance is gone go on here.

An instance that left in order has no row, so its runs are taken over at once; one that was killed has a beat that
stands still, which takes ten seconds to see. Who takes over which run first is spread over those that live, the others
try a second later, and one that has no place for another run a second after these. Two may try at once: the term
decides, the second does nothing.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import structlog

from eventjobs.clock import Clock
from eventjobs.commands import take_over_run
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.take_over_run import TakeOverRun
from eventjobs.errors import LogFault
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.projections.upcoming import OpenRun
from eventjobs.runner.heirs import Alone
from eventjobs.runner.leases import GONE_S, Watch
from eventjobs.runner.places import Places
from eventjobs.runner.ports import Beats, Lease, OpenRuns, Peers, Surroundings
from eventjobs.telemetry.metrics import Metrics

LOOK_S: Final = 0.5
OTHERS_S: Final = 1.0
"""How much later those try that should not go first, and after them those that have no place."""
AT_ONCE: Final = 32
"""How many runs are taken over at the same time."""

_log: Final = structlog.get_logger("eventjobs.rescuer")


class Rescuer:
    """Watches beats and open runs, and takes over what is nobody's."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        surroundings: Surroundings,
        clock: Clock,
        lease: Lease,
        beats: Beats,
        runs: OpenRuns,
        instance: str,
        *,
        watch: Watch | None = None,
        peers: Peers | None = None,
        metrics: Metrics | None = None,
        places: Places | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._surroundings = surroundings
        self._clock = clock
        self._lease = lease
        self._beats = beats
        self._runs = runs
        self._instance = instance
        self._watch = watch or Watch()
        self._peers = peers or Alone()
        self._metrics = metrics or Metrics()
        self._places = places or Places()
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._left_at: dict[str, float] = {}
        self._draining = False

    def drain(self) -> None:
        """Take nothing over any more; go on watching, for who takes this instance's runs is chosen by it."""
        self._draining = True

    async def watch_for_ever(self) -> None:
        """Look twice a second."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Read the beats, and take over the open runs of those that are gone."""
        try:
            # Runs first: whoever opened one of them had joined before, so if its beat is missing then, it left.
            runs = await self._runs.open_runs()
            self._watch.observe(await self._beats.read(), self._clock.monotonic(), own=self._instance)
        except (LogFault, *DATABASE_FAULTS) as fault:
            _log.warning("watch_failed", fault=type(fault).__name__)
            self._watch.fail()
            return
        if self._lease.trusted() and not self._draining:
            await asyncio.gather(*(self._take_over(run) for run in runs if self._is_ours_to_take(run)))
            await self._forget(runs)

    def _is_ours_to_take(self, run: OpenRun) -> bool:
        now = self._clock.monotonic()
        if run.instance == self._instance or not self._watch.gone(run.instance, now):
            return False
        gone_for_s = self._gone_for_s(run.instance, now)
        if self._places.full and self._peers.others():
            return gone_for_s >= 2 * OTHERS_S
        return gone_for_s >= OTHERS_S or self._peers.goes_first(run.workspace, run.run)

    def _gone_for_s(self, instance: str, now: float) -> float:
        """Return for how long it has been known that an instance is gone."""
        still = self._watch.still_s(instance, now)
        if still is not None:
            return still - GONE_S
        return now - self._left_at.setdefault(instance, now)

    async def _forget(self, runs: Sequence[OpenRun]) -> None:
        """Remove rows of instances that were killed long ago and have nothing left to take over."""
        needed = {run.instance for run in runs}
        self._left_at = {instance: at for instance, at in self._left_at.items() if instance in needed}
        for instance in self._watch.forgettable(self._clock.monotonic()):
            if instance not in needed and instance != self._instance:
                try:
                    await self._peers.forget(instance)
                except DATABASE_FAULTS as fault:
                    _log.info("not_forgotten", instance=instance, fault=type(fault).__name__)

    async def _take_over(self, run: OpenRun) -> None:
        command = TakeOverRun(run=run.run, seen_term=run.term, cause="its instance is gone")
        still = self._watch.still_s(run.instance, self._clock.monotonic())
        try:
            async with self._at_once:
                context = self._surroundings.context(run.workspace)
                outcome = await self._dispatcher.dispatch(take_over_run.SPEC, command, context)
        except LogFault as fault:
            _log.warning("take_over_failed", run=run.run, fault=type(fault).__name__)
        except Exception:  # noqa: BLE001 one broken run must not keep the others from being taken over
            _log.exception("take_over_broke", run=run.run)
        else:
            if outcome.decided and still is not None:
                self._metrics.take_over_s.observe(still)
