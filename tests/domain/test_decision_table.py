"""Every row of the decision table for edits and activations, for schedules of the workspace (elapsed, catch-up due)."""

import pytest

from eventjobs.domain.due import Cause
from eventjobs.events.cadence import CatchUp, CauseDetail, Unit
from tests.domain.timeline import Timeline, at, daily, every


def ran_once() -> Timeline:
    """Return a daily schedule that ran on time on 6 March at 14:00Z; next is 7 March."""
    line = Timeline(daily("2026-03-06 14:00"))
    line.activate("2026-03-01 00:00")
    line.tick("2026-03-06 14:00:01")
    assert line.due == at("2026-03-07 14:00")
    return line


def waiting() -> Timeline:
    """Return a daily schedule that never ran and waits for 20 March."""
    line = Timeline(daily("2026-03-20 14:00"))
    line.activate("2026-03-01 00:00")
    return line


def test_R24_first_activation_runs_now() -> None:
    line = Timeline(daily("2026-01-01 14:00"))
    decision = line.activate("2026-06-09 09:17:30.5")

    assert decision.runs_now
    assert (decision.cause, decision.cause_detail) == (Cause.CATCH_UP, CauseDetail.FIRST_ACTIVATION)
    assert decision.nominal_due == line.due == at("2026-06-09 09:17:30")
    answer = line.tick("2026-06-09 09:17:30.7")
    assert answer.cause_detail is CauseDetail.FIRST_ACTIVATION
    assert (answer.missed, answer.covered) == (None, None)
    assert line.state.reference == at("2026-06-09 09:17:30")
    assert line.due == at("2026-06-10 09:17:30")
    assert decision.then == line.next


def test_R24_an_activation_on_the_start_itself_is_scheduled() -> None:
    line = Timeline(daily("2026-03-06 14:00"))
    decision = line.activate("2026-03-06 14:00:00.4")

    assert decision.runs_now
    assert decision.cause is Cause.SCHEDULED
    assert line.tick("2026-03-06 14:00:00.5").cause is Cause.SCHEDULED
    assert line.due == at("2026-03-07 14:00")


def test_R14_first_activation_waits_for_a_start_that_is_ahead() -> None:
    line = Timeline(daily("2026-03-06 14:00"))
    decision = line.activate("2026-03-01 00:00")

    assert not decision.runs_now
    assert line.due == at("2026-03-06 14:00")


def test_R24_a_start_that_passed_before_any_run_is_a_first_activation() -> None:
    line = waiting()
    line.inactivate()
    decision = line.activate("2026-04-01 08:00")

    assert decision.runs_now
    assert decision.cause_detail is CauseDetail.FIRST_ACTIVATION


def test_R31_reactivation_behind_runs_once_under_the_old_due() -> None:
    line = ran_once()
    line.inactivate()
    decision = line.activate("2026-03-09 20:00:00.9")

    assert decision.runs_now
    assert decision.cause_detail is CauseDetail.REACTIVATED
    assert decision.nominal_due == at("2026-03-07 14:00")
    answer = line.tick("2026-03-09 20:00:01.2")
    assert answer.runs is not None
    assert answer.runs.due == at("2026-03-07 14:00")
    assert answer.covered is None, "moments that passed while inactive never fell due"
    assert answer.missed is None
    assert line.due == at("2026-03-10 20:00:01"), "the run re-anchors"


def test_R31_reactivation_before_the_due_moment_waits_for_it() -> None:
    line = ran_once()
    line.inactivate()
    decision = line.activate("2026-03-07 13:59:59")

    assert not decision.runs_now
    assert line.due == at("2026-03-07 14:00")


def test_R31_reactivation_without_running_waits_a_full_period() -> None:
    line = ran_once()
    line.inactivate()
    decision = line.activate("2026-03-09 20:00:00.9", run_if_behind=False)

    assert not decision.runs_now
    assert line.due == at("2026-03-10 20:00")


