"""What calendars black out, by the wall clock of their zones."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eventjobs.domain.blackouts import WEEKDAYS, blackouts, is_ever_free
from eventjobs.domain.calendar import KEPT, Calendar, evolve
from eventjobs.domain.halts import in_force
from eventjobs.domain.preview import moments_since, preview
from eventjobs.domain.timing import aligned
from eventjobs.events.cadence import Timing, TimingPolicies, TimingState, Unit
from eventjobs.events.calendar import (
    BlackoutDate,
    BlackoutRange,
    BlackoutWeekly,
    BlackoutYearly,
    CalendarSaved,
)
from tests.domain.timeline import every
from tests.support.story import at

LONG_AGO = at("2020-01-01 00:00")
NIGHT = BlackoutWeekly(days=("fri", "sat"), start="22:00", end="06:00", note="night")


def saved(time_zone: str = "Europe/Berlin", since: datetime = LONG_AGO, **entries: Any) -> CalendarSaved:
    return CalendarSaved(name="Test", time_zone=time_zone, since=since, **entries)


def is_blacked_out(content: CalendarSaved, moment: str) -> bool:
    instant = at(moment)
    halts = blackouts({"c": Calendar(saved=(content,))}, instant, instant)
    return in_force(halts, instant) is not None


def edges(content: CalendarSaved, first: str, last: str) -> list[tuple[str, str]]:
    found = blackouts({"c": Calendar(saved=(content,))}, at(first), at(last))
    return [(f"{one.since:%Y-%m-%d %H:%M}", f"{one.until:%Y-%m-%d %H:%M}") for one in found]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-12-23 22:59:59", False),
        ("2026-12-23 23:00", True),  # midnight in Berlin
        ("2026-12-24 22:59:59", True),
        ("2026-12-24 23:00", False),
    ],
)
def test_a_date_is_the_whole_local_day_and_its_end_is_not_in_it(moment: str, expected: bool) -> None:
    assert is_blacked_out(saved(dates=(BlackoutDate(date="2026-12-24"),)), moment) is expected


def test_a_range_goes_from_one_local_time_to_another() -> None:
    content = saved(ranges=(BlackoutRange(start="2026-12-24T18:00", end="2027-01-02T06:30"),))
    assert edges(content, "2026-12-01 00:00", "2027-01-31 00:00") == [("2026-12-24 17:00", "2027-01-02 05:30")]
    assert edges(content, "2026-12-28 00:00", "2026-12-28 00:00") == [("2026-12-24 17:00", "2027-01-02 05:30")]
    assert edges(content, "2027-01-02 05:30", "2027-01-03 00:00") == []


def test_a_week_over_midnight_ends_on_the_next_day() -> None:
    content = saved("UTC", weekly=(NIGHT,))
    assert edges(content, "2026-12-01 00:00", "2026-12-07 00:00") == [
        ("2026-12-04 22:00", "2026-12-05 06:00"),
        ("2026-12-05 22:00", "2026-12-06 06:00"),
    ]
    assert is_blacked_out(content, "2026-12-06 05:59:59")
    assert not is_blacked_out(content, "2026-12-06 06:00")
    assert not is_blacked_out(content, "2026-12-06 22:00")


def test_equal_times_of_day_are_the_whole_day() -> None:
    content = saved("UTC", weekly=(BlackoutWeekly(days=("sun",), start="00:00", end="00:00"),))
    assert edges(content, "2026-12-01 00:00", "2026-12-10 00:00") == [("2026-12-06 00:00", "2026-12-07 00:00")]


def test_first_and_last_bound_the_days_on_which_a_week_begins() -> None:
    entry = BlackoutWeekly(days=("fri",), start="22:00", end="06:00", first="2026-12-11", last="2026-12-18")
    assert edges(saved("UTC", weekly=(entry,)), "2026-12-01 00:00", "2027-02-01 00:00") == [
        ("2026-12-11 22:00", "2026-12-12 06:00"),
        ("2026-12-18 22:00", "2026-12-19 06:00"),
    ]


@pytest.mark.parametrize(
    ("start", "end", "moment", "expected"),
    [
        ("12-24", "12-26", "2026-12-26 23:59:59", True),
        ("12-24", "12-26", "2026-12-27 00:00", False),
        ("12-24", "01-02", "2027-01-02 12:00", True),
        ("12-24", "01-02", "2026-06-01 12:00", False),
        ("02-29", "02-29", "2027-02-28 12:00", True),
        ("02-29", "02-29", "2028-02-28 12:00", False),
        ("02-29", "02-29", "2028-02-29 12:00", True),
    ],
)
def test_a_year_has_whole_days_also_over_new_year(start: str, end: str, moment: str, expected: bool) -> None:
    assert is_blacked_out(saved("UTC", yearly=(BlackoutYearly(start=start, end=end),)), moment) is expected


def test_a_time_that_the_clock_shows_twice_begins_with_the_first_and_ends_with_the_second() -> None:
    begins = BlackoutRange(start="2026-10-25T02:30", end="2026-10-25T12:00")
    ends = BlackoutRange(start="2026-10-24T12:00", end="2026-10-25T02:30")
    assert edges(saved(ranges=(begins,)), "2026-10-24 00:00", "2026-10-26 00:00")[0][0] == "2026-10-25 00:30"
    assert edges(saved(ranges=(ends,)), "2026-10-24 00:00", "2026-10-26 00:00")[0][1] == "2026-10-25 01:30"


def test_a_time_that_the_clock_leaves_out_is_the_change_itself() -> None:
    begins = BlackoutRange(start="2026-03-29T02:30", end="2026-03-29T12:00")
    ends = BlackoutRange(start="2026-03-28T12:00", end="2026-03-29T02:30")
    assert edges(saved(ranges=(begins,)), "2026-03-28 00:00", "2026-03-30 00:00")[0][0] == "2026-03-29 01:00"
    assert edges(saved(ranges=(ends,)), "2026-03-28 00:00", "2026-03-30 00:00")[0][1] == "2026-03-29 01:00"
    # In Santiago the sixth of September 2026 begins at 01:00.
    day = saved("America/Santiago", dates=(BlackoutDate(date="2026-09-06"),))
    assert edges(day, "2026-09-05 00:00", "2026-09-08 00:00") == [("2026-09-06 04:00", "2026-09-07 03:00")]


def test_each_content_counts_until_the_next_one() -> None:
    every_day = BlackoutWeekly(days=WEEKDAYS, start="10:00", end="12:00")
    first = saved("UTC", since=at("2026-12-01 11:00"), weekly=(every_day,))
    second = saved("UTC", since=at("2026-12-03 11:30"), dates=(BlackoutDate(date="2026-12-03"),))
    halts = blackouts({"c": Calendar(saved=(first, second))}, at("2026-11-28 00:00"), at("2026-12-10 00:00"))
    assert [(one.since, one.until) for one in halts] == [
        (at("2026-12-01 11:00"), at("2026-12-01 12:00")),
        (at("2026-12-02 10:00"), at("2026-12-02 12:00")),
        (at("2026-12-03 10:00"), at("2026-12-03 11:30")),
        (at("2026-12-03 11:30"), at("2026-12-04 00:00")),
    ]


def test_only_the_newest_contents_are_remembered() -> None:
    calendar = Calendar()
    for number in range(KEPT + 5):
        calendar = evolve(calendar, saved(since=LONG_AGO + timedelta(days=number)))
    assert calendar.definition_version == KEPT + 5
    assert [one.since for one in calendar.saved[:: KEPT - 1]] == [
        LONG_AGO + timedelta(days=5),
        LONG_AGO + timedelta(days=KEPT + 4),
    ]


@settings(deadline=None, max_examples=200)
@given(
    zone=st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "UTC"]),
    hour=st.integers(0, 23),
    hours=st.integers(1, 23),
    moment=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 hypothesis
)
def test_what_the_wall_clock_shows_inside_is_blacked_out(zone: str, hour: int, hours: int, moment: datetime) -> None:
    end = (hour + hours) % 24
    content = saved(zone, weekly=(BlackoutWeekly(days=WEEKDAYS, start=f"{hour:02}:00", end=f"{end:02}:00"),))
    shown = moment.astimezone(ZoneInfo(zone))
    inside = (shown.hour - hour) % 24 < hours
    halts = blackouts({"c": Calendar(saved=(content,))}, moment, moment)
    if inside:
        assert in_force(halts, moment) is not None
    elif all(
        (moment + timedelta(hours=off)).astimezone(ZoneInfo(zone)).utcoffset() == shown.utcoffset() for off in (-3, 3)
    ):
        assert in_force(halts, moment) is None


@pytest.mark.parametrize(("unit", "count"), [(Unit.DAY, 90), (Unit.MONTH, 24)])
def test_a_preview_says_of_each_moment_what_is_true_of_it(unit: Unit, count: int) -> None:
    cadence, policies = every(1, unit, "2026-01-30 21:30"), TimingPolicies(timing=Timing.GRID)
    named = {"c": Calendar(saved=(saved(weekly=(NIGHT,)),))}
    first = next(moments_since(cadence, policies, at("2026-01-30 21:30")))
    coming = preview(cadence, policies, TimingState(), first, count, calendars=named)
    noted = [one.due.due for one in coming if "blackout" in one.notes]
    assert noted == [one.due.due for one in coming if blackouts(named, one.due.due, one.due.due)]
    assert 0 < len(noted) < len(coming) == count


@pytest.mark.parametrize(("entries", "free"), [(1, False), (100, True)])
def test_so_many_blackouts_that_looking_at_all_would_take_long_are_taken_to_leave_a_moment(
    entries: int, *, free: bool
) -> None:
    nights = (BlackoutWeekly(days=WEEKDAYS, start="18:00", end="06:00"),) * entries
    cadence, policies = every(1, Unit.DAY, "2026-01-01 21:00"), TimingPolicies(timing=Timing.GRID)
    moments = aligned(cadence, policies, None)
    now = at("2026-01-02 00:00")
    named = {"c": Calendar(saved=(saved(weekly=nights),))}
    assert is_ever_free(moments.after(now), moments, named, now + timedelta(days=366)) is free
