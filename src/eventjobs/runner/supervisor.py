"""
Which runs are worked on here.

The supervisor follows the log: a run opened or taken over by this instance gets a worker, and what others record about
a run wakes its worker. On a drain the workers begin nothing new, end what runs within the grace, and hand over what is
left, at once where nothing of a run is under way. When the lease runs out, what runs is cut off before others may take
it over. When the clock steps, every worker reckons its waits anew, for it waits in monotonic time.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog

from eventjobs.domain.occurrence import moment_of
from eventjobs.errors import ForkedHistory, LogFault, UnknownEvent
from eventjobs.events.flow import FlowClaimed
from eventjobs.events.recorded import Recorded
from eventjobs.events.run import RunTakenOver
from eventjobs.events.service import ServiceClaimed
from eventjobs.log.port import EventLog
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.runner.answered import Answered
from eventjobs.runner.tally import Tally, opened_elsewhere
from eventjobs.runner.worker import Station, Worker

BATCH: Final = 1_000
POLL_S: Final = 1.0
CLEAN_UP_S: Final = 2.0
"""How long the handlers that a drain interrupts may clean up, if nothing else is said."""
LAST_WORDS_S: Final = 1.0
"""How long interrupted runs may then try to say so; who takes over finds out anyway."""
STEP_S: Final = 1.0
"""By how many seconds *now* and monotonic time may drift apart before the waits of the workers are reckoned anew."""
WITHDRAW_S: Final = 0.5
"""How long a drain waits at most until the others know that this instance takes no more work."""
LOOK_S: Final = 0.02
"""How often a drain looks whether all is done."""
RESTART_S: Final = 5.0
"""How long a worker that broke waits before it is tried again."""

_log: Final = structlog.get_logger("eventjobs.supervisor")
Address = tuple[str, str]


class Supervisor:
    """Keeps one worker for each open run of this instance."""

    def __init__(self, log: EventLog, station: Station, instance: str, *, answered: Answered | None = None) -> None:
        self._log = log
        self._station = station
        self._instance = instance
        self._tally = Tally(station.metrics, instance)
        self._answered = answered or Answered(station.clock, station.calm.answered)
        self._workers: dict[Address, Worker] = {}
        self._draining = False
        self._is_trusted = False
        self._reckoned_by_s: float | None = None
        self._position = 0

    @property
    def open_runs(self) -> int:
        """How many runs are worked on here."""
        return len(self._workers)

    async def follow(self, position: int) -> None:
        """
        Follow the log from after `position`, until it turns out to be another one.

        A fault of the log delays it and nothing else. Called again, it goes on where it stood.
        """
        self._position = max(self._position, position)
        while True:
            try:
                head = await self._log.wait_beyond(self._position, POLL_S)
                self._mind_the_lease()
                self._mind_the_clock()
                while self._position < head and (facts := await self._log.read(self._position, BATCH)):
                    for fact in facts:
                        self._on_fact(fact)
                        self._position = fact.position
            except ForkedHistory:
                return  # the log said so, and this instance is not ready any more
            except LogFault as fault:
                _log.warning("follow_failed", fault=type(fault).__name__)
                await self._station.clock.sleep(POLL_S)

    def take_up(self, fact: Recorded[Any], term: int) -> None:
        """Work on the run that became this instance's in `term` by a fact; during a drain that is to hand it over."""
        workspace, run = fact.workspace, fact.stream.id
        known = self._workers.get((workspace, run))
        if known is not None and known.term >= term:
            return
        worker = Worker(self._station, workspace, run, term, fact.correlation, fact.command_id)
        if self._draining:
            worker.drain()
        self._workers[workspace, run] = worker
        self._station.metrics.runs_open.set(len(self._workers))
        _ = self._station.tasks.start(self._work(worker), name=f"run {run}")

    async def drain(
        self, grace_s: float, clean_up_s: float = CLEAN_UP_S, *, answering: Callable[[], bool] = lambda: False
    ) -> None:
        """
        Begin nothing new and hand over what does not run; after `grace_s` seconds interrupt what does.

        Interrupted handlers are waited for `clean_up_s` seconds more. While `answering` says so an answer is under way
        that may open another run here, which may begin with its opening.
        """
        await self._withdraw()
        self._draining = True
        for worker in self._workers.values():
            worker.drain()
        try:
            async with asyncio.timeout(grace_s):
                while answering():
                    await self._station.clock.sleep(LOOK_S)
                opened = self._log.known_head.position
                while self._position < opened:
                    await self._station.clock.sleep(LOOK_S)
                await self._all_done()
        except TimeoutError:
            for worker in list(self._workers.values()):
                worker.interrupt(clean_up_s)
            await self._last_words(clean_up_s)

    async def _withdraw(self) -> None:
        try:
            async with asyncio.timeout(WITHDRAW_S):
                await self._station.peers.withdraw()
        except (LogFault, *DATABASE_FAULTS) as fault:
            _log.warning("not_withdrawn", fault=type(fault).__name__)

    async def _last_words(self, clean_up_s: float) -> None:
        try:
            async with asyncio.timeout(clean_up_s + LAST_WORDS_S):
                await self._all_done()
        except TimeoutError:
            _log.error("runs_left_behind", runs=[run for _, run in self._workers])

    async def _all_done(self) -> None:
        while self._workers:
            await self._station.clock.sleep(LOOK_S)

    def _mind_the_lease(self) -> None:
        """Cut off what runs when the lease has run out: in three seconds others may take it over."""
        was_trusted, self._is_trusted = self._is_trusted, self._station.lease.trusted()
        if was_trusted and not self._is_trusted:
            self._station.metrics.leases_lost.inc()
            _log.warning("lease_lost", open_runs=len(self._workers))
            for worker in self._workers.values():
                worker.cut_off()

    def _mind_the_clock(self) -> None:
        clock = self._station.clock
        apart_s = clock.now().timestamp() - clock.monotonic()
        if self._reckoned_by_s is not None and abs(apart_s - self._reckoned_by_s) <= STEP_S:
            return
        self._reckoned_by_s = apart_s
        for worker in self._workers.values():
            worker.wake()

    def _on_fact(self, fact: Recorded[Any]) -> None:
        try:
            self._consider(fact)
            self._tally.take(fact)
        except UnknownEvent as unknown:  # a newer version's run is for the instances of that version
            _log.error("fact_not_understood", position=fact.position, detail=str(unknown))
        except Exception:  # noqa: BLE001 one broken fact must not keep this instance from those after it
            _log.exception("fact_not_followed", position=fact.position)

    def _consider(self, fact: Recorded[Any]) -> None:
        match fact.type:
            case "run.opened":
                moment = moment_of(fact.stream.id)
                if moment is not None:
                    self._answered.note(fact.workspace, *moment)
                if not opened_elsewhere(fact, self._instance) and fact.event.instance == self._instance:
                    self.take_up(fact, fact.event.term)
            case "run.taken_over":
                event: RunTakenOver = fact.event
                if event.instance == self._instance:
                    self.take_up(fact, event.term)
                else:
                    self._wake(fact, fact.stream.id)
            case "run.stop_requested" | "job_run.ended" | "job_run.waiting" | "job_run.answered":
                self._wake(fact, fact.stream.id)
            case "service.claimed" | "flow.claimed":
                claimed: ServiceClaimed | FlowClaimed = fact.event
                self._wake(fact, claimed.turn.run)
            case _:
                pass

    def _wake(self, fact: Recorded[Any], run: str) -> None:
        worker = self._workers.get((fact.workspace, run))
        if worker is not None and not worker.said(fact.command_id):
            worker.wake()

    async def _work(self, worker: Worker) -> None:
        address = (worker.workspace, worker.run)
        try:
            while not await self._worked(worker):
                await self._station.clock.sleep(RESTART_S)
        finally:
            if self._workers.get(address) is worker:
                del self._workers[address]
            self._station.metrics.runs_open.set(len(self._workers))

    async def _worked(self, worker: Worker) -> bool:
        try:
            await worker.work()
        except Exception:  # noqa: BLE001 one broken run must not end the others
            _log.exception("worker_broke", run=worker.run)
            return self._draining
        return True
