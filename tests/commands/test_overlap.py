"""What becomes of a due moment that meets an open run, under each overlap policy (SPEC decision 3, R45)."""

from typing import Any

import pytest

from eventjobs.domain.overlap import QUEUE_MAX, Meeting, Overlap, meet
from eventjobs.events.run import RunEnded, RunMissed, RunOpened, RunSkipped, RunStopRequested
from eventjobs.events.schedule import (
    ScheduleOccurrenceDropped,
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    ScheduleRunClosed,
    ScheduleRunOpened,
)
from tests.commands.test_schedule_edits import due
from tests.support.bodies import QUARTERLY, advance, edit, ended, policies, run_now, schedule, service, tick, workspace
from tests.support.story import Fact, Story, at, command

FIRST = "schedule.nightly.1.20261201t200000z"
SECOND = "schedule.nightly.1.20261201t201500z"
THIRD = "schedule.nightly.1.20261201t203000z"


def running(overlap: str, **more: Any) -> Story:
    """Return a story whose schedule is due every quarter of an hour and runs since 20:00."""
    story = Story().given(workspace(), service())
    story.given(schedule(cadence=QUARTERLY, policies={"overlap": overlap, **more}))
    return story.at("2026-12-01 20:00").given(tick(), advance(FIRST))


def end(story: Story, run: str) -> list[Any]:
    """End a run's only job; return the facts."""
    state = story.run(run)
    return story.when(advance(run, term=state.term, ended=[ended()])).facts


@pytest.mark.parametrize(
    ("policy", "open_runs", "waiting", "meeting"),
    [
        *((policy, 0, 0, Meeting.OPEN) for policy in Overlap),
        ("skip", 1, 0, Meeting.OVERLAP),
        ("skip", 0, 1, Meeting.OVERLAP),
        ("allow", 3, 2, Meeting.OPEN),
        ("queue_one", 1, 0, Meeting.QUEUE),
        ("queue_one", 1, 1, Meeting.OVERLAP),
        ("queue_all", 1, QUEUE_MAX - 1, Meeting.QUEUE),
        ("queue_all", 1, QUEUE_MAX, Meeting.QUEUE_FULL),
        ("cancel_running", 1, 0, Meeting.DISPLACE),
        ("cancel_running", 1, 1, Meeting.DISPLACE),
    ],
)
def test_a_moment_that_meets_others_is_decided_by_the_policy(
    policy: str, open_runs: int, waiting: int, meeting: Meeting
) -> None:
    assert meet(policy, open_runs=open_runs, waiting=waiting) is meeting


def test_queue_one_the_append_that_closes_a_run_opens_the_next_one() -> None:
    story = running("queue_one").at("2026-12-01 20:15:01")
    story.when(tick()).then(
        (
            "schedule:nightly",
            Fact(ScheduleOccurrenceQueued, due=at("2026-12-01 20:15"), open_run=FIRST, cause="scheduled"),
        )
    )
    assert due(story) == at("2026-12-01 20:30")
    story.at("2026-12-01 20:20")
    assert end(story, FIRST)[-4:] == [
        Fact(RunEnded, state="succeeded"),
        ScheduleRunClosed(run=FIRST, state="succeeded"),
        Fact(RunOpened, cause="scheduled", due=at("2026-12-01 20:15"), cadence_version=1, missed_occurrences=0),
        ScheduleRunOpened(run=SECOND, cause="scheduled", due=at("2026-12-01 20:15")),
    ]
    assert story.schedule().open_runs == (SECOND,)
    assert story.schedule().waiting == ()
    assert due(story) == at("2026-12-01 20:30"), "what waited does not re-anchor"


def test_queue_one_the_older_waits_on_and_the_newer_is_skipped() -> None:
    story = running("queue_one").at("2026-12-01 20:15").given(tick()).at("2026-12-01 20:30")
    story.when(tick()).then(
        (f"run:{THIRD}", Fact(RunSkipped, reason="overlap", open_run=FIRST)),
        Fact(ScheduleOccurrencesSkipped, reason="overlap", count=1),
    )
    assert [one.due for one in story.schedule().waiting] == [at("2026-12-01 20:15")]


def test_queue_all_opens_them_in_the_order_in_which_they_fell_due() -> None:
    story = running("queue_all")
    for quarter in (15, 30, 45):
        story.at(f"2026-12-01 20:{quarter}").given(tick())
    assert len(story.schedule().waiting) == 3
    opened = []
    for run in (FIRST, SECOND, THIRD):
        opened.append(next(fact.due for fact in end(story, run) if isinstance(fact, RunOpened)))
        story.given(advance(story.schedule().open_runs[0]))
    assert opened == [at("2026-12-01 20:15"), at("2026-12-01 20:30"), at("2026-12-01 20:45")]


def test_queue_all_holds_a_hundred_and_skips_the_next() -> None:
    story = running("queue_all")
    for _ in range(QUEUE_MAX):
        story.after(minutes=15).given(tick())
    story.after(minutes=15).when(tick()).then(
        Fact(RunSkipped, reason="queue_full", open_run=FIRST), Fact(ScheduleOccurrencesSkipped, reason="queue_full")
    )
    assert len(story.schedule().waiting) == QUEUE_MAX


