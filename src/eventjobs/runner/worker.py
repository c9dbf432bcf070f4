"""
One open run, worked on by this instance in one term.

The worker says what happened with one command, `AdvanceRun`, and does what the run's recorded state then shows: start
the attempts that began, stop those that must end. It holds nothing that the log does not know, except results on their
way there; a second report of one has no effect.
"""

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog

from eventjobs.clock import Clock
from eventjobs.commands import advance_run, hand_over_run
from eventjobs.commands.advance_run import AdvanceRun, Progress
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.ending import AttemptResult
from eventjobs.commands.hand_over_run import HandOverRun
from eventjobs.domain.plan import in_turn, to_cancel
from eventjobs.domain.run import Run, State
from eventjobs.domain.streams import run_stream
from eventjobs.errors import Invalid, LogFault, OutcomeUnknown, Rejected
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.runner.attempt import Attempt, unrecordable
from eventjobs.runner.calm import Calm
from eventjobs.runner.heirs import Alone
from eventjobs.runner.places import Places
from eventjobs.runner.ports import Lease, Peers, ProgressHub, Surroundings
from eventjobs.runner.reports import Reports
from eventjobs.runner.stages import run_together
from eventjobs.runner.workshop import Shown, Workshop
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.tasks import Tasks

FAULT_WAIT_S: Final = (0.1, 0.3, 1.0, 2.0)
"""Waits between tries while the log cannot be written."""
LINES_WAIT_S: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Waits between tries to write the log lines of an attempt that is over."""
DOUBT_S: Final = 10.0
"""How long words whose outcome nobody knows may still come to be in the log: twice what a statement may take."""
DOUBT_LOOK_S: Final = 1.0
"""How often a run is looked at meanwhile: what began so late is this worker's to do, and nobody tells it."""

