"""Every due moment has exactly one outcome (R7, R30, R45, SPEC 1)."""

from typing import Any

import pytest

from eventjobs.domain.occurrence import moment_of, occurrence_id
from eventjobs.events.run import RunMissed, RunOpened, RunSkipped
from eventjobs.events.schedule import (
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    ScheduleRunOpened,
)
from tests.commands.test_schedule_edits import due, finish
from tests.support.bodies import DAILY, QUARTERLY, run_now, schedule, service, tick, workspace
from tests.support.story import Fact, Story, at


def quarterly(**fields: Any) -> Story:
    """Return a story whose schedule is due from 20:00 on, every quarter of an hour."""
    return Story().given(workspace(), service(), schedule(cadence=QUARTERLY, **fields))


def test_nothing_is_answered_before_its_instant() -> None:
    quarterly().at("2026-12-01 19:59:59.999999").when(tick()).then_nothing()


def test_a_due_moment_opens_one_run_and_says_what_comes_next() -> None:
    story = quarterly().at("2026-12-01 20:00:01")
    outcome = story.when(tick())
    run = "schedule.nightly.1.20261201t200000z"
    outcome.then(
        (f"run:{run}", Fact(RunOpened, cause="scheduled", due=at("2026-12-01 20:00"), missed_occurrences=0)),
        ("schedule:nightly", Fact(ScheduleRunOpened, run=run, cause="scheduled", due=at("2026-12-01 20:00"))),
    )
    recorded = outcome.facts[1].next
    assert (recorded.due, recorded.local, recorded.fold) == (at("2026-12-01 20:15"), "2026-12-01T20:15:00", 0)
    assert recorded.zone_data


def test_a_second_tick_decides_nothing() -> None:
    quarterly().at("2026-12-01 20:00:01").given(tick()).when(tick()).then_nothing()


def test_an_unknown_schedule_has_nothing_due() -> None:
    Story().given(workspace()).when(tick("other")).then_nothing()


def test_R45_a_moment_that_meets_an_open_run_is_skipped_and_the_next_one_is_due() -> None:
    story = quarterly().at("2026-12-01 20:00").given(tick()).at("2026-12-01 20:15")
    open_run = "schedule.nightly.1.20261201t200000z"
    story.when(tick()).then(
        (
            "run:schedule.nightly.1.20261201t201500z",
            Fact(RunSkipped, reason="overlap", due=at("2026-12-01 20:15"), open_run=open_run),
        ),
        Fact(ScheduleOccurrencesSkipped, reason="overlap", count=1, first=at("2026-12-01 20:15"), open_run=open_run),
    )
    assert due(story) == at("2026-12-01 20:30")
    assert story.schedule().open_run == open_run


def test_R45_a_skipped_moment_is_never_made_up_for() -> None:
    story = quarterly().at("2026-12-01 20:00").given(tick()).at("2026-12-01 20:15").given(tick())
    finish(story.at("2026-12-01 20:20")).when(tick()).then_nothing()
    assert due(story) == at("2026-12-01 20:30")


def test_R45_a_storm_of_skipped_moments_is_one_fact() -> None:
    story = quarterly().at("2026-12-01 20:00").given(tick()).at("2026-12-01 21:20")
    story.when(tick()).then(
        Fact(
            ScheduleOccurrencesSkipped,
            reason="overlap",
            count=5,
            first=at("2026-12-01 20:15"),
            last=at("2026-12-01 21:15"),
        )
    )
    assert due(story) == at("2026-12-01 21:30")


def test_R30_after_downtime_one_run_stands_for_all_that_passed() -> None:
    story = quarterly().at("2026-12-01 23:59:00")
    outcome = story.when(tick())
    run = "schedule.nightly.1.20261201t200000z"
    outcome.then(
        (
            f"run:{run}",
            Fact(
                RunOpened,
                cause="catch_up",
                cause_detail="downtime",
                due=at("2026-12-01 20:00"),
                missed_occurrences=15,
                missed_first=at("2026-12-01 20:15"),
                missed_last=at("2026-12-01 23:45"),
            ),
        ),
        Fact(ScheduleRunOpened, run=run, cause="catch_up"),
        Fact(
            ScheduleOccurrencesMissed,
            reason="downtime",
            count=15,
            first=at("2026-12-01 20:15"),
            last=at("2026-12-01 23:45"),
            covered_by=run,
        ),
    )
    assert due(story) == at("2026-12-02 00:14")


