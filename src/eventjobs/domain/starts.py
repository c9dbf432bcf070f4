"""What a decision may know about a workspace's places for runs at once (SPEC decision 13)."""

from dataclasses import dataclass, replace
from typing import assert_never

from eventjobs.events.run import Ref
from eventjobs.events.starts import StartsDelayed, StartsEvent, StartsFreed, StartsGivenUp, StartsTaken


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """The runs that have a place, and the owners that wait for one, the first first."""

    taken: tuple[str, ...] = ()
    delayed: tuple[Ref, ...] = ()


INITIAL = Starts()


def evolve(starts: Starts, event: StartsEvent) -> Starts:
    """Move them by one fact."""
    match event:
        case StartsTaken():
            return replace(starts, taken=(*starts.taken, event.run), delayed=_without(starts, event.owner))
        case StartsFreed():
            return replace(starts, taken=tuple(run for run in starts.taken if run != event.run))
        case StartsDelayed():
            return replace(starts, delayed=(*_without(starts, event.owner), event.owner))
        case StartsGivenUp():
            return replace(starts, delayed=_without(starts, event.owner))
        case _:
            assert_never(event)


def _without(starts: Starts, owner: Ref) -> tuple[Ref, ...]:
    return tuple(one for one in starts.delayed if one != owner)
