"""Search by id or text over everything that a workspace has."""

from dataclasses import dataclass
from typing import Final

from eventjobs.postgres.pool import TimedPool
from eventjobs.postgres.statements import statement
from eventjobs.projections.cursors import read_cursor, write_cursor
from eventjobs.projections.documents import Document
from eventjobs.projections.things import capped

SEARCH: Final = statement("reads/search")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedText:
    """Which text, and whether `keys` are shown to who asks."""

    q: str
    keys: bool = False
    cursor: str | None = None
    limit: int = 100


async def search(pool: TimedPool, workspace: str, position: int, wanted: WantedText) -> Document:
    """Return what has the text in its id or name, the best first; `where` is its address."""
    limit = capped(wanted.limit)
    after = read_cursor(wanted.cursor, int, str, str) or (None, None, None)
    rows = await pool.fetch(SEARCH, workspace, position, wanted.q.lower(), *after, limit + 1, wanted.keys)
    last = rows[limit - 1] if len(rows) > limit else None
    return {
        "items": [
            {
                "kind": row["kind"],
                "id": row["id"],
                "text": row["text"],
                "where": f"/v1/{workspace}/{row['kind']}s/{row['id']}",
            }
            for row in rows[:limit]
        ],
        "next": None if last is None else write_cursor(last["rank"], last["kind"], last["id"]),
    }
