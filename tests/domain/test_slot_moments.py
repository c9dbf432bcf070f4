"""When slot schedules are due, through daylight saving and up to the instant at which their owner expires."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from eventjobs.domain.due import DueAnswer, answer_due
from eventjobs.domain.expiry import default_expiry, expiry_instant
from eventjobs.domain.preview import preview
from eventjobs.domain.reference import next_after
from eventjobs.domain.slot_activation import on_slots_set
from eventjobs.domain.slots import TIMING, cadence_of, window_of
from eventjobs.domain.timing import aligned
from eventjobs.events.cadence import CatchUp, Gap, NextDue, Repeat, TimingPolicies, TimingState
from eventjobs.events.slots import SlotSchedule
from tests.domain.timeline import at
from tests.support.slots import local, slots

NEW_YORK = "America/New_York"


def dues(
    schedule: SlotSchedule,
    after: datetime,
    n: int = 4,
    expires_at: datetime | None = None,
    gap: Gap = Gap.SHIFT,
    repeat: Repeat = Repeat.FIRST,
) -> list[NextDue]:
    moments = aligned(cadence_of(schedule, expires_at), TimingPolicies(gap=gap, repeat=repeat), None)
    found: list[NextDue] = []
    while len(found) < n and (due := moments.after(found[-1].due if found else after)) is not None:
        found.append(due)
    return found


def days(found: list[NextDue]) -> list[str]:
    return [due.local[:10] for due in found]


def test_G42_a_time_that_is_left_out_runs_once_and_later_by_the_gap() -> None:
    (due,) = dues(slots(NEW_YORK, type="once", date="2026-03-08", at="02:07", minute=7), at("2026-03-01 00:00"))

    assert (due.due, due.local, due.asked) == (at("2026-03-08 07:07"), "2026-03-08T03:07:00", "2026-03-08T02:07:00")


def test_G42_a_time_that_comes_twice_runs_the_first_time() -> None:
    schedule = slots(NEW_YORK, type="daily", at="01:20", minute=20)

    found = dues(schedule, at("2026-10-31 12:00"), n=2)
    assert [due.due for due in found] == [at("2026-11-01 05:20"), at("2026-11-02 06:20")]


def test_G42_a_gap_of_half_an_hour_shifts_by_half_an_hour() -> None:
    schedule = slots("Australia/Lord_Howe", type="once", date="2026-10-04", at="02:07", minute=7)
    (due,) = dues(schedule, at("2026-10-01 00:00"))

    assert (due.due, due.local) == (at("2026-10-03 15:37"), "2026-10-04T02:37:00")


def test_G41_a_zone_may_be_three_quarters_of_an_hour_beside_the_hour() -> None:
    (due,) = dues(
        slots("Asia/Kathmandu", type="once", date="2026-05-01", at="10:12", minute=12), at("2026-04-01 00:00")
    )

    assert due.due == at("2026-05-01 04:27")


@pytest.mark.parametrize(
    ("month", "last"),
    [("2026-01", 31), ("2026-02", 28), ("2028-02", 29), ("2026-04", 30), ("2100-02", 28)],
)
def test_G37_the_last_day_is_the_true_last_one(month: str, last: int) -> None:
    (due,) = dues(slots(type="monthly", day="last", at="03:20"), at(f"{month}-01 00:00"), n=1)

    assert due.local[:10] == f"{month}-{last}"


def test_G38_a_single_run_may_be_on_the_31st() -> None:
    assert days(dues(slots(type="once", date="2026-03-31", at="03:20"), at("2026-01-01 00:00"))) == ["2026-03-31"]


def test_a_single_run_on_a_leap_day_comes_once() -> None:
    assert days(dues(slots(type="once", date="2028-02-29", at="03:20"), at("2020-01-01 00:00"))) == ["2028-02-29"]
    assert dues(slots(type="once", date="2028-02-29", at="03:20"), at("2028-03-01 00:00")) == []


def test_G39_weekly_runs_on_each_of_its_days() -> None:
    schedule = slots(type="weekly", days=["fri", "mon"], at="03:20")

    assert days(dues(schedule, at("2026-12-01 00:00"))) == ["2026-12-04", "2026-12-07", "2026-12-11", "2026-12-14"]


def test_G26_hourly_steps_the_local_hours_from_midnight() -> None:
    found = dues(slots("Asia/Kathmandu", type="hourly", every=5, slot="15-29", minute=17), at("2026-05-01 00:00"), n=6)

    assert [due.local[11:16] for due in found] == ["10:17", "15:17", "20:17", "00:17", "05:17", "10:17"]


def test_G26_hourly_runs_once_where_a_shifted_hour_meets_the_next() -> None:
    found = dues(slots(NEW_YORK, type="hourly", every=1, slot="00-14", minute=7), at("2026-03-08 06:00"), n=3)

    assert [due.local[11:16] for due in found] == ["01:07", "03:07", "04:07"]


def test_from_and_until_are_local_days_both_included() -> None:
    schedule = slots("Asia/Tokyo", type="daily", at="00:05", since="2026-12-02", until="2026-12-03")

    assert days(dues(schedule, at("2026-01-01 00:00"))) == ["2026-12-02", "2026-12-03"]


def test_until_counts_the_day_that_was_asked_for() -> None:
    skipped = slots("Pacific/Apia", type="daily", at="12:05", until="2011-12-30")

    assert dues(skipped, at("2011-12-29 23:00"))[-1].local[:10] == "2011-12-31"


@pytest.mark.parametrize(("gap", "found"), [(Gap.SHIFT, ["03:07", "02:07"]), (Gap.SKIP, ["02:07", "02:07"])])
def test_gap_skip_leaves_the_day_out(gap: Gap, found: list[str]) -> None:
    schedule = slots(NEW_YORK, type="daily", at="02:07", minute=7)

    assert [due.local[11:16] for due in dues(schedule, local(NEW_YORK, "2026-03-07 12:00"), n=2, gap=gap)] == found


@pytest.mark.parametrize(
    ("repeat", "times"),
    [(Repeat.FIRST, ["05:20"]), (Repeat.SECOND, ["06:20"]), (Repeat.BOTH, ["05:20", "06:20"])],
)
def test_repeat_chooses_the_pass(repeat: Repeat, times: list[str]) -> None:
    schedule = slots(NEW_YORK, type="daily", at="01:20", minute=20, since="2026-11-01", until="2026-11-01")

    assert [f"{due.due:%H:%M}" for due in dues(schedule, at("2026-10-01 00:00"), repeat=repeat)] == times


def test_once_with_repeat_both_runs_once() -> None:
    schedule = slots(NEW_YORK, type="once", date="2026-11-01", at="01:20", minute=20)

    assert [due.due for due in dues(schedule, at("2026-10-01 00:00"), repeat=Repeat.BOTH)] == [at("2026-11-01 05:20")]


def test_on_demand_is_never_due() -> None:
    assert dues(slots(), at("1970-01-01 00:00")) == []
    assert dues(slots(), at("2026-01-01 00:00")) == []


@pytest.mark.parametrize(
    ("schedule", "created"),
    [
        (slots(type="monthly", day=5, at="03:20"), "2026-01-05"),
        (slots(type="monthly", day="last", at="03:20"), "2026-02-28"),
    ],
)
def test_G57_with_the_default_expiry_a_monthly_group_may_never_run(schedule: SlotSchedule, created: str) -> None:
    now = at(f"{created} 12:00")
    expires_at = expiry_instant("UTC", default_expiry("UTC", now))

    assert dues(schedule, now, expires_at=expires_at) == []
    assert on_slots_set(schedule, TIMING, TimingState(), now, expires_at).next is None


def test_G59_a_moment_at_the_instant_of_expiry_does_not_exist() -> None:
    schedule = slots("Europe/Berlin", type="daily", at="00:00")
    expires_at = expiry_instant("Europe/Berlin", date(2026, 12, 3))

    assert days(dues(schedule, at("2026-12-01 00:00"), expires_at=expires_at)) == ["2026-12-02", "2026-12-03"]


def ticked(
    schedule: SlotSchedule, begin: str, now: str, expires_at: datetime | None = None, **policies: Any
) -> DueAnswer:
    timing = replace(TIMING, **policies)
    decision = on_slots_set(schedule, timing, TimingState(), at(begin), expires_at)
    assert decision.next is not None
    cadence, over = cadence_of(schedule, expires_at), expires_at is not None and expires_at <= at(now)
    return answer_due(cadence, timing, decision.state, decision.next, at(now), over=over)


def test_G43_late_by_less_than_an_hour_runs_once_and_covers_what_follows() -> None:
    answer = ticked(slots(type="daily", at="03:20"), "2026-12-01 00:00", "2026-12-04 03:30")

    assert answer.missed is not None
    assert answer.runs is not None
    assert (answer.missed.count, answer.runs.due) == (3, at("2026-12-04 03:15"))
    assert answer.if_run.next is not None
    assert answer.if_run.next.due == at("2026-12-05 03:15")


def test_G43_late_by_more_than_an_hour_is_missed_and_no_backlog_runs() -> None:
    answer = ticked(slots(type="daily", at="03:20"), "2026-12-01 00:00", "2026-12-04 04:16")

    assert answer.runs is None
    assert answer.missed is not None
    assert answer.missed.count == 4


def test_G43_of_several_inside_the_window_the_first_runs() -> None:
    answer = ticked(
        slots(type="hourly", every=1, slot="00-14"), "2026-12-01 00:30", "2026-12-01 04:10", catch_up_window_s=7_800
    )

    assert answer.missed is not None
    assert answer.covered is not None
    assert answer.runs is not None
    assert (answer.missed.count, answer.runs.due, answer.covered.count) == (1, at("2026-12-01 02:00"), 2)


def test_with_catch_up_never_only_what_is_on_time_runs() -> None:
    schedule = slots(type="daily", at="03:20")

    late = ticked(schedule, "2026-12-01 00:00", "2026-12-01 03:17", catch_up=CatchUp.NEVER)
    on_time = ticked(schedule, "2026-12-01 00:00", "2026-12-01 03:16", catch_up=CatchUp.NEVER)
    assert late.runs is None
    assert on_time.runs is not None


def test_G60_what_fell_due_before_the_expiry_and_is_answered_after_it_is_missed() -> None:
    expires_at = at("2026-12-02 00:00")
    late = ticked(slots(type="daily", at="23:59", minute=59), "2026-12-01 00:00", "2026-12-02 00:00", expires_at)
    in_time = ticked(slots(type="daily", at="23:59", minute=59), "2026-12-01 00:00", "2026-12-01 23:59", expires_at)

    assert (late.runs, late.if_skipped.next) == (None, None)
    assert late.missed is not None
    assert late.missed.count == 1
    assert in_time.runs is not None


def test_a_new_draw_never_makes_an_answered_day_due_again() -> None:
    early, late = (slots(type="daily", at="03:20", minute=minute) for minute in (16, 28))
    answer = ticked(early, "2026-12-01 00:00", "2026-12-01 03:16")
    again = on_slots_set(late, TIMING, answer.if_run.state, at("2026-12-01 03:17"), None)

    assert again.next is not None
    assert again.next.due == at("2026-12-02 03:28")


def test_the_coming_moments_say_what_is_odd() -> None:
    schedule = slots(NEW_YORK, type="daily", at="02:07", minute=7)
    decision = on_slots_set(schedule, TIMING, TimingState(), at("2026-03-07 00:00"), None)
    coming = preview(cadence_of(schedule, None), TIMING, decision.state, decision.next)

    assert len(coming) == 10
    assert [(one.due.local[:16], window_of(one.due), one.notes) for one in coming[:3]] == [
        ("2026-03-07T02:07", "02:00-02:14", ()),
        ("2026-03-08T03:07", "03:00-03:14", ("dst_gap",)),
        ("2026-03-09T02:07", "02:00-02:14", ()),
    ]


def test_the_coming_moments_end_with_the_expiry() -> None:
    schedule, expires_at = slots(type="daily", at="02:07"), at("2026-12-04 00:00")
    decision = on_slots_set(schedule, TIMING, TimingState(), at("2026-12-01 00:00"), expires_at)

    assert len(preview(cadence_of(schedule, expires_at), TIMING, decision.state, decision.next)) == 3


def test_a_later_expiry_brings_back_the_moments_after_the_old_one() -> None:
    schedule, now = slots(type="monthly", day=5, at="03:20"), at("2026-01-05 12:00")
    decision = on_slots_set(schedule, TIMING, TimingState(), now, at("2026-02-05 00:00"))
    later = next_after(cadence_of(schedule, at("2026-02-06 00:00")), TIMING, decision.state, now)

    assert decision.next is None
    assert later is not None
    assert later.due - now == timedelta(days=30, hours=15, minutes=15)
