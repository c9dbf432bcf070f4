"""Manual runs: outside the cadence, one at a time (R19, R51 to R54)."""

from typing import Any

import pytest

from eventjobs.events.run import Ref, RunEnded, RunMissed, RunOpened
from eventjobs.events.schedule import ScheduleOccurrencesMissed, ScheduleRunOpened
from eventjobs.events.service import ServiceClaimed, ServiceReleased, ServiceRunClosed, ServiceRunOpened
from tests.commands.test_schedule_edits import due, finish, ran
from tests.support.bodies import advance, ended, run_now, schedule, service, tick, workspace
from tests.support.story import Fact, Story, at, command


def test_R51_a_manual_run_opens_with_the_whole_job_table() -> None:
    story = ran().at("2026-12-02 09:00")
    outcome = story.when(run_now(id="mine"))
    outcome.then(
        ("run:mine", Fact(RunOpened, cause="manual", owner=Ref(kind="schedule", id="nightly"), due=None, term=1)),
        ("schedule:nightly", ScheduleRunOpened(run="mine", cause="manual")),
    )
    assert outcome.answer == {"run": "mine"}


def test_R19_a_manual_run_moves_nothing() -> None:
    story = ran().at("2026-12-02 09:00")
    before = story.schedule()
    finish(story.given(run_now()))
    after = story.schedule()
    assert (after.next, after.timing, after.cadence_version) == (before.next, before.timing, before.cadence_version)
    assert after.definition_version == before.definition_version


def test_R19_a_manual_run_is_no_first_run() -> None:
    story = Story().given(workspace(), service(), schedule(active=False))
    finish(story.given(run_now()))
    story.at("2026-12-02 09:00").given(command("ActivateSchedule", id="nightly"))
    opened = story.schedule().open_run
    assert opened is not None
    assert story.run(opened).cause == "catch_up"


def test_R52_a_manual_run_works_while_the_schedule_is_inactive() -> None:
    story = ran().given(command("InactivateSchedule", id="nightly")).at("2026-12-05 09:00")
    story.when(run_now()).then(Fact(RunOpened, cause="manual"), Fact(ScheduleRunOpened))
    assert due(finish(story)) is None


def test_R54_with_an_open_run_it_is_refused_and_says_which() -> None:
    story = ran().given(run_now(id="first"))
    story.when(run_now(id="second")).then_refused("already_running", open_run="first")
    finish(story).when(run_now(id="second")).then(Fact(RunOpened), Fact(ScheduleRunOpened))


def test_R54_a_scheduled_run_counts_as_well() -> None:
    story = Story().given(workspace(), service(), schedule()).at("2026-12-01 20:00").given(tick())
    story.when(run_now()).then_refused("already_running", open_run="schedule.nightly.1.20261201t200000z")


def test_R45_a_due_moment_that_meets_a_manual_run_is_skipped() -> None:
    story = ran().at("2026-12-02 19:59").given(run_now(id="mine")).at("2026-12-02 20:00")
    assert story.when(tick()).facts[0].open_run == "mine"
    assert due(story) == at("2026-12-03 20:00")


def test_R19_a_due_moment_that_nobody_answered_yet_comes_before_a_manual_run() -> None:
    story = ran().at("2026-12-02 20:00:01")
    story.when(run_now(id="mine")).then_refused("already_running", open_run="schedule.nightly.1.20261202t200000z")
    assert story.when(tick()).facts[0].due == at("2026-12-02 20:00")


def test_R19_a_due_moment_that_does_not_run_is_answered_with_the_manual_run() -> None:
    story = ran(policies={"catch_up": "never"}).at("2026-12-02 20:30")
    outcome = story.when(run_now(id="mine"))
    outcome.then(
        Fact(RunMissed, due=at("2026-12-02 20:00")),
        Fact(ScheduleOccurrencesMissed, first=at("2026-12-02 20:00"), last=at("2026-12-02 20:00")),
        Fact(RunOpened, cause="manual"),
        Fact(ScheduleRunOpened, run="mine", cause="manual", due=None),
    )
    assert due(story) == at("2026-12-03 20:00")


def test_the_same_run_again_decides_nothing_even_after_it_ended() -> None:
    story = ran().given(run_now(id="mine"))
    assert story.when(run_now(id="mine")).then_nothing().when(run_now(id="mine")).answer == {"run": "mine"}
    finish(story).when(run_now(id="mine")).then_nothing()


def test_another_owners_run_has_its_id() -> None:
    story = ran().given(run_now(id="mine"))
    story.when(run_now("load", "service", id="mine")).then_refused("id_taken")


def test_without_an_id_the_run_has_the_commands() -> None:
    outcome = ran().when(run_now(), command_id="0192")
    assert outcome.answer == {"run": "0192"}


@pytest.mark.parametrize("name", ["schedule.x", "group.x.1.20261201t200000z"])
def test_ids_of_occurrences_are_reserved(name: str) -> None:
    ran().when(run_now(id=name)).then_refused("reserved_id", "id")


def test_an_unknown_or_deleted_owner_cannot_run() -> None:
    story = ran()
    story.when(run_now("other")).then_refused("not_found")
    for kind in ("service", "flow", "group", "import", "export", "partner", "feed"):
        story.when(run_now("other", kind)).then_refused("not_found")
    story.given(command("DeleteSchedule", id="nightly"), command("DeleteService", id="clean"))
    story.when(run_now("nightly")).then_refused("not_found")
    story.when(run_now("clean", "service")).then_refused("not_found")


def single() -> Story:
    return Story().given(workspace(), service())


def test_R53_a_single_service_runs_by_itself() -> None:
    story = single()
    story.when(run_now("load", "service", id="mine")).then(
        ("run:mine", Fact(RunOpened, cause="manual", owner=Ref(kind="service", id="load"), on_failure="continue")),
        ("service:load", ServiceRunOpened(run="mine", cause="manual")),
    )
    story.when(advance("mine")).then(("service:load", Fact(ServiceClaimed)), Fact(object))
    outcome = story.when(advance("mine", ended=[ended()]))
    assert outcome.emitted[-3:] == [
        (("acme", "service:load"), Fact(ServiceReleased)),
        (("acme", "run:mine"), Fact(RunEnded, state="succeeded")),
        (("acme", "service:load"), ServiceRunClosed(run="mine", state="succeeded")),
    ]


def test_R54_a_service_with_an_open_run_of_its_own_is_refused() -> None:
    story = single().given(run_now("load", "service", id="mine"))
    story.when(run_now("load", "service")).then_refused("already_running", open_run="mine")


def test_R54_a_service_that_runs_for_a_schedule_is_refused() -> None:
    story = single().given(schedule(), run_now(id="mine"), advance("mine"))
    story.when(run_now("load", "service")).then_refused("already_running", open_run="mine")


def test_a_schedule_may_run_while_its_service_runs_by_itself_and_waits_for_it() -> None:
    story = single().given(schedule(), run_now("load", "service", id="mine"), advance("mine"), run_now(id="all"))
    story.given(advance("all"))
    assert story.run("all").rows[1].state == "waiting"


def test_a_run_may_be_called_what_the_pattern_allows() -> None:
    from pydantic import ValidationError

    wrong: list[Any] = ["", "A", "a" * 161, "a/b", "a\n"]
    for name in wrong:
        with pytest.raises(ValidationError):
            run_now(id=name)