def test_R30_a_single_missed_moment_has_a_stream_of_its_own() -> None:
    story = quarterly().at("2026-12-01 20:16:00")
    story.when(tick()).then(
        Fact(RunOpened, missed_occurrences=1),
        Fact(ScheduleRunOpened),
        (
            "run:schedule.nightly.1.20261201t201500z",
            Fact(RunMissed, reason="downtime", covered_by="schedule.nightly.1.20261201t200000z"),
        ),
        Fact(ScheduleOccurrencesMissed, count=1),
    )


def test_with_catch_up_never_all_are_missed_and_no_run_opens() -> None:
    story = quarterly(policies={"catch_up": "never"}).at("2026-12-01 20:50")
    story.when(tick()).then(
        Fact(
            ScheduleOccurrencesMissed,
            reason="catch_up_never",
            count=4,
            first=at("2026-12-01 20:00"),
            last=at("2026-12-01 20:45"),
            covered_by=None,
        )
    )
    assert due(story) == at("2026-12-01 21:00")
    assert story.schedule().open_run is None


@pytest.mark.parametrize("late", ["20:00:00", "20:01:00"])
def test_with_catch_up_never_a_minute_late_is_on_time(late: str) -> None:
    story = quarterly(policies={"catch_up": "never"}).at(f"2026-12-01 {late}")
    story.when(tick()).then(Fact(RunOpened, cause="scheduled"), Fact(ScheduleRunOpened))


def test_inside_the_window_the_first_moment_runs_and_older_ones_are_missed() -> None:
    story = quarterly(policies={"catch_up_window": "PT20M"}).at("2026-12-01 20:50")
    outcome = story.when(tick())
    run = "schedule.nightly.1.20261201t203000z"
    outcome.then(
        Fact(
            ScheduleOccurrencesMissed,
            reason="catch_up_window",
            count=2,
            first=at("2026-12-01 20:00"),
            last=at("2026-12-01 20:15"),
            covered_by=None,
        ),
        (f"run:{run}", Fact(RunOpened, due=at("2026-12-01 20:30"), missed_occurrences=1)),
        Fact(ScheduleRunOpened, run=run),
        ("run:schedule.nightly.1.20261201t204500z", Fact(RunMissed, reason="downtime", covered_by=run)),
        Fact(ScheduleOccurrencesMissed, reason="downtime", count=1, covered_by=run),
    )
    assert due(story) == at("2026-12-01 21:05")


def test_outside_the_window_nothing_runs() -> None:
    story = Story().given(workspace(), service(), schedule(policies={"catch_up_window": "PT20M"}))
    story.at("2026-12-01 20:30").when(tick()).then(
        ("run:schedule.nightly.1.20261201t200000z", Fact(RunMissed, reason="catch_up_window", covered_by=None)),
        Fact(ScheduleOccurrencesMissed, reason="catch_up_window", count=1),
    )
    assert due(story) == at("2026-12-02 20:00")


def test_R7_a_schedule_that_runs_once_runs_once() -> None:
    story = Story().given(workspace(), service(), schedule(cadence={**DAILY, "unit": "once"}))
    story.at("2026-12-01 20:00:01").when(tick()).then(Fact(RunOpened), Fact(ScheduleRunOpened, next=None))
    finish(story)
    assert (due(story), story.schedule().timing.completed) == (None, True)
    story.at("2027-12-01 20:00").when(tick()).then_nothing()


def test_R7_a_schedule_that_ran_once_can_still_be_run_by_hand() -> None:
    story = Story().given(workspace(), service(), schedule(cadence={**DAILY, "unit": "once"}))
    finish(story.at("2026-12-01 20:00").given(tick()))
    story.when(run_now()).then(Fact(RunOpened, cause="manual"), Fact(ScheduleRunOpened))


def test_no_moment_is_answered_twice_over_a_whole_day_of_ticks() -> None:
    story = quarterly().at("2026-12-01 20:00")
    names = []
    for _ in range(96):
        outcome = story.when(tick())
        names += [stream.name for stream, fact in outcome.emitted if isinstance(fact, RunOpened)]
        finish(story)
        story.given(tick()).after(minutes=15)
    assert len(names) == len(set(names)) == 96
    assert story.schedule().definition_version == 1


@pytest.mark.parametrize("owner", ["nightly", "a.b.7", "x-1.20261201t200000z"])
def test_the_id_of_an_occurrence_names_its_owner_and_its_moment(owner: str) -> None:
    due = at("2026-12-01 20:00")
    assert moment_of(occurrence_id("schedule", owner, 12, due)) == ("schedule", owner, due)
    assert moment_of(f"by-hand.{owner}") is None
