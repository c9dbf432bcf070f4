"""
Every occurrence that was due has exactly one outcome: shown from the log alone.

The log is read once, in order. From the facts follow what was due and when, and each step (an activation, an edit, an
answer) is made again by the rule. What is kept is one small state per owner.

The rule that makes a step again is the one that made it. What does not depend on it (moments in order, each answered
once and not before its instant, counts and streams that agree, nothing left over) is checked besides.
"""

from collections import Counter
from collections.abc import AsyncIterable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.audit.acts import Act, Acts
from eventjobs.audit.answers import contradictions, strays, unfounded, wrong_moments
from eventjobs.audit.findings import SHOWN, Finding, Kind, Report
from eventjobs.audit.liveness import Liveness
from eventjobs.audit.rule import Mismatch, explain
from eventjobs.audit.steps import Settling, Step, moved, steps_of
from eventjobs.domain.schedule import INITIAL, Schedule
from eventjobs.domain.zones import zone_data
from eventjobs.errors import UnknownEvent
from eventjobs.events.log import ClockStepObserved
from eventjobs.events.recorded import Recorded, StreamId

EXPLAINED_WITHIN: Final = timedelta(seconds=30)
"""A step of the clock is recorded a little after it happened; what it may explain waits as long for it."""

_BY_THE_CLOCK: Final = frozenset({Kind.EARLY, Kind.LATE})


@dataclass(slots=True)
class Owner:
    """A schedule as its facts tell it, and the last of its moments that has an outcome."""

    state: Schedule = INITIAL
    last: datetime | None = None


async def audit_occurrences(facts: AsyncIterable[Recorded[Any]]) -> Report:
    """Audit a whole log, from position 1 to its end."""
    ledger = Ledger()
    async for fact in facts:
        ledger.take(fact)
    return ledger.close()


