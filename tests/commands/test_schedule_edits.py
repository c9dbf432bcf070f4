"""Edits of schedules: what they make due, and what they leave alone (R22 to R34)."""

from typing import Any

import pytest

from eventjobs.commands.spec import CommandFields
from eventjobs.domain.run import State
from eventjobs.events.run import RunEnded, RunMissed, RunOpened, RunSkipped
from eventjobs.events.schedule import (
    ScheduleActivated,
    ScheduleCadenceEdited,
    ScheduleDescribed,
    ScheduleJobsEdited,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePoliciesEdited,
    ScheduleRunClosed,
    ScheduleRunOpened,
)
from eventjobs.events.service import ServiceAttached, ServiceDetached
from tests.support.bodies import (
    DAILY,
    QUARTERLY,
    advance,
    edit,
    ended,
    policies,
    row,
    schedule,
    service,
    tick,
    workspace,
)
from tests.support.story import Fact, Story, at, command

EDITED = Fact(ScheduleCadenceEdited)
OPENED = Fact(RunOpened, cause="catch_up")
RECORDED = Fact(ScheduleRunOpened)


def ran(**fields: Any) -> Story:
    """Return a story whose schedule ran on 1 December at 20:00, on time, and is due again a day later."""
    story = Story().given(workspace(), service("load"), service("clean"), schedule(**fields))
    return finish(story.at("2026-12-01 20:00").given(tick()))


def finish(story: Story) -> Story:
    """End the open run of the schedule."""
    run = story.schedule().open_run
    assert run is not None
    rows = story.run(run).rows
    story.given(advance(run))
    for number in rows:
        if story.run(run).rows[number].state is State.RUNNING:
            story.given(advance(run, ended=[ended(number)]))
    assert story.schedule().open_run is None
    return story


def due(story: Story) -> Any:
    following = story.schedule().next
    return None if following is None else following.due


def jobs(*rows: dict[str, Any]) -> CommandFields:
    return command("EditScheduleJobs", id="nightly", jobs=list(rows))


def test_R25_a_shorter_period_that_is_past_runs_at_once_and_counts_from_now() -> None:
    story = ran().at("2026-12-02 03:00")
    outcome = story.when(edit(every=4, unit="hour"))
    outcome.then(EDITED, Fact(RunOpened, cause_detail="interval_decreased", due=at("2026-12-02 00:00")), RECORDED)
    assert due(story) == at("2026-12-02 07:00")


def test_R25_a_shorter_period_that_is_ahead_waits() -> None:
    story = ran().at("2026-12-01 21:00")
    story.when(edit(every=12, unit="hour")).then(EDITED)
    assert due(story) == at("2026-12-02 08:00")


def test_R23_always_on_tighten_runs_it_nevertheless() -> None:
    story = ran(policies={"catch_up": "always_on_tighten"}).at("2026-12-01 21:00")
    story.when(edit(every=12, unit="hour")).then(EDITED, OPENED, RECORDED)
    assert due(story) == at("2026-12-02 09:00")


def test_R26_a_start_moved_into_the_past_runs_once() -> None:
    story = ran().at("2026-12-02 10:00")
    outcome = story.when(edit(start_date="2026-11-30"))
    outcome.then(EDITED, Fact(RunOpened, cause_detail="start_moved_earlier"), RECORDED)
    assert outcome.warnings == ["start_already_past"]
    assert due(story) == at("2026-12-03 10:00")


def test_R26_a_start_moved_earlier_and_still_ahead_is_what_is_due() -> None:
    story = Story().given(workspace(), service(), schedule())
    story.when(edit(start_time="18:00")).then(EDITED)
    assert due(story) == at("2026-12-01 18:00")


def test_R27_another_zone_is_another_start() -> None:
    story = Story().given(workspace(), service(), schedule())
    story.when(edit(time_zone="Asia/Tokyo")).then(EDITED, Fact(RunOpened, cause_detail="zone_changed"), RECORDED)


@pytest.mark.parametrize(
    ("cadence", "expected"),
    [
        ({"every": 2}, "2026-12-03 20:00"),
        ({"start_date": "2026-12-10"}, "2026-12-10 20:00"),
        ({"start_time": "20:30"}, "2026-12-02 20:00"),
    ],
)
def test_R28_loosening_never_runs(cadence: dict[str, Any], expected: str) -> None:
    story = ran().at("2026-12-01 22:00")
    story.when(edit(**cadence)).then(EDITED)
    assert due(story) == at(expected)


