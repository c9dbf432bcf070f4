"""Cron expressions in a zone: gaps, times that come twice, the floor."""

from datetime import timedelta
from itertools import pairwise

import pytest

from eventjobs.domain.cadence import check_cadence
from eventjobs.domain.cron_days import CronDays, check_floor
from eventjobs.domain.preview import drifted_from_label
from eventjobs.domain.reference import next_after
from eventjobs.events.cadence import Cadence, CatchUp, Gap, NextDue, Repeat, Timing, TimingPolicies, TimingState, Unit
from tests.domain.timeline import Timeline, at, daily, every

WALL = Timing.WALL_CLOCK
CHICAGO = "America/Chicago"


def cron(expression: str, zone: str = CHICAGO) -> Cadence:
    return Cadence(time_zone=zone, unit=Unit.CRON, cron=expression)


def dues(cadence: Cadence, after: str, n: int, gap: Gap = Gap.SHIFT, repeat: Repeat = Repeat.FIRST) -> list[NextDue]:
    days, moment, found = CronDays(cadence, gap, repeat), at(after), []
    for _ in range(n):
        due = days.after(moment)
        assert due is not None
        found.append(due)
        moment = due.due
    return found


def shown(found: list[NextDue]) -> list[str]:
    return [f"{due.due:%H:%M} {due.local[11:16]}/{due.fold}" for due in found]


def test_a_time_in_a_gap_runs_later_by_its_length() -> None:
    (found,) = dues(cron("30 2 * * *"), "2026-03-08 00:00", 1)

    assert (found.due, found.local, found.asked) == (
        at("2026-03-08 08:30"),
        "2026-03-08T03:30:00",
        "2026-03-08T02:30:00",
    )


def test_gap_skip_leaves_the_times_out() -> None:
    assert dues(cron("30 2 * * *"), "2026-03-08 00:00", 1, gap=Gap.SKIP)[0].due == at("2026-03-09 07:30")


@pytest.mark.parametrize("gap", Gap)
def test_of_two_times_at_one_instant_that_which_the_clock_shows_is_due(gap: Gap) -> None:
    found = dues(cron("*/30 * * * *"), "2026-03-08 07:15", 3, gap=gap)

    assert shown(found) == ["07:30 01:30/0", "08:00 03:00/0", "08:30 03:30/0"]
    assert [due.asked for due in found] == [None, None, None]


def test_repeat_both_has_the_second_pass_of_all_after_the_first() -> None:
    found = dues(cron("*/30 0-2 * * *"), "2026-11-01 05:45", 5, repeat=Repeat.BOTH)

    assert shown(found) == ["06:00 01:00/0", "06:30 01:30/0", "07:00 01:00/1", "07:30 01:30/1", "08:00 02:00/0"]


@pytest.mark.parametrize(("repeat", "expected"), [(Repeat.FIRST, "06:30 01:30/0"), (Repeat.SECOND, "07:30 01:30/1")])
def test_repeat_chooses_the_pass(repeat: Repeat, expected: str) -> None:
    assert shown(dues(cron("30 1 * * *"), "2026-11-01 00:00", 1, repeat=repeat)) == [expected]


def test_the_day_that_samoa_left_out_comes_together_with_the_next() -> None:
    found = dues(cron("0 12 * * *", "Pacific/Apia"), "2011-12-29 12:00", 3)

    assert [due.local for due in found] == ["2011-12-29T12:00:00", "2011-12-31T12:00:00", "2012-01-01T12:00:00"]


def test_passed_counts_what_after_finds() -> None:
    found = dues(cron("*/20 * * * *"), "2026-10-31 00:00", 200, repeat=Repeat.BOTH)
    passed = CronDays(cron("*/20 * * * *"), Gap.SHIFT, Repeat.BOTH).passed(at("2026-10-31 00:00"), found[-1].due)

    assert passed is not None
    assert (passed.count, passed.first, passed.last) == (200, found[0], found[-1])
    assert all(a.due < b.due for a, b in pairwise(found))


def test_a_cron_that_never_comes_has_no_moment() -> None:
    assert CronDays(cron("0 0 */30 2 1#5"), Gap.SHIFT, Repeat.FIRST).after(at("2026-01-01 00:00")) is None


def test_a_zone_moved_west_does_not_bring_an_answered_time_back() -> None:
    line = Timeline(cron("0 12 * * *", "Asia/Tokyo"), timing=WALL)
    line.activate("2026-06-01 00:00")
    assert line.run_on_time(1) == [at("2026-06-01 03:00")]

    line.edit("2026-06-01 04:00", cron("0 12 * * *"))
    assert line.due == at("2026-06-02 17:00")


def test_an_activation_runs_nothing_at_once_even_with_always_on_tighten() -> None:
    line = Timeline(cron("0 12 * * *"), timing=WALL, catch_up=CatchUp.ALWAYS_ON_TIGHTEN)

    assert not line.activate("2026-06-01 18:00").runs_now
    assert line.due == at("2026-06-02 17:00")
    assert not line.edit("2026-06-01 19:00", cron("*/15 * * * *")).runs_now
    assert line.due == at("2026-06-01 19:15")


