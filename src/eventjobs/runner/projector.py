"""
Keeps the views at the log's head.

Views at the same position advance together: one batch, one transaction with their checkpoints, so each fact counts
once, whichever instance projects it. The next batch is fetched while this one is written. Whoever projected last goes
on; the others look how far it is and take its place only when it does not move, or each would do all the work. They do
so by turns: on a busy machine it may well be slow and alive.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import asyncpg
import structlog

from eventjobs.clock import Clock
from eventjobs.errors import ForkedHistory, LogFault
from eventjobs.log.port import EventLog
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.postgres.pool import TimedPool
from eventjobs.projections import checkpoints
from eventjobs.projections.advance import Fact, Gathered, advance, gather, stop_at
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.storage import takes_json_as_text
from eventjobs.projections.temporal import Projection
from eventjobs.runner.batches import Batches
from eventjobs.runner.positions import ViewPositions, ViewStatus
from eventjobs.runner.rebuilder import Rebuilder
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.tasks import Tasks

BATCH: Final = 2_000
POLL_S: Final = 1.0
OTHERS_S: Final = 0.5
"""How long the views may stand still before an instance that did not project last does it; so much later each next."""
LOOKS_S: Final = (0.01, 0.1)
"""How soon such an instance looks how far the views are, at first and later."""
RETRY_S: Final = 0.5

_PASSING: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE that say nothing about the rows: links, transactions, resources, operators."""

_log: Final = structlog.get_logger("eventjobs.projector")


