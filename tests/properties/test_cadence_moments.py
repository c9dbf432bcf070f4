"""What holds for the moments of every cadence, and an independent count of wall-clock ones."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise, product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings

from eventjobs.domain.reference import next_after
from eventjobs.domain.timing import LocalDays, resolve_start
from eventjobs.events.cadence import Cadence, Gap, NextDue, Repeat, Timing, TimingPolicies, TimingState, Unit
from tests.support.cadences import ODD_ZONES, RECURRING, instants, rules


@given(rules(), instants)
@settings(deadline=None)
def test_the_next_moment_is_a_whole_second_later_and_not_before_the_start(
    rule: tuple[Cadence, TimingPolicies], now: datetime
) -> None:
    cadence, policies = rule
    found = next_after(cadence, policies, TimingState(), now)
    assume(found is not None)
    assert found is not None

    assert found.due > now
    assert found.due.microsecond == 0
    assert cadence.unit is Unit.CRON or found.due >= resolve_start(cadence, policies)
    assert_shown(cadence, found)


def assert_shown(cadence: Cadence, found: NextDue) -> None:
    local = found.due.astimezone(ZoneInfo(cadence.time_zone))
    assert (local.replace(tzinfo=None, fold=0).isoformat(), local.fold) == (found.local, found.fold)


@given(rules(), instants)
@settings(deadline=None)
def test_nothing_lies_between_a_moment_and_the_next(rule: tuple[Cadence, TimingPolicies], now: datetime) -> None:
    cadence, policies = rule
    first = next_after(cadence, policies, TimingState(), now)
    assume(first is not None)
    assert first is not None
    just_before = first.due - timedelta(microseconds=1)

    assert next_after(cadence, policies, TimingState(), just_before) == first
    middle = now + (first.due - now) / 2
    if middle < first.due:
        assert next_after(cadence, policies, TimingState(), middle) == first


@given(rules(RECURRING), instants)
@settings(deadline=None)
def test_every_recurring_cadence_goes_on(rule: tuple[Cadence, TimingPolicies], now: datetime) -> None:
    cadence, policies = rule
    due: datetime | None = now
    for _ in range(5):
        assert due is not None
        found = next_after(cadence, policies, TimingState(), due)
        assert found is not None
        assert found.due > due
        due = found.due


# An independent second opinion: look at every minute of some days and apply the words of the rule.


Shown = tuple[list[tuple[datetime, datetime]], dict[datetime, list[datetime]]]


@lru_cache(maxsize=64)
def minutes_shown(name: str, begin: datetime, days: int) -> Shown:
    """Return each minute with what the clock shows, and the minutes at which it shows each local time."""
    zone = ZoneInfo(name)
    minutes = (begin + timedelta(minutes=n) for n in range(days * 1440))
    shown = [(utc, utc.astimezone(zone).replace(tzinfo=None, fold=0)) for utc in minutes]
    passes: dict[datetime, list[datetime]] = {}
    for utc, local in shown:
        passes.setdefault(local, []).append(utc)
    return shown, passes


def expected(cadence: Cadence, policies: TimingPolicies, begin: datetime, days: int) -> list[datetime]:
    """Return the moments of a daily cadence by looking at the clock every minute."""
    shown, by_label = minutes_shown(cadence.time_zone, begin - timedelta(days=2), days + 4)
    dues = set()
    first, last = shown[0][1].date(), shown[-1][1].date()
    for offset in range(1, (last - first).days):
        label = datetime.combine(first + timedelta(days=offset), datetime.min.time())
        label += timedelta(hours=int(cadence.start_time[:2]), minutes=int(cadence.start_time[3:]))
        passes = by_label.get(label, [])
        if passes:
            dues.update({Repeat.FIRST: passes[:1], Repeat.SECOND: passes[-1:], Repeat.BOTH: passes}[policies.repeat])
        elif policies.gap is Gap.SHIFT:
            dues.add(after_the_gap(shown, label))
    return sorted(due for due in dues if begin < due <= begin + timedelta(days=days))


def after_the_gap(shown: list[tuple[datetime, datetime]], label: datetime) -> datetime:
    """Return the instant as far behind the gap's begin as the label is: the offset before it still counts."""
    for (utc, local), (_, later) in pairwise(shown):
        if local < label < later:
            return utc + (label - local)
    raise AssertionError(label)


def changes_of(name: str) -> list[datetime]:
    """Return the hours before the changes of a zone's offset, each kind once, from 1973 to 2040."""
    zone = ZoneInfo(name)
    found: dict[tuple[timedelta | None, timedelta | None], datetime] = {}
    weeks = (datetime(1973, 1, 1, tzinfo=UTC) + timedelta(days=7 * n) for n in range(3500))
    for (before, then), (after, now) in pairwise((week, week.astimezone(zone).utcoffset()) for week in weeks):
        if then != now and is_whole_minutes(then) and is_whole_minutes(now):
            found[then, now] = change_between(zone, before, after)
    return list(found.values())


def is_whole_minutes(offset: timedelta | None) -> bool:
    return offset is not None and not offset.seconds % 60


def change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    while after - before > timedelta(minutes=1):
        middle = (before + (after - before) / 2).replace(second=0, microsecond=0)
        same = middle.astimezone(zone).utcoffset() == before.astimezone(zone).utcoffset()
        before, after = (middle, after) if same else (before, middle)
    return after


@pytest.mark.parametrize("name", [zone for zone in ODD_ZONES if zone != "UTC"])
def test_wall_clock_agrees_with_a_look_at_every_minute(name: str) -> None:
    zone = ZoneInfo(name)
    compared = 0
    for change in changes_of(name):
        around = [change.astimezone(zone), (change - timedelta(minutes=1)).astimezone(zone)]
        begin = change.replace(hour=0, minute=0) - timedelta(days=2)
        for time in sorted({f"{local + timedelta(minutes=m):%H:%M}" for local in around for m in (-20, 0, 10)}):
            cadence = Cadence(start_date="1972-01-01", start_time=time, time_zone=name, unit=Unit.DAY)
            for gap, repeat in product(Gap, Repeat):
                policies = TimingPolicies(timing=Timing.WALL_CLOCK, gap=gap, repeat=repeat)
                assert found_between(cadence, policies, begin, 4) == expected(cadence, policies, begin, 4)
                compared += 1
    assert compared


def found_between(cadence: Cadence, policies: TimingPolicies, begin: datetime, days: int) -> list[datetime]:
    moments = LocalDays(cadence, policies.gap, policies.repeat)
    dues, at = [], begin
    while (found := moments.after(at)) is not None and found.due <= begin + timedelta(days=days):
        dues.append(found.due)
        at = found.due
    passed = moments.passed(begin, begin + timedelta(days=days))
    assert len(dues) == (0 if passed is None else passed.count)
    return dues