def test_a_late_moment_that_waits_covers_the_later_ones() -> None:
    story = running("queue_one").at("2026-12-01 21:05")
    story.when(tick()).then(
        Fact(ScheduleOccurrenceQueued, due=at("2026-12-01 20:15"), cause="catch_up", missed_occurrences=3),
        Fact(ScheduleOccurrencesMissed, count=3, first=at("2026-12-01 20:30"), covered_by=SECOND),
    )
    assert due(story) == at("2026-12-01 21:15")
    opened = next(fact for fact in end(story, FIRST) if isinstance(fact, RunOpened))
    assert (opened.missed_occurrences, opened.missed_last) == (3, at("2026-12-01 21:00"))


def test_what_waits_takes_the_job_table_and_the_name_of_its_own_cadence() -> None:
    story = running("queue_one").at("2026-12-01 20:15").given(tick(), service("clean"))
    story.given(
        command("EditScheduleJobs", id="nightly", jobs=[{"job": {"kind": "service", "id": "clean"}}]),
        edit(every=2, unit="hour"),
    )
    opened = next(fact for fact in end(story, FIRST) if isinstance(fact, RunOpened))
    assert [job.job.id for job in opened.jobs] == ["clean"], "a queued run takes its snapshot at its start"
    assert opened.cadence_version == 1
    assert story.schedule().open_runs == (SECOND,)


def test_cancel_running_stops_what_runs_and_opens_the_newer_one_when_it_ended() -> None:
    story = running("cancel_running").at("2026-12-01 20:15")
    story.when(tick()).then(
        (f"run:{FIRST}", RunStopRequested(mode="now", displaced_by=SECOND)),
        ("schedule:nightly", Fact(ScheduleOccurrenceQueued, due=at("2026-12-01 20:15"))),
    )
    facts = story.when(advance(FIRST, ended=[ended(state="aborted")])).facts
    assert Fact(RunEnded, state="aborted", reason="displaced") in facts
    assert story.schedule().open_runs == (SECOND,)


def test_cancel_running_the_newest_displaces_what_waits_and_asks_for_no_second_stop() -> None:
    story = running("cancel_running").at("2026-12-01 20:15").given(tick()).at("2026-12-01 20:30")
    story.when(tick()).then(
        (f"run:{SECOND}", Fact(RunSkipped, reason="overlap", open_run=FIRST)),
        Fact(ScheduleOccurrenceDropped, due=at("2026-12-01 20:15"), outcome="skipped"),
        Fact(ScheduleOccurrenceQueued, due=at("2026-12-01 20:30")),
    )


def test_a_stopped_run_does_not_stop_what_waits() -> None:
    story = running("queue_one").at("2026-12-01 20:15").given(tick(), command("StopRun", run=FIRST))
    facts = story.when(advance(FIRST, ended=[ended(state="aborted")])).facts
    assert Fact(RunEnded, state="aborted", reason="stopped") in facts
    assert story.schedule().open_runs == (SECOND,)


def test_allow_opens_beside_what_runs() -> None:
    story = running("allow").at("2026-12-01 20:15").given(tick())
    assert story.schedule().open_runs == (FIRST, SECOND)
    story.given(command("StopRun", run=SECOND))
    closed = [fact for fact in story.when(advance(SECOND)).facts if isinstance(fact, ScheduleRunClosed)]
    assert closed == [ScheduleRunClosed(run=SECOND, state="aborted", reason="stopped", open_run=FIRST)]
    assert story.schedule().open_runs == (FIRST,)


def test_R54_by_hand_only_allow_runs_beside_an_open_run() -> None:
    for policy in Overlap:
        story = running(policy)
        if policy is Overlap.ALLOW:
            story.when(run_now(id="mine")).then(Fact(RunOpened, cause="manual"), Fact(ScheduleRunOpened, run="mine"))
        else:
            story.when(run_now(id="mine")).then_refused("already_running", open_run=FIRST)


@pytest.mark.parametrize("name", ["InactivateSchedule", "DeleteSchedule"])
def test_what_waits_when_the_schedule_is_switched_off_is_skipped_as_inactive(name: str) -> None:
    story = running("queue_all").at("2026-12-01 20:15").given(tick()).at("2026-12-01 20:30").given(tick())
    facts = story.when(command(name, id="nightly")).facts
    assert facts[:4] == [
        Fact(RunSkipped, reason="inactive", due=at("2026-12-01 20:15")),
        Fact(ScheduleOccurrenceDropped, outcome="skipped", reason="inactive"),
        Fact(RunSkipped, reason="inactive", due=at("2026-12-01 20:30")),
        Fact(ScheduleOccurrenceDropped, outcome="skipped", reason="inactive"),
    ]
    end(story, FIRST)
    assert story.schedule().open_runs == ()


def test_what_waited_beyond_an_explicit_catch_up_window_is_missed() -> None:
    story = running("queue_one", catch_up_window="PT30M").at("2026-12-01 20:15").given(tick())
    story.at("2026-12-01 20:45:00.000001")
    assert end(story, FIRST)[-2:] == [
        Fact(RunMissed, due=at("2026-12-01 20:15"), reason="catch_up_window"),
        Fact(ScheduleOccurrenceDropped, outcome="missed", reason="catch_up_window"),
    ]


def test_never_lets_a_moment_wait_that_was_answered_on_time() -> None:
    story = running("queue_one", catch_up="never").at("2026-12-01 20:15").given(tick()).at("2026-12-01 20:29")
    end(story, FIRST)
    assert story.schedule().open_runs == (SECOND,)


def test_another_policy_leaves_what_waits_in_the_queue() -> None:
    story = running("queue_all").at("2026-12-01 20:15").given(tick(), policies(overlap="skip"))
    end(story, FIRST)
    assert story.schedule().open_runs == (SECOND,)
