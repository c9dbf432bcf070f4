"""How due moments are answered: on time, late, skipped, missed, in storms."""

from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from eventjobs.domain.due import Cause, answer_due
from eventjobs.domain.halts import Halt
from eventjobs.domain.preview import occurrences_between
from eventjobs.domain.reference import following, next_after
from eventjobs.events.cadence import Cadence, CatchUp, CauseDetail, Repeat, Timing, TimingPolicies, TimingState, Unit
from tests.domain.timeline import Timeline, at, daily, every
from tests.support.cadences import instants, rules


def quarter_hourly(**policies: object) -> Timeline:
    """Return a schedule that is due at 10:00Z and every quarter of an hour after."""
    line = Timeline(every(15, Unit.MINUTE, "2026-03-06 10:00"), **policies)
    line.activate("2026-03-06 09:00")
    return line


def test_a_moment_that_is_ahead_cannot_be_answered() -> None:
    with pytest.raises(ValueError, match="not due"):
        quarter_hourly().tick("2026-03-06 09:59:59.999999")


def test_R18_sixty_seconds_late_is_on_time() -> None:
    line = quarter_hourly()
    answer = line.tick("2026-03-06 10:01:00")

    assert (answer.cause, answer.cause_detail) == (Cause.SCHEDULED, None)
    assert line.state.reference == at("2026-03-06 10:00")
    assert line.due == at("2026-03-06 10:15")


def test_R18_later_than_sixty_seconds_re_anchors_at_the_dispatch() -> None:
    line = quarter_hourly()
    answer = line.tick("2026-03-06 10:01:00.000001")

    assert (answer.cause, answer.cause_detail) == (Cause.CATCH_UP, CauseDetail.DOWNTIME)
    assert line.state.reference == at("2026-03-06 10:01")
    assert line.due == at("2026-03-06 10:16")


def test_R18_a_limit_that_delays_a_run_does_not_re_anchor() -> None:
    line = quarter_hourly()
    answer = line.tick("2026-03-06 10:50", limited=True)

    assert (answer.cause, answer.cause_detail) == (Cause.CATCH_UP, None)
    assert answer.covered is not None
    assert answer.covered.count == 3
    assert line.due == at("2026-03-06 11:00")


def test_R18_a_run_after_an_activation_re_anchors_even_within_sixty_seconds() -> None:
    line = Timeline(daily("2026-03-01 00:00"))
    line.activate("2026-03-06 10:00:00")
    line.tick("2026-03-06 10:00:30")

    assert line.due == at("2026-03-07 10:00:30")


@pytest.mark.parametrize("timing", [Timing.GRID, Timing.WALL_CLOCK])
def test_a_late_run_does_not_move_what_is_aligned(timing: Timing) -> None:
    line = Timeline(daily("2026-03-06 10:00"), timing=timing)
    line.activate("2026-03-06 09:00")
    answer = line.tick("2026-03-08 11:30")

    assert answer.cause is Cause.CATCH_UP
    assert answer.covered is not None
    assert answer.covered.count == 2
    assert line.due == at("2026-03-09 10:00")


def test_never_misses_every_moment_but_one_that_is_on_time() -> None:
    line = quarter_hourly(catch_up=CatchUp.NEVER)
    answer = line.peek("2026-03-06 10:40")

    assert answer.runs is None
    assert answer.missed is not None
    assert (answer.missed.count, answer.missed.last) == (3, at("2026-03-06 10:30"))
    assert answer.if_run == answer.if_skipped
    assert answer.if_run.next is not None
    assert answer.if_run.next.due == at("2026-03-06 10:45")

    answer = line.tick("2026-03-06 10:46:00")
    assert answer.runs is not None
    assert (answer.runs.due, answer.cause) == (at("2026-03-06 10:45"), Cause.SCHEDULED)
    assert answer.missed is not None
    assert answer.missed.count == 3
    assert answer.covered is None
    assert line.due == at("2026-03-06 11:00")


def test_only_the_first_moment_inside_the_window_runs() -> None:
    line = quarter_hourly(catch_up_window_s=1800)
    answer = line.tick("2026-03-06 11:00:00")

    assert answer.runs is not None
    assert answer.runs.due == at("2026-03-06 10:30"), "exactly half an hour is inside"
    assert answer.missed is not None
    assert (answer.missed.count, answer.missed.first, answer.missed.last) == (
        2,
        at("2026-03-06 10:00"),
        at("2026-03-06 10:15"),
    )
    assert answer.covered is not None
    assert answer.covered.count == 2
    assert line.due == at("2026-03-06 11:15")


def test_a_window_shorter_than_the_tolerance_keeps_what_is_on_time() -> None:
    line = quarter_hourly(catch_up_window_s=0)

    assert line.tick("2026-03-06 10:01:00").runs is not None


