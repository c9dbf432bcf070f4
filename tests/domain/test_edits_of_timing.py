"""Edits and activations beside the decision table: other timings, once, the literal policy, never."""

from dataclasses import replace

import pytest

from eventjobs.domain.due import Cause
from eventjobs.domain.edits import on_zone_data_changed
from eventjobs.events.cadence import CatchUp, CauseDetail, Gap, Timing, Unit
from tests.domain.timeline import Timeline, at, daily, every

ALIGNED = pytest.mark.parametrize("timing", [Timing.GRID, Timing.WALL_CLOCK])
LITERAL = CatchUp.ALWAYS_ON_TIGHTEN


@ALIGNED
def test_an_activation_under_an_aligned_timing_runs_nothing_at_once(timing: Timing) -> None:
    line = Timeline(daily("2026-01-01 14:00"), timing=timing)
    decision = line.activate("2026-06-09 14:00:00")

    assert not decision.runs_now
    assert line.due == at("2026-06-10 14:00"), "the first moment after the change"
    line.run_on_time(1)
    line.inactivate()
    assert not line.activate("2026-07-01 09:00").runs_now
    assert line.due == at("2026-07-01 14:00")


@ALIGNED
def test_an_edit_under_an_aligned_timing_runs_nothing_at_once(timing: Timing) -> None:
    line = Timeline(daily("2026-01-01 14:00"), timing=timing)
    line.activate("2026-06-09 10:00")
    decision = line.edit("2026-06-09 12:00", daily("2025-01-01 11:00"))

    assert not decision.runs_now
    assert line.due == at("2026-06-10 11:00")


@ALIGNED
def test_a_later_start_under_an_aligned_timing_begins_there(timing: Timing) -> None:
    line = Timeline(daily("2026-01-01 14:00"), timing=timing)
    line.activate("2026-06-09 10:00")
    line.edit("2026-06-09 12:00", daily("2026-08-01 11:00"))

    assert line.run_on_time(2) == [at("2026-08-01 11:00"), at("2026-08-02 11:00")]


def test_a_grid_counts_months_in_the_utc_calendar_from_the_start() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 20:00", "America/Chicago"), timing=Timing.GRID)
    line.activate("2026-01-01 00:00")

    assert line.run_on_time(3) == [at("2026-02-01 02:00"), at("2026-03-01 02:00"), at("2026-04-01 02:00")]


def test_a_wall_clock_counts_months_in_the_local_calendar() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 20:00", "America/Chicago"), timing=Timing.WALL_CLOCK)
    line.activate("2026-01-01 00:00")

    assert line.run_on_time(3) == [at("2026-02-01 02:00"), at("2026-03-01 02:00"), at("2026-04-01 01:00")]


def test_a_period_changed_between_month_counts_keeps_the_anchor_day() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 10:00"))
    line.activate("2026-01-01 00:00")
    line.run_on_time(2)
    line.edit("2026-03-01 00:00", every(3, Unit.MONTH, "2026-01-31 10:00"))

    assert line.run_on_time(2) == [at("2026-05-31 10:00"), at("2026-08-31 10:00")]


def month_from_31_january(**policies: object) -> Timeline:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 10:00"), **policies)
    line.activate("2026-01-01 00:00")
    line.run_on_time(1)
    return line


def test_a_later_start_is_the_new_anchor_of_months() -> None:
    line = month_from_31_january()
    line.edit("2026-02-02 00:00", every(1, Unit.MONTH, "2026-03-15 10:00"))

    assert line.run_on_time(3) == [at("2026-03-15 10:00"), at("2026-04-15 10:00"), at("2026-05-15 10:00")]


def test_a_skipped_run_of_an_edit_is_the_new_anchor_of_months() -> None:
    line = month_from_31_january()
    line.edit("2026-02-12 00:00", every(1, Unit.MONTH, "2026-01-30 10:00"))
    line.tick("2026-02-12 00:00:01", open_run=True)

    assert line.due == at("2026-03-12 00:00")


