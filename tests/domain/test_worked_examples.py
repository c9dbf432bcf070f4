"""The rule catalogue's worked examples about time, as computed there."""

from datetime import timedelta

from eventjobs.domain.timing import start_of
from eventjobs.events.cadence import CatchUp, CauseDetail, Repeat, Timing, TimingPolicies, Unit
from tests.domain.timeline import Timeline, at, daily, every


def test_R16_example_1_a_daily_run_drifts_with_daylight_saving() -> None:
    spring = Timeline(daily("2026-03-06 14:00", "America/Chicago"))
    spring.activate("2026-03-01 00:00")
    locals_ = []
    for _ in range(4):
        assert spring.next is not None
        locals_.append(spring.next.local)
        spring.run_on_time(1)

    assert locals_ == ["2026-03-06T14:00:00", "2026-03-07T14:00:00", "2026-03-08T15:00:00", "2026-03-09T15:00:00"]


def test_R16_example_1_in_autumn() -> None:
    autumn = Timeline(daily("2026-10-30 14:00", "America/Chicago"))
    autumn.activate("2026-10-01 00:00")
    assert autumn.due == at("2026-10-30 19:00")
    autumn.run_on_time(2)

    assert autumn.next is not None
    assert autumn.next.local == "2026-11-01T13:00:00"


def test_R25_example_2_shortened_and_behind() -> None:
    line = Timeline(daily("2026-03-06 08:00"))
    line.activate("2026-03-06 00:00")
    line.run_on_time(1)
    decision = line.edit("2026-03-06 13:00", every(4, Unit.HOUR, "2026-03-06 08:00"))

    assert decision.nominal_due == at("2026-03-06 12:00")
    assert line.tick("2026-03-06 13:00").runs is not None
    assert line.due == at("2026-03-06 17:00")


def test_R25_example_3_shortened_but_not_behind() -> None:
    line = Timeline(daily("2026-03-06 08:00"))
    line.activate("2026-03-06 00:00")
    line.run_on_time(1)
    decision = line.edit("2026-03-06 10:00", every(12, Unit.HOUR, "2026-03-06 08:00"))

    assert not decision.runs_now
    assert line.due == at("2026-03-06 20:00")


def test_R23_example_3_always_on_tighten_runs_it() -> None:
    line = Timeline(daily("2026-03-06 08:00"), catch_up=CatchUp.ALWAYS_ON_TIGHTEN)
    line.activate("2026-03-06 00:00")
    line.run_on_time(1)
    decision = line.edit("2026-03-06 10:00", every(12, Unit.HOUR, "2026-03-06 08:00"))

    assert decision.runs_now
    assert decision.nominal_due == at("2026-03-06 10:00")
    line.tick("2026-03-06 10:00:05")
    assert line.due == at("2026-03-06 22:00:05")


def test_R27_example_4_a_zone_edit_while_waiting() -> None:
    line = Timeline(daily("2026-07-01 09:00", "America/Chicago"))
    line.activate("2026-06-30 00:00")
    assert line.due == at("2026-07-01 14:00")
    decision = line.edit("2026-07-01 12:00", daily("2026-07-01 09:00", "Europe/London"))

    assert decision.runs_now
    assert decision.cause_detail is CauseDetail.ZONE_CHANGED
    assert line.tick("2026-07-01 12:00").runs == decision.next


def test_R13_example_5_a_late_activation_sets_the_time_of_day() -> None:
    line = Timeline(daily("2026-01-01 14:00"))
    line.activate("2026-06-09 09:17")
    line.tick("2026-06-09 09:17")

    assert line.run_on_time(2) == [at("2026-06-10 09:17"), at("2026-06-11 09:17")]


def test_R99_example_6_a_maintenance_window_costs_one_run() -> None:
    line = Timeline(every(15, Unit.MINUTE, "2026-03-04 20:50", "America/Chicago"))
    line.activate("2026-03-01 00:00")
    line.run_on_time(1)
    start = at("2026-03-05 02:50")  # Wednesday 20:50 in Chicago
    answer = line.tick("2026-03-05 05:59")

    assert answer.runs is not None
    assert answer.runs.due == start + timedelta(minutes=15)
    assert answer.covered is not None
    assert answer.covered.count == 11
    assert answer.covered.last == at("2026-03-05 05:50")
    assert line.next is not None
    assert line.next.local == "2026-03-05T00:14:00"


def test_R17_month_example_8_keeps_the_anchor_day() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 10:00"))
    line.activate("2026-01-01 00:00")

    assert [due.day for due in line.run_on_time(6)] == [31, 28, 31, 30, 31, 30]


def test_R21_example_9_gap_and_overlap_of_the_start() -> None:
    gap = start_of(daily("2026-03-08 02:30", "America/Chicago"), TimingPolicies())
    overlap = start_of(daily("2026-11-01 01:30", "America/Chicago"), TimingPolicies(repeat=Repeat.SECOND))

    assert gap.due == at("2026-03-08 08:30")
    assert (gap.local, gap.asked) == ("2026-03-08T03:30:00", "2026-03-08T02:30:00")
    assert overlap.due == at("2026-11-01 06:30"), "elapsed takes the first pass"
    assert (overlap.local, overlap.fold, overlap.asked) == ("2026-11-01T01:30:00", 0, None)


def test_R13_wall_clock_keeps_the_label_where_elapsed_drifts() -> None:
    line = Timeline(daily("2026-03-06 14:00", "America/Chicago"), timing=Timing.WALL_CLOCK)
    line.activate("2026-03-01 00:00")

    assert line.run_on_time(4) == [
        at("2026-03-06 20:00"),
        at("2026-03-07 20:00"),
        at("2026-03-08 19:00"),
        at("2026-03-09 19:00"),
    ]
