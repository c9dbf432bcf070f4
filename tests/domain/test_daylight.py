"""What changes of clocks do to a cadence, told before it is saved."""

from datetime import UTC, datetime, timedelta

import pytest

from eventjobs.domain.activation import on_activated
from eventjobs.domain.daylight import clock_changes, moves
from eventjobs.events.cadence import Cadence, Gap, Repeat, Timing, TimingPolicies, TimingState, Unit

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
BERLIN = "Europe/Berlin"


def told(policies: TimingPolicies, *, now: datetime = NOW, **cadence: object) -> list[str]:
    made = Cadence(
        **{"start_date": "2026-12-24", "start_time": "02:30", "time_zone": BERLIN, "unit": Unit.DAY, **cadence}
    )
    decision = on_activated(made, policies, TimingState(), now)
    return moves(made, policies, decision.state, decision.next, now)


def test_a_zones_changes_are_found_to_the_minute() -> None:
    found = list(clock_changes(BERLIN, NOW, NOW + timedelta(days=366)))

    assert [one.at.isoformat() for one in found] == ["2027-03-28T01:00:00+00:00", "2027-10-31T01:00:00+00:00"]
    assert [one.after - one.before for one in found] == [timedelta(hours=1), timedelta(hours=-1)]
    assert list(clock_changes("Asia/Tokyo", NOW, NOW + timedelta(days=366))) == []


@pytest.mark.parametrize("timing", [Timing.ELAPSED, Timing.GRID])
def test_R16_days_of_24_hours_move_on_the_local_clock(timing: Timing) -> None:
    assert told(TimingPolicies(timing=timing)) == [
        "2027-03-28: 02:30 becomes 03:30",
        "2027-10-31: 03:30 becomes 02:30",
    ]


@pytest.mark.parametrize(
    ("every", "unit", "moved"),
    [(15, Unit.MINUTE, 0), (1, Unit.HOUR, 0), (2, Unit.HOUR, 2), (12, Unit.HOUR, 2), (1, Unit.MONTH, 2)],
)
def test_a_period_that_divides_the_change_keeps_its_local_times(every: int, unit: Unit, moved: int) -> None:
    assert len(told(TimingPolicies(), every=every, unit=unit)) == moved


@pytest.mark.parametrize(
    ("gap", "repeat", "spring", "autumn"),
    [
        (Gap.SHIFT, Repeat.FIRST, "03:30", "the first counts"),
        (Gap.SKIP, Repeat.BOTH, "no occurrence", "both count"),
    ],
)
def test_R21_the_wall_clock_meets_a_gap_and_a_repeat(gap: Gap, repeat: Repeat, spring: str, autumn: str) -> None:
    assert told(TimingPolicies(timing=Timing.WALL_CLOCK, gap=gap, repeat=repeat)) == [
        f"2027-03-28: 02:30 does not exist, {spring}",
        f"2027-10-31: 02:30 comes twice, {autumn}",
    ]


def test_the_wall_clock_at_another_time_meets_nothing() -> None:
    assert told(TimingPolicies(timing=Timing.WALL_CLOCK), start_time="14:00") == []


def test_the_year_is_counted_from_the_first_moment() -> None:
    policies = TimingPolicies(timing=Timing.WALL_CLOCK)

    assert told(policies, start_date="2030-03-31")[0] == "2030-03-31: 02:30 does not exist, 03:30"


def test_a_cron_is_asked_around_each_change() -> None:
    cron = {"start_date": None, "start_time": None, "unit": Unit.CRON}
    policies = TimingPolicies(timing=Timing.WALL_CLOCK)

    assert told(policies, cron="*/15 2 * * *", **cron)[0] == "2027-03-28: 02:00 does not exist, 03:00"
    assert told(policies, cron="0 4 * * *", **cron) == []


def test_what_comes_once_or_never_moves_nowhere() -> None:
    assert told(TimingPolicies(), unit=Unit.ONCE) == []
    cadence = Cadence(start_date="2026-12-24", start_time="02:30", time_zone=BERLIN, unit=Unit.DAY)
    assert moves(cadence, TimingPolicies(), TimingState(), None, NOW) == []
