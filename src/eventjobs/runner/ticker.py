"""
What is due, answered in time.

Timers in memory are a hint, the view is the truth: every second the next two seconds' due moments are read, and each is
answered at its instant by `AnswerDue`. Any instance may; a second answer decides nothing or loses the race. Those that
live take turns, each two seconds after the one before it, in case that this one does not; one that has no place for
another run lets two turns pass, for whoever answers works on the run.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import structlog

from eventjobs.clock import Clock
from eventjobs.commands import answer_due
from eventjobs.commands.answer_due import AnswerDue
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.domain.owner import Owner
from eventjobs.domain.streams import job_stream, owner_stream, starts_stream, workspace_stream
from eventjobs.errors import LogFault
from eventjobs.events.run import Ref
from eventjobs.ids import EVERYWHERE
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.projections.upcoming import DueTimer
from eventjobs.runner.answered import Answered
from eventjobs.runner.calm import Calm
from eventjobs.runner.heirs import Alone
from eventjobs.runner.places import Places
from eventjobs.runner.ports import Lease, Peers, Surroundings, Timers
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.tasks import Tasks

LOOK_AHEAD: Final = timedelta(seconds=2)
POLL_S: Final = 1.0
OTHERS: Final = timedelta(seconds=2)
"""How much later than the one before it an instance answers."""
NO_PLACE: Final = 2
"""How many turns one lets pass at least that has no place for another run."""
LIMIT: Final = 5_000
AT_ONCE: Final = 1_000
"""
How many answers are under way at the same time.

So many that what is due in one second is answered before the first of its runs has ended: runs that begin late because
others end is what nobody wants.
"""
HELP: Final = 10
"""
How many moments one may be answering and still take another that is first for somebody else.

Those before it live. In a storm they are as busy as this one, and what two answer only one needs to.
"""
PATIENCE: Final = timedelta(seconds=10)
"""How much later than its turn one takes any number of them: those before it live, and do not answer."""
LATELY: Final = timedelta(seconds=30)
"""A moment that waits for longer is none of a storm's."""
WARMED: Final = 250
"""How many owners that will be due are read at a time."""
PARKED: Final = timedelta(seconds=60)
"""How long an owner whose answer broke is left alone; the clock of the others goes on."""

_log: Final = structlog.get_logger("eventjobs.ticker")


