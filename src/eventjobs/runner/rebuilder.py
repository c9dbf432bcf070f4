"""
Builds views again from position 1, beside the ones that answer, and switches when they have caught up.

The new rows go into tables of their own; the switch gives them the old ones' names, in one transaction with the
checkpoints and the public SQL views. Readers see the old rows until then, and the projector keeps those up to date.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import asyncpg
import structlog

from eventjobs.errors import RebuildRefused
from eventjobs.log.port import EventLog
from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections import checkpoints
from eventjobs.projections.advance import Gathered, advance
from eventjobs.projections.checkpoints import Checkpoint
from eventjobs.projections.storage import Link, takes_json_as_text
from eventjobs.projections.temporal import Projection
from eventjobs.runner.batches import Batches
from eventjobs.telemetry.tasks import Tasks

MAKE_SHADOWS: Final = statement("views/make_shadows")
SWITCH_VIEWS: Final = statement("views/switch_views")

SUFFIX: Final = "_next"
HELD_MAX_MS: Final = 60_000
"""How long a batch, or the switch, keeps the views that answer from being taken further."""
SWITCH_TRIES: Final = 5
"""The switch waits for readers as long as a lock may take; a long reader costs a try."""

_log: Final = structlog.get_logger("eventjobs.rebuilder")


class Rebuilder:
    """One rebuild of some views; only one at a time may run for a view. `on_progress` hears each position reached."""

    def __init__(
        self,
        log: EventLog,
        pool: TimedPool,
        tasks: Tasks,
        projections: Sequence[Projection],
        *,
        batch: int,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        self._pool = pool
        self._batches = Batches(log, tasks, batch)
        self._batch = batch
        self._shadow_of = {projection: _shadow(projection) for projection in projections}
        self._tables = [name for projection in projections for table in projection.tables for name in table.names]
        self._on_progress = on_progress
        self._copy = False

    async def rebuild(self) -> int:
        """
        Fill, catch up, switch; return the position up to which the new views are built.

        Raises `RebuildRefused` at a fact that a projection cannot take; the old view then still answers.
        """
        await self._begin()
        position = 0
        try:
            while gathered := await self._next(position):
                async with self._pool.acquire() as connection, connection.transaction():
                    position = await self._advance(connection, position, gathered)
                if self._on_progress is not None:
                    self._on_progress(position)
            return await self._switch_patiently(position)
        finally:
            self._batches.forget()

    async def _begin(self) -> None:
        async with self._pool.acquire() as connection:
            self._copy = await takes_json_as_text(connection)
            async with connection.transaction():
                await connection.execute(MAKE_SHADOWS, self._tables)
                await checkpoints.delete(connection, self._shadows)
                await checkpoints.create(connection, self._shadows)

    @property
    def _shadows(self) -> Sequence[Projection]:
        return list(self._shadow_of.values())

    async def _next(self, position: int) -> Gathered | None:
        gathered = await self._batches.next(self._shadows, position)
        return gathered if gathered.facts else None

    async def _advance(self, connection: Link, position: int, gathered: Gathered) -> int:
        held = {point.name: point for point in await _hold(connection, self._shadows)}
        group = {shadow: held[shadow.name] for shadow in self._shadows if shadow.name in held}
        if len(group) < len(self._shadows) or any(point.position != position for point in group.values()):
            raise RebuildRefused("another rebuild of the same views has begun")
        points = await advance(connection, group, gathered, suffix=SUFFIX, copy=self._copy)
        for point in points:
            if point.stopped_at is not None:
                raise RebuildRefused(f"{point.name} stops: {point.reason}")
        return points[0].position

    async def _switch_patiently(self, position: int) -> int:
        for left in reversed(range(SWITCH_TRIES)):
            try:
                return await self._switch(position)
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                if not left:
                    raise
                _log.info("switch_waits", views=[projection.name for projection in self._shadow_of])
        raise AssertionError("unreachable")

    async def _switch(self, position: int) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            live = {point.name: point for point in await _hold(connection, self._shadow_of)}
            while gathered := await self._next(position):
                position = await self._advance(connection, position, gathered)
            self._check_caught_up(live, position)
            built = {point.name: point for point in await _hold(connection, self._shadows)}
            await connection.execute(SWITCH_VIEWS, self._tables)
            points = [
                replace(built[shadow.name], name=projection.name) for projection, shadow in self._shadow_of.items()
            ]
            await checkpoints.create(connection, self._shadow_of)
            await checkpoints.save(connection, points)
            await checkpoints.delete(connection, self._shadows)
        return position

    def _check_caught_up(self, live: Mapping[str, Checkpoint], position: int) -> None:
        """What was stopped, or built on a history that is gone, may be ahead; nothing else may."""
        if any(point.position > position and point.stopped_at is None for point in live.values()):
            raise RebuildRefused("the log that this process reads is behind the views that answer")


async def _hold(connection: Link, projections: Iterable[Projection]) -> Sequence[Checkpoint]:
    return await checkpoints.hold(connection, projections, held_max_ms=HELD_MAX_MS)


def _shadow(projection: Projection) -> Projection:
    return Projection(
        name=f"{projection.name}.next",
        version=projection.version,
        tables=projection.tables,
        events=projection.events,
        project=projection.project,
    )
