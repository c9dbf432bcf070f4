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
from eventjobs.projections.storage import Link, ViewStorage
from eventjobs.projections.temporal import Batch, Projection

KNOWN_TYPES: Final = frozenset(event.TYPE for event in EVENT_TYPES)

Fact = Recorded[Any]


class Gathered:
    """Facts in order, what they write, and where projections stop at them; no database is needed for it."""

    def __init__(self, projections: Sequence[Projection]) -> None:
        self.projections = tuple(projections)
        self.facts: list[Fact] = []
        self.batch = Batch()
        self._going = set(projections)
        self._stopped: dict[Projection, tuple[int, str]] = {}
        self._interested: dict[str, list[Projection]] = {}
        for projection in projections:
            for name in projection.types:
                self._interested.setdefault(name, []).append(projection)

    def add(self, fact: Fact) -> None:
        """Take the next fact."""
        for projection in self._interested.get(fact.type, ()):
            if projection in self._going:
                try:
                    self.batch.extend(fact.position, list(projection.project(fact)))
                except Exception as error:  # noqa: BLE001 whatever it is, this projection goes no further
                    self._stop(projection, f"{type(error).__name__}: {error}")
        if fact.type not in KNOWN_TYPES:
            for projection in list(self._going):
                self._stop(projection, "this version does not know the type")
        self.facts.append(fact)

    def points(self, group: Mapping[Projection, Checkpoint]) -> Sequence[Checkpoint]:
        """Return where the projections are after these facts."""
        return [self._after(projection, point) for projection, point in group.items()]

    def _stop(self, projection: Projection, reason: str) -> None:
        self._going.discard(projection)
        self._stopped[projection] = (len(self.facts), reason)

    def _after(self, projection: Projection, point: Checkpoint) -> Checkpoint:
        stop = self._stopped.get(projection)
        if stop is None:
            return _moved(point, self.facts)
        place, reason = stop
        return stop_at(_moved(point, self.facts[:place]), self.facts[place], reason)


def gather(projections: Sequence[Projection], facts: Sequence[Fact]) -> Gathered:
    """Return the facts with what they write."""
    gathered = Gathered(projections)
    for fact in facts:
        gathered.add(fact)
    return gathered


async def advance(
    connection: Link,
    group: Mapping[Projection, Checkpoint],
    gathered: Gathered,
    *,
    suffix: str = "",
    copy: bool = False,
) -> Sequence[Checkpoint]:
    """
    Write the rows of facts that begin after the checkpoints' common position, and the checkpoints.

    The caller has the checkpoints' rows; `suffix` and `copy` are `ViewStorage`'s. Raises `ForkedHistory` if the facts
    do not continue what was read before.
    """
    _check_continues(next(iter(group.values())), gathered.facts[0])
    if set(gathered.projections) != set(group):
        gathered = gather(list(group), gathered.facts)
    await ViewStorage(connection, suffix=suffix, copy=copy).apply(gathered.batch)
    points = gathered.points(group)
    await checkpoints.save(connection, points)
    return points


def stop_at(point: Checkpoint, fact: Fact, reason: str) -> Checkpoint:
    """Return a checkpoint that stands before a fact and says why it goes no further."""
    return replace(point, stopped_at=fact.position, reason=f"{fact.type} at {fact.position}: {reason}")


def _check_continues(point: Checkpoint, first: Fact) -> None:
    if first.position != point.position + 1:
        raise ValueError(f"facts from {first.position} do not follow {point.position}")
    if chain.link(point.chain, first.position, first.leaf) != first.chain:
        raise ForkedHistory(
            f"the view {point.name} was built on another history: the log's chain at {point.position} is not the one "
            "that was read then; find out which history is right, then rebuild the views"
        )


def _moved(point: Checkpoint, facts: Sequence[Fact]) -> Checkpoint:
    return replace(point, position=facts[-1].position, chain=facts[-1].chain) if facts else point
