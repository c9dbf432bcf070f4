"""
What holds for any life of a schedule: activations, edits, answers in time and late, skips, outages.

The lives are drawn; what was answered is written down and must never come back.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from eventjobs.domain.activation import on_activated, on_inactivated
from eventjobs.domain.due import Decision, DueAnswer, Span, answer_due
from eventjobs.domain.edits import on_cadence_changed
from eventjobs.domain.preview import occurrences_between, preview
from eventjobs.domain.timing import resolve_start
from eventjobs.events.cadence import Cadence, CatchUp, NextDue, Timing, TimingPolicies, TimingState, Unit
from tests.support.cadences import ODD_ZONES, rules

Rule = tuple[Cadence, TimingPolicies]

BEGIN = st.builds(
    lambda day, time: datetime.combine(day, time, UTC), st.dates(date(1975, 1, 1), date(2190, 1, 1)), st.times()
)
DELAYS = st.sampled_from([0.0, 0.3, 1.0, 60.0, 60.5, 3600.0, 86_400.0, 2e6, 3e7]) | st.floats(0, 1e7)
STEPS = st.sampled_from(["tick", "tick", "tick", "skip", "toggle", "edit", "nothing"])


@dataclass
class Life:
    """One schedule, everything that was answered of it, and the checks after each step."""

    rule: Rule
    now: datetime
    state: TimingState = TimingState()
    next: NextDue | None = None
    active: bool = False
    answered: list[datetime] = field(default_factory=list)
    expanded: bool = True

    def toggle(self) -> None:
        self.settle()
        if self.active:
            self.active, self.next, self.state = False, None, on_inactivated(self.state)
        else:
            self.active = True
            self.decided(on_activated(*self.rule, self.state, self.now))

    def edit(self, rule: Rule) -> None:
        self.settle()
        old, self.rule = self.rule, rule
        self.decided(
            on_cadence_changed(*old, *rule, state=self.state, next_due=self.next, now=self.now, active=self.active)
        )

    def settle(self) -> None:
        """Answer what has passed, as every command does first."""
        if self.next is not None and self.next.due <= self.now:
            self.answer(skip=False)

    def answer(self, *, skip: bool) -> None:
        assert self.next is not None
        answer = answer_due(*self.rule, self.state, self.next, self.now)
        self.check_outcomes(answer)
        after = answer.if_skipped if skip else answer.if_run
        self.state, self.next = after.state, after.next
        assert self.next is None or self.next.due > self.now, "what follows an answer is ahead"
        assert self.state.pending is None

    def check_outcomes(self, answer: DueAnswer) -> None:
        """Each passed moment has one outcome, in order, and none had one before."""
        dues = [*self.moments(answer.missed)]
        if answer.runs is not None:
            dues.append(answer.runs.due)
        dues += self.moments(answer.covered)
        assert dues == sorted(set(dues))
        assert dues[0] == self.next_due
        assert dues[-1] <= self.now
        assert not self.answered or dues[0] > max(self.answered)
        self.answered = dues[-1:]

    @property
    def next_due(self) -> datetime | None:
        return None if self.next is None else self.next.due

    def moments(self, span: Span | None) -> list[datetime]:
        if span is None:
            return []
        if span.count > 50 or self.state.resume_at is not None:
            return sorted({span.first, span.last})
        found = [due.due for due in occurrences_between(*self.rule, span, 100)]
        assert len(found) == span.count
        return found

    def decided(self, decision: Decision) -> None:
        self.state, self.next = decision.state, decision.next
        if not self.active:
            assert decision.next is None
            return
        self.check_next(decision)

    def check_next(self, decision: Decision) -> None:
        cadence, policies = self.rule
        if decision.next is None:
            return
        due = decision.next.due
        assert due.microsecond == 0
        assert not self.answered or due > max(self.answered), "nothing answered is due again"
        assert decision.runs_now == (due <= self.now)
        if decision.runs_now:
            assert decision.nominal_due == due
            assert decision.then is None or decision.then.due > self.now
            if policies.catch_up is CatchUp.NEVER:
                assert due == self.now.replace(microsecond=0), "only a start that is now"
        if policies.timing is not Timing.ELAPSED and policies.catch_up is not CatchUp.ALWAYS_ON_TIGHTEN:
            assert not decision.runs_now, "an aligned timing runs nothing at once"
            assert cadence.unit is Unit.CRON or due >= resolve_start(cadence, policies)


@st.composite
def tweaked(draw: st.DrawFn, rule: Rule) -> Rule:
    """Draw another rule that differs little, as people's edits do."""
    cadence, policies = rule
    match draw(st.sampled_from(["start", "time", "zone", "every", "catch_up", "timing", "all"])):
        case "start" if cadence.start_date is not None:
            day = date.fromisoformat(cadence.start_date) + timedelta(days=draw(st.integers(-3, 3)))
            return replace(cadence, start_date=day.isoformat()), policies
        case "time" if cadence.start_time is not None:
            return replace(cadence, start_time=f"{draw(st.times()):%H:%M}"), policies
        case "zone":
            return replace(cadence, time_zone=draw(st.sampled_from(ODD_ZONES))), policies
        case "every" if cadence.unit not in (Unit.ONCE, Unit.CRON):
            return replace(cadence, every=draw(st.integers(1, 40))), policies
        case "catch_up":
            return cadence, replace(policies, catch_up=draw(st.sampled_from(CatchUp)))
        case "timing" if cadence.unit in (Unit.DAY, Unit.MONTH):
            return cadence, replace(policies, timing=draw(st.sampled_from(Timing)))
        case _:
            return draw(rules())


