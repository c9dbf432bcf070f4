"""How far each view is: one row a view and version, locked by whoever projects a batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from eventjobs.log.port import ZERO_CHAIN
from eventjobs.postgres.statements import statement
from eventjobs.projections.storage import Link
from eventjobs.projections.temporal import Projection

CREATE: Final = statement("views/create_checkpoints")
LIST: Final = statement("views/list_checkpoints")
LOCK: Final = statement("views/lock_checkpoints")
HOLD: Final = statement("views/hold_checkpoints")
SAVE: Final = statement("views/save_checkpoints")
DELETE: Final = statement("views/delete_checkpoints")

HELD_MAX_MS: Final = 8_000
"""
How long a transaction may have the views: who is frozen with them must not keep them from those who take over its runs.

A whole batch takes a small part of it; one that does not is tried again in halves.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """
    Up to where a view is built, and the log's chain value there.

    `stopped_at` is the position of a fact that it cannot take, `reason` says why; it goes no further then.
    """

    name: str
    version: int
    position: int = 0
    chain: bytes = ZERO_CHAIN
    stopped_at: int | None = None
    reason: str | None = None


async def create(connection: Link, projections: Iterable[Projection]) -> None:
    """Make the rows that are not there, at the log's beginning."""
    await connection.execute(CREATE, *_named(projections), ZERO_CHAIN)


async def listed(connection: Link, projections: Iterable[Projection]) -> Sequence[Checkpoint]:
    """Return how far they are."""
    return [_checkpoint(row) for row in await connection.fetch(LIST, *_named(projections))]


async def lock(connection: Link, projections: Iterable[Projection], *, held_max_ms: int) -> Sequence[Checkpoint]:
    """Take the rows that nobody else has, until the transaction ends or has lasted too long."""
    return [_checkpoint(row) for row in await connection.fetch(LOCK, *_named(projections), str(held_max_ms))]


async def hold(
    connection: Link, projections: Iterable[Projection], *, held_max_ms: int = HELD_MAX_MS
) -> Sequence[Checkpoint]:
    """Take all of the rows, waiting for who has them, until the transaction ends or has lasted too long."""
    return [_checkpoint(row) for row in await connection.fetch(HOLD, *_named(projections), str(held_max_ms))]


async def save(connection: Link, checkpoints: Sequence[Checkpoint]) -> None:
    """Write where views are now; the caller has the rows."""
    await connection.execute(
        SAVE,
        [point.name for point in checkpoints],
        [point.version for point in checkpoints],
        [point.position for point in checkpoints],
        [point.chain for point in checkpoints],
        [point.stopped_at for point in checkpoints],
        [None if point.reason is None else point.reason[:2_000].replace("\0", "") for point in checkpoints],
    )


async def delete(connection: Link, projections: Iterable[Projection]) -> None:
    """Forget the rows."""
    await connection.execute(DELETE, *_named(projections))


def _named(projections: Iterable[Projection]) -> tuple[list[str], list[int]]:
    wanted = list(projections)
    return [projection.name for projection in wanted], [projection.version for projection in wanted]


def _checkpoint(row: Any) -> Checkpoint:
    return Checkpoint(
        name=row["name"],
        version=row["version"],
        position=row["position"],
        chain=row["chain"],
        stopped_at=row["stopped_at"],
        reason=row["reason"],
    )
