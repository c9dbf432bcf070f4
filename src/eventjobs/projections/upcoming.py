"""What the runner asks of the views, always of the present: due moments, and open runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

DUE_TIMERS: Final = statement("reads/due_timers")
OPEN_RUNS: Final = statement("reads/open_runs")


@dataclass(frozen=True, slots=True)
class DueTimer:
    """A recorded due moment whose instant has come or is near."""

    due_at: datetime
    workspace: str
    kind: str
    owner: str


@dataclass(frozen=True, slots=True)
class OpenRun:
    """A run that began and did not end, as the views show it."""

    workspace: str
    run: str
    instance: str
    term: int


class Upcoming:
    """Reads for ticker and rescuer."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        """Return the earliest due moments at or before `until`, at most `limit`."""
        rows = await self._pool.fetch(DUE_TIMERS, until, limit)
        return [DueTimer(row["due_at"], row["workspace"], row["kind"], row["owner_id"]) for row in rows]

    async def open_runs(self) -> Sequence[OpenRun]:
        """Return all open runs."""
        rows = await self._pool.fetch(OPEN_RUNS)
        return [OpenRun(row["workspace"], row["id"], row["instance"], row["term"]) for row in rows]
