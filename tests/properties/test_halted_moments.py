"""Halts and catch-up together: each moment that has passed has one outcome, as a walk through them finds it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from eventjobs.domain.due import DueAnswer, Span, answer_due
from eventjobs.domain.halts import HELD, PAUSED, Halt, in_force
from eventjobs.domain.reference import catch_up_window, following
from eventjobs.domain.timing import start_of
from eventjobs.events.cadence import Cadence, CatchUp, NextDue, Timing, TimingPolicies, TimingState, Unit

START = datetime(2026, 3, 6, 10, tzinfo=UTC)
HOURS = st.integers(-4, 40 * 4).map(lambda quarters: START + quarters * timedelta(minutes=15))
HALTS = st.lists(
    st.builds(
        lambda reason, since, span: Halt(reason=reason, since=since, until=None if span is None else since + span),
        st.sampled_from([PAUSED, HELD]),
        HOURS,
        st.sampled_from([None, *(timedelta(minutes=15 * n) for n in (0, 1, 4, 9, 40))]),
    ),
    max_size=4,
)
RULES = st.builds(
    lambda timing, catch_up, window: TimingPolicies(timing=timing, catch_up=catch_up, catch_up_window_s=window),
    st.sampled_from([Timing.ELAPSED, Timing.GRID]),
    st.sampled_from([CatchUp.DUE, CatchUp.DUE, CatchUp.NEVER]),
    st.sampled_from([None, None, 30, 3_600, 20_000]),
)
Outcomes = dict[datetime, str]


def walked(dues: list[datetime], policies: TimingPolicies, halts: list[Halt], now: datetime) -> Outcomes:
    """Decide each moment by itself, in order."""
    window, outcomes, ran = catch_up_window(policies), Outcomes(), False
    for due in dues:
        halt = in_force(halts, due)
        if halt is not None:
            outcomes[due] = halt.reason
        elif ran:
            outcomes[due] = "covered"
        elif window is not None and now - due > window:
            outcomes[due] = "missed"
        else:
            outcomes[due], ran = "runs", True
    return outcomes


def answered(answer: DueAnswer, every: timedelta) -> Outcomes:
    """Take an answer apart into its moments; none may be in it twice."""
    outcomes = Outcomes()

    def take(span: Span, outcome: str) -> None:
        for place in range(span.count):
            assert outcomes.setdefault(span.first + place * every, outcome) is outcome
        assert span.last == span.first + (span.count - 1) * every, "moments of a span are consecutive"

    for spans, outcome in ((answer.missed_spans, "missed"), (answer.covered_spans, "covered")):
        for span in spans:
            take(span, outcome)
    for halted in answer.halted:
        take(halted.span, halted.reason)
    if answer.runs is not None:
        assert answer.runs.due not in outcomes
        outcomes[answer.runs.due] = "runs"
    return outcomes


@settings(max_examples=300, deadline=None)
@given(RULES, HALTS, HOURS, st.sampled_from([15, 60, 120]))
def test_every_moment_has_the_outcome_that_a_walk_finds(
    policies: TimingPolicies, halts: list[Halt], now: datetime, minutes: int
) -> None:
    cadence = Cadence(start_date="2026-03-06", start_time="10:00", time_zone="UTC", every=minutes, unit=Unit.MINUTE)
    first, now = start_of(cadence, policies), max(now, START)
    answer = answer_due(cadence, policies, TimingState(), first, now, halts=halts)
    dues = passed(cadence, policies, first, now)
    outcomes = answered(answer, timedelta(minutes=minutes))
    assert outcomes == walked(dues, policies, halts, now)
    check_sums(answer, outcomes)
    following_due = answer.if_skipped.next
    assert following_due is not None
    assert following_due.due > now
    assert (following_due.due - first.due) % timedelta(minutes=minutes) == timedelta(0), "whole periods"


def passed(cadence: Cadence, policies: TimingPolicies, first: NextDue, now: datetime) -> list[datetime]:
    moments, dues = following(cadence, policies, TimingState(), first), [first.due]
    while (due := moments.after(dues[-1])) is not None and due.due <= now:
        dues.append(due.due)
    return dues


def check_sums(answer: DueAnswer, outcomes: Outcomes) -> None:
    """What is counted over halts agrees with the moments."""
    for whole, outcome in ((answer.missed, "missed"), (answer.covered, "covered")):
        dues = sorted(due for due, one in outcomes.items() if one == outcome)
        assert (0 if whole is None else whole.count) == len(dues)
        assert whole is None or (whole.first, whole.last) == (dues[0], dues[-1])
    together = sum(span.count for span in answer.skippable)
    assert together == (0 if answer.runs is None else 1 + sum(one == "covered" for one in outcomes.values()))
