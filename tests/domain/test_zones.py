"""What local times mean, at the odd places of the zone data."""

import re

import pytest

from eventjobs.domain.timing import start_of
from eventjobs.domain.zones import instants_of, is_repeated, shown_in, wall_text, zone_data, zone_names
from eventjobs.events.cadence import Gap, Repeat, Timing, TimingPolicies, Unit
from tests.domain.timeline import Timeline, at, daily, every

WALL = Timing.WALL_CLOCK


def resolved(zone: str, local: str) -> list[tuple[str, str, int]]:
    found = instants_of(zone, at(local).replace(tzinfo=None))
    return [(f"{i.utc:%Y-%m-%d %H:%M:%S}", wall_text(i.local), i.fold) for i in found]


def wall_dues(zone: str, start: str, n: int, **policies: object) -> list[str]:
    line = Timeline(daily(start, zone), timing=WALL, **policies)
    line.activate("1970-01-01 00:00")
    return [f"{due:%Y-%m-%d %H:%M}" for due in line.run_on_time(n)]


def test_the_zone_data_has_a_version_that_can_be_compared() -> None:
    assert re.fullmatch(r"20[0-9]{2}[a-z]+", zone_data())


def test_names_that_are_no_places_are_not_offered() -> None:
    assert not {"localtime", "posixrules", "Factory"} & zone_names()


def test_an_unknown_name_is_never_tried() -> None:
    with pytest.raises(KeyError):
        shown_in("../../etc/passwd", at("2026-01-01 00:00"))


def test_R21_a_gap_of_an_hour_shifts_by_an_hour() -> None:
    assert resolved("America/New_York", "2026-03-08 02:07") == [("2026-03-08 07:07:00", "2026-03-08T03:07:00", 0)]


def test_R21_lord_howe_has_a_gap_of_half_an_hour() -> None:
    assert resolved("Australia/Lord_Howe", "2026-10-04 02:07") == [("2026-10-03 15:37:00", "2026-10-04T02:37:00", 0)]


def test_lord_howe_repeats_half_an_hour() -> None:
    assert resolved("Australia/Lord_Howe", "2026-04-05 01:40") == [
        ("2026-04-04 14:40:00", "2026-04-05T01:40:00", 0),
        ("2026-04-04 15:10:00", "2026-04-05T01:40:00", 1),
    ]


def test_R21_troll_has_a_gap_of_two_hours() -> None:
    assert resolved("Antarctica/Troll", "2026-03-29 01:30") == [("2026-03-29 01:30:00", "2026-03-29T03:30:00", 0)]
    assert len(resolved("Antarctica/Troll", "2026-10-25 02:30")) == 2


def test_R21_santiago_has_no_midnight_in_spring() -> None:
    assert resolved("America/Santiago", "2026-09-06 00:00") == [("2026-09-06 04:00:00", "2026-09-06T01:00:00", 0)]


def test_apia_had_no_30_december_2011() -> None:
    assert resolved("Pacific/Apia", "2011-12-30 10:00") == [("2011-12-30 20:00:00", "2011-12-31T10:00:00", 0)]
    assert resolved("Pacific/Apia", "2011-12-31 10:00") == [("2011-12-30 20:00:00", "2011-12-31T10:00:00", 0)]


def test_quarter_hours_of_offset_are_exact() -> None:
    assert resolved("Asia/Kathmandu", "2026-05-01 10:12") == [("2026-05-01 04:27:00", "2026-05-01T10:12:00", 0)]


def test_seconds_of_offset_are_exact() -> None:
    assert resolved("Africa/Monrovia", "1971-06-01 00:00") == [("1971-06-01 00:44:30", "1971-06-01T00:00:00", 0)]


def test_a_repeated_time_is_known_as_such() -> None:
    assert is_repeated("America/Chicago", at("2026-11-01 01:30").replace(tzinfo=None))
    assert not is_repeated("America/Chicago", at("2026-11-01 02:30").replace(tzinfo=None))
    assert not is_repeated("America/Chicago", at("2026-03-08 02:30").replace(tzinfo=None))


def test_wall_clock_two_labels_of_one_instant_are_one_occurrence() -> None:
    assert wall_dues("Pacific/Apia", "2011-12-29 10:00", 3) == [
        "2011-12-29 20:00",
        "2011-12-30 20:00",
        "2011-12-31 20:00",
    ]


def test_wall_clock_gap_skip_leaves_the_day_out() -> None:
    assert wall_dues("America/Santiago", "2026-09-05 00:00", 2, gap=Gap.SKIP) == [
        "2026-09-05 04:00",
        "2026-09-07 03:00",
    ]
    assert wall_dues("Pacific/Apia", "2011-12-29 10:00", 2, gap=Gap.SKIP) == ["2011-12-29 20:00", "2011-12-30 20:00"]