class Ledger:
    """
    The audit as it goes on: `take` each fact in order, `flush` when all that is there was taken.

    `close` also finds what is left over. It can go on after each of them.
    """

    def __init__(self) -> None:
        self.position = 0
        self.owners: dict[StreamId, Owner] = {}
        self.findings: list[Finding] = []
        self.found = 0
        self._acts = Acts()
        self._liveness = Liveness()
        self._outcomes: Counter[str] = Counter()
        self._steps = 0
        self._not_checked: Counter[str] = Counter()
        self._suspects: list[Finding] = []

    def take(self, fact: Recorded[Any]) -> None:
        """Take the next fact."""
        self._settle(self._acts.take(fact))
        self._liveness.take(fact)
        self.position = fact.position
        if self._suspects:
            self._judge(fact)

    def flush(self) -> None:
        """Take note that there is nothing more for now."""
        self._settle(self._acts.end())

    def close(self) -> Report:
        """Return what was found, with what is left over at the end of the log."""
        self.flush()
        for finding in [*self._suspects, *self.left_over()]:
            self._add(finding)
        self._suspects.clear()
        return self.report()

    def report(self) -> Report:
        """Return what was found until now."""
        return Report(
            positions=self.position,
            owners=len(self.owners),
            occurrences=dict(self._outcomes),
            steps=self._steps,
            not_checked=dict(self._not_checked),
            findings=tuple(sorted(self.findings, key=lambda finding: finding.position)),
            found=self.found,
        )

    def left_over(self, now: datetime | None = None) -> list[Finding]:
        """Return the moments that have passed without an outcome by `now`, by default the time of the last fact."""
        at = self._liveness.at if now is None else now
        if at is None:
            return []
        return [
            Finding(
                kind=Kind.LEFT_OVER,
                position=self.position,
                at=at,
                owner=stream,
                due=owner.state.next.due,
                what=f"{owner.state.next.due} passed without an outcome",
            )
            for stream, owner in self.owners.items()
            if owner.state.active and owner.state.next is not None and self._liveness.is_late(_due(owner.state), at)
        ]

    def _settle(self, act: Act | None) -> None:
        if act is None:
            return
        outcomes = {fact.stream.id: fact for fact in act.outcomes}
        for stream, facts in act.owners.items():
            try:
                self._owner(stream, facts, outcomes)
            except UnknownEvent as unknown:
                self._note(facts[0], Mismatch(Kind.UNREADABLE, str(unknown)), stream)
        for fact, mismatch in strays(outcomes):
            self._note(fact, mismatch, fact.stream)

    def _owner(self, stream: StreamId, facts: list[Recorded[Any]], outcomes: dict[str, Recorded[Any]]) -> None:
        owner = self.owners.setdefault(stream, Owner())
        steps = list(steps_of([fact.event for fact in facts], owner.state.cadence_version))
        before, sound = owner.state, True
        place = 0
        for step in steps:
            fact = facts[place]
            if isinstance(step, Settling):
                place += len(step.facts)
                sound = self._settling(stream, owner, step, fact, outcomes) and sound
            else:
                place += 1
            owner.state = moved(owner.state, step)
        if sound:
            self._replay(stream, before, steps, facts)

    def _settling(
        self,
        stream: StreamId,
        owner: Owner,
        step: Settling,
        fact: Recorded[Any],
        outcomes: dict[str, Recorded[Any]],
    ) -> bool:
        """Check an answer for itself; tell whether it is worth to be compared with the rule."""
        wrong = list(wrong_moments(owner.state, owner.last, step, fact.at))
        for mismatch in [*wrong, *unfounded(owner.state, step)]:
            self._note(fact, mismatch, stream, step.parts[0].first)
        for own, mismatch in contradictions(stream.id, step, outcomes):
            self._note(own or fact, mismatch, stream, step.parts[0].first)
        if not wrong and owner.state.next is not None and self._liveness.is_late(_due(owner.state), fact.at):
            late = self._liveness.lateness(_due(owner.state), fact.at)
            what = f"it is answered {late} late, and nothing in the log shows why"
            self._note(fact, Mismatch(Kind.LATE, what), stream, owner.state.next.due)
        for part in step.parts:
            self._outcomes[part.outcome] += part.count
        owner.last = max(step.parts[-1].last, owner.last or step.parts[-1].last)
        return not wrong

    def _replay(self, stream: StreamId, before: Schedule, steps: list[Step], facts: list[Recorded[Any]]) -> None:
        version = _zone_data(before, steps)
        if version not in (None, zone_data()):
            self._not_checked[version or ""] += len(steps)
            return
        self._steps += len(steps)
        mismatch = explain(before, steps, facts[0].at, self._liveness.slack)
        if mismatch is not None:
            self._note(facts[0], mismatch, stream)

    def _note(self, fact: Recorded[Any], wrong: Mismatch, owner: StreamId, due: datetime | None = None) -> None:
        finding = Finding(kind=wrong.kind, position=fact.position, at=fact.at, owner=owner, due=due, what=wrong.what)
        if wrong.kind in _BY_THE_CLOCK:
            self._suspects.append(finding)
        else:
            self._add(finding)

    def _judge(self, fact: Recorded[Any]) -> None:
        """Let go of what a step of the clock explains, and give up on the others after a while."""
        if fact.type == ClockStepObserved.TYPE:
            self._suspects.clear()
        while self._suspects and fact.at - self._suspects[0].at > EXPLAINED_WITHIN:
            self._add(self._suspects.pop(0))

    def _add(self, finding: Finding) -> None:
        self.found += 1
        if len(self.findings) < SHOWN:
            self.findings.append(finding)


def audit_facts(facts: Iterable[Recorded[Any]]) -> Report:
    """Audit a log that is in memory, from position 1 to its end."""
    ledger = Ledger()
    for fact in facts:
        ledger.take(fact)
    return ledger.close()


def _due(owner: Schedule) -> datetime:
    """From when on the next moment waits for an answer: one that an edit put into the past, from the edit on."""
    assert owner.next is not None  # noqa: S101 the caller looked
    pending = owner.timing.pending_at
    return owner.next.due if pending is None else max(owner.next.due, pending)


def _zone_data(owner: Schedule, steps: list[Step]) -> str | None:
    """Return the version of the zone data that steps were decided with, as they or what was due before them say."""
    for step in steps:
        following = getattr(step, "next", None)
        if following is not None:
            version: str = following.zone_data
            return version
    return None if owner.next is None else owner.next.zone_data
