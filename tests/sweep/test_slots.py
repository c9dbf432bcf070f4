"""Slot schedules against a look at every minute at every odd change of a clock, and a walk through 21 years (P10)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from eventjobs.domain.slots import MINUTES, cadence_of
from eventjobs.domain.timing import aligned
from eventjobs.events.cadence import Gap, NextDue, Repeat, TimingPolicies
from eventjobs.events.slots import SlotSchedule, SlotType, Weekday
from tests.sweep.clocks import clock
from tests.sweep.minutes import DAY, MINUTE, Moment, Watch
from tests.sweep.shapes import label_of
from tests.sweep.windows import Window, odd

WEEKDAYS = tuple(Weekday)
YEARS = date(2020, 1, 1), date(2041, 1, 1)
ZONES = ("America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Gaza")


def is_meant(schedule: SlotSchedule, label: datetime) -> bool:
    """Say whether a schedule names a local time, in plain words."""
    first, last = schedule.from_date or "0001-01-01", schedule.until_date or "9999-12-31"
    if label.minute != schedule.minute or not first <= label.date().isoformat() <= last:
        return False
    if schedule.type == "hourly":
        return label.hour in range(0, 24, schedule.every or 0)
    return label.hour == schedule.hour and is_day_of(schedule, label.date())


def is_day_of(schedule: SlotSchedule, day: date) -> bool:
    return {
        "daily": True,
        "once": schedule.date == day.isoformat(),
        "weekly": f"{day:%a}".lower() in schedule.days,
        "monthly": day.day == schedule.day or (schedule.day == "last" and (day + DAY).day == 1),
    }[schedule.type.value]


def schedules(window: Window) -> Iterator[SlotSchedule]:
    """Yield schedules that a change meets, each type once at another place beside it."""
    places = ("first", "inside", "last", "after", "midnight", "before")
    labels = [label_of(window.change, place) for place in places]
    for label, kind in zip(labels, SlotType, strict=True):
        yield SlotSchedule(
            type=SlotType.DAILY if kind is SlotType.ON_DEMAND else kind,
            time_zone=window.zone,
            date=label.date().isoformat(),
            days=(WEEKDAYS[label.weekday()], WEEKDAYS[label.weekday() - 2]),
            day=label.day if label.day <= 28 else "last",
            every=1 + label.hour % 3,
            hour=label.hour,
            slot=label.minute // MINUTES,
            minute=label.minute,
        )
    whole = SlotSchedule(
        type=SlotType.DAILY, time_zone=window.zone, hour=labels[1].hour, slot=0, minute=labels[1].minute
    )
    day = labels[1].date()
    yield replace(whole, until_date=day.isoformat())
    yield replace(whole, from_date=day.isoformat(), until_date=(day + DAY).isoformat())


def expected(watch: Watch, labels: list[datetime], gap: str, repeat: str) -> list[Moment]:
    found: dict[datetime, Moment] = {}
    for label in labels:
        for moment in watch.moments_of(label, gap, repeat):
            known = found.get(moment.due, moment)
            found[moment.due] = replace(moment, asked=moment.asked | known.asked)
    return sorted(found.values())


def minutes_between(watch: Watch) -> Iterator[datetime]:
    first = watch.shown[0][1].replace(hour=0, minute=0, second=0) + DAY
    last = watch.shown[-1][1].replace(hour=0, minute=0, second=0)
    return (first + number * MINUTE for number in range((last - first) // MINUTE))


def agrees(found: NextDue, wanted: Moment) -> bool:
    asked = None if None in wanted.asked else found.asked
    same = (found.due, found.local, found.fold) == (wanted.due, wanted.local, wanted.fold)
    return same and found.asked == asked and found.asked in wanted.asked


def walked(
    schedule: SlotSchedule, policies: TimingPolicies, begin: datetime, end: datetime, expires_at: datetime | None = None
) -> list[NextDue]:
    moments, dues, at = aligned(cadence_of(schedule, expires_at), policies, None), list[NextDue](), begin
    while (found := moments.after(at)) is not None and found.due <= end:
        dues.append(found)
        at = found.due
    return dues


def test_P10_a_slot_schedule_agrees_with_a_look_at_every_minute() -> None:
    for number, window in enumerate(odd()[::2]):
        at = window.change.at.replace(second=0)
        watch = Watch(clock(window.zone), at - 3 * DAY, at + 3 * DAY)
        begin, end = at - timedelta(hours=26), at + timedelta(hours=26)
        labels = list(minutes_between(watch))
        for schedule in list(schedules(window))[number % 2 :: 2]:
            named = [label for label in labels if is_meant(schedule, label)]
            compare(watch, schedule, named, begin, at, end)


def compare(
    watch: Watch, schedule: SlotSchedule, named: list[datetime], begin: datetime, at: datetime, end: datetime
) -> None:
    for gap, repeat in product(Gap, Repeat):
        which = "first" if schedule.type == "once" and repeat == "both" else repeat
        wanted = [one for one in expected(watch, named, gap, which) if begin < one.due <= end]
        policies = TimingPolicies(gap=gap, repeat=repeat)
        found = walked(schedule, policies, begin, end)
        assert len(found) == len(wanted), (at, schedule, gap, repeat)
        assert all(map(agrees, found, wanted)), (at, schedule, gap, repeat)
        before = [due for due in found if due.due < at]
        assert walked(schedule, policies, begin, end, expires_at=at) == before


def days() -> Iterator[date]:
    return (YEARS[0] + number * DAY for number in range((YEARS[1] - YEARS[0]).days))


def instant(zone: str, day: date, at: time) -> datetime:
    """Return when a local time comes: the first pass, or what the clock before a gap would have called so."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize("zone", ZONES)
def test_G42_from_2020_to_2040_a_daily_group_runs_once_a_day_and_never_twice(zone: str) -> None:
    begin, end = (instant(zone, day, time()) for day in YEARS)
    at = time(0, 7) if zone == "America/Santiago" else time(2, 20)  # where its clock is put on and back
    schedule = SlotSchedule(type=SlotType.DAILY, time_zone=zone, hour=at.hour, slot=0, minute=at.minute)
    found = walked(schedule, TimingPolicies(), begin, end)

    assert [due.due for due in found] == [instant(zone, day, at) for day in days()]
    assert [(due.asked or due.local)[:10] for due in found] == [day.isoformat() for day in days()]
    assert len({due.asked for due in found}) > 10


@pytest.mark.parametrize("zone", ZONES)
def test_G37_from_2020_to_2040_the_last_day_of_each_month_has_one_run(zone: str) -> None:
    begin, end = (instant(zone, day, time()) for day in YEARS)
    schedule = SlotSchedule(type=SlotType.MONTHLY, time_zone=zone, day="last", hour=2, slot=1, minute=20)

    wanted = [instant(zone, day, time(2, 20)) for day in days() if (day + DAY).month != day.month]
    assert [due.due for due in walked(schedule, TimingPolicies(), begin, end)] == wanted
    assert len(wanted) == 21 * 12
