"""How far a follower of the log has come that causes commands: a hint, so that a start does not read everything."""

from typing import Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

FIND: Final = statement("runner/find_mark")
SAVE: Final = statement("runner/save_mark")


class PostgresMark:
    """The mark of one follower, shared by all instances."""

    def __init__(self, pool: TimedPool, name: str) -> None:
        self._pool = pool
        self._name = name

    async def find(self) -> int | None:
        """Return the position, `None` where it never came anywhere."""
        row = await self._pool.fetchrow(FIND, self._name)
        return None if row is None else int(row["position"])

    async def save(self, position: int) -> None:
        """Keep a position; it only rises."""
        await self._pool.execute(SAVE, self._name, position)