def test_a_start_that_passed_beside_a_skipped_run_is_the_anchor_of_months() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-08-30 10:00"), catch_up=LITERAL)
    line.activate("2026-06-01 00:00")
    line.edit("2026-06-09 00:00", every(1, Unit.MONTH, "2026-07-31 10:00"))
    line.tick("2026-08-15 00:00", open_run=True)

    assert line.run_on_time(2) == [at("2026-08-31 10:00"), at("2026-09-30 10:00")]


def test_never_leaves_a_hold_when_the_start_moves_into_the_past() -> None:
    line = Timeline(daily("2026-03-06 14:00"), catch_up=CatchUp.NEVER)
    line.activate("2026-03-01 00:00")
    line.run_on_time(1)
    line.edit("2026-03-06 15:00", daily("2026-03-20 08:00"))
    decision = line.edit("2026-03-09 15:00", daily("2026-03-08 08:00"))

    assert not decision.runs_now
    assert line.due == at("2026-03-10 14:00")


def test_days_changed_to_months_count_from_the_reference() -> None:
    line = Timeline(daily("2026-01-31 10:00"))
    line.activate("2026-01-01 00:00")
    line.run_on_time(15)
    assert line.due == at("2026-02-15 10:00")
    line.edit("2026-02-14 12:00", every(1, Unit.MONTH, "2026-01-31 10:00"))

    assert line.due == at("2026-03-14 10:00")


@pytest.mark.parametrize("timing", list(Timing))
def test_R24_always_on_tighten_runs_a_first_activation_with_a_past_start(timing: Timing) -> None:
    line = Timeline(daily("2026-01-01 14:00"), timing=timing, catch_up=LITERAL)
    decision = line.activate("2026-06-09 10:00:00.5")

    assert decision.runs_now
    assert decision.nominal_due == at("2026-06-09 10:00")
    line.tick("2026-06-09 10:00:01")
    expected = "2026-06-10 10:00:01" if timing is Timing.ELAPSED else "2026-06-09 14:00"
    assert line.due == at(expected)


@pytest.mark.parametrize("timing", list(Timing))
def test_R14_always_on_tighten_waits_for_a_start_that_is_ahead(timing: Timing) -> None:
    line = Timeline(daily("2026-07-01 14:00"), timing=timing, catch_up=LITERAL)

    assert not line.activate("2026-06-09 10:00").runs_now
    assert line.due == at("2026-07-01 14:00")


@pytest.mark.parametrize("timing", list(Timing))
def test_R26_always_on_tighten_runs_also_for_an_earlier_start_that_is_ahead(timing: Timing) -> None:
    line = Timeline(daily("2026-07-01 14:00"), timing=timing, catch_up=LITERAL)
    line.activate("2026-06-09 10:00")
    decision = line.edit("2026-06-09 11:00", daily("2026-06-20 14:00"))

    assert decision.runs_now
    assert decision.nominal_due == at("2026-06-09 11:00")
    assert decision.then is not None
    assert decision.then.due == at("2026-06-20 14:00")
    line.tick("2026-06-09 11:00:01")
    assert line.run_on_time(2) == [at("2026-06-20 14:00"), at("2026-06-21 14:00")], "the next due is that start"


def test_R26_a_start_that_is_ahead_also_follows_a_skipped_run_of_an_edit() -> None:
    line = Timeline(daily("2026-07-01 14:00"), catch_up=LITERAL)
    line.activate("2026-06-09 10:00")
    line.edit("2026-06-09 11:00", daily("2026-06-20 14:00"))
    line.tick("2026-06-09 11:00:01", open_run=True)

    assert line.run_on_time(2) == [at("2026-06-20 14:00"), at("2026-06-21 14:00")]