class Ticker:
    """Answers what is due, while the instance's lease is trusted."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        timers: Timers,
        surroundings: Surroundings,
        clock: Clock,
        lease: Lease,
        tasks: Tasks,
        metrics: Metrics,
        *,
        peers: Peers | None = None,
        places: Places | None = None,
        answered: Answered | None = None,
        calm: Calm | None = None,
    ) -> None:
        self._dispatcher = dispatcher
        self._timers = timers
        self._surroundings = surroundings
        self._clock = clock
        self._lease = lease
        self._tasks = tasks
        self._metrics = metrics
        self._peers = peers or Alone()
        self._places = places or Places()
        self._calm = calm or Calm()
        self._answered = answered or Answered(clock, self._calm.answered)
        self._draining = False
        self._answering = 0
        self._under_way: set[tuple[str, str, str]] = set()
        self._at_once = asyncio.Semaphore(AT_ONCE)

    def drain(self) -> None:
        """Answer nothing any more; the others do."""
        self._draining = True
        self._calm.end()

    @property
    def answering(self) -> bool:
        """Whether an answer to what was due is under way: what it opens may begin with it."""
        return self._answering > 0

    async def tick_for_ever(self) -> None:
        """Look, answer, wait; a fault of the log costs a look and nothing else."""
        while True:
            try:
                await self.tick()
            except (LogFault, *DATABASE_FAULTS) as fault:
                self._calm.end()
                _log.warning("tick_failed", fault=type(fault).__name__)
            await self._clock.sleep(POLL_S)

    async def tick(self) -> None:
        """Start an answer for everything that is due within the look-ahead."""
        if self._draining or not self._lease.trusted():
            self._calm.end()
            return
        now = self._clock.now()
        begun: list[DueTimer] = []
        timers = await self._timers.due(now + LOOK_AHEAD, LIMIT)
        unanswered = [timer for timer in timers if not self._answered.knows(*_whose(timer), timer.due_at)]
        if self._draining:
            return
        lately = [(*_whose(timer), timer.due_at) for timer in unanswered if timer.due_at > now - LATELY]
        self._calm.note(lately, self._clock.monotonic())
        busy = self._answering
        for timer in unanswered:
            address = _whose(timer)
            if address not in self._under_way and self._is_ours(timer, now, busy):
                busy += timer.due_at <= now
                self._under_way.add(address)
                _ = self._tasks.start(self._answer(timer), name=f"due {timer.owner}")
                begun.append(timer)
        if begun:
            _ = self._tasks.start(self._warm_all(begun), name="what is due, ahead")

    async def _warm_all(self, timers: Sequence[DueTimer]) -> None:
        for first in range(0, len(timers), WARMED):
            try:
                await self._warm(timers[first : first + WARMED])
            except Exception as fault:  # noqa: BLE001 each answer reads for itself what is missing, and says what breaks
                _log.info("not_read_ahead", fault=type(fault).__name__)

    async def _warm(self, timers: Sequence[DueTimer]) -> None:
        """Read before they are due the owners, the jobs in their tables, and what all starts depend on."""
        states = self._dispatcher.states
        owners = {owner_stream(timer.workspace, Ref(kind=timer.kind, id=timer.owner)) for timer in timers}
        found = await states.load(owners)
        tables = {one: loaded.state.jobs for one, loaded in found.items() if isinstance(loaded.state, Owner)}
        needed = {job_stream(stream.workspace, row.job) for stream, rows in tables.items() for row in rows}
        for workspace in {timer.workspace for timer in timers}:
            needed |= {workspace_stream(workspace), workspace_stream(EVERYWHERE), starts_stream(workspace)}
        await states.load(needed)

    def _is_ours(self, timer: DueTimer, now: datetime, busy: int) -> bool:
        """Tell whether it is this one's turn; `busy` is how many moments it is answering, or has just taken."""
        first = self._peers.turn(*_whose(timer))
        turn = max(first, NO_PLACE) if self._places.full and self._peers.others() else first
        late = now - timer.due_at - turn * OTHERS
        return turn == 0 or (late >= timedelta(0) and (first == 0 or busy < HELP or late >= PATIENCE))

    async def _answer(self, timer: DueTimer) -> None:
        try:
            while (ahead := (timer.due_at - self._clock.now()).total_seconds()) > 0:
                await self._clock.sleep(min(ahead, POLL_S))  # the clock may step, and a timer fire a little early
            self._answering += 1
            try:
                async with self._at_once:
                    await self._dispatch(timer)
            finally:
                self._answering -= 1
        except LogFault as fault:
            _log.warning("answer_failed", owner=timer.owner, fault=type(fault).__name__)
        except Exception:  # noqa: BLE001 one broken owner must not stop the clock of the others
            _log.exception("owner_parked", owner=timer.owner)
            await self._clock.sleep(PARKED.total_seconds())
        finally:
            self._under_way.discard(_whose(timer))

    async def _dispatch(self, timer: DueTimer) -> None:
        if self._draining or not self._lease.trusted():
            return
        context = self._surroundings.context(timer.workspace)
        # Where places are counted, the run's worker takes one before anything begins.
        command = AnswerDue(kind=timer.kind, id=timer.owner, begin=self._places.limit is None)
        outcome = await self._dispatcher.dispatch(answer_due.SPEC, command, context)
        if outcome.decided:
            self._answered.note(*_whose(timer), timer.due_at)
            late = (self._clock.now() - timer.due_at).total_seconds()
            self._metrics.lateness_s.observe(max(0.0, late))


def _whose(timer: DueTimer) -> tuple[str, str, str]:
    """Return whose it is: a schedule, a group and a job may have the same id."""
    return timer.workspace, timer.kind, timer.owner
