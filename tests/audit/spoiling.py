"""How a log is spoilt: facts altered, taken out, or moved in time."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from eventjobs.events import EVENT_TYPES
from eventjobs.events.recorded import Recorded
from eventjobs.log.codec import Codec

CODEC = Codec(EVENT_TYPES)
Facts = list[Recorded[Any]]


def changed(fact: Recorded[Any], *, at: datetime | None = None, version: int | None = None, **fields: Any) -> Any:
    """Return the same fact with other fields."""
    event = replace(fact.event, **fields)
    return Recorded(
        position=fact.position,
        stream=fact.stream,
        stream_version=fact.stream_version if version is None else version,
        type=fact.type,
        schema=fact.schema,
        at=at or fact.at,
        actor=fact.actor,
        command_id=fact.command_id,
        causation=fact.causation,
        correlation=fact.correlation,
        data=CODEC.encode(event),
        leaf=fact.leaf,
        chain=fact.chain,
        decode=CODEC.decode,
    )


Wanted = Callable[[Recorded[Any]], bool]


def where(facts: Facts, wanted: Wanted, *, place: int = 0) -> int:
    """Return the index of a fact."""
    return [index for index, fact in enumerate(facts) if wanted(fact)][place]


def command_of(facts: Facts, index: int) -> set[int]:
    """Return the places of all that the same command wrote."""
    return {place for place, fact in enumerate(facts) if fact.command_id == facts[index].command_id}


def without(facts: Facts, places: Iterable[int]) -> Facts:
    gone = set(places)
    return [fact for place, fact in enumerate(facts) if place not in gone]


def with_(facts: Facts, place: int, **fields: Any) -> Facts:
    return [*facts[:place], changed(facts[place], **fields), *facts[place + 1 :]]


def moved(facts: Facts, places: Iterable[int], by: timedelta) -> Facts:
    """Let facts have happened at another time."""
    chosen = set(places)
    return [changed(fact, at=fact.at + by) if place in chosen else fact for place, fact in enumerate(facts)]
