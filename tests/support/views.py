"""What tests of views share: a clock that a test moves, a log in memory with a history, and all rows of all views."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from eventjobs.events import EVENT_TYPES
from eventjobs.events.recorded import Provenance, Recorded, StreamId
from eventjobs.log.codec import Codec
from eventjobs.log.memory import MemoryEventLog
from eventjobs.log.port import Append, EventLog
from eventjobs.postgres.pool import TimedPool
from eventjobs.projections.checkpoints import HELD_MAX_MS
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.temporal import Keeps, Projection, Table
from eventjobs.runner.projector import Projector
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.tasks import Tasks
from tests.support.facts import START, Facts

CODEC = Codec(EVENT_TYPES)
BY = Provenance(actor="system", command_id="00000000-0000-7000-8000-000000000001")


class MovingClock:
    """Time that rises by `step` whenever it is read."""

    def __init__(self, now: datetime = START, step: timedelta = timedelta(seconds=1)) -> None:
        self._now = now
        self._step = step

    def now(self) -> datetime:
        self._now += self._step
        return self._now

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def new_log() -> MemoryEventLog:
    return MemoryEventLog(CODEC, MovingClock())


class Writer:
    """Appends facts and remembers the versions of streams."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.versions: dict[StreamId, int] = defaultdict(int)

    async def append(self, facts: Facts) -> int:
        """Write the facts and return the last position."""
        expected = {stream: self.versions[stream] for stream, _ in facts}
        appended = await self._log.append(Append(events=facts, expected=expected, provenance=BY))
        for stream, _ in facts:
            self.versions[stream] += 1
        return appended.last


async def append_all(log: EventLog, appends: Iterable[Facts]) -> int:
    """Write every append in turn and return the head."""
    writer = Writer(log)
    for facts in appends:
        await writer.append(facts)
    return log.known_head.position


async def everything(log: EventLog) -> Sequence[Recorded[Any]]:
    return await log.read(0, 1_000_000)


def projector_on(
    log: EventLog,
    pool: TimedPool,
    *,
    batch: int = 2_000,
    projections: Sequence[Projection] = PROJECTIONS,
    held_max_ms: int = HELD_MAX_MS,
    turn: int = 0,
) -> Projector:
    return Projector(
        log,
        pool,
        MovingClock(datetime.now(UTC)),
        Tasks(),
        Metrics(),
        projections,
        batch=batch,
        held_max_ms=held_max_ms,
        turn=lambda: turn,
    )


async def project_all(projector: Projector) -> None:
    """Step until nothing is left to do."""
    while await projector.step():
        pass


async def view_rows(pool: TimedPool, projections: Sequence[Projection] = PROJECTIONS) -> Mapping[str, list[Any]]:
    """Return all rows of all tables of views as text, in order."""
    rows = {}
    for projection in projections:
        for table in projection.tables:
            for name in table.names:
                found = await pool.fetch(f"SELECT x::text AS line FROM public.{name} AS x")
                rows[name] = sorted(row["line"] for row in found)
    return rows


async def rows_as_of(pool: TimedPool, position: int) -> Mapping[str, list[str]]:
    """Return the rows of all views as they stood at a position, of timers none."""
    rows: dict[str, list[str]] = {table.name: [] for table in PAST}
    for row in await pool.fetch(ROWS_AS_OF, position):
        rows[row["name"]].append(row["line"])
    return {name: sorted(lines) for name, lines in rows.items()}


def _rows_as_of(table: Table) -> str:
    if table.keeps is Keeps.FIRST:
        return f"SELECT '{table.name}' AS name, x::text AS line FROM public.{table.name} AS x WHERE from_position <= $1"
    key = ", ".join(f'k."{name}"' for name in table.key)
    return (
        f"SELECT '{table.name}' AS name, x::text AS line FROM public.{table.name} AS k "
        f"CROSS JOIN LATERAL public.{table.name}_at({key}, $1) AS x"
    )


PAST = [table for one in PROJECTIONS for table in one.tables if table.keeps is not Keeps.LAST]
ROWS_AS_OF = " UNION ALL ".join(map(_rows_as_of, PAST))
"""In one statement, as tests ask for it at every position."""