@ALIGNED
def test_R25_always_on_tighten_runs_a_shorter_period_under_an_aligned_timing(timing: Timing) -> None:
    line = Timeline(every(2, Unit.DAY, "2026-06-01 14:00"), timing=timing, catch_up=LITERAL)
    line.activate("2026-05-01 00:00")
    line.run_on_time(1)
    decision = line.edit("2026-06-01 15:00", daily("2026-06-01 14:00"))

    assert decision.runs_now
    assert decision.cause_detail is CauseDetail.INTERVAL_DECREASED
    line.tick("2026-06-01 15:00:01")
    assert line.due == at("2026-06-02 14:00")


def test_R25_always_on_tighten_runs_a_month_turned_into_twenty_days() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-06-01 14:00"), catch_up=LITERAL)
    line.activate("2026-05-01 00:00")
    line.run_on_time(1)

    assert not line.edit("2026-06-01 15:00", every(31, Unit.DAY, "2026-06-01 14:00")).runs_now
    assert line.edit("2026-06-01 15:00", every(20, Unit.DAY, "2026-06-01 14:00")).runs_now


def test_R25_a_longer_period_never_runs_even_literally() -> None:
    line = Timeline(daily("2026-06-01 14:00"), catch_up=LITERAL)
    line.activate("2026-05-01 00:00")
    line.run_on_time(1)

    assert not line.edit("2026-06-01 15:00", every(2, Unit.DAY, "2026-06-01 14:00")).runs_now
    assert line.due == at("2026-06-03 14:00")


def test_never_at_a_first_activation_waits_a_period_without_an_occurrence() -> None:
    line = Timeline(daily("2026-01-01 14:00"), catch_up=CatchUp.NEVER)
    decision = line.activate("2026-06-09 10:00:00.5")

    assert not decision.runs_now
    assert line.due == at("2026-06-10 10:00:00")
    assert line.state.last_answered is None


def test_never_advances_the_old_due_on_reactivation_and_on_edits() -> None:
    line = Timeline(daily("2026-06-01 14:00"), catch_up=CatchUp.NEVER)
    line.activate("2026-05-01 00:00")
    line.run_on_time(1)
    line.inactivate()
    assert not line.activate("2026-06-05 15:00").runs_now
    assert line.due == at("2026-06-06 14:00")

    assert not line.edit("2026-06-05 23:00", every(4, Unit.HOUR, "2026-06-01 14:00")).runs_now
    assert line.due == at("2026-06-06 02:00")
    assert not line.edit("2026-06-05 23:30", every(4, Unit.HOUR, "2026-05-01 14:00")).runs_now
    assert line.due == at("2026-06-06 02:00")


def test_R7_once_in_the_past_runs_at_activation() -> None:
    line = Timeline(every(1, Unit.ONCE, "2026-01-01 14:00"))
    decision = line.activate("2026-06-09 10:00:00.5")

    assert (decision.runs_now, decision.cause) == (True, Cause.CATCH_UP)
    assert decision.then is None
    line.tick("2026-06-09 10:00:01")
    line.inactivate()
    assert line.activate("2026-06-10 10:00").next is None


def test_R7_once_in_the_past_with_never_warns_that_it_never_fires() -> None:
    line = Timeline(every(1, Unit.ONCE, "2026-01-01 14:00"), catch_up=CatchUp.NEVER)

    assert line.activate("2026-06-09 10:00").notes == ("never_fires",)
    assert line.next is None


def completed_once() -> Timeline:
    line = Timeline(every(1, Unit.ONCE, "2026-06-01 14:00"))
    line.activate("2026-05-01 00:00")
    line.run_on_time(1)
    return line


def test_R7_a_start_moved_to_a_new_future_instant_re_arms_once() -> None:
    line = completed_once()
    line.edit("2026-06-02 00:00", every(1, Unit.ONCE, "2026-06-03 14:00"))

    assert line.due == at("2026-06-03 14:00")
    assert not line.state.completed