def test_wall_clock_repeat_chooses_the_pass() -> None:
    first = ["2026-10-31 06:30", "2026-11-01 06:30", "2026-11-02 07:30"]
    second = ["2026-10-31 06:30", "2026-11-01 07:30", "2026-11-02 07:30"]
    both = ["2026-10-31 06:30", "2026-11-01 06:30", "2026-11-01 07:30", "2026-11-02 07:30"]

    assert wall_dues("America/Chicago", "2026-10-31 01:30", 3) == first
    assert wall_dues("America/Chicago", "2026-10-31 01:30", 3, repeat=Repeat.SECOND) == second
    assert wall_dues("America/Chicago", "2026-10-31 01:30", 4, repeat=Repeat.BOTH) == both


def test_wall_clock_both_passes_carry_their_fold() -> None:
    line = Timeline(daily("2026-11-01 01:30", "America/Chicago"), timing=WALL, repeat=Repeat.BOTH)
    line.activate("2026-10-01 00:00")
    assert line.next is not None
    first = line.next.local, line.next.fold
    line.run_on_time(1)
    assert line.next is not None

    assert (first, (line.next.local, line.next.fold)) == (("2026-11-01T01:30:00", 0), ("2026-11-01T01:30:00", 1))


def test_wall_clock_a_shifted_time_records_what_was_asked_and_what_is_shown() -> None:
    line = Timeline(daily("2026-03-08 02:30", "America/Chicago"), timing=WALL)
    line.activate("2026-03-01 00:00")
    assert line.next is not None

    assert (line.next.asked, line.next.local) == ("2026-03-08T02:30:00", "2026-03-08T03:30:00")


@pytest.mark.parametrize("timing", [Timing.ELAPSED, Timing.GRID])
def test_R21_a_start_that_a_gap_shifted_records_what_was_asked(timing: Timing) -> None:
    line = Timeline(daily("2026-03-08 02:30", "America/Chicago"), timing=timing)
    line.activate("2026-03-01 00:00")

    assert line.next is not None
    assert (line.next.asked, line.next.local) == ("2026-03-08T02:30:00", "2026-03-08T03:30:00")


def test_wall_clock_follows_the_month_of_the_fast_in_el_aaiun() -> None:
    dues = wall_dues("Africa/El_Aaiun", "2026-02-14 09:00", 40)

    assert dues[0] == "2026-02-14 08:00"
    assert dues[1] == "2026-02-15 09:00"
    assert dues[36] == "2026-03-22 08:00"


def test_wall_clock_lisbon_kept_its_local_time_when_it_changed_its_offset() -> None:
    assert wall_dues("Europe/Lisbon", "1992-09-26 09:00", 3) == [
        "1992-09-26 08:00",
        "1992-09-27 08:00",
        "1992-09-28 08:00",
    ]
    assert wall_dues("Europe/Lisbon", "1996-03-30 09:00", 3) == [
        "1996-03-30 08:00",
        "1996-03-31 08:00",
        "1996-04-01 08:00",
    ]


def test_wall_clock_the_start_is_the_first_real_occurrence() -> None:
    skip = TimingPolicies(timing=WALL, gap=Gap.SKIP)
    second = TimingPolicies(timing=WALL, repeat=Repeat.SECOND)

    assert start_of(daily("2026-03-08 02:30", "America/Chicago"), skip).due == at("2026-03-09 07:30")
    assert start_of(daily("2026-11-01 01:30", "America/Chicago"), second).due == at("2026-11-01 07:30")


def test_wall_clock_months_clamp_to_the_last_day() -> None:
    line = Timeline(every(1, Unit.MONTH, "2028-01-31 09:00", "Europe/Berlin"), timing=WALL)
    line.activate("2028-01-01 00:00")

    assert [f"{due:%m-%d %H:%M}" for due in line.run_on_time(4)] == [
        "01-31 08:00",
        "02-29 08:00",
        "03-31 07:00",
        "04-30 07:00",
    ]


def test_wall_clock_finds_a_month_that_is_not_over_west_of_utc() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 20:00", "Pacific/Pago_Pago"), timing=WALL)
    line.activate("2026-02-01 05:00")

    assert line.due == at("2026-02-01 07:00")


def test_grid_keeps_its_instants_through_daylight_saving() -> None:
    line = Timeline(daily("2026-03-07 14:00", "America/Chicago"), timing=Timing.GRID)
    line.activate("2026-03-01 00:00")

    assert line.run_on_time(2) == [at("2026-03-07 20:00"), at("2026-03-08 20:00")]
