"""
What a view holds, as one SHA-256.

The same facts give the same rows, so two instances, or a view and its rebuild, that stand at one position have one
digest. It covers every row of every table of the view, the past ones too, each on a line, table by table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from eventjobs.postgres.statements import quote_identifier, statement
from eventjobs.projections import checkpoints
from eventjobs.projections.storage import Link
from eventjobs.projections.temporal import Projection

LIST_ROWS: Final = statement("views/list_rows")
AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What a view holds at a position; `stopped` says why it goes no further, if it does not."""

    view: str
    version: int
    position: int
    rows: int
    sha256: str
    stopped: str | None = None

    def document(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return {
            "view": self.view,
            "version": self.version,
            "position": self.position,
            "rows": self.rows,
            "sha256": self.sha256,
            "stopped": self.stopped,
        }


async def digests(connection: Link, projections: Sequence[Projection]) -> Sequence[Digest]:
    """Return the digests of views as they stand together at one moment; those that were never begun are left out."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        points = {point.name: point for point in await checkpoints.listed(connection, projections)}
        return [
            await _digest(connection, projection, points[projection.name])
            for projection in projections
            if projection.name in points
        ]


async def _digest(connection: Link, projection: Projection, point: checkpoints.Checkpoint) -> Digest:
    hashed, rows = sha256(), 0
    for table in projection.tables:
        for name in table.names:
            hashed.update(f"{name}\n".encode())
            sql = LIST_ROWS.replace("{{table}}", quote_identifier(name))
            async for row in connection.cursor(sql, prefetch=AT_ONCE):
                hashed.update(row["line"].encode())
                hashed.update(b"\n")
                rows += 1
    return Digest(
        view=projection.name,
        version=projection.version,
        position=point.position,
        rows=rows,
        sha256=hashed.hexdigest(),
        stopped=point.reason,
    )