def test_outside_the_window_all_are_missed() -> None:
    line = Timeline(daily("2026-03-06 10:00"), catch_up_window_s=3600)
    line.activate("2026-03-06 09:00")
    answer = line.tick("2026-03-08 11:30")

    assert answer.runs is None
    assert answer.covered is None
    assert answer.missed is not None
    assert answer.missed.count == 3
    assert line.due == at("2026-03-09 10:00")


def test_R45_a_catch_up_that_meets_an_open_run_advances_the_old_due() -> None:
    line = quarter_hourly()
    line.tick("2026-03-06 10:40", open_run=True)

    assert line.state.reference == at("2026-03-06 10:30")
    assert line.due == at("2026-03-06 10:45")


def test_R45_a_reactivation_that_meets_an_open_run_advances_the_old_due() -> None:
    line = Timeline(every(4, Unit.HOUR, "2026-03-06 08:00"))
    line.activate("2026-03-06 07:00")
    line.run_on_time(1)
    line.inactivate()
    line.activate("2026-03-06 13:00:10")
    answer = line.tick("2026-03-06 13:00:11", open_run=True)

    assert answer.runs is not None
    assert answer.runs.due == at("2026-03-06 12:00")
    assert line.due == at("2026-03-06 16:00")


def test_R45_a_skipped_moment_keeps_the_anchor_day_of_months() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 10:00"))
    line.activate("2026-01-01 00:00")
    line.run_on_time(1)
    line.tick("2026-02-28 10:00:01", open_run=True)

    assert line.due == at("2026-03-31 10:00")


def test_R17_a_late_run_sets_a_new_anchor_day() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 10:00"))
    line.activate("2026-01-01 00:00")
    line.run_on_time(1)
    line.tick("2026-03-02 08:00:00")

    assert line.run_on_time(2) == [at("2026-04-02 08:00"), at("2026-05-02 08:00")]


def test_periods_shorter_than_the_tolerance_cover_what_has_passed() -> None:
    line = Timeline(every(1, Unit.MINUTE, "2026-03-06 10:00"))
    line.activate("2026-03-06 09:00")
    answer = line.tick("2026-03-06 10:01:00")

    assert answer.cause is Cause.SCHEDULED
    assert answer.covered is not None
    assert answer.covered.count == 1
    assert line.due == at("2026-03-06 10:02")


def test_R24_moments_after_an_unanswered_activation_fell_due() -> None:
    line = Timeline(daily("2026-03-01 00:00"))
    line.activate("2026-03-06 10:00:00.5")
    answer = line.tick("2026-03-08 12:00")

    assert answer.runs is not None
    assert answer.runs.due == at("2026-03-06 10:00")
    assert answer.cause_detail is CauseDetail.FIRST_ACTIVATION
    assert answer.covered is not None
    assert answer.covered.count == 2
    assert line.due == at("2026-03-09 12:00")


def test_R31_only_moments_after_the_reactivation_fell_due() -> None:
    line = Timeline(daily("2026-03-01 14:00"))
    line.activate("2026-03-01 00:00")
    line.run_on_time(1)
    line.inactivate()
    line.activate("2026-03-06 15:00")
    answer = line.tick("2026-03-08 15:00")

    assert answer.runs is not None
    assert answer.runs.due == at("2026-03-02 14:00")
    assert answer.covered is not None
    assert (answer.covered.count, answer.covered.first) == (2, at("2026-03-07 14:00"))


def test_a_window_measures_a_reactivation_from_the_reactivation() -> None:
    line = Timeline(daily("2026-03-01 14:00"), catch_up_window_s=7200)
    line.activate("2026-03-01 00:00")
    line.run_on_time(1)
    line.inactivate()
    decision = line.activate("2026-03-02 16:00:00.2")

    assert not decision.runs_now, "the due moment is outside the window"
    assert line.due == at("2026-03-03 14:00")
    line.inactivate()
    decision = line.activate("2026-03-03 15:59:59")
    assert decision.runs_now
    assert line.tick("2026-03-03 16:00:01").runs is not None, "what was promised runs"


def test_a_moment_after_a_missed_activation_has_its_own_cause() -> None:
    line = Timeline(daily("2026-03-01 14:00"), catch_up_window_s=7200)
    line.activate("2026-03-06 10:00")
    late = line.peek("2026-03-08 11:00")
    on_time = line.tick("2026-03-08 10:00:30")

    assert late.runs is not None
    assert (late.runs.due, late.cause_detail) == (at("2026-03-08 10:00"), CauseDetail.DOWNTIME)
    assert (on_time.cause, on_time.cause_detail) == (Cause.SCHEDULED, None)
    assert on_time.missed is not None
    assert on_time.missed.count == 2
    assert line.due == at("2026-03-09 10:00")


