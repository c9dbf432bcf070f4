"""
The watch over schedules with alerts: facts and the passing of time in, the command `CheckAlerts` out.

One of the instances that live watches. It follows the log for what happened to the schedules that are watched, and
keeps for each when it must look again. What it finds is decided by the command, on the streams and the log's clock, so
two that watch at once do no harm, and one that begins anew only needs to know from where: its mark.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol, get_args

import structlog

from eventjobs.clock import Clock
from eventjobs.commands import check_alerts
from eventjobs.commands.check_alerts import CheckAlerts, MissedFields, OpenRunFields, StartFields
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.domain.halts import Halt
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.streams import run_stream, workspace_stream
from eventjobs.errors import LogFault
from eventjobs.events.alert import AlertRaised
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.schedule import (
    Alerts,
    ScheduleAlertsEdited,
    ScheduleEvent,
    ScheduleOccurrencesMissed,
    ScheduleRestored,
    ScheduleRunClosed,
    ScheduleRunOpened,
)
from eventjobs.ids import EVERYWHERE
from eventjobs.log.port import BEYOND, EventLog, Filter
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.runner.ports import Lease, Mark, Surroundings
from eventjobs.runner.together import together
from eventjobs.telemetry.metrics import Metrics

LOOK_S: Final = 1.0
OURS_S: Final = 2.0
"""How often an instance that does not watch asks whether it is its turn."""
RETRY_S: Final = 5.0
PARKED: Final = timedelta(seconds=60)
"""How long a schedule that could not be looked at is left alone; the others go on."""
BATCH: Final = 1_000
AT_ONCE: Final = 16
CATCH_UP_S: Final = 5.0
"""How long the beginning waits for the view of what is watched."""

NEVER: Final = datetime.max.replace(tzinfo=UTC)
"""When to look where it takes a fact to make anything wrong."""
FOLLOWED: Final = Filter(types=tuple(event.TYPE for event in get_args(ScheduleEvent)))
PROGRESS: Final = (
    "run.opened",
    "attempt.started",
    "attempt.progressed",
    "attempt.ended",
    "job_run.suspended",
    "job_run.answered",
    "job_run.released",
    "job_run.ended",
)
"""What shows that a run goes on."""
WAITS_BEGIN: Final = (
    "schedule.created",
    "schedule.activated",
    "schedule.restored",
    "schedule.unpaused",
    "schedule.alerts_edited",
)
"""From when on a success is waited for, where none came since."""

MAY_BE_WATCHED: Final = (ScheduleAlertsEdited.TYPE, ScheduleRestored.TYPE)
"""From when on a schedule may have alerts."""

_log: Final = structlog.get_logger("eventjobs.alarms")


class Watched(Protocol):
    """The schedules that have alerts, from the view."""

    async def watched(self) -> Sequence[StreamId]:
        """Return their streams."""
        ...


class Following(Protocol):
    """How far the views are."""

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        """Wait until the views are at `position`; tell whether they are."""
        ...


@dataclass(slots=True)
class Sighted:
    """
    What was seen of a schedule since it was looked at last, and when to look at it again (`None`: at once).

    `waits_since` is when the last of `WAITS_BEGIN` was recorded, once that is known: a schedule's stream is long, and
    it may be its first fact.
    """

    started: list[StartFields] = field(default_factory=list)
    missed: list[MissedFields] = field(default_factory=list)
    succeeded: list[str] = field(default_factory=list)
    look_at: datetime | None = None
    waits_since: datetime | None = None

    def take(self, fact: Recorded[Any]) -> None:
        """Take a fact about the schedule."""
        self.look_at = None
        if fact.type in WAITS_BEGIN:
            self.waits_since = fact.at
        match fact.event:
            case ScheduleRunOpened(due=datetime() as due) as event:
                self.started.append(
                    StartFields(due=due, run=event.run, opened_at=fact.at, cause_detail=event.cause_detail)
                )
            case ScheduleOccurrencesMissed(covered_by=None) as event:
                span = {name: getattr(event, name) for name in MissedFields.model_fields}
                self.missed.append(MissedFields(**span))
            case ScheduleRunClosed(state="succeeded") as event:
                self.succeeded.append(event.run)
            case _:
                pass  # that it moved is enough


class Alarms:
    """Looks at watched schedules whenever something happened to them or enough time went by."""

    def __init__(
        self,
        log: EventLog,
        dispatcher: Dispatcher,
        surroundings: Surroundings,
        clock: Clock,
        lease: Lease,
        *,
        watched: Watched,
        mark: Mark,
        following: Following,
        metrics: Metrics | None = None,
        is_ours: Callable[[], bool] = lambda: True,
    ) -> None:
        self._metrics = metrics or Metrics()
        self._log = log
        self._dispatcher = dispatcher
        self._surroundings = surroundings
        self._clock = clock
        self._lease = lease
        self._view = watched
        self._mark = mark
        self._following = following
        self._is_ours = is_ours
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._let_go()

    def _let_go(self) -> None:
        """Leave it to another instance."""
        self._position: int | None = None
        self._kept = 0
        self._sighted: dict[StreamId, Sighted] = {}

    async def run(self) -> None:
        """Watch while it is this one's turn, for ever; a fault of log or database costs time and nothing else."""
        self._let_go()
        while True:
            if not self._lease.trusted() or not self._is_ours():
                self._let_go()
                await self._clock.sleep(OURS_S)
                continue
            try:
                await self.step()
            except (LogFault, *DATABASE_FAULTS) as fault:
                _log.warning("watch_waits", fault=type(fault).__name__)
                self._let_go()
                await self._clock.sleep(RETRY_S)
            else:
                await self._clock.sleep(LOOK_S)

    async def step(self) -> None:
        """Take what is new in the log, look at what needs it, and keep how far it is."""
        if self._position is None and not await self._begin():
            return
        await self._follow()
        now = self._clock.now()
        wanted = [stream for stream, seen in self._sighted.items() if seen.look_at is None or seen.look_at <= now]
        await together(self._look(stream) for stream in wanted)
        if self._position is not None and self._position > self._kept:
            await self._mark.save(self._position)
            self._kept = self._position

    def next_look(self) -> datetime | None:
        """Return when time alone makes the next look necessary, `None` if it takes a fact."""
        instants = (seen.look_at for seen in self._sighted.values())
        return min((at for at in instants if at is not None and at != NEVER), default=None)

    @property
    def position(self) -> int:
        """Up to where the log was taken in."""
        return self._position or 0

    async def _begin(self) -> bool:
        """Go on from the mark, with every watched schedule to be looked at; tell whether that could be."""
        head = self._log.known_head.position
        kept = await self._mark.find()
        position = head if kept is None else min(kept, head)
        if not await self._following.wait_for(position, CATCH_UP_S):
            return False
        self._sighted = {stream: Sighted() for stream in await self._view.watched()}
        if kept is None:
            await self._mark.save(position)
        self._position = self._kept = position
        return True

    async def _follow(self) -> None:
        assert self._position is not None  # noqa: S101 it has begun
        head = self._log.known_head.position
        while self._position < head:
            facts = await self._log.read(self._position, BATCH, before=head + 1, matching=FOLLOWED)
            for fact in facts:
                if fact.type in MAY_BE_WATCHED:
                    self._sighted.setdefault(fact.stream, Sighted())
                if fact.stream in self._sighted:
                    self._sighted[fact.stream].take(fact)
            self._position = facts[-1].position if len(facts) == BATCH else head

    async def _look(self, stream: StreamId) -> None:
        seen = self._sighted[stream]
        try:
            async with self._at_once:
                look_at = await self._check(stream, seen)
        except (LogFault, *DATABASE_FAULTS):
            raise
        except Exception:  # noqa: BLE001 one broken schedule must not keep the others from being watched
            _log.exception("schedule_not_watched", schedule=stream.id)
            seen.look_at = self._clock.now() + PARKED
            return
        if look_at is None:
            del self._sighted[stream]
        else:
            self._sighted[stream] = Sighted(look_at=look_at, waits_since=seen.waits_since)

    async def _check(self, stream: StreamId, seen: Sighted) -> datetime | None:
        """Let it be decided what is wrong and what is well again; return when to look again, `None` for never."""
        states = self._dispatcher.states
        around = [stream, workspace_stream(stream.workspace), workspace_stream(EVERYWHERE)]
        _ = await states.refresh(around)
        schedule, *places = [loaded.state for loaded in (await states.load(around)).values()]
        holds = [hold for place in places for hold in place.holds]
        command = CheckAlerts(
            schedule=stream.id,
            runs=await self._open_runs(stream, schedule),
            started=tuple(seen.started),
            missed=tuple(seen.missed),
            succeeded=tuple(seen.succeeded),
            quiet_since=await self._quiet_since(stream, schedule, holds, seen),
            last_success=schedule.last_success,
        )
        outcome = await self._dispatcher.dispatch(
            check_alerts.SPEC, command, self._surroundings.context(stream.workspace)
        )
        raised = sum(event["type"] == AlertRaised.TYPE for event in outcome.answer["events"])
        self._metrics.alerts_raised.inc(raised)
        if not schedule.alive or schedule.alerts == Alerts():
            return None
        look_at: datetime | None = outcome.answer["look_at"]
        return look_at or NEVER

    async def _open_runs(self, stream: StreamId, schedule: Schedule) -> tuple[OpenRunFields, ...]:
        if schedule.alerts.runs_longer_than_s is None and schedule.alerts.no_progress_in_s is None:
            return ()
        found = []
        for run in schedule.open_runs:
            opened_at = await self._last(run_stream(stream.workspace, run), ("run.opened",))
            progressed_at = await self._last(run_stream(stream.workspace, run), PROGRESS)
            if opened_at is not None and progressed_at is not None:
                found.append(OpenRunFields(run=run, opened_at=opened_at, progressed_at=progressed_at))
        return tuple(found)

    async def _quiet_since(
        self, stream: StreamId, schedule: Schedule, holds: Sequence[Halt], seen: Sighted
    ) -> datetime | None:
        """Return the last success, or what began the wait for one anew after it."""
        if schedule.alerts.no_success_in_s is None:
            return None
        now = self._clock.now()
        halts = [*holds, *([schedule.pause] if schedule.pause else [])]
        begun = [halt.until for halt in halts if halt.ends_by(now)]
        seen.waits_since = seen.waits_since or await self._last(stream, WAITS_BEGIN)
        begun.append(seen.waits_since)
        if schedule.last_success is not None:
            begun.append(await self._last(run_stream(stream.workspace, schedule.last_success), ("run.ended",)))
        return max((at for at in begun if at is not None), default=None)

    async def _last(self, stream: StreamId, types: Sequence[str]) -> datetime | None:
        """
        Return when the last fact of these types was recorded in a stream.

        Also a fact above the known head counts: the schedule's state, as it was read, may stand on it.
        """
        facts = await self._log.read_back(BEYOND, 1, stream=stream, types=types)
        return facts[0].at if facts else None
