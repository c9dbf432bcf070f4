"""Which cadences and policies may be saved."""

from dataclasses import replace

import pytest

from eventjobs.domain.cadence import check_cadence
from eventjobs.domain.zones import zone_names
from eventjobs.events.cadence import Cadence, Timing, TimingPolicies, Unit
from tests.domain.timeline import daily, every

FLOOR_S = 900


def found(cadence: Cadence, policies: TimingPolicies | None = None, floor_s: int = FLOOR_S) -> list[tuple[str, str]]:
    errors = check_cadence(cadence, policies or TimingPolicies(), min_period_s=floor_s)
    return [(error.path, error.code) for error in errors]


@pytest.mark.parametrize("unit", [unit for unit in Unit if unit is not Unit.CRON])
def test_R4_each_interval_type_may_be_saved(unit: Unit) -> None:
    assert found(every(15 if unit is Unit.MINUTE else 1, unit)) == []


def test_R6_fourteen_minutes_are_refused_and_fifteen_accepted() -> None:
    assert found(every(14, Unit.MINUTE)) == [("cadence.every", "interval_too_short")]
    assert found(every(15, Unit.MINUTE)) == []


def test_R6_the_floor_is_a_setting_and_bounds_every_unit() -> None:
    assert found(every(1, Unit.MINUTE), floor_s=1) == []
    assert found(every(1, Unit.HOUR), floor_s=7200) == [("cadence.every", "interval_too_short")]


def test_R6_once_has_no_floor() -> None:
    assert found(every(1, Unit.ONCE), floor_s=10**9) == []


@pytest.mark.parametrize("count", [0, -1, 10_001])
def test_an_interval_is_from_one_to_ten_thousand(count: int) -> None:
    assert found(every(count, Unit.DAY)) == [("cadence.every", "interval_out_of_range")]
    assert found(every(10_000, Unit.DAY)) == []


@pytest.mark.parametrize("date", ["1969-12-31", "2201-01-01"])
def test_years_are_from_1970_to_2200(date: str) -> None:
    assert found(daily(f"{date} 00:00")) == [("cadence.start_date", "date_out_of_range")]
    assert found(daily("1970-01-01 00:00")) == []
    assert found(daily("2200-12-31 23:59")) == []


@pytest.mark.parametrize("date", ["2026-02-29", "2026-2-1", "20260201", "2026-W05-1", "", "٢٠٢٦-01-01", "2026-01-01\n"])
def test_a_start_date_is_a_real_date_in_one_form(date: str) -> None:
    assert found(replace(daily(), start_date=date)) == [("cadence.start_date", "date_invalid")]


@pytest.mark.parametrize("time", ["24:00", "9:00", "09:60", "09:00:00", "09:00Z", "", "09:00\n"])
def test_a_start_time_is_hours_and_minutes(time: str) -> None:
    assert found(replace(daily(), start_time=time)) == [("cadence.start_time", "time_invalid")]


@pytest.mark.parametrize(
    "zone",
    ["localtime", "posixrules", "Factory", "", "europe/berlin", "../../etc/passwd", "Europe/Berlin ", "+02:00", "\x00"],
)
def test_a_zone_is_an_exact_name_of_the_zone_data(zone: str) -> None:
    assert found(daily(zone=zone)) == [("cadence.time_zone", "time_zone_unknown")]


def test_aliases_of_zones_are_kept() -> None:
    assert {"US/Central", "Asia/Calcutta", "UTC", "Etc/GMT+12"} <= zone_names()
    assert found(daily(zone="US/Central")) == []


@pytest.mark.parametrize("timing", [Timing.GRID, Timing.WALL_CLOCK])
def test_once_is_always_elapsed(timing: Timing) -> None:
    assert found(every(1, Unit.ONCE), TimingPolicies(timing=timing)) == [("policies.timing", "timing_not_possible")]


@pytest.mark.parametrize("unit", [Unit.MINUTE, Unit.HOUR])
def test_minutes_and_hours_have_no_wall_clock(unit: Unit) -> None:
    policies = TimingPolicies(timing=Timing.WALL_CLOCK)
    assert found(every(20, unit), policies) == [("policies.timing", "timing_not_possible")]
    assert found(every(20, unit), TimingPolicies(timing=Timing.GRID)) == []


def test_a_catch_up_window_is_not_negative() -> None:
    assert found(daily(), TimingPolicies(catch_up_window_s=-1)) == [
        ("policies.catch_up_window", "catch_up_window_invalid")
    ]


def test_every_wrong_field_is_named_at_once() -> None:
    wrong = Cadence(start_date="x", start_time="x", time_zone="x", every=0, unit=Unit.DAY)
    paths = [path for path, _ in found(wrong)]
    assert paths == ["cadence.start_date", "cadence.start_time", "cadence.time_zone", "cadence.every"]
