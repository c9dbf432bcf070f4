"""
Runs whose instance is gone go on here.

An instance that left in order has no row, so its runs are taken over at once; one that was killed has a beat that
stands still, which takes ten seconds to see. Two rescuers may try: the term decides, the second does nothing.
"""

from typing import Final

import structlog

from eventjobs.clock import Clock
from eventjobs.commands import take_over_run
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.take_over_run import TakeOverRun
from eventjobs.errors import LogFault
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.projections.upcoming import OpenRun
from eventjobs.runner.leases import Watch
from eventjobs.runner.ports import Beats, Lease, OpenRuns, Surroundings

LOOK_S: Final = 1.0

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
    ) -> None:
        self._dispatcher = dispatcher
        self._surroundings = surroundings
        self._clock = clock
        self._lease = lease
        self._beats = beats
        self._runs = runs
        self._instance = instance
        self._watch = Watch()

    async def watch_for_ever(self) -> None:
        """Look every second."""
        while True:
            await self.look()
            await self._clock.sleep(LOOK_S)

    async def look(self) -> None:
        """Read the beats, and take over the open runs of those that are gone."""
        try:
            # Runs first: whoever opened one of them had joined before, so if its beat is missing then, it left.
            runs = await self._runs.open_runs()
            self._watch.observe(await self._beats.read(), self._clock.monotonic())
        except (LogFault, *DATABASE_FAULTS) as fault:
            _log.warning("watch_failed", fault=type(fault).__name__)
            self._watch.fail()
            return
        if self._lease.trusted():
            for run in runs:
                if run.instance != self._instance and self._watch.gone(run.instance, self._clock.monotonic()):
                    await self._take_over(run)

    async def _take_over(self, run: OpenRun) -> None:
        command = TakeOverRun(run=run.run, seen_term=run.term, cause="its instance is gone")
        try:
            await self._dispatcher.dispatch(take_over_run.SPEC, command, self._surroundings.context(run.workspace))
        except LogFault as fault:
            _log.warning("take_over_failed", run=run.run, fault=type(fault).__name__)
        except Exception:  # noqa: BLE001 one broken run must not keep the others from being taken over
            _log.exception("take_over_broke", run=run.run)
