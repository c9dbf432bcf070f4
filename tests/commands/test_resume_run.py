"""A run that did not succeed goes on from its failed stage, as a new run that is linked to it (R44, R49)."""

from typing import Any

import pytest

from eventjobs.commands.spec import CommandFields
from eventjobs.domain.run import State
from eventjobs.events.run import AttemptStarted, JobRunCarried, RunOpened, RunResumed
from eventjobs.events.schedule import ScheduleRunOpened
from eventjobs.events.service import ServiceClaimed
from tests.support.bodies import advance, ended, flow, row, run_now, schedule, service, tick, workspace
from tests.support.story import Fact, Story, at, command

FOUR = [row("a", seq=1), row("b", seq=2), row("c", seq=2), row("d", seq=3)]


def resume(run: str = "r1", **fields: Any) -> CommandFields:
    return command("ResumeRun", **{"run": run, "id": "r2", **fields})


def ran(jobs: list[dict[str, Any]] | None = None, states: str = "sfss", **fields: Any) -> Story:
    """A story in which `r1` ran rows that succeeded (`s`) or failed (`f`), by the letters of `states`."""
    story = Story().given(workspace(), *(service(name) for name in "abcd"))
    story.given(schedule(jobs=jobs or FOUR, **fields), run_now(id="r1"), advance("r1"))
    while story.run("r1").open:
        going = [one for one in story.run("r1").rows.values() if one.state is State.RUNNING]
        results = [ended(one.row, "succeeded", output=one.row) for one in going if states[one.row - 1] == "s"]
        results += [ended(one.row, "failed", reason="error") for one in going if states[one.row - 1] == "f"]
        story.given(advance("r1", ended=results))
    return story


def test_a_resumed_run_goes_on_from_the_first_stage_that_did_not_succeed() -> None:
    story = ran()
    story.when(resume()).then(
        Fact(RunOpened, cause="manual", cause_detail="resumed", resumes="r1", due=None),
        ("schedule:nightly", Fact(ScheduleRunOpened, run="r2", cause="manual", due=None)),
        ("run:r2", JobRunCarried(row=1, run="r1", counts={}, output=1)),
        ("run:r2", JobRunCarried(row=3, run="r1", counts={}, output=3)),
        ("run:r1", RunResumed(by="r2")),
    )
    story.when(advance("r2")).then(("service:b", Fact(ServiceClaimed)), Fact(AttemptStarted, row=2, attempt=1))
    story.given(advance("r2", ended=[ended(2)]), advance("r2", ended=[ended(4)]))
    assert story.run("r2").state is State.SUCCEEDED
    assert story.run("r1").state is State.FAILED


def test_later_stages_run_again_although_they_had_succeeded() -> None:
    story = ran().given(resume(), advance("r2"), advance("r2", ended=[ended(2)]))
    assert story.run("r2").rows[4].state is State.RUNNING


def test_outputs_that_were_carried_reach_later_jobs() -> None:
    rows = ran().given(resume()).run("r2").rows
    assert {number: one.output for number, one in rows.items() if one.ended} == {1: 1, 3: 3}


def test_a_failed_skip_wait_job_alone_runs_again() -> None:
    story = ran([row("a", seq=1), row("b", seq=1, skip_wait=True), row("c", seq=2)], "sfs").given(resume())
    assert [one.row for one in story.run("r2").rows.values() if not one.ended] == [2]


def test_R44_what_was_mended_since_counts_in_the_resumed_run() -> None:
    story = ran().given(command("ConfigureService", id="b", handler="noop", config={"mended": True}))
    opened = story.when(resume()).facts[0]
    assert isinstance(opened, RunOpened)
    assert (opened.jobs[1].version, dict(opened.jobs[1].config)) == (2, {"mended": True})


def test_R44_with_another_job_table_the_run_is_not_resumed() -> None:
    story = ran().given(command("EditScheduleJobs", id="nightly", jobs=FOUR[:3]))
    story.when(resume()).then_refused("jobs_changed")


def test_a_resumed_run_never_changes_the_occurrences_outcome_and_stands_for_its_moment() -> None:
    story = Story().given(workspace(), service("load"), schedule()).at("2026-12-01 20:00").given(tick())
    (occurrence,) = story.schedule().open_runs
    story.given(advance(occurrence), advance(occurrence, ended=[ended(state="failed", reason="error")]))
    before = story.schedule()
    opened = story.when(resume(occurrence)).facts[0]
    assert (opened.due, opened.stands_for) == (None, at("2026-12-01 20:00"))
    assert (story.run(occurrence).state, story.run("r2").moment) == (State.FAILED, at("2026-12-01 20:00"))
    assert (story.schedule().next, story.schedule().timing) == (before.next, before.timing)


def test_a_run_that_succeeded_or_is_open_is_not_resumed() -> None:
    ran(states="ssss").when(resume()).then_refused("nothing_to_resume")
    story = Story().given(workspace(), service("a"), schedule(jobs=[row("a")]), run_now(id="r1"))
    story.when(resume()).then_refused("already_running", open_run="r1")
    story.when(resume("unknown")).then_refused("not_found")


def test_a_run_is_resumed_once_and_then_the_newest_of_them() -> None:
    story = ran().given(resume())
    story.when(resume(id="r3")).then_refused("already_resumed", run="r2")
    story.when(resume()).then_nothing()
    story.given(advance("r2"), advance("r2", ended=[ended(2, "failed", reason="error")]))
    story.given(advance("r2", ended=[ended(4)]))
    assert story.run("r2").state is State.FAILED
    facts = story.when(resume("r2", id="r3")).facts
    assert Fact(JobRunCarried, row=1, run="r1") in facts
    assert Fact(JobRunCarried, row=3, run="r1") in facts


def test_a_stopped_run_goes_on_with_what_had_not_begun() -> None:
    story = Story().given(workspace(), *(service(name) for name in "ab"))
    story.given(schedule(jobs=[row("a", seq=1), row("b", seq=2)]), run_now(id="r1"), advance("r1"))
    story.given(command("StopRun", run="r1", mode="after_current"), advance("r1", ended=[ended()]))
    assert story.run("r1").state is State.ABORTED
    story.given(resume(), advance("r2"))
    assert [one.state for one in story.run("r2").rows.values()] == [State.SUCCEEDED, State.RUNNING]


def test_R54_beside_an_open_run_of_the_schedule_nothing_is_resumed() -> None:
    story = ran().given(run_now(id="other"))
    story.when(resume()).then_refused("already_running", open_run="other")


def test_a_single_job_is_resumed_as_well() -> None:
    story = Story().given(workspace(), flow(), run_now("approve", "flow", id="r1"), advance("r1"))
    story.given(advance("r1", ended=[ended(state="failed", reason="stop_step")]))
    assert [fact.TYPE for fact in story.when(resume()).facts] == ["run.opened", "flow.run_opened", "run.resumed"]


@pytest.mark.parametrize(("changed", "code"), [({"id": "r1"}, "id_taken"), ({"id": "schedule.x"}, "reserved_id")])
def test_the_new_runs_id_is_its_own(changed: dict[str, Any], code: str) -> None:
    ran().when(resume(**changed)).then_refused(code)