class Projector:
    """Follows the log for all views; `run` for as long as the process lives."""

    def __init__(
        self,
        log: EventLog,
        pool: TimedPool,
        clock: Clock,
        tasks: Tasks,
        metrics: Metrics,
        projections: Sequence[Projection] = PROJECTIONS,
        *,
        batch: int = BATCH,
        held_max_ms: int = checkpoints.HELD_MAX_MS,
        turn: Callable[[], int] = lambda: 0,
    ) -> None:
        """Project for all instances on one database; `turn` tells how many of those that live come before this one."""
        self._log = log
        self._pool = pool
        self._clock = clock
        self._metrics = metrics
        self._projections = {projection.name: projection for projection in projections}
        self._positions = ViewPositions(log, clock)
        self._tasks = tasks
        self._batch = batch
        self._batches = Batches(log, tasks, batch)
        self._held_max_ms = held_max_ms
        self._turn = turn
        self._copy = False
        self._is_left_to_others = False

    async def run(self) -> None:
        """Project what comes, for ever; faults of log and database cost time and nothing else."""
        self._batches.forget()
        while True:
            try:
                if not await self.step():
                    await self._rest()
            except (LogFault, *DATABASE_FAULTS) as fault:
                _log.warning("projecting_failed", fault=type(fault).__name__, detail=str(fault)[:500])
                self._batches.halve()
                await self._clock.sleep(RETRY_S)

    def position(self, name: str | None = None) -> int:
        """Return up to where a view is built; without a name, all that are not stopped (0: not known yet)."""
        return self._positions.position(name)

    async def wait_for(self, position: int, timeout_s: float, *, name: str | None = None) -> bool:
        """Wait until the view, or all that are not stopped, is built up to a position; tell whether it is."""
        return await self._positions.wait_for(position, timeout_s, name=name)

    async def rebuild(self, *names: str) -> int:
        """
        Build views again beside the ones that answer, and switch; without names all of them.

        Returns the position up to which they are built then. Raises `RebuildRefused`.
        """
        wanted = [projection for projection in self._projections.values() if not names or projection.name in names]
        position = await Rebuilder(self._log, self._pool, self._tasks, wanted, batch=self._batch).rebuild()
        await self._refresh()
        return position

    def status(self) -> Sequence[ViewStatus]:
        """Return where each view is, and which have stopped."""
        return self._positions.status()

    def trouble(self) -> str | None:
        """Return a stable word if a view has stopped."""
        return self._positions.trouble()

    async def step(self) -> bool:
        """Project one batch into the views that are furthest behind; tell whether there may be more to do."""
        if not self._positions.known:
            await self._start()
        going = self._positions.going()
        places = self._positions.places()
        if not places or places[0] >= self._log.known_head.position:
            return False
        after, meeting = places[0], places[1] + 1 if len(places) > 1 else None
        group = [self._projections[point.name] for point in going if point.position == after]
        if self._is_left_to_others and (await self._has_moved() or not await self._are_free(group)):
            return True
        gathered = await self._batches.next(group, after, meeting)
        self._is_left_to_others = not gathered.facts or not await self._project_or_isolate(after, gathered)
        if not self._is_left_to_others:
            self._batches.note_written()
        return True

    async def _has_moved(self) -> bool:
        """Tell whether others take the views further within their time."""
        before, waited, (pause, longest) = self._positions.places(), 0.0, LOOKS_S
        while waited < OTHERS_S * (1 + self._turn()):
            await self._clock.sleep(pause)
            await self._refresh()
            if self._positions.places() != before:
                return True
            waited, pause = waited + pause, min(2 * pause, longest)
        return False

    async def _are_free(self, group: Sequence[Projection]) -> bool:
        """Tell whether anything is not being written: who takes long to write a batch does not stand still."""
        async with self._pool.acquire() as connection, connection.transaction():
            return bool(await checkpoints.lock(connection, group, held_max_ms=self._held_max_ms))

    async def _start(self) -> None:
        async with self._pool.acquire() as connection:
            self._copy = await takes_json_as_text(connection)
            await checkpoints.create(connection, self._projections.values())
            async with connection.transaction():
                # A newer version of this program may know what an older one stopped at.
                held = await checkpoints.hold(connection, self._projections.values())
                await checkpoints.save(connection, [replace(point, stopped_at=None, reason=None) for point in held])
        await self._refresh()
        for point in self._positions.going():
            there = await self._log.read(point.position - 1, 1, before=point.position + 1) if point.position else ()
            if point.position and (not there or there[0].chain != point.chain):
                await self._stop_all(f"the log's history at {point.position} is not the one that was projected")
                break

    async def _rest(self) -> None:
        """Wait for news, or for a change by others."""
        known = max(self.position(), 0 if self._positions.going() else self._log.known_head.position)
        if await self._log.wait_beyond(known, POLL_S) <= known:
            await self._refresh()

    async def _project_or_isolate(self, after: int, gathered: Gathered) -> bool:
        try:
            return await self._project(after, gathered, copy=self._copy)
        except ForkedHistory as fork:
            await self._stop_all(str(fork))
        except Exception as error:
            if _is_passing(error):
                raise
            _log.warning("batch_refused", fault=type(error).__name__, detail=str(error)[:500], after=after)
            for projection in gathered.projections:
                await self._isolate(projection, after, gathered.facts)
        return True

    async def _project(self, after: int, gathered: Gathered, *, copy: bool) -> bool:
        """Advance the views that nobody else has or has advanced; tell whether there were any."""
        async with self._pool.acquire() as connection, connection.transaction():
            points = await checkpoints.lock(connection, gathered.projections, held_max_ms=self._held_max_ms)
            here = {
                self._projections[point.name]: point
                for point in points
                if point.position == after and point.stopped_at is None
            }
            if here:
                points = await advance(connection, here, gathered, copy=copy)
        for projection in here:
            self._metrics.projected.labels(projection.name).inc(len(gathered.facts))
        self._learn(points)
        return bool(here)

    async def _isolate(self, projection: Projection, after: int, facts: Sequence[Fact]) -> None:
        """Find the fact whose rows the database refused, and stop the view before it."""
        try:
            await self._project(after, gather([projection], facts), copy=False)
        except Exception as error:
            if _is_passing(error):
                raise
            if len(facts) == 1:
                await self._stop(projection, facts[0], error)
                return
            half = len(facts) // 2
            await self._isolate(projection, after, facts[:half])
            reached = facts[half - 1].position
            if self.position(projection.name) == reached:
                await self._isolate(projection, reached, facts[half:])

    async def _stop(self, projection: Projection, fact: Fact, error: Exception) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            held = await checkpoints.hold(connection, [projection])
            reason = f"{type(error).__name__}: {error}"
            points = [stop_at(point, fact, reason) for point in held if point.position == fact.position - 1]
            await checkpoints.save(connection, points)
        self._learn(points)

    async def _stop_all(self, reason: str) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            held = await checkpoints.hold(connection, self._projections.values())
            points = [replace(point, stopped_at=point.position, reason=reason) for point in held]
            await checkpoints.save(connection, points)
        self._learn(points)

    async def _refresh(self) -> None:
        async with self._pool.acquire() as connection:
            self._learn(await checkpoints.listed(connection, self._projections.values()))

    def _learn(self, points: Sequence[checkpoints.Checkpoint]) -> None:
        self._positions.learn(points)
        for view in self.status():
            self._metrics.projection_lag.labels(view.name).set(view.lag)
            self._metrics.projection_stopped.labels(view.name).set(view.stopped_at is not None)


def _is_passing(error: Exception) -> bool:
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] in _PASSING
    return isinstance(error, (OSError, TimeoutError, LogFault)) or type(error) is asyncpg.InterfaceError
