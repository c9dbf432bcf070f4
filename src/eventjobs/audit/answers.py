"""
What must hold of an answer whatever the rule is.

It takes up where the last one ended, its moments are in order and have passed, none of them had an outcome before, and
the occurrences' own streams say the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from eventjobs.audit.findings import Kind, Mismatch
from eventjobs.audit.steps import MISSED, QUEUED, RAN, Part, Settling
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.owner import Owner
from eventjobs.domain.spread import not_before
from eventjobs.events.owner import OccurrenceDropped, OwnerRunOpened
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.run import RunMissed, RunOpened, RunSkipped


def wrong_moments(owner: Owner, last: datetime | None, step: Settling, at: datetime) -> Iterator[Mismatch]:
    """Yield what is wrong with the moments of an answer; `last` is the last one that was answered before."""
    first = step.parts[0].first
    if last is not None and first <= last:
        yield Mismatch(Kind.DOUBLED, f"{first} is answered again: {last} was answered before")
    elif not owner.active or owner.next is None:
        yield Mismatch(Kind.DOUBLED, f"{first} is answered although nothing was due")
    elif first > owner.next.due:
        yield Mismatch(Kind.LEFT_OVER, f"{owner.next.due} was due, and it answers {first} instead")
    elif first < owner.next.due:
        yield Mismatch(Kind.NOT_THE_RULE, f"it answers {first}, and {owner.next.due} was due")
    yield from _order(step.parts)
    passed = max(part.last for part in step.parts)
    if passed > at:
        yield Mismatch(Kind.EARLY, f"it answers {passed} at {at}, before its instant")
    if step.next is not None and step.next.due <= passed:
        yield Mismatch(Kind.DOUBLED, f"the next moment would be {step.next.due}, and {passed} is answered")


def _order(parts: Sequence[Part]) -> Iterator[Mismatch]:
    before: datetime | None = None
    for part in parts:
        if part.count < 1 or (part.count == 1) != (part.first == part.last) or part.last < part.first:
            yield Mismatch(Kind.MISCOUNTED, f"{part.count} moments cannot lie from {part.first} to {part.last}")
        if before is not None and part.first <= before:
            yield Mismatch(Kind.DOUBLED, f"{part.first} has two outcomes in one answer")
        before = part.last


def uncovered(stream: StreamId, step: Settling) -> Iterator[Mismatch]:
    """Yield moments whose `covered_by` is not the run that the same answer opened or lets wait."""
    runs = {_name(stream, part) for part in step.parts if part.outcome in (RAN, QUEUED)}
    for part in step.parts:
        if part.covered_by is not None and part.covered_by not in runs:
            yield Mismatch(Kind.UNCOVERED, f"{part.covered_by} is not the run that stands for {part.first}")


def contradictions(
    stream: StreamId, step: Settling, outcomes: dict[str, Recorded[Any]]
) -> Iterator[tuple[Recorded[Any] | None, Mismatch]]:
    """
    Compare an answer with the streams of its occurrences, and take these out of `outcomes`, the act's others.

    Yields the occurrence's fact (`None` where it has none) and what is wrong.
    """
    covered = [part for part in step.parts if part.covered_by is not None]
    for part in step.parts:
        name = _name(stream, part)
        if part.outcome == QUEUED:
            continue
        fact = outcomes.pop(name, None)
        if part.count > 1:
            if fact is not None:
                yield fact, Mismatch(Kind.CONTRADICTED, f"{name} has an outcome of its own, and one among others")
            continue
        yield from _against(name, fact, _wanted(stream, part, covered))
    head = step.head
    if isinstance(head, OwnerRunOpened) and head.run not in (_name(stream, part) for part in step.parts):
        yield None, Mismatch(Kind.CONTRADICTED, f"its run is called {head.run}, which is not the occurrence's name")


def wrongly_spread(
    stream: StreamId, owner: Owner, step: Settling, outcomes: Mapping[str, Recorded[Any]], slack: timedelta
) -> Iterator[tuple[Recorded[Any], Mismatch, timedelta | None]]:
    """
    Yield a run whose jobs may begin at another instant than its place in the spread, from its decision on (R36).

    The last is how long before its time the rule would have given it, if it would have.
    """
    head = step.head
    fact = outcomes.get(head.run) if isinstance(head, OwnerRunOpened) else None
    if fact is None or not isinstance(fact.event, RunOpened):
        return
    latest = not_before(stream.workspace, stream.id, owner.policies.spread_s, fact.event.cause, fact.at)
    told = fact.event.not_before
    if (told is None) != (latest is None):
        yield fact, Mismatch(Kind.NOT_THE_RULE, f"its jobs may begin at {told}, and by its spread at {latest}"), None
    elif told is not None and latest is not None and not latest - slack <= told <= latest:
        what = f"its jobs may begin at {told}, which is not its place in the spread"
        yield fact, Mismatch(Kind.NOT_THE_RULE, what), latest - told if told < latest else None


def out_of_the_queue(
    stream: StreamId, owner: Owner, fact: Any, outcomes: dict[str, Recorded[Any]]
) -> Iterator[tuple[Recorded[Any] | None, Mismatch]]:
    """The same for a moment that waited: its run opens, or it is dropped."""
    if isinstance(fact, OwnerRunOpened) and (fact.due is None or fact.timing is not None):
        return  # by hand, or an answer
    waiting = next((one for one in owner.waiting if one.due == fact.due), None)
    if waiting is None:
        yield None, Mismatch(Kind.DOUBLED, f"{fact.due} leaves the queue, and it did not wait there")
        return
    name = occurrence_id(stream.kind, stream.id, waiting.cadence_version, waiting.due)
    common = {"owner": stream.id, "due": waiting.due}
    if isinstance(fact, OccurrenceDropped):
        wanted = {"outcome": fact.outcome, **common, "reason": fact.reason}
        wanted["covered_by" if fact.outcome == MISSED else "open_run"] = fact.open_run
    else:
        names = ("cadence_version", "missed_occurrences", "missed_first", "missed_last")
        wanted = {"outcome": RAN, **common, **{field: getattr(waiting, field) for field in names}}
        if fact.run != name:
            yield None, Mismatch(Kind.CONTRADICTED, f"its run is called {fact.run}, and the occurrence {name}")
    yield from _against(name, outcomes.pop(name, None), wanted)


def strays(outcomes: Mapping[str, Recorded[Any]]) -> Iterator[tuple[Recorded[Any], Mismatch]]:
    """Yield the outcomes of occurrences that their owner says nothing of."""
    for name, fact in outcomes.items():
        if fact.event.due is not None:
            yield fact, Mismatch(Kind.CONTRADICTED, f"{name} has an outcome that its owner does not tell")


def _name(stream: StreamId, part: Part) -> str:
    return occurrence_id(stream.kind, stream.id, part.cadence_version, part.first)


def _against(
    name: str, fact: Recorded[Any] | None, wanted: Mapping[str, Any]
) -> Iterator[tuple[Recorded[Any] | None, Mismatch]]:
    if fact is None:
        told = f"{name} is told as {wanted['outcome']}, and its own stream does not say so"
        yield None, Mismatch(Kind.CONTRADICTED, told)
    elif fact.stream_version != 1:
        yield fact, Mismatch(Kind.DOUBLED, f"{name} had an outcome before")
    elif (own := _of(fact.event)) != wanted:
        different = [field for field in {**own, **wanted} if own.get(field) != wanted.get(field)]
        says = ", ".join(f"{field} {own.get(field)} and not {wanted.get(field)}" for field in different)
        counts = different and all(field.startswith("missed_") for field in different)
        kind = Kind.MISCOUNTED if counts else Kind.CONTRADICTED
        yield fact, Mismatch(kind, f"{name} says {says}, as its schedule does")


def _wanted(stream: StreamId, part: Part, covered: Sequence[Part]) -> Mapping[str, Any]:
    common = {"outcome": part.outcome, "owner": stream.id, "due": part.first}
    if part.outcome == RAN:
        return {
            **common,
            "cadence_version": part.cadence_version,
            "missed_occurrences": sum(one.count for one in covered),
            "missed_first": covered[0].first if covered else None,
            "missed_last": covered[-1].last if covered else None,
        }
    other = {"covered_by": part.covered_by} if part.outcome == MISSED else {"open_run": part.open_run}
    return {**common, "reason": part.reason, **other}


def _of(event: RunOpened | RunSkipped | RunMissed) -> Mapping[str, Any]:
    common = {"owner": event.owner.id, "due": event.due}
    match event:
        case RunOpened():
            names = ("cadence_version", "missed_occurrences", "missed_first", "missed_last")
            return {"outcome": RAN, **common, **{name: getattr(event, name) for name in names}}
        case RunSkipped():
            return {"outcome": "skipped", **common, "reason": event.reason, "open_run": event.open_run}
        case RunMissed():
            return {"outcome": MISSED, **common, "reason": event.reason, "covered_by": event.covered_by}
