"""A run whose instance is gone goes on elsewhere, in a higher term (SPEC decision 5)."""

import pytest

from eventjobs.domain.retry import INTERRUPTIONS_MAX
from eventjobs.domain.run import State
from eventjobs.events.run import AttemptEnded, AttemptStarted, JobRunEnded, RunTakenOver
from eventjobs.events.service import ServiceClaimed, ServiceReleased
from tests.commands.test_advance_run import opened, states
from tests.support.bodies import advance, ended, row, run_now, schedule
from tests.support.story import Fact, Story, command


def take_over(seen_term: int = 1, run: str = "mine") -> object:
    return command("TakeOverRun", run=run, seen_term=seen_term, cause="its instance is gone")


def taken(story: Story) -> Story:
    assert story.when(take_over(), instance="two").refusal is None
    return story


def test_the_term_rises_and_the_new_instance_has_it() -> None:
    story = opened()
    story.when(take_over(), instance="two").then(
        ("run:mine", RunTakenOver(instance="two", term=2, cause="its instance is gone"))
    )


def test_two_rescuers_take_it_over_once() -> None:
    story = opened()
    assert story.when(take_over(), instance="two").facts
    story.when(take_over(), instance="three").then_nothing()
    assert story.run("mine").instance == "two"


def test_what_may_run_twice_is_tried_again() -> None:
    story = taken(opened(attempts=2).given(advance("mine")))
    assert states(story) == {1: "queued"}
    story.when(advance("mine", term=2), instance="two").then(AttemptStarted(row=1, attempt=2, term=2))


def test_an_import_is_tried_again_although_it_has_one_attempt() -> None:
    story = taken(opened(handler="csv.import").given(advance("mine")))
    assert (states(story), story.run("mine").rows[1].counted) == ({1: "queued"}, 0)


def test_what_may_not_run_twice_ends_with_an_unknown_end() -> None:
    story = opened(handler="pay", attempts=5).given(advance("mine"))
    outcome = story.when(take_over(), instance="two")
    outcome.then(
        Fact(RunTakenOver),
        ("run:mine", Fact(AttemptEnded, state="failed", reason="interrupted", term=1, retry_at=None)),
        ("run:mine", Fact(JobRunEnded, state="failed", reason="unknown_end")),
        ("service:load", Fact(ServiceReleased)),
    )
    story.given(advance("mine", term=2))
    assert (story.run("mine").state, story.run("mine").reason) == (State.FAILED, "unknown_end")


def test_without_attempts_left_it_ends_as_interrupted() -> None:
    story = taken(opened().given(advance("mine"))).given(advance("mine", term=2))
    assert (story.run("mine").state, story.run("mine").reason) == (State.FAILED, "interrupted")


@pytest.mark.parametrize("mode", ["now", "after_current"])
def test_what_was_being_stopped_is_aborted(mode: str) -> None:
    story = opened(row("a"), row("b"), attempts=2).given(advance("mine"), command("StopRun", run="mine", mode=mode))
    taken(story).given(advance("mine", term=2))
    assert states(story) == {1: "aborted", 2: "skipped"}
    assert story.run("mine").state is State.ABORTED


def test_what_ended_before_stays_and_what_waits_waits_on() -> None:
    story = opened(row("a"), row("b"), row("c")).given(advance("mine"), advance("mine", ended=[ended(1)]))
    taken(story)
    assert states(story) == {1: "succeeded", 2: "failed", 3: "queued"}


def test_the_turn_that_is_given_up_goes_to_who_waits() -> None:
    story = opened(handler="pay").given(advance("mine"))
    story.given(schedule("other"), run_now("other", id="waits"), advance("waits"))
    assert ServiceClaimed(turn=story.service().waiting) in story.when(take_over(), instance="two").facts  # type: ignore[arg-type]
    story.when(advance("waits")).then(AttemptStarted(row=1, attempt=1, term=1))


def test_a_run_that_ended_or_moved_on_is_left_alone() -> None:
    story = opened().given(advance("mine"))
    story.when(take_over(seen_term=2)).then_nothing()
    story.given(advance("mine", ended=[ended()])).when(take_over()).then_nothing()
    story.when(take_over(run="other")).then_refused("not_found")


def test_an_import_that_ten_crashes_in_a_row_cut_off_ends_as_interrupted() -> None:
    story = opened(handler="csv.import").given(advance("mine"))
    for term in range(1, INTERRUPTIONS_MAX):
        story.given(take_over(term), advance("mine", term=term + 1))
        assert states(story) == {1: "running"}
    outcome = story.when(take_over(INTERRUPTIONS_MAX), instance="two")
    outcome.then(
        Fact(RunTakenOver),
        ("run:mine", Fact(AttemptEnded, state="failed", reason="interrupted", retry_at=None)),
        ("run:mine", Fact(JobRunEnded, state="failed", reason="interrupted")),
        ("service:load", Fact(ServiceReleased)),
    )


def test_only_interruptions_in_a_row_add_up() -> None:
    story = opened(handler="csv.import", attempts=3).given(advance("mine"))
    for term in range(1, INTERRUPTIONS_MAX):
        story.given(take_over(term), advance("mine", term=term + 1))
    failed = ended(1, attempt=INTERRUPTIONS_MAX, state="failed", reason="error", retryable=True)
    story.given(advance("mine", term=INTERRUPTIONS_MAX, ended=[failed])).after(seconds=600)
    story.given(advance("mine", term=INTERRUPTIONS_MAX), take_over(INTERRUPTIONS_MAX))
    assert states(story) == {1: "queued"}
