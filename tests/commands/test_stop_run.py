"""Stopping a run: at once, or after the jobs that are running (R50)."""

from eventjobs.domain.run import State, StopMode
from eventjobs.events.run import RunStopRequested
from tests.support.bodies import advance, ended, row, run_now, schedule, service, tick, workspace
from tests.support.story import Fact, Story, at, command


def running(*, attempts: int = 1) -> Story:
    """Return a story in which `mine` runs: `load` now, `clean` after it."""
    story = Story().given(workspace(), service("load", attempts=attempts), service("clean"))
    story.given(schedule(jobs=[row("load"), row("clean")]), run_now(id="mine"), advance("mine"))
    return story


def stop(run: str = "mine", mode: str = "now") -> object:
    return command("StopRun", run=run, mode=mode)


def states(story: Story) -> dict[int, tuple[str, str | None]]:
    return {number: (str(one.state), one.reason) for number, one in story.run("mine").rows.items()}


def test_R50_a_stop_is_asked_for_once() -> None:
    story = running()
    story.when(stop()).then(("run:mine", RunStopRequested(mode="now")))
    assert story.run("mine").state is State.STOPPING
    story.when(stop()).then_nothing()


def test_a_stop_may_become_stricter_and_not_milder() -> None:
    story = running().given(stop(mode="after_current"))
    story.when(stop(mode="after_current")).then_nothing()
    story.when(stop(mode="now")).then(RunStopRequested(mode="now"))
    story.when(stop(mode="after_current")).then_nothing()
    assert story.run("mine").stop is StopMode.NOW


def test_R50_what_did_not_begin_is_skipped_and_what_ran_is_aborted() -> None:
    story = running().given(stop(), advance("mine"))
    assert states(story) == {1: ("running", None), 2: ("skipped", "stopped")}
    story.given(advance("mine", ended=[ended(state="aborted", reason="stopped")]))
    assert states(story)[1] == ("aborted", "stopped")
    assert (story.run("mine").state, story.run("mine").reason) == (State.ABORTED, "stopped")


def test_after_current_lets_the_running_jobs_end() -> None:
    story = running().given(stop(mode="after_current"), advance("mine", ended=[ended()]))
    assert states(story) == {1: ("succeeded", None), 2: ("skipped", "stopped")}
    assert story.run("mine").state is State.ABORTED


def test_a_run_whose_jobs_all_succeeded_although_it_was_stopped_succeeded() -> None:
    story = Story().given(workspace(), service(), schedule(), run_now(id="mine"), advance("mine"), stop())
    story.given(advance("mine", ended=[ended()]))
    assert story.run("mine").state is State.SUCCEEDED


def test_a_job_that_fails_by_itself_during_a_stop_fails_the_run_and_is_not_tried_again() -> None:
    story = running(attempts=3).given(stop(mode="after_current"))
    story.given(advance("mine", ended=[ended(state="failed", reason="error")]))
    assert states(story) == {1: ("failed", "error"), 2: ("skipped", "stopped")}
    assert (story.run("mine").state, story.run("mine").reason) == (State.FAILED, "error")


def test_a_job_that_waits_for_its_next_attempt_is_aborted() -> None:
    story = running(attempts=3).given(advance("mine", ended=[ended(state="failed", reason="error")]), stop())
    story.given(advance("mine"))
    assert states(story)[1] == ("aborted", "stopped")
    assert story.service("load").holder is None


def test_a_stopped_run_frees_its_owner() -> None:
    story = running().given(stop(), advance("mine", ended=[ended(state="aborted", reason="stopped")]))
    assert story.schedule().open_run is None
    assert story.when(run_now()).refusal is None


def test_what_has_ended_cannot_be_stopped() -> None:
    story = Story().given(workspace(), service(), schedule(), run_now(id="mine"), advance("mine"))
    story.given(advance("mine", ended=[ended()]))
    story.when(stop()).then_refused("run_ended", state="succeeded")


def test_what_was_stopped_is_stopped() -> None:
    story = running().given(stop(), advance("mine", ended=[ended(state="aborted", reason="stopped")]))
    story.when(stop()).then_nothing()


def test_what_never_ran_cannot_be_stopped() -> None:
    story = running()
    story.when(stop("other")).then_refused("not_found")
    story.at("2026-12-01 20:00").given(tick())
    skipped = story.run("schedule.nightly.1.20261201t200000z")
    assert (skipped.state, skipped.due) == (State.SKIPPED, at("2026-12-01 20:00"))
    story.when(stop("schedule.nightly.1.20261201t200000z")).then_refused("not_found")


def test_a_stop_before_anything_began_skips_everything() -> None:
    story = Story().given(workspace(), service(), schedule(), run_now(id="mine"), stop())
    story.when(advance("mine")).then(Fact(object), Fact(object), Fact(object))
    assert states(story) == {1: ("skipped", "stopped")}
    assert story.run("mine").state is State.ABORTED
