"""Cron cadences against a look at every minute, at every odd change of a clock (P10)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise, product
from zoneinfo._zoneinfo import ZoneInfo as PythonZoneInfo  # type: ignore[import-not-found]

from eventjobs.domain import zones
from eventjobs.domain.cron_days import CronDays
from eventjobs.events.cadence import Cadence, Gap, NextDue, Repeat, Unit
from tests.sweep.clocks import clock, zone_names
from tests.sweep.minutes import DAY, MINUTE, Moment, Watch
from tests.sweep.windows import Window, odd

# Each expression with what it says, read without any library.
MEANT: dict[str, Callable[[datetime], bool]] = {
    "*/20 * * * *": lambda at: at.minute % 20 == 0,
    "30 0-3,23 * * *": lambda at: at.minute == 30 and at.hour in (0, 1, 2, 3, 23),
    "15,45 2 * * *": lambda at: at.minute in (15, 45) and at.hour == 2,
    "0 0,12 * * 6,0": lambda at: at.minute == 0 and at.hour in (0, 12) and at.weekday() in (5, 6),
    "59 23 L * *": lambda at: (at.hour, at.minute) == (23, 59) and (at + DAY).day == 1,
}


def labels(watch: Watch, means: Callable[[datetime], bool]) -> list[datetime]:
    first = watch.shown[0][1].replace(hour=0, minute=0, second=0) + DAY
    last = watch.shown[-1][1].replace(hour=0, minute=0, second=0)
    minutes = (first + number * MINUTE for number in range((last - first) // MINUTE))
    return [label for label in minutes if means(label)]


def expected(watch: Watch, named: list[datetime], gap: Gap, repeat: Repeat) -> list[Moment]:
    found: dict[datetime, Moment] = {}
    for label in named:
        for moment in watch.moments_of(label, gap, repeat):
            known = found.get(moment.due, moment)
            found[moment.due] = replace(moment, asked=moment.asked | known.asked)
    return sorted(found.values())


def agrees(found: NextDue, wanted: Moment) -> bool:
    asked = None if None in wanted.asked else found.asked
    same = (found.due, found.local, found.fold) == (wanted.due, wanted.local, wanted.fold)
    return same and found.asked == asked and found.asked in wanted.asked


def walked(days: CronDays, begin: datetime, end: datetime) -> list[NextDue]:
    dues, at = [], begin
    while (found := days.after(at)) is not None and found.due <= end:
        dues.append(found)
        at = found.due
    return dues


def test_P10_a_cron_agrees_with_a_look_at_every_minute() -> None:
    for number, window in enumerate(odd()):
        compare(window, list(MEANT)[number % 2 :: 2])


def compare(window: Window, texts: list[str]) -> None:
    at = window.change.at.replace(second=0)
    watch = Watch(clock(window.zone), at - 3 * DAY, at + 3 * DAY)
    begin, end = at - timedelta(hours=26), at + timedelta(hours=26)
    for text in texts:
        named = labels(watch, MEANT[text])
        for gap, repeat in product(Gap, Repeat):
            wanted = [one for one in expected(watch, named, gap, repeat) if begin < one.due <= end]
            days = CronDays(Cadence(time_zone=window.zone, unit=Unit.CRON, cron=text), gap, repeat)
            found = walked(days, begin, end)
            assert len(found) == len(wanted), (window, text, gap, repeat)
            assert all(map(agrees, found, wanted)), (window, text, gap, repeat)
            passed = days.passed(begin, end)
            assert (passed.count if passed else 0) == len(wanted), (window, text, gap, repeat)


def test_no_clock_is_put_on_and_back_again_within_a_day() -> None:
    for name in zone_names():
        zone = PythonZoneInfo(name)
        changes = list(zip(zone._trans_utc, zone._ttinfos, strict=True))
        for (_, before), (at, ttinfo), (then, after) in zip(changes, changes[1:], changes[2:], strict=False):
            undone = before.utcoff == after.utcoff != ttinfo.utcoff
            assert not undone or then - at > DAY.total_seconds(), f"{name} at {at}"


def test_a_quiet_day_is_one_whose_offset_is_that_of_its_neighbours() -> None:
    days = [datetime.fromisoformat("2026-03-01") + number * DAY for number in range(14)]
    quiet = [day.day for day in days if zones.quiet_offset("America/Chicago", day) is not None]

    assert quiet == [1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14]
    assert [b - a for a, b in pairwise(quiet)].count(1) == len(quiet) - 2
