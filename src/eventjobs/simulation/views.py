"""
Views in memory: the same projections, folded by the same code, over any log.

They are at the log's head whenever they are asked, so a simulation shows no view that is behind.
"""

import asyncio
import math
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, Final, TypeAlias

from eventjobs.domain.streams import schedule_stream
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.run import RunOpened, RunTakenOver
from eventjobs.log.port import EventLog
from eventjobs.projections import alerts, timers
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

    def project(self, facts: Iterable[Recorded[Any]]) -> Sequence[Key]:
        """Take facts that follow what was taken before; return the keys of the rows that they touched."""
        batch = Batch()
        for fact in facts:
            self.position = fact.position
            for projection in self._projections:
                if fact.type in projection.types:
                    batch.extend(fact.position, projection.project(fact))
        return self._fold(batch)

    def put(self, put: Put) -> None:
        """Write a row that no fact writes, as the service marks its own rows."""
        batch = Batch()
        batch.extend(self.position, [put])
        _ = self._fold(batch)

    def rows(self, table: Table) -> Sequence[Mapping[str, Any]]:
        """Return a table's rows as their columns by name, in the order in which they were made."""
        return [dict(zip(table.all_columns, row, strict=True)) for row in self._rows[table].values()]

    def row(self, table: Table, key: Key) -> Mapping[str, Any] | None:
        """Return one row."""
        row = self._rows[table].get(key)
        return None if row is None else dict(zip(table.all_columns, row, strict=True))

    def _fold(self, batch: Batch) -> Sequence[Key]:
        for table in batch.tables:
            rows = self._rows[table]
            batch.load(table, [rows[key] for key in batch.keys(table) if key in rows])
        folded = batch.fold()
        for moved in folded:
            self._take(moved)
        return [key for moved in folded for key in moved.rows]

    def _take(self, moved: Moved) -> None:
        rows, width = self._rows[moved.table], len(moved.table.key)
        for row in (*moved.created(), *moved.updated()):
            rows[tuple(row[:width])] = row
        for key in moved.removed():
            del rows[key]


_Timer: TypeAlias = tuple[datetime, str, str, str, str]
"""When it is due, then its key in the view: workspace, owner (kind and id), and what it is for."""


class MemoryUpcoming:
    """`Timers` and `OpenRuns` over a log, as `Upcoming` answers them from the database; always at the log's head."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._views = MemoryViews((timers.PROJECTION,))
        self._timers: list[_Timer] = []
        self._of_key: dict[Key, _Timer] = {}
        self._open: dict[StreamId, OpenRun] = {}
        self._shown: frozenset[DueTimer] = frozenset()
        self._changed = asyncio.Event()

    async def follow_for_ever(self) -> None:
        """Note every change as soon as it is in the log, for those who wait for one."""
        while True:
            await self._follow()
            await self._log.wait_beyond(self._views.position, math.inf)

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        """Return the earliest due moments at or before `until`, at most `limit`."""
        await self._follow()
        found = [DueTimer(*timer[:4]) for timer in takewhile(lambda timer: timer[0] <= until, self._timers)][:limit]
        self._shown = frozenset(found)
        return found

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
        ahead = math.inf
        for timer in self._timers:
            under_way = timer[0] > now and DueTimer(*timer[:4]) in self._shown
            moment = timer[0] if under_way else timer[0] - look_ahead
            ahead = min(ahead, (moment - now).total_seconds())
            if not under_way:  # no later one comes into sight sooner
                break
        return max(0.0, ahead)

    async def wait_for_change(self, timeout_s: float) -> None:
        """Wait until a due moment was recorded, answered or dropped, or the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()

    async def _follow(self) -> None:
        position = self._views.position
        if position < self._log.known_head.position:
            facts = await self._log.read(position, READ_AT_ONCE)
            touched = self._views.project(facts)
            for fact in facts:
                self._note(fact)
            if touched:
                self._moved(touched)

    def _note(self, fact: Recorded[Any]) -> None:
        match fact.type:
            case "run.opened" | "run.taken_over":
                event: RunOpened | RunTakenOver = fact.event
                self._open[fact.stream] = OpenRun(fact.workspace, fact.stream.id, event.instance, event.term)
            case "run.ended":
                del self._open[fact.stream]
            case _:
                pass

    def _moved(self, keys: Iterable[Key]) -> None:
        """Put the timers of these keys where they are due now."""
        for key in keys:
            known = self._of_key.pop(key, None)
            if known is not None:
                del self._timers[bisect_left(self._timers, known)]
            row = self._views.row(timers.TIMERS, key)
            if row is not None:
                self._of_key[key] = row["due_at"], *key
                insort(self._timers, self._of_key[key])
        self._changed.set()
        self._changed = asyncio.Event()


class MemoryWatched:
    """The schedules that have alerts, as `Outbox` answers it from the database; always at the log's head."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._views = MemoryViews((alerts.PROJECTION,))

    async def watched(self) -> Sequence[StreamId]:
        """Return their streams."""
        await self._views.follow(self._log)
        rows = self._views.rows(alerts.ALERTS)
        return [schedule_stream(row["workspace"], row["id"]) for row in rows if row["alerts"] is not None]

    async def wait_for(self, _position: int, _timeout_s: float) -> bool:
        """It is there already."""
        return True


class MemoryMark:
    """A follower's mark that outlives an instance."""

    def __init__(self) -> None:
        self._position: int | None = None

    async def find(self) -> int | None:
        """Return the position, `None` where it never came anywhere."""
        return self._position

    async def save(self, position: int) -> None:
        """Keep a position."""
        self._position = position
