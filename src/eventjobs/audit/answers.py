"""
What must hold of an answer whatever the rule is.

It takes up where the last one ended, its moments are in order and have passed, none of them had an outcome before, and
the occurrences' own streams say the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from eventjobs.audit.findings import Kind
from eventjobs.audit.rule import Mismatch
from eventjobs.audit.steps import Answered, Settling
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.schedule import Schedule
from eventjobs.events.cadence import CatchUp
from eventjobs.events.recorded import Recorded
from eventjobs.events.run import RunMissed, RunOpened, RunSkipped


def wrong_moments(owner: Schedule, last: datetime | None, step: Settling, at: datetime) -> Iterator[Mismatch]:
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


def _order(parts: Sequence[Answered]) -> Iterator[Mismatch]:
    before: datetime | None = None
    for part in parts:
        if part.count < 1 or (part.count == 1) != (part.first == part.last) or part.last < part.first:
            yield Mismatch(Kind.MISCOUNTED, f"{part.count} moments cannot lie from {part.first} to {part.last}")
        if before is not None and part.first <= before:
            yield Mismatch(Kind.DOUBLED, f"{part.first} has two outcomes in one answer")
        before = part.last


def unfounded(owner: Schedule, step: Settling) -> Iterator[Mismatch]:
    """Yield the reasons of outcomes that nothing in the log bears out."""
    opened = step.ran
    if opened is not None and owner.open_run is not None and owner.policies.overlap == "skip":
        yield Mismatch(Kind.UNFOUNDED, f"it runs beside {owner.open_run}, and the policy is to skip")
    for part in step.parts:
        if part.covered_by is not None and (opened is None or part.covered_by != opened.run):
            yield Mismatch(Kind.UNCOVERED, f"{part.covered_by} is not the run that stands for {part.first}")
        elif part.reason is not None and not _is_founded(owner, part):
            yield Mismatch(Kind.UNFOUNDED, f"{part.first} is {part.outcome}: {part.reason}, and nothing shows why")


def _is_founded(owner: Schedule, part: Answered) -> bool:
    timing = owner.policies.timing
    match part.reason:
        case "overlap":
            return owner.open_run is not None and part.open_run == owner.open_run
        case "catch_up_never":
            return timing.catch_up is CatchUp.NEVER
        case "catch_up_window":
            return timing.catch_up_window_s is not None
        case "downtime":
            return part.covered_by is not None
        case "no_jobs":
            return not owner.jobs
        case _:
            return False


def contradictions(
    owner_id: str, step: Settling, outcomes: dict[str, Recorded[Any]]
) -> Iterator[tuple[Recorded[Any] | None, Mismatch]]:
    """
    Compare an answer with the streams of its occurrences, and take these out of `outcomes`, the act's others.

    Yields the occurrence's fact (`None` where it has none) and what is wrong.
    """
    covered = step.of("missed", covered=True)
    for part in step.parts:
        name = occurrence_id("schedule", owner_id, part.cadence_version, part.first)
        if part.run is not None and part.run != name:
            yield None, Mismatch(Kind.CONTRADICTED, f"its run is called {part.run}, and the occurrence {name}")
        fact = outcomes.pop(name, None)
        if part.count > 1:
            if fact is not None:
                yield fact, Mismatch(Kind.CONTRADICTED, f"{name} has an outcome of its own, and one among others")
        elif fact is None:
            yield None, Mismatch(Kind.CONTRADICTED, f"{name} {_told(part)}, and its own stream does not say so")
        elif fact.stream_version != 1:
            yield fact, Mismatch(Kind.DOUBLED, f"{name} had an outcome before")
        elif (told := _of(fact.event)) != (wanted := _wanted(owner_id, part, covered)):
            yield fact, Mismatch(_kind(told, wanted), f"{name} says {told}, and its schedule {wanted}")


def _told(part: Answered) -> str:
    return part.outcome if part.reason is None else f"{part.outcome}: {part.reason}"


def _wanted(owner_id: str, part: Answered, covered: Answered | None) -> Mapping[str, Any]:
    common = {"outcome": part.outcome, "owner": owner_id, "due": part.first}
    match part.outcome:
        case "ran":
            return {
                **common,
                "cadence_version": part.cadence_version,
                "missed_occurrences": 0 if covered is None else covered.count,
                "missed_first": None if covered is None else covered.first,
                "missed_last": None if covered is None else covered.last,
            }
        case "skipped":
            return {**common, "reason": part.reason, "open_run": part.open_run}
        case _:
            return {**common, "reason": part.reason, "covered_by": part.covered_by}


def _of(event: RunOpened | RunSkipped | RunMissed) -> Mapping[str, Any]:
    common = {"owner": event.owner.id, "due": event.due}
    match event:
        case RunOpened():
            names = ("cadence_version", "missed_occurrences", "missed_first", "missed_last")
            return {"outcome": "ran", **common, **{name: getattr(event, name) for name in names}}
        case RunSkipped():
            return {"outcome": "skipped", **common, "reason": event.reason, "open_run": event.open_run}
        case RunMissed():
            return {"outcome": "missed", **common, "reason": event.reason, "covered_by": event.covered_by}


def _kind(told: Mapping[str, Any], wanted: Mapping[str, Any]) -> Kind:
    if told["outcome"] != wanted["outcome"]:
        return Kind.CONTRADICTED
    if told.get("missed_occurrences") != wanted.get("missed_occurrences"):
        return Kind.MISCOUNTED
    return Kind.CONTRADICTED


def strays(outcomes: Mapping[str, Recorded[Any]]) -> Iterator[tuple[Recorded[Any], Mismatch]]:
    """Yield the outcomes of occurrences that their owner says nothing of."""
    for name, fact in outcomes.items():
        if fact.event.due is not None:
            yield fact, Mismatch(Kind.CONTRADICTED, f"{name} has an outcome that its schedule does not tell")
