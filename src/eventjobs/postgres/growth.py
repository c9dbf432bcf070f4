"""How much room each part of the database takes."""

from collections.abc import Mapping
from typing import Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement

MEASURE: Final = statement("postgres/measure_growth")
PARTS: Final = ("log", "receipts", "views", "lines", "snapshots", "tables", "other")


async def measure_growth(pool: TimedPool) -> Mapping[str, int]:
    """Return bytes, indexes included, for each of `PARTS`."""
    async with pool.acquire() as connection:
        found = {row["part"]: int(row["bytes"]) for row in await connection.fetch(MEASURE)}
    return {part: found.get(part, 0) for part in PARTS}
