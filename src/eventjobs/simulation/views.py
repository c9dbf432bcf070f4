"""
Views in memory: the same projections, folded by the same code, over any log.

They are at the log's head whenever they are asked, so a simulation shows no view that is behind.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.run import RunOpened, RunTakenOver
from eventjobs.log.port import EventLog
from eventjobs.projections import timers
from eventjobs.projections.temporal import Batch, Key, Moved, Projection, Put, Row, Table
from eventjobs.projections.upcoming import DueTimer, OpenRun

READ_AT_ONCE: Final = 10_000


class MemoryViews:
    """The present rows of some projections, by table and key."""

    def __init__(self, projections: Sequence[Projection]) -> None:
        self._projections = projections
        self._rows: dict[Table, dict[Key, Row]] = {
            table: {} for projection in projections for table in projection.tables
        }
        self.position = 0

    async def follow(self, log: EventLog) -> None:
        """Take everything up to the log's head."""
        while self.position < log.known_head.position:
            self.project(await log.read(self.position, READ_AT_ONCE))

    def project(self, facts: Iterable[Recorded[Any]]) -> None:
        """Take facts that follow what was taken before."""
        batch = Batch()
        for fact in facts:
            self.position = fact.position
            for projection in self._projections:
                if fact.type in projection.types:
                    batch.extend(fact.position, projection.project(fact))
        self._fold(batch)

    def put(self, put: Put) -> None:
        """Write a row that no fact writes, as the service marks its own rows."""
        batch = Batch()
        batch.extend(self.position, [put])
        self._fold(batch)

    def rows(self, table: Table) -> Sequence[Mapping[str, Any]]:
        """Return a table's rows as their columns by name, in the order in which they were made."""
        return [dict(zip(table.all_columns, row, strict=True)) for row in self._rows[table].values()]

    def cells(self, table: Table, *columns: str) -> Sequence[tuple[Any, ...]]:
        """Return some columns of a table's rows."""
        places = [table.places[name] for name in columns]
        return [tuple(row[place] for place in places) for row in self._rows[table].values()]

    def _fold(self, batch: Batch) -> None:
        for table in batch.tables:
            rows = self._rows[table]
            batch.load(table, [rows[key] for key in batch.keys(table) if key in rows])
        for moved in batch.fold():
            self._take(moved)

    def _take(self, moved: Moved) -> None:
        rows, width = self._rows[moved.table], len(moved.table.key)
        for row in (*moved.created(), *moved.updated()):
            rows[tuple(row[:width])] = row
        for key in moved.removed():
            del rows[key]


class MemoryUpcoming:
    """`Timers` and `OpenRuns` over a log, as `Upcoming` answers them from the database; always at the log's head."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._views = MemoryViews((timers.PROJECTION,))
        self._timers: list[DueTimer] = []
        self._open: dict[StreamId, OpenRun] = {}
        self._shown: frozenset[DueTimer] = frozenset()
        self._changed = asyncio.Event()

    async def follow_for_ever(self) -> None:
        """Note every change as soon as it is in the log, for those who wait for one."""
        while True:
            await self._follow()
            await self._log.wait_beyond(self._views.position, math.inf)

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        """Return the earliest due moments at or before `until` that are not parked, at most `limit`."""
        await self._follow()
        found = [timer for timer in self._timers if timer.due_at <= until][:limit]
        self._shown = frozenset(found)
        return found

    async def park(self, timer: DueTimer, reason: str) -> None:
        """Leave an owner alone until its next fact about time; the clock of the others goes on."""
        key = (timer.workspace, timer.kind, timer.owner, timers.NEXT_DUE)
        self._views.put(Put(timers.TIMERS, key, {"parked": True, "parked_reason": reason}))
        self._look()

    async def open_runs(self) -> Sequence[OpenRun]:
        """Return all open runs."""
        await self._follow()
        return list(self._open.values())

    async def ahead_s(self, now: datetime, look_ahead: timedelta) -> float:
        """
        Return in how many seconds a look could find something new, if nothing changes (`inf`: never).

        What the last look was shown is under way until it is due; what is due and still there is looked at again.
        """
        await self._follow()
        moments = (
            timer.due_at if timer in self._shown and timer.due_at > now else timer.due_at - look_ahead
            for timer in self._timers
        )
        return max(0.0, min(((moment - now).total_seconds() for moment in moments), default=math.inf))

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait until a due moment was recorded, answered or dropped, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()

    async def _follow(self) -> None:
        position = self._views.position
        if position < self._log.known_head.position:
            facts = await self._log.read(position, READ_AT_ONCE)
            self._views.project(facts)
            for fact in facts:
                self._note(fact)
            if any(fact.type in timers.PROJECTION.types for fact in facts):
                self._look()

    def _note(self, fact: Recorded[Any]) -> None:
        match fact.type:
            case "run.opened" | "run.taken_over":
                event: RunOpened | RunTakenOver = fact.event
                self._open[fact.stream] = OpenRun(fact.workspace, fact.stream.id, event.instance, event.term)
            case "run.ended":
                del self._open[fact.stream]
            case _:
                pass

    def _look(self) -> None:
        rows = self._views.cells(timers.TIMERS, "due_at", "workspace", "owner_kind", "owner_id", "parked")
        self._timers = [DueTimer(*row) for *row, is_parked in sorted(rows) if not is_parked]
        self._changed.set()
        self._changed = asyncio.Event()
