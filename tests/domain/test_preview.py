"""What people are shown of what comes."""

import pytest

from eventjobs.domain.cadence import due_at
from eventjobs.domain.preview import drifted_from_label, preview
from eventjobs.events.cadence import CatchUp, Repeat, Timing, Unit
from tests.domain.timeline import Timeline, at, daily, every


def test_a_preview_supposes_runs_on_time() -> None:
    line = Timeline(daily("2026-03-06 14:00"))
    line.activate("2026-03-01 00:00")

    assert line.coming(3) == [at("2026-03-06 14:00"), at("2026-03-07 14:00"), at("2026-03-08 14:00")]
    assert len(line.coming()) == 10


def test_a_preview_leaves_out_what_runs_now() -> None:
    line = Timeline(daily("2026-03-06 14:00"))
    line.activate("2026-06-09 09:17")
    assert line.coming(2) == [at("2026-06-10 09:17"), at("2026-06-11 09:17")]

    on_start = Timeline(daily("2026-03-06 14:00"))
    on_start.activate("2026-03-06 14:00:00.5")
    assert on_start.coming(1, now="2026-03-06 14:00:00.5") == [at("2026-03-07 14:00")]


def test_a_preview_of_a_reactivation_counts_from_its_run() -> None:
    line = Timeline(daily("2026-03-06 14:00"))
    line.activate("2026-03-01 00:00")
    line.run_on_time(1)
    line.inactivate()
    line.activate("2026-03-09 20:00")

    assert line.coming(2) == [at("2026-03-10 20:00"), at("2026-03-11 20:00")]


def test_a_preview_of_once_has_one_moment_or_none() -> None:
    line = Timeline(every(1, Unit.ONCE, "2026-03-06 14:00"))
    assert line.coming() == []
    line.activate("2026-03-01 00:00")
    assert line.coming() == [at("2026-03-06 14:00")]
    line.run_on_time(1)
    assert line.coming() == []


def test_a_preview_looks_no_further_than_it_is_asked() -> None:
    line = Timeline(every(15, Unit.MINUTE, "2026-03-06 14:00"))
    line.activate("2026-03-01 00:00")
    rule = (line.cadence, line.policies, line.state, line.next)

    assert len(preview(*rule, 1_000_000, until=at("2026-03-06 15:00"))) == 4
    assert preview(*rule, until=at("2026-03-06 14:00")) == []


def test_a_preview_keeps_the_anchor_day_of_months() -> None:
    line = Timeline(every(1, Unit.MONTH, "2026-01-31 10:00"))
    line.activate("2026-01-01 00:00")
    line.run_on_time(1)

    assert [due.day for due in line.coming(4)] == [28, 31, 30, 31]


def test_a_preview_agrees_with_what_then_happens() -> None:
    for timing in Timing:
        line = Timeline(every(1, Unit.MONTH, "2026-01-31 02:30", "America/Chicago"), timing=timing, repeat=Repeat.BOTH)
        line.activate("2026-01-01 00:00")
        coming = line.coming(30)
        assert line.run_on_time(30) == coming


def test_a_preview_notes_gaps_and_repeats() -> None:
    line = Timeline(daily("2026-03-08 02:30", "America/Chicago"), timing=Timing.WALL_CLOCK)
    line.activate("2026-03-01 00:00")
    assert [c.notes for c in preview(line.cadence, line.policies, line.state, line.next, 2)] == [("dst_gap",), ()]

    both = Timeline(daily("2026-11-01 01:30", "America/Chicago"), timing=Timing.WALL_CLOCK, repeat=Repeat.BOTH)
    both.activate("2026-03-01 00:00")
    notes = [c.notes for c in preview(both.cadence, both.policies, both.state, both.next, 3)]
    assert notes == [("dst_repeat",), ("dst_repeat",), ()]


def test_R20_a_preview_notes_drift_from_the_label() -> None:
    line = Timeline(daily("2026-03-07 14:00", "America/Chicago"))
    line.activate("2026-03-01 00:00")

    notes = [c.notes for c in preview(line.cadence, line.policies, line.state, line.next, 2)]
    assert notes == [(), ("drifted_from_label",)]


@pytest.mark.parametrize(
    ("cadence", "when", "drifted"),
    [
        (daily("2026-03-06 14:00"), "2026-04-01 14:00", False),
        (daily("2026-03-06 14:00"), "2026-04-01 14:00:07", True),
        (every(1, Unit.MONTH, "2026-01-31 10:00"), "2026-02-28 10:00", False),
        (every(1, Unit.MONTH, "2026-01-31 10:00"), "2026-03-02 10:00", True),
        (every(15, Unit.MINUTE, "2026-03-06 14:00"), "2026-03-07 09:45", False),
        (every(15, Unit.MINUTE, "2026-03-06 14:00"), "2026-03-07 09:44", True),
        (every(4, Unit.HOUR, "2026-03-06 14:00"), "2026-03-07 02:00", False),
        (every(4, Unit.HOUR, "2026-03-06 14:00"), "2026-03-07 03:00", True),
        (every(7, Unit.HOUR, "2026-03-06 14:00"), "2026-03-07 03:00", False),
    ],
)
def test_R20_drift_is_what_the_short_text_does_not_say(cadence: object, when: str, *, drifted: bool) -> None:
    assert isinstance(cadence, type(daily()))
    assert drifted_from_label(cadence, due_at(cadence, at(when))) is drifted


def test_a_far_horizon_ends_the_preview() -> None:
    line = Timeline(every(10_000, Unit.MONTH, "2200-01-31 10:00"), catch_up=CatchUp.NEVER)
    line.activate("2200-01-01 00:00")

    assert [due.year for due in line.coming(20)] == [2200 + n * 10_000 // 12 for n in range(10)]