def test_R7_a_start_moved_to_a_future_instant_while_inactive_re_arms_once() -> None:
    line = completed_once()
    line.inactivate()
    line.edit("2026-06-02 00:00", every(1, Unit.ONCE, "2026-06-03 14:00"))
    decision = line.activate("2026-06-04 00:00")

    assert decision.runs_now
    assert decision.cause_detail is CauseDetail.REACTIVATED


@pytest.mark.parametrize("start", ["2026-05-20 00:00", "2026-06-01 20:00"])
def test_R7_a_start_moved_within_the_past_does_not_run_once_again(start: str) -> None:
    line = completed_once()
    decision = line.edit("2026-06-02 00:00", every(1, Unit.ONCE, start))

    assert (decision.runs_now, decision.next) == (False, None)
    assert line.state.completed


def test_R26_an_unspent_once_moved_into_the_past_runs_now() -> None:
    line = Timeline(every(1, Unit.ONCE, "2026-06-20 14:00"))
    line.activate("2026-06-01 00:00")
    decision = line.edit("2026-06-02 00:00", every(1, Unit.ONCE, "2026-06-01 14:00"))

    assert decision.runs_now
    assert decision.cause_detail is CauseDetail.START_MOVED_EARLIER


def test_R7_always_on_tighten_does_not_run_once_before_its_start() -> None:
    line = Timeline(every(1, Unit.ONCE, "2026-06-20 14:00"), catch_up=LITERAL)
    line.activate("2026-06-01 00:00")

    assert not line.edit("2026-06-02 00:00", every(1, Unit.ONCE, "2026-06-10 14:00")).runs_now
    assert line.due == at("2026-06-10 14:00")


def test_once_to_recurring_counts_from_the_last_answered_moment() -> None:
    line = completed_once()
    decision = line.edit("2026-06-05 15:00", daily("2026-06-01 14:00"))

    assert not decision.runs_now
    assert line.due == at("2026-06-06 14:00")


def test_recurring_to_once_runs_nothing_at_once() -> None:
    line = Timeline(daily("2026-06-01 14:00"))
    line.activate("2026-05-01 00:00")
    line.run_on_time(1)
    decision = line.edit("2026-06-01 15:00", every(1, Unit.ONCE, "2026-05-01 00:00"))

    assert (decision.runs_now, decision.next, decision.notes) == (False, None, ("never_fires",))
    assert line.state.completed


def test_recurring_to_once_with_a_start_ahead_waits_for_it() -> None:
    line = Timeline(daily("2026-06-01 14:00"))
    line.activate("2026-05-01 00:00")
    line.run_on_time(1)
    line.edit("2026-06-01 15:00", every(1, Unit.ONCE, "2026-06-09 00:00"))

    assert line.due == at("2026-06-09 00:00")


@pytest.mark.parametrize("policy", list(CatchUp))
def test_a_changed_timing_runs_nothing_at_once(policy: CatchUp) -> None:
    line = Timeline(daily("2026-06-01 14:00"), catch_up=policy)
    line.activate("2026-05-01 00:00")
    line.run_on_time(1)
    for timing in (Timing.GRID, Timing.WALL_CLOCK, Timing.ELAPSED):
        decision = line.edit("2026-06-01 15:00", every(1, Unit.DAY, "2026-05-31 13:00"), timing=timing)
        assert not decision.runs_now
    assert line.due == at("2026-06-02 14:00"), "from the last answered moment"


def test_a_timing_changed_before_anything_was_answered_waits_a_period() -> None:
    line = Timeline(daily("2026-06-01 14:00"), timing=Timing.GRID)
    line.activate("2026-06-09 00:00")
    line.edit("2026-06-09 15:00", timing=Timing.ELAPSED)

    assert line.due == at("2026-06-10 15:00")


def test_a_changed_gap_policy_looks_again() -> None:
    line = Timeline(daily("2026-03-01 02:30", "America/Chicago"), timing=Timing.WALL_CLOCK)
    line.activate("2026-03-08 00:00")
    assert line.due == at("2026-03-08 08:30")
    line.edit("2026-03-08 01:00", gap=Gap.SKIP)

    assert line.due == at("2026-03-09 07:30")