def test_R7_once_runs_once() -> None:
    line = Timeline(every(1, Unit.ONCE, "2026-03-06 10:00"))
    line.activate("2026-03-01 00:00")
    assert line.due == at("2026-03-06 10:00")
    answer = line.tick("2026-03-09 00:00")

    assert answer.runs is not None
    assert answer.covered is None
    assert line.state.completed
    assert line.next is None


def test_R7_once_skipped_for_overlap_is_spent() -> None:
    line = Timeline(every(1, Unit.ONCE, "2026-03-06 10:00"))
    line.activate("2026-03-01 00:00")
    line.tick("2026-03-06 10:00:01", open_run=True)

    assert line.state.completed
    assert line.next is None


def test_R30_an_outage_of_years_at_a_short_period_is_counted_not_walked() -> None:
    line = Timeline(every(1, Unit.MINUTE, "1970-01-01 00:00"), timing=Timing.GRID, catch_up_window_s=90)
    line.activate("1970-01-01 00:00")
    assert line.due == at("1970-01-01 00:01")
    answer = line.tick("2170-01-01 00:00:30")

    assert answer.missed is not None
    assert answer.missed.count == 73_049 * 1440 - 2
    assert answer.runs is not None
    assert answer.runs.due == at("2169-12-31 23:59")
    assert answer.covered is not None
    assert answer.covered.count == 1


def test_months_of_an_outage_are_counted_on_the_anchor_day() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 10:00"))
    line.activate("2026-01-01 00:00")
    line.run_on_time(1)
    answer = line.tick("2026-05-31 09:59")

    assert answer.runs is not None
    assert answer.runs.due == at("2026-02-28 10:00")
    assert answer.covered is not None
    assert (answer.covered.count, answer.covered.last) == (2, at("2026-04-30 10:00"))
    expanded = occurrences_between(line.cadence, line.policies, answer.covered, 10)
    assert [due.due for due in expanded] == [at("2026-03-31 10:00"), at("2026-04-30 10:00")]


@pytest.mark.parametrize("timing", list(Timing))
@pytest.mark.parametrize("zone", ["America/Chicago", "Australia/Lord_Howe", "Pacific/Apia"])
def test_a_collapsed_span_stands_for_exactly_its_moments(timing: Timing, zone: str) -> None:
    line = Timeline(daily("2011-10-28 02:10", zone), timing=timing, repeat=Repeat.BOTH)
    line.activate("2011-10-01 00:00")
    answer = line.peek("2012-05-01 00:00")

    assert answer.covered is not None
    dues = [due.due for due in occurrences_between(line.cadence, line.policies, answer.covered, 1000)]
    assert (len(dues), dues[0], dues[-1]) == (answer.covered.count, answer.covered.first, answer.covered.last)
    onward = occurrences_between(line.cadence, line.policies, answer.covered, 1000, after=dues[99])
    assert [due.due for due in onward] == dues[100:]
    assert len(occurrences_between(line.cadence, line.policies, answer.covered, 7)) == 7


def test_R45_a_skip_never_freezes_the_schedule() -> None:
    line = quarter_hourly()
    for minute in (0, 15, 30, 45):
        line.tick(f"2026-03-06 10:{minute:02}:01", open_run=True)

    assert line.due == at("2026-03-06 11:00")


def test_answers_follow_from_facts_alone() -> None:
    line = quarter_hourly()
    assert line.next is not None
    again = answer_due(line.cadence, line.policies, line.state, line.next, at("2026-03-06 10:40"))

    assert again == line.peek("2026-03-06 10:40")


late = st.sampled_from([0.0, 30.0, 60.0, 60.000001]) | st.floats(0, 10**6)
pending = st.none() | st.integers(-(10**6), 10**6).map(lambda seconds: timedelta(seconds=seconds))


@settings(deadline=None)
@given(rules(), instants, st.integers(0, 3), late, st.booleans(), pending)
def test_a_halt_of_long_ago_does_not_change_the_answer(
    rule: tuple[Cadence, TimingPolicies],
    since: datetime,
    others: int,
    late_s: float,
    limited: bool,
    pending: timedelta | None,
) -> None:
    """One moment without halts is answered in a short way, with any halt in the long one."""
    cadence, policies = rule
    head = next_after(cadence, policies, TimingState(), since)
    assume(head is not None)
    assert head is not None
    state = TimingState()
    if pending is not None:
        state = TimingState(pending=CauseDetail.REACTIVATED, pending_at=head.due + pending)
    last, rest = head, following(cadence, policies, state, head)
    for _ in range(others):
        last = rest.after(last.due) or last
    now = last.due + timedelta(seconds=late_s)
    past = Halt(reason="held", since=head.due - timedelta(days=60), until=head.due - timedelta(days=59), by="key:a")
    short = answer_due(cadence, policies, state, head, now, limited=limited)
    assert answer_due(cadence, policies, state, head, now, limited=limited, halts=[past]) == short
