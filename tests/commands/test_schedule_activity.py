"""Activation, inactivation, deletion (R13, R14, R24, R31)."""

from eventjobs.events.run import RunOpened
from eventjobs.events.schedule import ScheduleActivated, ScheduleDeleted, ScheduleInactivated, ScheduleRunOpened
from eventjobs.events.service import ServiceDetached
from tests.commands.test_schedule_edits import due, finish, ran
from tests.support.bodies import DAILY, row, schedule, service, tick, workspace
from tests.support.story import Fact, Story, at, command

ACTIVATE = command("ActivateSchedule", id="nightly")
INACTIVATE = command("InactivateSchedule", id="nightly")
DELETE = command("DeleteSchedule", id="nightly")


def inactive(**fields: object) -> Story:
    return Story().given(workspace(), service("load"), service("clean"), schedule(active=False, **fields))


def test_R24_first_activation_runs_now() -> None:
    story = inactive(cadence={**DAILY, "start_time": "09:17"})
    story.when(ACTIVATE).then(
        Fact(ScheduleActivated),
        Fact(RunOpened, cause="catch_up", cause_detail="first_activation"),
        Fact(ScheduleRunOpened),
    )
    assert due(story) == at("2026-12-02 12:00")


def test_R24_unless_it_may_not_run_late() -> None:
    story = inactive(cadence={**DAILY, "start_time": "09:17"}, policies={"catch_up": "never"})
    story.when(ACTIVATE).then(Fact(ScheduleActivated))
    assert due(story) == at("2026-12-02 12:00")


def test_R14_first_activation_before_the_start_waits() -> None:
    story = inactive()
    story.when(ACTIVATE).then(Fact(ScheduleActivated))
    assert due(story) == at("2026-12-01 20:00")


def test_what_is_active_stays_as_it_is() -> None:
    ran().at("2026-12-02 09:00").when(ACTIVATE).then_nothing()


def test_R31_activated_again_it_runs_if_it_is_behind() -> None:
    story = ran().given(INACTIVATE).at("2026-12-03 09:00")
    outcome = story.when(ACTIVATE)
    outcome.then(
        Fact(ScheduleActivated),
        Fact(RunOpened, cause_detail="reactivated", missed_occurrences=0),
        Fact(ScheduleRunOpened),
    )
    assert due(story) == at("2026-12-04 09:00")


def test_R31_activated_again_in_time_it_keeps_its_moment() -> None:
    story = ran().given(INACTIVATE).at("2026-12-02 09:00")
    story.when(ACTIVATE).then(Fact(ScheduleActivated))
    assert due(story) == at("2026-12-02 20:00")


def test_R31_activated_again_without_a_run_it_counts_from_now() -> None:
    story = ran().given(INACTIVATE).at("2026-12-03 09:00")
    story.when(command("ActivateSchedule", id="nightly", run_if_behind=False)).then(Fact(ScheduleActivated))
    assert due(story) == at("2026-12-04 09:00")


def test_an_inactive_schedule_has_no_due_moments() -> None:
    story = ran()
    story.when(INACTIVATE).then(Fact(ScheduleInactivated))
    story.at("2026-12-05 00:00").when(tick()).then_nothing()
    story.when(INACTIVATE).then_nothing()


def test_what_fell_due_before_it_was_inactivated_is_answered() -> None:
    story = ran().at("2026-12-02 20:00:10")
    story.when(INACTIVATE).then(
        ("run:schedule.nightly.1.20261202t200000z", Fact(RunOpened)), Fact(ScheduleRunOpened), Fact(ScheduleInactivated)
    )
    assert due(story) is None


def test_R47_an_open_run_finishes_although_its_schedule_is_inactivated_or_deleted() -> None:
    for end in (INACTIVATE, DELETE):
        story = Story().given(workspace(), service(), schedule()).at("2026-12-01 20:00").given(tick(), end)
        finish(story)


def test_a_deleted_schedule_leaves_its_jobs() -> None:
    story = ran(jobs=[row("load"), row("clean"), row("load")])
    story.when(DELETE).then(
        ("schedule:nightly", ScheduleDeleted()),
        ("service:clean", ServiceDetached(schedule="nightly")),
        ("service:load", ServiceDetached(schedule="nightly")),
    )
    story.when(DELETE).then_nothing()
    story.at("2026-12-05 00:00").when(tick()).then_nothing()


def test_what_fell_due_before_it_was_deleted_is_answered() -> None:
    story = ran().at("2026-12-02 20:00:10")
    outcome = story.when(DELETE)
    assert [type(fact) for fact in outcome.facts[:3]] == [RunOpened, ScheduleRunOpened, ScheduleDeleted]


def test_an_unknown_schedule_cannot_be_deleted() -> None:
    Story().given(workspace()).when(DELETE).then_refused("not_found")


def test_activity_is_part_of_the_definition() -> None:
    story = ran().given(INACTIVATE)
    assert story.schedule().definition_version == 2
    story.given(ACTIVATE)
    assert story.schedule().definition_version == 3
