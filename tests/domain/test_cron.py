"""Which cron expressions are ours, and which days and times they name."""

from datetime import datetime, timedelta
from itertools import islice

import pytest

from eventjobs.domain.cron import ALIASES, BadCron, normalised, read


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("0 3 * * 1", "0 3 * * 1"),
        ("  0\t3  * * mon ", "0 3 * * MON"),
        ("*/15 8-18 1,15 jan-mar *", "*/15 8-18 1,15 JAN-MAR *"),
        ("0 0 L * *", "0 0 L * *"),
        ("0 0 * * 5#2", "0 0 * * 5#2"),
        ("@daily", "0 0 * * *"),
        ("@Weekly", "0 0 * * 0"),
    ],
)
def test_an_expression_is_stored_as_five_fields(text: str, stored: str) -> None:
    assert normalised(text) == stored
    assert normalised(stored) == stored


def test_every_short_form_is_a_good_expression() -> None:
    assert all(normalised(alias) == expression for alias, expression in ALIASES.items())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("@reboot", "names no time"),
        ("@fortnightly", "The short forms are @yearly"),
        ("0 3 * *", "It has 4 fields"),
        ("0 0 3 * * 1", "Seconds are not possible"),
        ("", "It has 0 fields"),
        ("60 * * * *", "Bad minute"),
        ("0 24 * * *", "Bad hour"),
        ("0 0 30 2 *", "none of its months has such a day"),
        ("0 0 * * 8", "Bad day-of-week"),
        ("5/0 * * * *", "Bad minute"),
        ("0 3 * * \u0661", "Bad day-of-week"),
    ],
)
def test_another_one_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(BadCron, match=reason):
        normalised(text)


def days(expression: str, begin: str = "2026-01-01") -> list[str]:
    return [f"{day:%F}" for day in islice(read(expression).days(datetime.fromisoformat(begin)), 3)]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("0 0 29 2 *", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("0 0 L 2 *", ["2026-02-28", "2027-02-28", "2028-02-29"]),
        ("0 0 LW * *", ["2026-01-30", "2026-02-27", "2026-03-31"]),
        ("0 0 * * FRI#5", ["2026-01-30", "2026-05-29", "2026-07-31"]),
        ("0 0 1 1 MON", ["2026-01-01", "2026-01-05", "2026-01-12"]),  # two stars missing: either is enough
        ("0 0 */31 1 MON", ["2029-01-01", "2035-01-01", "2046-01-01"]),  # a leading star: both must hold
    ],
)
def test_days_are_those_of_the_dialect(expression: str, expected: list[str]) -> None:
    assert days(expression) == expected


def test_leap_days_come_after_eight_years_where_a_century_has_none() -> None:
    assert days("0 0 29 2 *", "2096-03-01")[0] == "2104-02-29"


def test_what_never_comes_ends() -> None:
    assert days("0 0 */30 2 MON#5") == []


def test_times_of_day_stand_in_order() -> None:
    assert read("30,0 12,1 * * *").times == tuple(timedelta(hours=h, minutes=m) for h in (1, 12) for m in (0, 30))
