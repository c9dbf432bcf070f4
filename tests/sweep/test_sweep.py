"""A sample of `make sweep`: every odd kind of change, against the rule applied minute by minute (T9, P10)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from eventjobs.domain import zones
from eventjobs.domain.reference import next_after
from eventjobs.events.cadence import Cadence, Gap, NextDue, Repeat, TimingPolicies
from tests.sweep import compare as comparing
from tests.sweep.clocks import clock, zone_names
from tests.sweep.compare import Scene, Tally
from tests.sweep.minutes import Watch
from tests.sweep.shapes import SHAPES
from tests.sweep.windows import Window, odd

NEXT_MS = 5


def compare(windows: list[Window]) -> Tally:
    """Compare at each change, each time with the other half of the cadences."""
    tally = Tally()
    for number, window in enumerate(windows):
        scene = Scene(window.zone, window.change)
        for shape in SHAPES[number % 2 :: 2]:
            tally.add(scene.compare(shape))
    return tally


def test_P10_at_every_odd_change_of_a_clock_the_rules_agree_with_a_look_at_every_minute() -> None:
    windows = list(odd())
    lengths = {abs(window.change.after - window.change.before) // 60 for window in windows}
    assert lengths >= {30, 60, 120, 180, 1440}

    tally = compare(windows)

    assert tally.mismatches == []
    assert min(tally.shifted, tally.second_passes, tally.left_out) > 100
    assert tally.longest_ns < NEXT_MS * 1_000_000


def test_every_zone_of_the_data_may_be_used() -> None:
    assert set(zone_names()) == zones.zone_names()


@pytest.mark.parametrize(
    ("is_back", "ignored"), [(True, {"repeat": Repeat.FIRST}), (False, {"gap": Gap.SHIFT})], ids=["repeat", "gap"]
)
def test_a_service_that_ignores_a_policy_does_not_agree(
    is_back: bool, ignored: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = next(one for one in odd() if (one.change.after < one.change.before) == is_back)

    def without(cadence: Cadence, policies: TimingPolicies, *rest: Any) -> NextDue | None:
        return next_after(cadence, replace(policies, **ignored), *rest)

    assert compare([window, window]).mismatches == []
    monkeypatch.setattr(comparing, "next_after", without)
    found = compare([window, window]).mismatches
    assert found
    name, value = next(iter(ignored.items()))
    assert all(getattr(one.rule, name) != value for one in found)


def test_a_watch_shows_a_local_time_twice_or_not_at_all() -> None:
    for window in odd()[:8]:
        change = window.change
        at = change.at.replace(second=0)
        watch = Watch(clock(window.zone), at - timedelta(days=2), at + timedelta(days=2))
        inside = change.edges[0].replace(second=0) + timedelta(minutes=1)
        assert len(watch.passes.get(inside, [])) == (0 if change.after > change.before else 2)