def test_R25_shortened_interval_that_is_behind_runs_now() -> None:
    line = ran_once()
    decision = line.edit("2026-03-06 19:00", every(4, Unit.HOUR))

    assert decision.runs_now
    assert decision.cause_detail is CauseDetail.INTERVAL_DECREASED
    assert decision.nominal_due == at("2026-03-06 18:00")
    assert line.tick("2026-03-06 19:00:00.3").covered is None
    assert line.due == at("2026-03-06 23:00")


def test_R25_shortened_interval_that_is_not_behind_waits() -> None:
    line = ran_once()
    decision = line.edit("2026-03-06 16:00", every(12, Unit.HOUR))

    assert not decision.runs_now
    assert line.due == at("2026-03-07 02:00")


def test_R25_shortened_interval_of_one_that_never_ran_changes_nothing() -> None:
    line = waiting()
    decision = line.edit("2026-03-02 00:00", every(15, Unit.MINUTE, "2026-03-20 14:00"))

    assert not decision.runs_now
    assert line.due == at("2026-03-20 14:00")


def test_R28_lengthened_interval_counts_from_the_reference() -> None:
    line = ran_once()
    decision = line.edit("2026-03-06 16:00", every(3, Unit.DAY))

    assert not decision.runs_now
    assert line.due == at("2026-03-09 14:00")


def test_R26_start_moved_earlier_into_the_past_runs_now() -> None:
    line = waiting()
    decision = line.edit("2026-03-10 12:00:00.5", daily("2026-03-09 14:00"))

    assert decision.runs_now
    assert decision.cause_detail is CauseDetail.START_MOVED_EARLIER
    assert decision.nominal_due == at("2026-03-10 12:00")
    line.tick("2026-03-10 12:00:02")
    assert line.due == at("2026-03-11 12:00:02")


def test_R26_an_old_start_moved_still_earlier_runs_and_warns() -> None:
    line = ran_once()
    decision = line.edit("2026-03-06 16:00", daily("2026-03-05 14:00"))

    assert decision.runs_now
    assert decision.notes == ("start_already_past",)


def test_R26_start_moved_earlier_but_ahead_becomes_the_due_moment() -> None:
    line = waiting()
    decision = line.edit("2026-03-10 12:00", daily("2026-03-15 08:00"))

    assert not decision.runs_now
    assert line.due == at("2026-03-15 08:00")


def test_R26_start_moved_earlier_but_ahead_also_where_it_ran() -> None:
    line = ran_once()
    line.edit("2026-03-06 16:00", daily("2026-04-01 00:00"))
    decision = line.edit("2026-03-06 17:00", daily("2026-03-06 20:00"))

    assert not decision.runs_now
    assert line.due == at("2026-03-06 20:00"), "before the reference and a period"


def test_R28_a_later_start_holds_the_schedule() -> None:
    line = ran_once()
    decision = line.edit("2026-03-06 16:00", daily("2026-03-20 08:00"))

    assert not decision.runs_now
    assert line.due == at("2026-03-20 08:00")
    line.run_on_time(1)
    assert line.due == at("2026-03-21 08:00")


def test_R28_a_later_start_never_shortens_the_period() -> None:
    line = ran_once()
    line.edit("2026-03-06 16:00", daily("2026-03-06 20:00"))

    assert line.due == at("2026-03-07 14:00")


def test_R28_a_later_start_that_is_past_changes_nothing() -> None:
    line = ran_once()
    decision = line.edit("2026-03-06 16:00", daily("2026-03-06 15:00"))

    assert not decision.runs_now
    assert line.due == at("2026-03-07 14:00")


def test_R27_a_zone_edit_that_moves_the_start_earlier_runs_now() -> None:
    line = Timeline(daily("2026-07-01 09:00", "America/Chicago"))
    line.activate("2026-06-30 00:00")
    decision = line.edit("2026-07-01 12:00", daily("2026-07-01 09:00", "Europe/London"))

    assert decision.runs_now
    assert decision.cause_detail is CauseDetail.ZONE_CHANGED
    assert decision.nominal_due == at("2026-07-01 12:00")


