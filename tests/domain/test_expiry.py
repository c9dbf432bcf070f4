"""When groups and jobs expire, and when their owners are told."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventjobs.domain.expiry import check_expiry, days_left, default_expiry, expiry_instant, extended, warning_instants
from eventjobs.domain.zones import zone_names
from tests.domain.timeline import at
from tests.support.slots import local

BERLIN = "Europe/Berlin"


@pytest.mark.parametrize(
    ("created", "expires_on"),
    [
        ("2026-01-05", "2026-02-04"),
        ("2026-01-31", "2026-03-02"),
        ("2028-01-31", "2028-03-01"),
        ("2026-12-31", "2027-01-30"),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", BERLIN, "America/Chicago", "Pacific/Kiritimati"])
def test_G55_a_group_expires_thirty_days_after_the_local_day_of_its_creation(
    created: str, expires_on: str, zone: str
) -> None:
    last = date.fromisoformat(expires_on)

    for time in ("00:00:00", "23:59:59"):
        assert default_expiry(zone, local(zone, f"{created} {time}")) == last
    assert expiry_instant(zone, last) == local(zone, f"{last + timedelta(days=1)} 00:00")


@pytest.mark.parametrize(
    ("zone", "last", "instant"),
    [
        ("America/Santiago", "2026-09-05", "2026-09-06 04:00"),  # 00:00 does not exist: 01:00
        ("America/Havana", "2026-10-31", "2026-11-01 04:00"),  # 00:00 comes twice: the first
        ("Pacific/Apia", "2011-12-29", "2011-12-30 10:00"),  # the day after does not exist
    ],
)
def test_G59_the_day_after_begins_with_its_first_instant(zone: str, last: str, instant: str) -> None:
    assert expiry_instant(zone, date.fromisoformat(last)) == at(instant)


@given(st.sampled_from(sorted(zone_names())), st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_G59_the_last_day_is_over_at_the_instant_and_not_a_second_before(zone: str, last: date) -> None:
    instant = expiry_instant(zone, last)

    def day(at_: datetime) -> date:
        return at_.astimezone(ZoneInfo(zone)).date()

    assert day(instant) > last
    assert day(instant - timedelta(seconds=1)) <= last


def test_G61_the_owner_is_told_seven_days_and_one_day_before_the_last() -> None:
    assert warning_instants(BERLIN, date(2026, 12, 31), at("2026-12-01 00:00")) == (
        at("2026-12-23 23:00"),
        at("2026-12-29 23:00"),
    )


@pytest.mark.parametrize(
    ("now", "left"), [("2026-12-23 22:59:59", 2), ("2026-12-23 23:00", 1), ("2026-12-30 00:00", 0)]
)
def test_G61_a_warning_whose_instant_has_passed_is_not_sent(now: str, left: int) -> None:
    assert len(warning_instants(BERLIN, date(2026, 12, 31), at(now))) == left


def test_the_days_left_are_those_of_the_local_calendar() -> None:
    last = date(2026, 12, 31)

    assert days_left(BERLIN, last, at("2026-12-30 22:59")) == 1
    assert days_left(BERLIN, last, at("2026-12-30 23:00")) == 0
    assert days_left(BERLIN, last, at("2026-12-31 23:00")) == -1


def test_G58_days_are_added_to_the_present_last_day() -> None:
    assert extended(date(2026, 12, 31), 30) == date(2027, 1, 30)
    assert extended(date(9999, 12, 31), 1) is None


@pytest.mark.parametrize(
    ("expires_on", "max_days", "code"),
    [
        ("2026-12-02", None, None),
        ("2026-12-01", None, "expiration_not_in_future"),
        ("2026-11-30", None, "expiration_not_in_future"),
        ("2200-12-31", None, None),
        ("2201-01-01", None, "date_out_of_range"),
        (None, None, None),
        ("2026-12-11", 40, None),
        ("2026-12-12", 40, "expiration_over_cap"),
        (None, 40, "expiration_over_cap"),
    ],
)
def test_G58_which_last_day_may_be_set(expires_on: str | None, max_days: int | None, code: str | None) -> None:
    last = None if expires_on is None else date.fromisoformat(expires_on)
    now, created = datetime(2026, 12, 1, 12, tzinfo=UTC), datetime(2026, 11, 1, 12, tzinfo=UTC)
    errors = check_expiry(BERLIN, last, now, created_at=created, max_days=max_days)

    assert [(error.path, error.code) for error in errors] == ([] if code is None else [("expires_on", code)])