def test_a_zone_moved_west_after_that_days_time_was_answered_loses_that_day() -> None:
    line = Timeline(daily("2026-07-01 09:00", "America/Chicago"), timing=Timing.WALL_CLOCK)
    line.activate("2026-06-30 00:00")
    line.run_on_time(1)
    decision = line.edit("2026-07-01 14:30", daily("2026-07-01 09:00", "America/Los_Angeles"))

    assert decision.notes == ("day_lost",)
    assert line.due == at("2026-07-02 16:00")


def test_a_zone_moved_west_before_that_days_time_loses_nothing() -> None:
    line = Timeline(daily("2026-06-01 09:00", "America/Chicago"), timing=Timing.WALL_CLOCK)
    line.activate("2026-06-30 00:00")
    line.run_on_time(1)
    decision = line.edit("2026-07-01 13:30", daily("2026-06-01 09:00", "America/Los_Angeles"))

    assert decision.notes == ()
    assert line.due == at("2026-07-01 16:00")


def test_a_run_now_in_a_zone_moved_west_does_not_bring_the_day_back() -> None:
    line = Timeline(daily("2026-07-01 09:00", "Europe/London"), timing=Timing.WALL_CLOCK, catch_up=LITERAL)
    line.activate("2026-06-30 00:00")
    line.run_on_time(1)
    decision = line.edit("2026-07-01 09:00", daily("2026-06-30 09:00", "America/Los_Angeles"))

    assert decision.runs_now
    line.tick("2026-07-01 09:00:01")
    assert line.due == at("2026-07-02 16:00")


def test_a_zone_moved_east_never_goes_back_in_time() -> None:
    line = Timeline(daily("2026-07-01 23:00", "Pacific/Pago_Pago"), timing=Timing.WALL_CLOCK)
    line.activate("2026-06-30 00:00")
    line.run_on_time(1)
    line.edit("2026-07-02 10:00:30", daily("2026-07-01 23:00", "Pacific/Kiritimati"))

    assert line.due == at("2026-07-03 09:00")


def test_two_runs_of_edits_in_one_second_are_two_instants() -> None:
    line = Timeline(daily("2026-06-01 14:00"))
    line.activate("2026-06-09 10:00:00.1")
    line.tick("2026-06-09 10:00:00.2")
    decision = line.edit("2026-06-09 10:00:00.3", daily("2026-05-01 14:00"))

    assert decision.nominal_due == at("2026-06-09 10:00:01")
    assert not decision.runs_now, "it is due within a second"
    line.tick("2026-06-09 10:00:01")
    assert line.due == at("2026-06-10 10:00:01")


@pytest.mark.parametrize("timing", list(Timing))
def test_a_clock_that_was_set_back_makes_no_answered_moment_due_again(timing: Timing) -> None:
    line = Timeline(every(1, Unit.DAY, "2026-06-01 14:00"), timing=timing)
    line.activate("2026-05-01 00:00")
    answered = line.run_on_time(3)
    line.inactivate()
    line.activate("2026-06-01 15:00")

    assert answered[-1] == at("2026-06-03 14:00")
    assert line.due == at("2026-06-04 14:00")


def test_new_zone_data_makes_only_wall_clock_look_again() -> None:
    line = Timeline(daily("2026-06-01 14:00", "Europe/Berlin"), timing=Timing.WALL_CLOCK)
    line.activate("2026-06-09 10:00")
    assert line.next is not None
    stale = replace(line.next, due=at("2026-06-09 13:00"), zone_data="2020a")
    looked = on_zone_data_changed(line.cadence, line.policies, line.state, stale, at("2026-06-09 11:00"))
    assert looked.next == line.next

    elapsed = replace(line.policies, timing=Timing.ELAPSED)
    kept = on_zone_data_changed(line.cadence, elapsed, line.state, stale, at("2026-06-09 11:00"))
    assert kept.next == stale
