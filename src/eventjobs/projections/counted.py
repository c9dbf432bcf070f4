"""Where the census of things starts from in a long log: the views of what is there."""

from collections.abc import Mapping
from typing import Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

COUNTS: Final[Mapping[str, str]] = {
    "schedule": statement("views/count_schedules"),
    "job": statement("views/count_connect_jobs"),
}


class ViewedCounts:
    """Counts by the views of the present."""

    def __init__(self, pool: TimedPool) -> None:
        self._pool = pool

    async def count(self, workspace: str, kind: str) -> tuple[int, int]:
        """Return how many there are and the position up to which that is so; 0 for a view that was never built."""
        row = await self._pool.fetchrow(COUNTS[kind], workspace)
        return (0, 0) if row is None else (row["number"], row["position"])