_log: Final = structlog.get_logger("eventjobs.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """
    What all workers of a process share.

    `grace_s` bounds how long a stopped handler may clean up; `peers` go on with what a drain leaves undone; `places`
    bound how many runs have handlers at work; `calm` keeps what ended back while much is due.
    """

    dispatcher: Dispatcher
    surroundings: Surroundings
    clock: Clock
    workshop: Workshop
    hub: ProgressHub
    lease: Lease
    tasks: Tasks
    metrics: Metrics
    grace_s: float = 30.0
    peers: Peers = field(default_factory=Alone)
    places: Places = field(default_factory=Places)
    calm: Calm = field(default_factory=Calm)


@dataclass(slots=True)
class _Busy:
    """An attempt that runs here; after `give_up_at` (monotonic) it is not waited for any more."""

    attempt: Attempt
    give_up_at: float = math.inf


@dataclass(slots=True, eq=False)
class Worker:
    """
    Works on `run` of `workspace` until it ended, was taken over, or the instance drains.

    `given_by` is the command that gave the run to this instance, `correlation` what that was part of.
    """

    station: Station
    workspace: str
    run: str
    term: int
    correlation: str | None = None
    given_by: str | None = None
    _busy: dict[int, _Busy] = field(default_factory=dict)
    _landed: list[AttemptResult] = field(default_factory=list)
    _reports: Reports = field(default_factory=Reports)
    _said: deque[str] = field(default_factory=lambda: deque(maxlen=8))
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _called: asyncio.Event = field(default_factory=asyncio.Event)
    _draining: bool = False
    _singly: bool = False
    _looked_at: datetime | None = None
    _is_new: bool = True
    _held_back: bool = False
    _doubtful_until: float = -math.inf
    _has_place: bool = False
    _over: bool = False
    _alarm: asyncio.Timeout | None = None

    def wake(self) -> None:
        """Look again, and at once: something was recorded that concerns this run."""
        self._woken.set()
        self._called.set()

    def said(self, command_id: str) -> bool:
        """Tell whether a fact comes from this worker's own words, or from those that gave it the run."""
        return command_id == self.given_by or command_id in self._said

    def drain(self) -> None:
        """Begin nothing new; when nothing runs any more, hand the run over."""
        self._draining = True
        self.wake()

    def interrupt(self, clean_up_s: float) -> None:
        """End what runs, as interrupted, whether or not its handlers have ended after `clean_up_s` seconds."""
        self._draining = True
        self._cancel(self._busy, "interrupted", clean_up_s)
        self.wake()

    def cut_off(self) -> None:
        """End what runs: the lease is not trusted any more, and another instance may begin it anew."""
        self._cancel(self._busy, "cut_off", self.station.grace_s)

    async def work(self) -> None:
        """Work until there is nothing left to do here; the place goes with the last handler."""
        self._over = False
        try:
            await self._work()
        finally:
            self._over = True
            if not self._busy:
                self.station.places.leave(self)

    async def _work(self) -> None:
        if self._woken.is_set():  # something else was recorded since the opening: what is in memory may be older
            self._is_new = False
        self._woken.set()
        while True:
            self._woken.clear()
            if self._may_wait():
                await self.station.calm.wait(self._called)
            self._called.clear()
            run = self._begun()
            if run is None or await self._has_moved(run):
                run = await self._advance()
            if run is None or not run.open:
                break
            self._follow(run)
            self._give_place_back()
            if self._draining and not self._busy and not self._landed:
                await self._hand_over()
                return
            await self._wait(run)
        self._cancel(self._busy, "interrupted", self.station.grace_s)

    def _may_wait(self) -> bool:
        """Whether there are words that starts come before; who asked for a stop or a drain waits for nothing."""
        is_stopped = any(result.state == State.ABORTED for result in self._landed)
        return bool(self._landed) and not self._draining and not is_stopped

    def _begun(self) -> Run | None:
        """Return the run as it was opened, if all that may begin began with it: there is nothing to say yet."""
        is_new, self._is_new = self._is_new, False
        opened = self.station.dispatcher.states.in_memory(run_stream(self.workspace, self.run)) if is_new else None
        if opened is None or not opened.state.open or opened.state.term != self.term:
            return None
        run: Run = opened.state
        first = list(in_turn(run))
        has_begun = all(row.state is State.RUNNING and row.term == self.term for row in first)
        return run if first and has_begun and run.stop is None else None

    async def _has_moved(self, run: Run) -> bool:
        """Let the answers to what was due with it come before its jobs; tell whether the run is another one by then."""
        await self.station.calm.wait_to_begin(run.due, self._called)
        self._called.clear()
        return self._woken.is_set()

    def _give_place_back(self) -> None:
        """Give back the place that it spoke with and has no use for: it waits for a retry, or for a busy job."""
        if self._has_place and not self._busy and not self._landed and not self._is_in_doubt():
            self._has_place = False
            self.station.places.leave(self)

    async def _hand_over(self) -> None:
        """Give the run to an instance that lives; without one, and while the log is away, it is left to be found."""
        try:
            heir = await self.station.peers.heir(self.run)
            if heir is None:
                return
            context = self.station.surroundings.context(self.workspace, correlation=self.correlation)
            command = HandOverRun(run=self.run, term=self.term, to=heir)
            await self.station.dispatcher.dispatch(hand_over_run.SPEC, command, context)
        except (Rejected, LogFault, *DATABASE_FAULTS) as fault:
            _log.warning("not_handed_over", run=self.run, fault=type(fault).__name__)
        else:
            _log.info("handed_over", run=self.run, to=heir)

    async def _advance(self) -> Run | None:
        """Say what happened; returns the run as recorded, `None` when another instance has it."""
        for tries in range(1_000_000):
            ended, progress = self._words()
            try:
                await self._say(ended, progress)
            except Invalid as refusal:
                self._doubt(ended, progress, refusal)
                continue
            except Rejected as refusal:
                if refusal.code == "superseded":
                    self.station.metrics.superseded.inc()
                _log.warning("run_given_up", run=self.run, code=refusal.code)
                return None
            except LogFault as fault:
                if isinstance(fault, OutcomeUnknown):
                    self._doubtful_until = self.station.clock.monotonic() + DOUBT_S
                _log.warning("log_fault", run=self.run, fault=type(fault).__name__)
                await self.station.clock.sleep(FAULT_WAIT_S[min(tries, len(FAULT_WAIT_S) - 1)])
                continue
            del self._landed[: len(ended)]
            self._reports.saved(progress, self.station.clock.monotonic())
            if not self._landed:
                self._singly = False
                break
        stream = run_stream(self.workspace, self.run)
        run: Run = (await self.station.dispatcher.states.load([stream]))[stream].state
        return run if run.term == self.term else None

    def _words(self) -> tuple[tuple[AttemptResult, ...], tuple[Progress, ...]]:
        """What there is to say; while something in it is in doubt, one result at a time."""
        if self._singly:
            return tuple(self._landed[:1]), ()
        landed = {result.row for result in self._landed}
        return tuple(self._landed), tuple(self._reports.to_save(self.station.clock.monotonic(), landed))

    def _doubt(self, ended: tuple[AttemptResult, ...], progress: tuple[Progress, ...], refusal: Invalid) -> None:
        """Something in these words cannot be a fact. That a handler ended can, and the run must go on."""
        _log.error("not_recordable", run=self.run, code=refusal.code, detail=refusal.detail)
        self._reports.drop()
        if len(ended) == 1 and not progress:
            self._landed[0] = unrecordable(ended[0], refusal.detail)
        self._singly = True

    async def _say(self, ended: tuple[AttemptResult, ...], progress: tuple[Progress, ...]) -> None:
        context = self.station.surroundings.context(self.workspace, correlation=self.correlation)
        self._said.append(context.command_id)
        self._looked_at = context.now
        self._held_back = not self.station.lease.trusted()
        start = not self._draining and not self._held_back
        places = self.station.places
        self._has_place = places.take(self) if start else places.holds(self)
        command = AdvanceRun.model_construct(
            run=self.run,
            term=self.term,
            ended=ended,
            progress=progress,
            start=start,
            full_at=places.limit if start and not self._has_place else None,
        )
        said = await self.station.dispatcher.dispatch(advance_run.SPEC, command, context)
        if said.decided:  # the log has moved on, and what was in doubt is in it or void
            self._doubtful_until = -math.inf

    def _is_in_doubt(self) -> bool:
        """Whether earlier words, which may begin something, may still come to be in the log."""
        return self.station.clock.monotonic() < self._doubtful_until

    def _follow(self, run: Run) -> None:
        """Start what began, stop what must end."""
        started = [
            self._attempt(run, row.row)
            for row in run.rows.values()
            if row.state is State.RUNNING and row.row not in self._busy and not self._has_landed(row.row)
        ]
        if started:
            self._busy.update({attempt.row: _Busy(attempt, self._end_of(attempt)) for attempt in started})
            self._measure_lateness(run, started)
            if not self.station.lease.trusted():  # lost while their beginning was recorded: no handler is called
                self.cut_off()
            _ = self.station.tasks.start(
                run_together(started, self.station.tasks, self._on_landed), name=f"stage of {self.run}"
            )
        stopping = {row.row: self._busy[row.row] for row in to_cancel(run) if row.row in self._busy}
        self._cancel(stopping, "stopped", self.station.grace_s)

    def _measure_lateness(self, run: Run, started: Sequence[Attempt]) -> None:
        """Measure from due to the first job; a run's first jobs begin together, in whatever term."""
        is_first = all(row.attempt <= 1 and not row.ended for row in run.rows.values())
        if is_first and run.due is not None and len(started) == sum(row.attempt for row in run.rows.values()):
            late = (self.station.clock.now() - run.due).total_seconds()
            self.station.metrics.start_lateness_s.labels(run.cause).observe(max(0.0, late))

    def _end_of(self, attempt: Attempt) -> float:
        """When an attempt is over, also if its handler ignores its timeout."""
        if attempt.timeout_s is None:
            return math.inf
        return self.station.clock.monotonic() + attempt.timeout_s + self.station.grace_s

    def _has_landed(self, row: int) -> bool:
        return any(result.row == row for result in self._landed)

    def _attempt(self, run: Run, number: int) -> Attempt:
        row = run.rows[number]
        outputs = {
            other.row: other.output for other in run.rows.values() if other.ended and other.job.seq < row.job.seq
        }
        return self.station.workshop.attempt(
            self.workspace,
            self.run,
            self.term,
            row,
            outputs,
            lambda shown: self._on_progress(number, shown),
            run.moment,
        )

    def _cancel(self, busy: dict[int, _Busy], why: str, clean_up_s: float) -> None:
        for one in busy.values():
            one.give_up_at = min(one.give_up_at, self.station.clock.monotonic() + clean_up_s)
            one.attempt.stop(why)

    def _on_landed(self, attempt: Attempt, result: AttemptResult) -> None:
        if self._busy.get(attempt.row) is None or self._busy[attempt.row].attempt is not attempt:
            return  # given up before: what it still says comes too late
        self._land(attempt, result)
        self._woken.set()

    def _land(self, attempt: Attempt, result: AttemptResult) -> None:
        del self._busy[attempt.row]
        self._landed.append(result)
        if self._over and not self._busy:
            self.station.places.leave(self)
        if not attempt.lines.is_written:
            _ = self.station.tasks.start(self._write_lines(attempt), name=f"lines of {self.run}")

    async def _write_lines(self, attempt: Attempt) -> None:
        """Write what is left of an attempt's lines, as soon as that can be done."""
        for wait_s in LINES_WAIT_S:
            try:
                await attempt.lines.flush()
            except Exception as error:  # noqa: BLE001 the run does not depend on them
                _log.warning("log_lines_wait", run=self.run, row=attempt.row, error=type(error).__name__)
                await self.station.clock.sleep(wait_s)
            else:
                return
        _log.error("log_lines_lost", run=self.run, row=attempt.row, attempt=attempt.number)

    def _on_progress(self, row: int, shown: Shown) -> None:
        busy = self._busy.get(row)
        if busy is None or busy.attempt.number != shown.attempt:
            return  # an attempt that was given up still talks
        if self._reports.take(row, shown, self.station.clock.monotonic()):
            self.station.hub.publish(self.workspace, shown.frame(self.run, row))
        self._set_alarm(min(self._reports.next_save()))

    async def _wait(self, run: Run) -> None:
        """Wait for a result, a wake-up, or the next moment at which something is due."""
        moment = self._next_moment(run)
        try:
            async with asyncio.timeout(None if moment is None else max(0.0, moment)) as self._alarm:
                await self._woken.wait()
        except TimeoutError:
            self._give_up_on_stuck()
        finally:
            self._alarm = None

    def _set_alarm(self, moment: float) -> None:
        """Wait for `moment` (monotonic) at most, where the worker waits for later ones."""
        alarm = self._alarm
        if alarm is None or alarm.expired():
            return
        when = asyncio.get_running_loop().time() + max(0.0, moment - self.station.clock.monotonic())
        present = alarm.when()
        if present is None or when < present:
            alarm.reschedule(when)

    def _give_up_on_stuck(self) -> None:
        now = self.station.clock.monotonic()
        for busy in [one for one in self._busy.values() if one.give_up_at <= now]:
            _log.error("handler_ignores_its_end", run=self.run, row=busy.attempt.row)
            self._land(busy.attempt, busy.attempt.abandoned())

    def _next_moment(self, run: Run) -> float | None:
        """Seconds until something is due by itself: a retry, the end of a wait, progress to save, a grace."""
        now, monotonic = self.station.clock.now(), self.station.clock.monotonic()
        moments: list[float] = []
        if self._held_back or not self.station.lease.trusted():
            moments.append(1.0)  # also where the lease came back while the words without a start were written
        elif not self._draining:
            waiting = [row.retry_at or row.deadline for row in run.rows.values() if not row.ended]
            moments += [_seconds(now, until) for until in waiting if until is not None and self._is_ahead(until)]
        if self._is_in_doubt():
            moments.append(DOUBT_LOOK_S)
        moments += [until - monotonic for until in self._reports.next_save()]
        moments += [busy.give_up_at - monotonic for busy in self._busy.values() if busy.give_up_at < math.inf]
        return min(moments, default=None)

    def _is_ahead(self, moment: datetime) -> bool:
        """Whether a moment came only after the run was looked at; an earlier one has had its effect."""
        return self._looked_at is None or moment > self._looked_at


def _seconds(now: datetime, until: datetime) -> float:
    return (until - now).total_seconds()
