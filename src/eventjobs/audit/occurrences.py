"""
Every occurrence that was due has exactly one outcome: shown from the log alone.

The log is read once, in order. From the facts follow what was due and when, and each step (an activation, an edit, an
answer) is made again by the rule. What is kept is one small state per owner.

The rule that makes a step again is the one that made it. What does not depend on it (moments in order, each answered
once and not before its instant, counts and streams that agree, nothing left over) is checked besides.
"""

from collections import Counter
from collections.abc import AsyncIterable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.audit.acts import Act, Acts
from eventjobs.audit.answers import contradictions, out_of_the_queue, strays, uncovered, wrong_moments, wrongly_spread
from eventjobs.audit.awaited import Awaited
from eventjobs.audit.findings import SHOWN, Finding, Kind, Mismatch, Report, Suspect
from eventjobs.audit.in_order import GroupRuns
from eventjobs.audit.liveness import DECIDING, DISTURBANCES, Liveness, leap_of
from eventjobs.audit.members import astray, belong
from eventjobs.audit.owners import Kept, Owners
from eventjobs.audit.rule import explain
from eventjobs.audit.steps import QUEUED, RAN, Settling, Step, moved, steps_of
from eventjobs.audit.versions import Versions
from eventjobs.domain import zones
from eventjobs.domain.owner import Owner
from eventjobs.domain.streams import OWNER_FOLDS
from eventjobs.errors import UnknownEvent
from eventjobs.events.log import ClockStepObserved
from eventjobs.events.owner import OccurrenceDropped, OwnerRunOpened
from eventjobs.events.recorded import Recorded, StreamId

EXPLAINED_WITHIN: Final = timedelta(seconds=30)
"""What explains an answer at an odd time may be recorded a little after it; such a finding waits as long for it."""
RUNS: Final = "run:"
SURROUNDINGS: Final = ("workspace:", "calendar:")
"""The streams that concern owners besides their own."""

_BY_THE_CLOCK: Final = frozenset({Kind.EARLY, Kind.LATE})


async def audit_occurrences(facts: AsyncIterable[Recorded[Any]]) -> Report:
    """Audit a whole log, from position 1 to its end."""
    ledger = Ledger()
    async for fact in facts:
        ledger.take(fact)
    return ledger.close()


def audit_facts(facts: Iterable[Recorded[Any]]) -> Report:
    """Audit a log that is in memory, from position 1 to its end."""
    ledger = Ledger()
    for fact in facts:
        ledger.take(fact)
    return ledger.close()