@given(st.data(), rules())
@settings(deadline=None, max_examples=300)
def test_no_life_answers_a_moment_twice_or_runs_before_its_time(data: st.DataObject, rule: Rule) -> None:
    beside = timedelta(seconds=data.draw(st.sampled_from([0.0, -0.5]) | st.floats(-5e5, 5e6)))
    begin = data.draw(BEGIN) if rule[0].unit is Unit.CRON else resolve_start(*rule)
    life = Life(rule, begin + beside)
    for _ in range(data.draw(st.integers(2, 12))):
        live(life, data)


def live(life: Life, data: st.DataObject) -> None:
    match data.draw(STEPS):
        case "tick" | "skip" as step:
            if life.next is not None and life.next.due.year < 2900:
                delay = timedelta(seconds=data.draw(DELAYS))
                life.now = max(life.now, life.next.due + delay)
                life.answer(skip=step == "skip")
        case "toggle":
            life.toggle()
        case "edit":
            life.edit(data.draw(tweaked(life.rule)))
        case _:
            life.now += timedelta(seconds=data.draw(DELAYS))


@given(rules(), BEGIN, st.booleans())
@settings(deadline=None)
def test_R33_a_save_without_change_decides_nothing(rule: Rule, now: datetime, active: bool) -> None:
    before = on_activated(*rule, TimingState(), now) if active else Decision(next=None, state=TimingState())
    after = on_cadence_changed(*rule, *rule, state=before.state, next_due=before.next, now=now, active=active)

    assert (after.state, after.next, after.runs_now) == (before.state, before.next, False)


@given(rules(), BEGIN)
@settings(deadline=None)
def test_a_preview_is_what_runs_on_time_would_do(rule: Rule, now: datetime) -> None:
    decision = on_activated(*rule, TimingState(), now)
    state, due = decision.state, decision.next
    if decision.runs_now and due is not None:
        after = answer_due(*rule, state, due, now).if_run
        state, due = after.state, after.next
    happened = []
    while due is not None and len(happened) < 5:
        happened.append(due)
        after = answer_due(*rule, state, due, due.due + timedelta(seconds=1)).if_run
        state, due = after.state, after.next

    coming = preview(*rule, decision.state, decision.next, 5, now=now)
    assert [c.due for c in coming] == happened


@given(rules(), BEGIN)
@settings(deadline=None)
def test_the_same_facts_give_the_same_decision(rule: Rule, now: datetime) -> None:
    assert on_activated(*rule, TimingState(), now) == on_activated(*rule, TimingState(), now)
