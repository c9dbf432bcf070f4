"""What keeps a group from being activated in its slot, and what is odd about it."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from eventjobs.api.codes import CODES
from eventjobs.commands.slot_fields import heed
from eventjobs.commands.world import World
from eventjobs.domain.due import Decision, answer_due
from eventjobs.domain.expiry import default_expiry, expiry_instant
from eventjobs.domain.reference import next_after
from eventjobs.domain.slot_activation import RUNS_MAX, on_slots_set, runs_left, thresholds
from eventjobs.domain.slot_checks import Activation, Findings, check_activation
from eventjobs.domain.slots import TIMING, cadence_of
from eventjobs.errors import Invalid
from eventjobs.events.cadence import Gap, Repeat, TimingPolicies, TimingState
from eventjobs.events.slots import SlotSchedule
from tests.domain.timeline import at
from tests.support.slots import local, slots

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
TODAY = "2026-12-01"
ONCE = slots(BERLIN, type="once", date=TODAY, hour=10, slot="15-29")


def found(
    schedule: SlotSchedule, now: str, *, again: bool = False, expires_at: datetime | None = None
) -> tuple[list[str], list[str]]:
    there = checked(schedule, now, again=again, expires_at=expires_at)
    assert {one.code for one in there.errors} <= CODES[422].keys()
    return [one.code for one in there.errors], [one.code for one in there.warnings]


def checked(
    schedule: SlotSchedule,
    now: str,
    *,
    again: bool = False,
    expires_at: datetime | None = None,
    policies: TimingPolicies = TIMING,
    members: dict[str, datetime | None] | None = None,
) -> Findings:
    return check_activation(
        Activation(
            schedule=schedule,
            policies=policies,
            now=local(schedule.time_zone, now),
            expires_at=expires_at,
            members=members or {},
            again=again,
        )
    )


@pytest.mark.parametrize(
    ("now", "errors"),
    [
        ("10:14:59", []),
        ("10:15:00", ["slot_overlaps_now"]),
        ("10:29:59", ["slot_overlaps_now"]),
        ("10:30:00", ["slot_in_past"]),
        ("23:59:59", ["slot_in_past"]),
    ],
)
def test_G32_G34_a_single_run_needs_a_whole_slot_ahead(now: str, errors: list[str]) -> None:
    assert found(ONCE, f"{TODAY} {now}") == (errors, [])


def test_G32_the_first_slot_of_an_hour_too() -> None:
    assert found(slots(BERLIN, type="once", date=TODAY, hour=10, slot="00-14"), f"{TODAY} 10:07")[0] == [
        "slot_overlaps_now"
    ]


@pytest.mark.parametrize("minute", range(15, 30))
def test_G32_whatever_minute_is_drawn_the_answer_is_the_same(minute: int) -> None:
    schedule = slots(BERLIN, type="once", date=TODAY, at="10:15", minute=minute)

    assert found(schedule, f"{TODAY} 10:20")[0] == ["slot_overlaps_now"]


@pytest.mark.parametrize(
    ("zone", "date", "at_", "now", "free"),
    [
        (BERLIN, TODAY, "10:00", "10:07", {"date": TODAY, "hour": 10, "slot": "15-29"}),
        (BERLIN, TODAY, "23:45", "23:59", {"date": "2026-12-02", "hour": 0, "slot": "00-14"}),
        (NEW_YORK, "2026-03-08", "01:45", "01:50", {"date": "2026-03-08", "hour": 3, "slot": "00-14"}),
        ("Australia/Lord_Howe", "2026-10-04", "01:45", "01:50", {"date": "2026-10-04", "hour": 2, "slot": "30-44"}),
    ],
)
def test_G32_the_way_out_is_the_next_free_slot(
    zone: str, date: str, at_: str, now: str, free: dict[str, object]
) -> None:
    (error,) = checked(slots(zone, type="once", date=date, at=at_), f"{date} {now}").errors

    assert error.extra == {"next_free_slot": free}


def activated(schedule: SlotSchedule, now: str, state: TimingState | None = None) -> Decision:
    return on_slots_set(schedule, TIMING, state or TimingState(), local(schedule.time_zone, now), None)


def first(schedule: SlotSchedule, now: str) -> str:
    due = activated(schedule, now).next
    assert due is not None
    return due.local[:16]


@pytest.mark.parametrize(
    ("now", "run"),
    [
        ("10:14:59", "2026-12-01T10:29"),
        ("10:15", "2026-12-02T10:29"),
        ("10:20", "2026-12-02T10:29"),
        ("10:29:59", "2026-12-02T10:29"),
        ("10:30", "2026-12-02T10:29"),
    ],
)
def test_G35_inside_its_own_slot_a_recurring_group_waits_for_the_next_period(now: str, run: str) -> None:
    schedule = slots(BERLIN, type="daily", at="10:15", minute=29)

    assert found(schedule, f"{TODAY} {now}") == ([], [])
    assert first(schedule, f"{TODAY} {now}") == run


def test_G35_an_hourly_group_rolls_on_by_its_hours() -> None:
    schedule = slots(BERLIN, type="hourly", every=2, slot="15-29", minute=29)

    assert first(schedule, f"{TODAY} 10:20") == "2026-12-01T12:29"
    assert first(schedule, f"{TODAY} 11:20") == "2026-12-01T12:29"


def test_G35_what_was_rolled_over_stays_so_whatever_is_looked_at_next() -> None:
    schedule = slots(BERLIN, type="daily", at="10:15", minute=29)
    decision = activated(schedule, f"{TODAY} 10:16")
    looked_at_again = next_after(cadence_of(schedule, None), TIMING, decision.state, local(BERLIN, f"{TODAY} 10:17"))

    assert looked_at_again == decision.next


def test_G35_with_today_as_its_explicit_start_it_is_refused() -> None:
    schedule = slots(BERLIN, type="daily", at="10:15", since=TODAY)

    assert found(schedule, f"{TODAY} 10:20")[0] == ["slot_overlaps_now"]
    assert found(schedule, f"{TODAY} 10:10")[0] == []


def test_G35_from_today_with_the_slot_over_rolls_on() -> None:
    schedule = slots(BERLIN, type="daily", at="10:15", since=TODAY, minute=15)

    assert found(schedule, f"{TODAY} 10:30") == ([], [])
    assert first(schedule, f"{TODAY} 10:30") == "2026-12-02T10:15"


def test_G35_today_is_no_day_of_its_week_then_there_is_no_overlap() -> None:
    schedule = slots(BERLIN, type="weekly", days=["wed"], at="10:15", since=TODAY)

    assert found(schedule, f"{TODAY} 10:20") == ([], [])


def test_G34_a_start_in_the_past_is_refused_but_not_on_reactivation() -> None:
    schedule = slots(BERLIN, type="daily", at="10:15", since="2026-11-30")

    assert found(schedule, f"{TODAY} 09:00")[0] == ["start_in_past"]
    assert found(schedule, f"{TODAY} 09:00", again=True) == ([], [])


def test_G34_today_is_the_local_day() -> None:
    schedule = slots("Asia/Tokyo", type="daily", at="10:15", since=TODAY)

    assert found(schedule, f"{TODAY} 00:00") == ([], [])
    assert local("Asia/Tokyo", f"{TODAY} 00:00") == at("2026-11-30 15:00")


@pytest.mark.parametrize("day", [29, 30, 31])
def test_G36_a_day_that_not_every_month_has_is_refused(day: int) -> None:
    schedule = slots(BERLIN, type="monthly", day=day, at="10:15")

    assert found(schedule, f"{TODAY} 09:00") == (["month_day_not_allowed"], [])


def test_what_is_missing_comes_before_all_else() -> None:
    (first, second) = checked(slots(BERLIN, type="monthly", day=31, since="2020-01-01"), f"{TODAY} 09:00").errors

    assert (first.code, first.path) == ("schedule_incomplete", "schedule")
    assert first.error.detail == "A schedule of type monthly also needs hour and slot."
    assert (second.code, second.path) == ("month_day_not_allowed", "schedule.day")


def expiry(created: str) -> datetime:
    return expiry_instant(BERLIN, default_expiry(BERLIN, local(BERLIN, created)))


@pytest.mark.parametrize(
    ("fields", "now", "warnings"),
    [
        ({"type": "monthly", "day": 5}, "2026-01-05 12:00", ["no_run_before_expiry"]),
        ({"type": "monthly", "day": "last"}, "2026-02-28 12:00", ["no_run_before_expiry"]),
        ({"type": "monthly", "day": 5}, "2026-01-06 12:00", ["few_runs_before_expiry"]),
        ({"type": "weekly", "days": ["mon"]}, "2026-01-06 12:00", []),
        ({"type": "daily"}, "2026-01-06 12:00", []),
        ({"type": "once", "date": "2026-01-31"}, "2026-01-06 12:00", []),
        ({"type": "once", "date": "2026-02-28"}, "2026-01-06 12:00", ["no_run_before_expiry"]),
        ({"type": "daily", "until": "2026-01-07"}, "2026-01-06 12:00", []),
        ({"type": "daily", "until": "2026-01-05"}, "2026-01-06 12:00", ["never_fires"]),
    ],
)
def test_G57_the_trap_of_the_default_expiry_is_told(fields: dict[str, object], now: str, warnings: list[str]) -> None:
    assert found(slots(BERLIN, at="03:20", **fields), now, expires_at=expiry(now)) == ([], warnings)


def test_on_demand_nothing_is_odd() -> None:
    assert found(slots(), f"{TODAY} 10:15", expires_at=expiry(f"{TODAY} 10:15")) == ([], [])


def test_G42_a_single_run_in_a_gap_with_skip_is_accepted_with_a_warning() -> None:
    schedule = slots(NEW_YORK, type="once", date="2026-03-08", at="02:07")
    there = checked(schedule, "2026-03-01 00:00", policies=TimingPolicies(timing=TIMING.timing, gap=Gap.SKIP))

    assert [one.code for one in there.errors] == []
    assert [one.code for one in there.warnings] == ["never_fires"]


@pytest.mark.parametrize(("zone", "warnings"), [(NEW_YORK, ["day_lost"]), ("Asia/Tokyo", [])])
def test_a_zone_moved_west_loses_the_day_that_was_answered_and_says_so(zone: str, warnings: list[str]) -> None:
    here, there = (slots(zone_, type="daily", at="10:15", minute=15) for zone_ in (BERLIN, zone))
    decision = activated(here, f"{TODAY} 09:00")
    assert decision.next is not None
    now = decision.next.due + timedelta(minutes=1)
    answer = answer_due(cadence_of(here, None), TIMING, decision.state, decision.next, now)
    moved = check_activation(Activation(schedule=there, policies=TIMING, now=now, state=answer.if_run.state))
    due = on_slots_set(there, TIMING, answer.if_run.state, now, None).next

    assert [one.code for one in moved.warnings] == warnings
    assert due is not None
    assert due.local == "2026-12-02T10:15:00"


@pytest.mark.parametrize(("repeat", "errors"), [(Repeat.FIRST, ["slot_in_past"]), (Repeat.SECOND, [])])
def test_G32_the_slot_is_that_of_the_pass_that_counts(repeat: Repeat, errors: list[str]) -> None:
    schedule = slots(NEW_YORK, type="once", date="2026-11-01", at="01:20")
    policies = TimingPolicies(timing=TIMING.timing, repeat=repeat)
    there = check_activation(Activation(schedule=schedule, policies=policies, now=at("2026-11-01 05:40")))

    assert [one.code for one in there.errors] == errors


def test_G63_members_that_expire_first_are_named() -> None:
    ends = at("2026-12-31 23:00")
    there = checked(
        slots(BERLIN),
        f"{TODAY} 10:00",
        expires_at=ends,
        members={"a": None, "b": ends - timedelta(days=1), "c": ends, "d": ends + timedelta(days=1)},
    )

    assert [(one.code, one.path, one.extra) for one in there.warnings] == [
        ("member_expires_first", "jobs.1", {"job": "b"})
    ]


def test_G63_a_group_that_never_expires_outlives_every_member_that_does() -> None:
    there = checked(slots(BERLIN), f"{TODAY} 10:00", members={"a": at("2200-01-01 00:00"), "b": None})

    assert [one.path for one in there.warnings] == ["jobs.0"]


@pytest.mark.parametrize(
    ("schedule", "expires_at", "left"),
    [
        (slots(type="daily", at="03:20"), None, None),
        (slots(type="daily", at="03:20"), at("2026-12-11 00:00"), 10),
        (slots(type="daily", at="03:20", until="2026-12-04"), None, 4),
        (slots(type="hourly", every=1, slot="00-14"), at("2030-01-01 00:00"), RUNS_MAX),
        (slots(type="once", date="2026-12-04", at="03:20"), None, 1),
        (slots(), None, 0),
    ],
)
def test_G57_the_runs_that_are_left_are_counted(
    schedule: SlotSchedule, expires_at: datetime | None, left: int | None
) -> None:
    decision = on_slots_set(schedule, TIMING, TimingState(), at("2026-12-01 00:00"), expires_at)

    assert runs_left(schedule, TIMING, decision.next, expires_at) == left


def test_the_decision_changes_only_at_the_thresholds_and_the_moments() -> None:
    schedule, day = slots(type="daily", at="10:15", minute=20), at("2026-12-01 00:00")
    decisions = [
        (now, on_slots_set(schedule, TIMING, TimingState(), now, None))
        for now in (day + timedelta(minutes=5 * n) for n in range(24 * 12))
    ]
    changed = {now for (_, one), (now, other) in pairwise(decisions) if one != other}

    assert changed == {at("2026-12-01 10:15"), at("2026-12-01 10:30")}
    assert changed <= set(thresholds(schedule, TIMING, at("2026-12-01 10:20")))
    assert changed <= set(thresholds(schedule, TIMING, at("2026-12-01 10:14:59")))
    assert at("2026-12-01 10:30") in thresholds(schedule, TIMING, at("2026-12-01 10:30"))


def test_errors_refuse_with_the_way_out_of_the_first() -> None:
    with pytest.raises(Invalid) as raised:
        heed(checked(ONCE, f"{TODAY} 10:20"), World("acme", {}))

    assert raised.value.code == "slot_overlaps_now"
    assert [(error.path, error.code) for error in raised.value.errors] == [("schedule.slot", "slot_overlaps_now")]
    assert raised.value.extra == {"next_free_slot": {"date": TODAY, "hour": 10, "slot": "30-44"}}


def test_warnings_are_told() -> None:
    world = World("acme", {})
    heed(checked(slots(at="03:20", type="daily"), TODAY, members={"a": at("2027-01-01 00:00")}), world)

    assert [(one.code, one.path) for one in world.warnings] == [("member_expires_first", "jobs.0")]
