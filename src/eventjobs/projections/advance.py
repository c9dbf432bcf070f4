"""
One batch of facts into views that are at the same position, in the caller's transaction.

A fact that a projection cannot take stops that projection before it and no other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from eventjobs.errors import ForkedHistory
from eventjobs.events import EVENT_TYPES
from eventjobs.events.recorded import Recorded
from eventjobs.log import chain
from eventjobs.projections import checkpoints
from eventjobs.projections.checkpoints import Checkpoint
from eventjobs.projections.storage import Link, apply
from eventjobs.projections.temporal import Batch, Projection

KNOWN_TYPES: Final = frozenset(event.TYPE for event in EVENT_TYPES)

Facts = Sequence[Recorded[Any]]


async def advance(
    connection: Link, group: Mapping[Projection, Checkpoint], facts: Facts, *, suffix: str = ""
) -> Sequence[Checkpoint]:
    """
    Project `facts`, which begin after the checkpoints' common position, and write rows and checkpoints.

    The caller has the checkpoints' rows. `suffix` names other tables of the same shape (a rebuild's). Raises
    `ForkedHistory` if the facts do not continue what was read before.
    """
    _check_continues(next(iter(group.values())), facts[0])
    batch = Batch()
    points = collect(batch, group, facts)
    await apply(connection, batch, suffix)
    await checkpoints.save(connection, points)
    return points


def collect(batch: Batch, group: Mapping[Projection, Checkpoint], facts: Facts) -> Sequence[Checkpoint]:
    """Fill the batch with what the facts write, and return where each projection is afterwards."""
    points = dict(group)
    going = set(group)
    interested = _by_type(group)
    before: Recorded[Any] | None = None
    for fact in facts:
        if fact.type not in KNOWN_TYPES:
            for projection in going:
                points[projection] = stop_at(_moved(points[projection], before), fact, "unknown type")
            return list(points.values())
        for projection in interested.get(fact.type, ()):
            if projection in going:
                try:
                    batch.extend(fact.position, list(projection.project(fact)))
                except Exception as error:  # noqa: BLE001 whatever it is, this projection goes no further
                    going.discard(projection)
                    reason = f"{type(error).__name__}: {error}"
                    points[projection] = stop_at(_moved(points[projection], before), fact, reason)
        before = fact
    for projection in going:
        points[projection] = _moved(points[projection], before)
    return list(points.values())


def stop_at(point: Checkpoint, fact: Recorded[Any], reason: str) -> Checkpoint:
    """Return a checkpoint that stands before a fact and says why it goes no further."""
    return replace(point, stopped_at=fact.position, reason=f"{fact.type} at {fact.position}: {reason}")


def _check_continues(point: Checkpoint, first: Recorded[Any]) -> None:
    if first.position != point.position + 1:
        raise ValueError(f"facts from {first.position} do not follow {point.position}")
    if chain.link(point.chain, first.position, first.leaf) != first.chain:
        raise ForkedHistory(
            f"the view {point.name} was built on another history: the log's chain at {point.position} is not the one "
            "that was read then; find out which history is right, then rebuild the views"
        )


def _by_type(group: Mapping[Projection, Checkpoint]) -> Mapping[str, Sequence[Projection]]:
    active: dict[str, list[Projection]] = {}
    for projection in group:
        for name in projection.types:
            active.setdefault(name, []).append(projection)
    return active


def _moved(point: Checkpoint, to: Recorded[Any] | None) -> Checkpoint:
    return point if to is None else replace(point, position=to.position, chain=to.chain)