def test_R29_other_jobs_never_run_at_once() -> None:
    story = ran().at("2026-12-01 22:00")
    story.when(jobs(row("clean"), row("load", skip_wait=True))).then(
        Fact(ScheduleJobsEdited), ("service:clean", ServiceAttached(schedule="nightly"))
    )
    assert due(story) == at("2026-12-02 20:00")


def test_R44_an_open_run_keeps_the_jobs_it_began_with() -> None:
    story = Story().given(workspace(), service("load"), service("clean"), schedule()).at("2026-12-01 20:00")
    story.given(tick(), jobs(row("clean")))
    run = story.run("schedule.nightly.1.20261201t200000z")
    assert [one.job.job.id for one in run.rows.values()] == ["load"]
    story.given(command("DeleteService", id="load"))
    assert finish(story).run("schedule.nightly.1.20261201t200000z").state is State.SUCCEEDED


def test_a_job_table_is_replaced_as_a_whole() -> None:
    story = ran()
    story.when(jobs(row("clean"))).then(
        Fact(ScheduleJobsEdited),
        ("service:clean", ServiceAttached(schedule="nightly")),
        ("service:load", ServiceDetached(schedule="nightly")),
    )
    story.when(jobs(row("clean"))).then_nothing()
    story.when(jobs(row("gone"))).then_refused("unknown_job", "jobs.0.job.id")


def test_R33_a_save_without_a_change_decides_nothing() -> None:
    story = ran()
    story.when(edit()).then_nothing()
    story.when(jobs(row())).then_nothing()
    story.when(policies()).then_nothing()
    story.when(command("DescribeSchedule", id="nightly", description="")).then_nothing()


def test_R33_one_save_runs_at_most_once() -> None:
    story = ran().at("2026-12-02 10:00")
    outcome = story.when(edit(start_date="2026-11-30", time_zone="Asia/Tokyo", every=1, unit="hour"))
    assert [type(fact) for fact in outcome.facts] == [ScheduleCadenceEdited, RunOpened, ScheduleRunOpened]


def test_R34_edits_of_an_inactive_schedule_never_run() -> None:
    story = ran().given(command("InactivateSchedule", id="nightly")).at("2026-12-03 10:00")
    story.when(edit(start_date="2026-11-30", every=1, unit="hour")).then(EDITED)
    assert due(story) is None


def test_every_cadence_is_a_version_of_its_own() -> None:
    story = ran().given(edit(every=2))
    story.when(edit(every=3)).then(Fact(ScheduleCadenceEdited, cadence_version=3))
    assert story.schedule().definition_version == 3


def test_an_edit_answers_what_was_due_before_under_the_old_version() -> None:
    story = ran().at("2026-12-02 20:00:30")
    outcome = story.when(edit(start_date="2026-12-20"))
    outcome.then(
        ("run:schedule.nightly.1.20261202t200000z", Fact(RunOpened, cause="scheduled", cadence_version=1)),
        RECORDED,
        Fact(ScheduleCadenceEdited, cadence_version=2),
    )


def test_after_an_edit_an_occurrence_has_the_name_of_the_new_version() -> None:
    story = ran().given(edit(every=2)).at("2026-12-03 20:00")
    story.when(tick()).then(
        ("run:schedule.nightly.2.20261203t200000z", Fact(RunOpened, cause="scheduled", cadence_version=2)), RECORDED
    )


def test_an_edit_that_makes_it_due_while_its_old_moment_runs_is_skipped_for_overlap() -> None:
    story = ran().at("2026-12-02 20:00:30")
    outcome = story.when(edit(start_date="2026-11-30"))
    outcome.then(
        Fact(RunOpened, cadence_version=1),
        RECORDED,
        EDITED,
        Fact(RunSkipped, reason="overlap", open_run="schedule.nightly.1.20261202t200000z"),
        Fact(ScheduleOccurrencesSkipped, reason="overlap", cadence_version=2),
    )


def test_a_policy_that_reads_the_cadence_differently_is_a_cadence_version() -> None:
    story = ran()
    story.when(policies(timing="wall_clock", repeat="second")).then(Fact(SchedulePoliciesEdited, cadence_version=2))
    assert due(story) == at("2026-12-02 20:00")


def test_a_policy_that_does_not_is_none() -> None:
    story = ran()
    story.when(policies(on_failure="stop", catch_up="never")).then(Fact(SchedulePoliciesEdited, cadence_version=1))
    assert due(story) == at("2026-12-02 20:00")
    assert story.schedule().definition_version == 2