def test_R27_a_zone_edit_that_moves_the_start_later_waits() -> None:
    line = Timeline(daily("2026-07-01 09:00", "Europe/London"))
    line.activate("2026-06-30 00:00")
    decision = line.edit("2026-06-30 12:00", daily("2026-07-01 09:00", "America/Chicago"))

    assert not decision.runs_now
    assert line.due == at("2026-07-01 14:00")


def test_R33_a_save_without_change_changes_nothing() -> None:
    line = ran_once()
    before = line.state, line.next
    decision = line.edit("2026-03-06 16:00", daily("2026-03-06 14:00"))

    assert not decision.runs_now
    assert (line.state, line.next) == before


def test_R33_start_and_period_in_one_save_run_at_most_once() -> None:
    line = ran_once()
    decision = line.edit("2026-03-06 19:00", every(4, Unit.HOUR, "2026-03-05 00:00"))

    assert decision.cause_detail is CauseDetail.START_MOVED_EARLIER, "an earlier start decides first"
    assert decision.nominal_due == at("2026-03-06 19:00")
    line.tick("2026-03-06 19:00:00")
    assert line.due == at("2026-03-06 23:00")


def test_R33_a_later_start_and_a_shorter_period_take_the_later_of_both() -> None:
    line = ran_once()
    decision = line.edit("2026-03-06 19:00", every(4, Unit.HOUR, "2026-03-06 21:00"))

    assert not decision.runs_now
    assert line.due == at("2026-03-06 21:00")


@pytest.mark.parametrize("cadence", [every(1, Unit.HOUR), daily("2026-03-01 00:00"), daily("2026-12-01 00:00")])
def test_R34_edits_while_inactive_never_run(cadence: object) -> None:
    line = ran_once()
    line.inactivate()
    assert isinstance(cadence, type(line.cadence))
    decision = line.edit("2026-03-06 19:00", cadence)

    assert (decision.next, decision.runs_now) == (None, False)


def test_R34_a_start_moved_earlier_while_inactive_counts_only_the_period() -> None:
    line = ran_once()
    line.inactivate()
    line.edit("2026-03-06 19:00", daily("2026-03-01 00:00"))
    decision = line.activate("2026-03-06 20:00")

    assert not decision.runs_now
    assert line.due == at("2026-03-07 14:00")


def test_R34_a_period_shortened_while_inactive_counts_on_activation() -> None:
    line = ran_once()
    line.inactivate()
    line.edit("2026-03-06 19:00", every(4, Unit.HOUR))
    decision = line.activate("2026-03-06 20:00")

    assert decision.runs_now
    assert decision.nominal_due == at("2026-03-06 18:00")


def test_R45_due_while_a_run_is_open_advances_by_a_period() -> None:
    line = ran_once()
    answer = line.tick("2026-03-07 14:00:01", open_run=True)

    assert answer.runs is not None
    assert answer.runs.due == at("2026-03-07 14:00")
    assert line.due == at("2026-03-08 14:00")
    assert line.state.reference == at("2026-03-07 14:00")


def test_R30_downtime_collapses_into_one_run() -> None:
    line = ran_once()
    answer = line.tick("2026-03-11 15:30:20.5")

    assert (answer.cause, answer.cause_detail) == (Cause.CATCH_UP, CauseDetail.DOWNTIME)
    assert answer.runs is not None
    assert answer.runs.due == at("2026-03-07 14:00"), "named by the first unanswered moment"
    assert answer.covered is not None
    assert answer.covered.count == 4
    assert (answer.covered.first, answer.covered.last) == (at("2026-03-08 14:00"), at("2026-03-11 14:00"))
    assert line.due == at("2026-03-12 15:30:20"), "run time and a period"


def test_a_policy_of_catching_up_changes_no_moment() -> None:
    line = ran_once()
    before = line.next
    line.edit("2026-03-06 19:00", catch_up=CatchUp.NEVER, catch_up_window_s=60)

    assert line.next == before