def test_from_a_period_to_a_cron_and_back_nothing_runs_at_once() -> None:
    line = Timeline(daily("2026-06-01 14:00"))
    line.activate("2026-06-01 00:00")
    line.run_on_time(1)

    assert not line.edit("2026-06-01 15:00", cron("0 9 * * *", "UTC"), timing=WALL).runs_now
    assert line.due == at("2026-06-02 09:00")
    assert not line.edit("2026-06-01 16:00", every(1, Unit.HOUR, "2026-06-01 10:00"), timing=Timing.ELAPSED).runs_now
    assert line.due == at("2026-06-01 17:00")


def test_from_a_cron_to_once_waits_for_its_start_and_never_runs_one_that_is_past() -> None:
    line = Timeline(cron("0 9 * * *"), timing=WALL)
    line.activate("2026-06-01 00:00")
    decision = line.edit("2026-06-01 10:00", every(1, Unit.ONCE, "2026-05-01 10:00"), timing=Timing.ELAPSED)
    assert (decision.next, decision.notes) == (None, ("never_fires",))

    line = Timeline(cron("0 9 * * *"), timing=WALL)
    line.activate("2026-06-01 00:00")
    line.edit("2026-06-01 10:00", every(1, Unit.ONCE, "2026-07-01 10:00"), timing=Timing.ELAPSED)
    assert line.due == at("2026-07-01 10:00")


def test_a_late_run_does_not_move_a_cron() -> None:
    line = Timeline(cron("0 * * * *", "UTC"), timing=WALL)
    line.activate("2026-06-01 08:30")
    answer = line.tick("2026-06-01 11:20")

    assert answer.runs is not None
    assert (answer.runs.due, line.due) == (at("2026-06-01 09:00"), at("2026-06-01 12:00"))
    assert answer.covered is not None
    assert answer.covered.count == 2


def test_a_cron_never_drifts_from_its_label() -> None:
    found = next_after(cron("30 2 * * *"), TimingPolicies(timing=WALL), TimingState(), at("2026-03-08 00:00"))

    assert found is not None
    assert not drifted_from_label(cron("30 2 * * *"), found)


def floor(
    expression: str, minutes: int = 15, zone: str = CHICAGO, now: str = "2026-01-10 00:00", **policies: str
) -> str:
    errors = check_floor(
        cron(expression, zone),
        TimingPolicies(timing=WALL, gap=Gap(policies.get("gap", "shift"))),
        min_period_s=minutes * 60,
        now=at(now),
    )
    return errors[0].detail if errors else ""


@pytest.mark.parametrize(
    ("expression", "minutes", "near"),
    [
        ("*/15 * * * *", 15, ""),
        ("*/14 * * * *", 15, "2026-01-09T18:14:00"),
        ("0,10 3 * * *", 15, "2026-01-10T03:00:00 (2026-01-10T09:00:00Z) and 2026-01-10T03:10:00"),
        ("55,5 0,23 * * *", 15, "2026-01-09T23:55:00"),
        ("55,5 0,23 * * 1", 15, ""),
        ("0 0 * * *", 24 * 60, "2026-03-08T00:00:00"),  # a day of 23 hours
        ("0 0 * * 1", 7 * 24 * 60 - 61, ""),
    ],
)
def test_R6_the_nearest_two_moments_of_a_year_are_held_against_the_floor(
    expression: str, minutes: int, near: str
) -> None:
    detail = floor(expression, minutes)
    assert near in detail if near else not detail


def test_R6_a_time_that_a_gap_shifts_close_to_another_is_refused() -> None:
    assert "2026-10-04T02:40:00" in floor("*/20 * * * *", zone="Australia/Lord_Howe")
    assert not floor("*/20 * * * *", zone="Australia/Lord_Howe", gap="skip")


def test_R6_the_floor_is_found_by_a_walk_through_the_year_as_well() -> None:
    cadence, year = cron("7,52 0-4,22-23 * * 0,6"), at("2026-01-10 00:00") + timedelta(days=366)
    for repeat in Repeat:
        days, moment, gaps = CronDays(cadence, Gap.SHIFT, repeat), at("2026-01-10 00:00"), []
        first = days.after(moment)
        while first is not None and first.due < year:
            second = days.after(first.due)
            assert second is not None
            gaps.append(second.due - first.due)
            first = second
        assert days.nearest(moment, min(gaps)) is None
        assert days.nearest(moment, min(gaps) + timedelta(seconds=1)) is not None


def test_a_cron_goes_by_the_wall_clock_alone_and_needs_a_zone() -> None:
    for timing in (Timing.ELAPSED, Timing.GRID):
        errors = check_cadence(cron("0 3 * * *"), TimingPolicies(timing=timing), min_period_s=900)
        assert [(error.path, error.code) for error in errors] == [("policies.timing", "timing_not_possible")]
    errors = check_cadence(cron("0 3 * * *", "Mars/Base"), TimingPolicies(timing=WALL), min_period_s=900)
    assert [error.path for error in errors] == ["cadence.time_zone"]