def test_policies_are_checked_together_with_the_cadence() -> None:
    story = Story().given(workspace(), service(), schedule(cadence=QUARTERLY))
    story.when(policies(timing="wall_clock")).then_refused("timing_not_possible", "policies.timing")


def test_a_cadence_is_checked_together_with_the_policies() -> None:
    story = Story().given(workspace(), service(), schedule(policies={"timing": "wall_clock"}))
    story.when(edit(every=15, unit="minute")).then_refused("timing_not_possible", "cadence.unit")
    story.when(edit(every=14, unit="minute")).then_refused("interval_too_short", "cadence.every")


def test_a_schedule_has_other_words() -> None:
    story = ran()
    story.when(command("DescribeSchedule", id="nightly", description="Every night")).then(
        ("schedule:nightly", ScheduleDescribed(description="Every night"))
    )


EDITS = [
    edit("other", every=2),
    jobs(row()).model_copy(update={"id": "other"}),
    policies("other", on_failure="stop"),
    command("DescribeSchedule", id="other", description="x"),
    command("ActivateSchedule", id="other"),
    command("InactivateSchedule", id="other"),
]


@pytest.mark.parametrize("change", EDITS, ids=lambda change: type(change).__name__)
def test_an_unknown_or_deleted_schedule_cannot_be_changed(change: CommandFields) -> None:
    story = Story().given(workspace(), service())
    story.when(change).then_refused("not_found")
    story.given(schedule("other"), command("DeleteSchedule", id="other")).when(change).then_refused("not_found")


def test_a_moment_missed_before_an_edit_keeps_its_own_outcome() -> None:
    story = ran(policies={"catch_up": "never"}).at("2026-12-02 21:00")
    outcome = story.when(edit(start_date="2026-12-20"))
    outcome.then(
        ("run:schedule.nightly.1.20261202t200000z", Fact(RunMissed, reason="catch_up_never", covered_by=None)),
        Fact(ScheduleOccurrencesMissed, count=1),
        EDITED,
    )


def test_the_end_of_a_run_is_told_to_its_schedule() -> None:
    story = Story().given(workspace(), service(), schedule()).at("2026-12-01 20:00").given(tick())
    run = "schedule.nightly.1.20261201t200000z"
    story.given(advance(run))
    outcome = story.when(advance(run, ended=[ended()]))
    assert outcome.emitted[-2:] == [
        (("acme", f"run:{run}"), RunEnded(state="succeeded", counts={"succeeded": 1})),
        (("acme", "schedule:nightly"), ScheduleRunClosed(run=run, state="succeeded")),
    ]


def test_start_time_alone_moves_a_daily_schedule_that_never_ran() -> None:
    story = Story().given(workspace(), service(), schedule())
    story.given(command("EditCadence", id="nightly", cadence={**DAILY, "start_time": "21:00"}))
    assert due(story) == at("2026-12-01 21:00")


@pytest.mark.parametrize(
    ("cadence", "cause"),
    [({"every": 4, "unit": "hour"}, "interval_decreased"), ({"start_time": "09:00"}, "start_moved_earlier")],
)
def test_R22_a_shorter_interval_and_an_earlier_start_make_it_behind(cadence: dict[str, Any], cause: str) -> None:
    story = ran().at("2026-12-02 06:00")
    story.when(edit(**cadence)).then(EDITED, Fact(RunOpened, cause="catch_up", cause_detail=cause), RECORDED)


def test_R22_the_first_activation_makes_it_behind() -> None:
    story = Story().given(
        workspace(), service("load"), schedule(active=False, cadence={**DAILY, "start_time": "09:00"})
    )
    story.when(command("ActivateSchedule", id="nightly")).then(
        Fact(ScheduleActivated), Fact(RunOpened, cause="catch_up", cause_detail="first_activation"), RECORDED
    )


def test_R32_a_run_that_catches_up_may_follow_within_the_floor_but_never_an_open_one() -> None:
    story = ran(cadence=QUARTERLY).at("2026-12-01 20:05")
    story.when(edit(every=15, unit="minute", start_time="19:00")).then(EDITED, OPENED, RECORDED)
    story.at("2026-12-01 20:06").when(edit(every=15, unit="minute", start_time="18:00")).then(
        EDITED, Fact(RunSkipped, reason="overlap"), Fact(ScheduleOccurrencesSkipped)
    )
