"""
How many things of a kind each workspace has, for the limits that say how many there may be.

A number is counted once, by a view, and then follows the log; nobody counts again but after a long time. Two decisions
at the same moment may both take the last place: so large a limit is kept nearly, and nobody waits for it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from eventjobs.events.job import JobCreated, JobDeleted, JobExpired
from eventjobs.events.recorded import Event, StreamId
from eventjobs.events.schedule import ScheduleCreated, ScheduleDeleted, ScheduleRestored
from eventjobs.log.port import EventLog, Filter

SCHEDULE: Final = "schedule"
CONNECT_JOB: Final = "job"
MORE: Final[Mapping[str, Mapping[type[Event], int]]] = {
    SCHEDULE: {ScheduleCreated: 1, ScheduleRestored: 1, ScheduleDeleted: -1},
    CONNECT_JOB: {JobCreated: 1, JobDeleted: -1, JobExpired: -1},
}
"""By how many a fact changes a number; a tombstone that is archived is taken off twice, until it is counted again."""
Growth: TypeAlias = Mapping[tuple[str, str], int]
"""By how many things of a kind workspaces grow, by workspace and kind."""
ALONE: Final[Growth] = {}
FAR: Final = 10_000
"""After so many facts, of anything, a number is counted again."""
KEPT: Final = 1_000
"""How many numbers are remembered."""
PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are as of a position."""

    number: int
    position: int


class CensusSource(Protocol):
    """Where things are counted, so that the log need not be read from its beginning."""

    async def count(self, workspace: str, kind: str) -> tuple[int, int]:
        """Return how many things of the kind are in a workspace, and the position up to which that is so."""
        ...


class Census:
    """Knows how many things of a kind a workspace has, as far as this process knows the log."""

    def __init__(self, log: EventLog, source: CensusSource | None = None) -> None:
        self._log = log
        self._source = source
        self._known: OrderedDict[tuple[str, str], Count] = OrderedDict()

    def known(self, workspace: str, kind: str) -> int | None:
        """Return the number, unless it must be counted, or the log read, before."""
        known = self._known.get((workspace, kind))
        return None if known is None or known.position < self._log.known_head.position else known.number

    def beside(self, growth: Growth) -> Callable[[str, str], int | None]:
        """Return `known` for who decides after others whose facts are not written yet."""

        def known(workspace: str, kind: str) -> int | None:
            number = self.known(workspace, kind)
            return None if number is None else number + growth.get((workspace, kind), 0)

        return known

    async def catch_up(self, workspace: str) -> None:
        """Let the numbers that are known of a workspace follow the log."""
        for kind in MORE:
            if (workspace, kind) in self._known:
                await self.count(workspace, kind)

    async def count(self, workspace: str, kind: str) -> int:
        """Return the number as of the known head."""
        head = self._log.known_head.position
        known = self._known.get((workspace, kind))
        if known is None or (self._source is not None and known.position < head - FAR):
            known = Count(0, 0) if self._source is None else Count(*await self._source.count(workspace, kind))
        counted = await self._to(head, known, workspace, kind)
        self._known[(workspace, kind)] = counted
        self._known.move_to_end((workspace, kind))
        while len(self._known) > KEPT:
            self._known.popitem(last=False)
        return counted.number

    async def _to(self, head: int, known: Count, workspace: str, kind: str) -> Count:
        matching = Filter(workspace=workspace, types=tuple(event.TYPE for event in MORE[kind]))
        number, position = known.number, known.position
        while position < head:
            facts = await self._log.read(position, PAGE, before=head + 1, matching=matching)
            number += sum(_more(fact.event, kind) for fact in facts)
            position = facts[-1].position if len(facts) == PAGE else head
        return Count(number, position)


def grown(emitted: Iterable[tuple[StreamId, Any]], kind: str) -> int:
    """Return by how many things of a kind these facts are more."""
    return sum(_more(event, kind) for stream, event in emitted if stream.kind == kind)


def _more(event: Any, kind: str) -> int:
    stays = isinstance(event, JobExpired) and event.on_expiry != "delete"
    return 0 if stays else MORE[kind].get(type(event), 0)