class Ledger:
    """
    The audit as it goes on: `take` each fact in order, `flush` when all that is there was taken.

    `close` also finds what is left over. It can go on after each of them. `changed` are the owners of which facts were
    taken; who keeps them elsewhere empties it.
    """

    def __init__(self) -> None:
        self.position = 0
        self.owners = Owners()
        self.awaited = Awaited()
        self.runs = GroupRuns()
        self.changed: set[StreamId] = set()
        self.findings: list[Finding] = []
        self.found = 0
        self.kinds: Counter[Kind] = Counter()
        self.outcomes: Counter[str] = Counter()
        self._acts = Acts()
        self.liveness = Liveness()
        self.versions = Versions()
        self.steps = 0
        self.not_checked: Counter[str] = Counter()
        self.suspects: list[Suspect] = []

    def take(self, fact: Recorded[Any]) -> None:
        """Take the next fact."""
        self._settle(self._acts.take(fact))
        self.liveness.take(fact)
        self.versions.take(fact)
        self.position = fact.position
        if fact.stream.name.startswith(SURROUNDINGS):
            self.owners.take(fact)
        if fact.stream.name.startswith(RUNS):
            self._run(fact)
        if self.suspects:
            self._judge(fact)

    def flush(self) -> None:
        """Take note that there is nothing more for now."""
        self._settle(self._acts.end())

    def close(self) -> Report:
        """Return what was found, with what is left over at the end of the log."""
        self.flush()
        for finding in [*(suspect.finding for suspect in self.suspects), *self.left_over()]:
            self._add(finding)
        self.suspects.clear()
        return self.report()

    def report(self) -> Report:
        """Return what was found until now."""
        return Report(
            positions=self.position,
            owners=len(self.owners.known),
            occurrences=dict(self.outcomes),
            steps=self.steps,
            not_checked=dict(self.not_checked),
            findings=tuple(sorted(self.findings, key=lambda finding: finding.position)),
            found=self.found,
        )

    def left_over(self) -> Sequence[Finding]:
        """Return the moments that have passed without an outcome by the time of the last fact."""
        found = (self.left_over_of(stream) for stream in self.owners.known)
        return [finding for finding in found if finding is not None]

    def passed(self, now: datetime | None = None) -> Sequence[StreamId]:
        """Return the owners of which `left_over_of` may find one: the moment of the others has not come."""
        at = now or self.liveness.at
        return () if at is None else self.awaited.passed(at, self.owners.known)

    def left_over_of(self, stream: StreamId, now: datetime | None = None) -> Finding | None:
        """Return an owner's moment that has passed without an outcome by `now`, or by the time of the last fact."""
        at, due = now or self.liveness.at, self.owners.known[stream].awaits
        if at is None or due is None or not self.liveness.is_late(due, at):
            return None
        return Finding(Kind.LEFT_OVER, self.position, at, stream, due, f"{due} passed without an outcome")

    def _settle(self, act: Act | None) -> None:
        if act is None:
            return
        outcomes = {fact.stream.id: fact for fact in act.outcomes}
        for stream, facts in act.owners.items():
            try:
                self._owner(stream, facts, outcomes, stood=act.stood)
            except UnknownEvent as unknown:
                self._note(facts[0], Mismatch(Kind.UNREADABLE, str(unknown)), stream)
        for fact, mismatch in strays(outcomes):
            self._note(fact, mismatch, fact.stream)

        for fact, mismatch in astray(self.owners.known, act):
            self._note(fact, mismatch, fact.stream)

    def _run(self, fact: Recorded[Any]) -> None:
        try:
            for owner, mismatch in self.runs.take(fact, self.owners.known):
                self._note(fact, mismatch, owner)
        except UnknownEvent as unknown:
            self._note(fact, Mismatch(Kind.UNREADABLE, str(unknown)), fact.stream)

    def _owner(
        self, stream: StreamId, facts: Sequence[Recorded[Any]], outcomes: dict[str, Recorded[Any]], *, stood: bool
    ) -> None:
        owner = self.owners.known.setdefault(stream, Kept(OWNER_FOLDS[stream.kind].initial))
        self.changed.add(stream)
        steps = list(steps_of([fact.event for fact in facts], owner.state.cadence_version))
        before, awaited, sound, place = owner.state, owner.awaits, True, 0
        try:
            for step in steps:
                fact = facts[place]
                if isinstance(step, Settling):
                    sound = self._settling(stream, owner, step, fact, outcomes) and sound
                for event in step.facts if isinstance(step, Settling) else (step,):
                    self._queue(stream, owner.state, event, facts[place], outcomes)
                    for mismatch in belong(owner, event):
                        self._note(facts[place], mismatch, stream)
                    owner.state = moved(stream.kind, owner.state, event)
                    place += 1
        finally:
            if owner.awaits != awaited:
                self.awaited.note(stream, owner.awaits)
        if sound:
            self._replay(stream, before, steps, facts, stood=stood)

    def _settling(
        self,
        stream: StreamId,
        owner: Kept,
        step: Settling,
        fact: Recorded[Any],
        outcomes: dict[str, Recorded[Any]],
    ) -> bool:
        """Check an answer for itself; tell whether it is worth to be compared with the rule."""
        first, due = step.parts[0].first, owner.awaits
        wrong = [*wrong_moments(owner.state, owner.last, step, fact.at), *uncovered(stream, step)]
        for mismatch in wrong:
            self._note(fact, mismatch, stream, first)
        for run, mismatch, back in wrongly_spread(stream, owner.state, step, outcomes, self.liveness.slack):
            self._note(run, mismatch, stream, first, by_set_back=True, back=back)
        for own, mismatch in contradictions(stream, step, outcomes):
            self._note(own or fact, mismatch, stream, first)
        if not wrong and due is not None and self.liveness.is_late(due, fact.at):
            late = self.liveness.lateness(due, fact.at)
            what = f"it is answered {late} late, and nothing in the log shows why"
            self._note(fact, Mismatch(Kind.LATE, what), stream, due)
        for part in step.parts:
            if part.outcome != QUEUED:
                self.outcomes[part.outcome] += part.count
        owner.last = max(step.parts[-1].last, owner.last or step.parts[-1].last)
        return not wrong

    def _queue(
        self, stream: StreamId, owner: Owner, event: Any, fact: Recorded[Any], outcomes: dict[str, Recorded[Any]]
    ) -> None:
        if not isinstance(event, (OwnerRunOpened, OccurrenceDropped)):
            return
        for own, mismatch in out_of_the_queue(stream, owner, event, outcomes):
            self._note(own or fact, mismatch, stream, event.due)
        if isinstance(event, OccurrenceDropped):
            self.outcomes[event.outcome] += 1
        elif event.due is not None and event.timing is None:
            self.outcomes[RAN] += 1

    def _replay(
        self,
        stream: StreamId,
        before: Owner,
        steps: Sequence[Step],
        facts: Sequence[Recorded[Any]],
        *,
        stood: bool,
    ) -> None:
        version = _zone_data(before, steps) or self.versions.other(facts[0].at)
        wrong = explain(self.owners.subject(stream), before, steps, facts[0].at, self.liveness.slack)
        if wrong is not None and version not in (None, zones.zone_data()):
            self.not_checked[version or ""] += len(steps)
            return
        self.steps += len(steps)
        if wrong is not None:
            place = sum(len(step.facts) if isinstance(step, Settling) else 1 for step in steps[: wrong.step])
            self._note(facts[place], wrong.mismatch, stream, by_set_back=stood, back=wrong.back)

    def _note(
        self,
        fact: Recorded[Any],
        wrong: Mismatch,
        owner: StreamId,
        due: datetime | None = None,
        *,
        by_set_back: bool = False,
        back: timedelta | None = None,
    ) -> None:
        finding = Finding(wrong.kind, fact.position, fact.at, owner, due, wrong.what)
        by_set_back = by_set_back or wrong.kind in _BY_THE_CLOCK
        if by_set_back or back is not None:
            self.suspects.append(Suspect(finding, by_set_back, back))
        else:
            self._add(finding)

    def _judge(self, fact: Recorded[Any]) -> None:
        """Let go of what a disturbance explains, and give up on the others after a while."""
        if fact.type in DISTURBANCES:
            self.suspects = [one for one in self.suspects if not _is_explained(one, fact)]
        while self.suspects and fact.at - self.suspects[0].finding.at > EXPLAINED_WITHIN:
            self._add(self.suspects.pop(0).finding)

    def _add(self, finding: Finding) -> None:
        self.found += 1
        self.kinds[finding.kind] += 1
        if len(self.findings) < SHOWN:
            self.findings.append(finding)


def _is_explained(suspect: Suspect, by: Recorded[Any]) -> bool:
    """
    Tell whether a disturbance explains it.

    Each explains that something was late, a clock that went back all that hangs on the clock, and one that was set
    forward what the rule gives at the time that it showed before.
    """
    if suspect.finding.kind is Kind.LATE:
        return True
    leap = leap_of(by)
    if leap is not None:
        return suspect.back is not None and suspect.back <= leap + DECIDING
    return suspect.by_set_back and by.type == ClockStepObserved.TYPE


def _zone_data(owner: Owner, steps: Sequence[Step]) -> str | None:
    """Return the version of the zone data that steps were decided with, as they or what was due before them say."""
    for step in steps:
        following = getattr(step, "next", None)
        if following is not None:
            version: str = following.zone_data
            return version
    return None if owner.next is None else owner.next.zone_data
