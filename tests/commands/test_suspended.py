"""Flows suspend, are answered by their callback, and are waited for only so long (R43, R93)."""

from typing import Any

import pytest

from eventjobs.commands.spec import CommandFields
from eventjobs.domain.run import State
from eventjobs.events.flow import FlowReleased, FlowRunClosed
from eventjobs.events.run import (
    AttemptEnded,
    AttemptStarted,
    JobRunAnswered,
    JobRunEnded,
    JobRunReleased,
    JobRunSuspended,
    RunEnded,
)
from eventjobs.events.schedule import ScheduleRunClosed
from eventjobs.events.service import ServiceClaimed
from tests.support.bodies import advance, ended, flow, flow_row, row, run_now, schedule, service, workspace
from tests.support.story import Fact, Story, at, command

SUSPENDED = ended(state="suspended", detail="the buyer", log_lines=2, log_sha256="ab")


def says(state: str = "succeeded", **fields: Any) -> CommandFields:
    """The callback of the first row's first try."""
    return command("AnswerCallback", **{"run": "r1", "row": 1, "attempt": 1, "state": state, **fields})


def running(*jobs: dict[str, Any], policies: dict[str, Any] | None = None, **fields: Any) -> Story:
    """A flow that runs in stage 1 of `r1`, with the service `load` in stage 2 where nothing else is said."""
    story = Story().given(workspace(), flow(**fields), service())
    story.given(schedule(jobs=list(jobs) or [flow_row(seq=1), row(seq=2)], policies=policies or {}))
    return story.given(run_now(id="r1"), advance("r1"))


def suspended(*jobs: dict[str, Any], **fields: Any) -> Story:
    return running(*jobs, **fields).given(advance("r1", ended=[SUSPENDED]))


def test_R43_a_suspended_flow_is_waited_for_as_long_as_it_may_be() -> None:
    story = running(wait_timeout="PT4H")
    story.when(advance("r1", ended=[SUSPENDED])).then(
        (
            "run:r1",
            JobRunSuspended(
                row=1,
                attempt=1,
                waits_for="the buyer",
                deadline=at("2026-12-01 16:00"),
                counts={},
                log_lines=2,
                log_sha256="ab",
            ),
        )
    )
    assert story.run("r1").rows[1].state is State.SUSPENDED
    story.after(hours=3).when(advance("r1")).then_nothing()


def test_R43_the_wait_is_an_hour_and_a_row_may_say_otherwise() -> None:
    assert suspended().run("r1").rows[1].deadline == at("2026-12-01 13:00")
    story = suspended(flow_row(seq=1, wait_timeout="PT5M"), row(seq=2))
    assert story.run("r1").rows[1].deadline == at("2026-12-01 12:05")


def test_an_answer_ends_the_row_and_the_next_stage_gets_its_output() -> None:
    story = suspended()
    story.when(says(output={"approved": True}, counts={"approved": 1})).then(
        ("run:r1", Fact(JobRunAnswered, row=1, attempt=1, state="succeeded", output={"approved": True}))
    )
    story.when(advance("r1")).then(
        Fact(AttemptEnded, row=1, attempt=1, state="succeeded", log_lines=2, log_sha256="ab"),
        Fact(JobRunEnded, row=1, state="succeeded", counts={"approved": 1}, output={"approved": True}),
        Fact(ServiceClaimed),
        Fact(AttemptStarted, row=2),
    )


@pytest.mark.parametrize(
    ("said", "reason", "tries"), [("failed", "stop_step", 1), ("errored", "error", 2), ("succeeded", None, 1)]
)
def test_R93_failed_is_not_errored_and_only_an_error_is_tried_again(said: str, reason: str | None, tries: int) -> None:
    story = suspended(attempts=2).given(says(said, detail="no"))
    first = story.when(advance("r1")).facts[0]
    assert (first.reason, first.detail, first.retry_at is not None) == (reason, "no", tries == 2)
    story.after(hours=0.2).given(advance("r1"))
    assert story.run("r1").rows[1].attempt == tries


def test_R43_after_the_wait_the_row_is_released_and_later_stages_go_on() -> None:
    story = suspended()
    story.after(hours=1).when(advance("r1")).then(
        ("run:r1", JobRunReleased(row=1, attempt=1)), Fact(ServiceClaimed), Fact(AttemptStarted, row=2)
    )
    assert (story.run("r1").rows[1].state, story.run("r1").rows[1].released) == (State.SUSPENDED, True)
    story.when(advance("r1")).then_nothing()


def test_R43_a_released_row_that_is_answered_in_time_counts_as_it_ended() -> None:
    story = suspended().after(hours=1).given(advance("r1"), says())
    story.when(advance("r1")).then(Fact(AttemptEnded, row=1), Fact(JobRunEnded, row=1, state="succeeded"))
    facts = story.when(advance("r1", ended=[ended(row=2)])).facts
    assert Fact(RunEnded, state="succeeded") in facts


def test_R43_a_released_row_is_not_tried_again() -> None:
    story = suspended(attempts=3).after(hours=1).given(advance("r1"), says("errored"))
    story.when(advance("r1")).then(Fact(AttemptEnded, retry_at=None), Fact(JobRunEnded, state="failed"))


def test_R43_the_run_does_not_stay_open_for_a_released_row() -> None:
    story = suspended(flow_row()).after(hours=1)
    story.when(advance("r1")).then(
        Fact(JobRunReleased),
        Fact(AttemptEnded, state="failed", reason="wait_timeout", log_lines=2),
        Fact(JobRunEnded, state="failed", reason="wait_timeout"),
        Fact(RunEnded, state="failed", reason="wait_timeout"),
        Fact(ScheduleRunClosed, state="failed"),
    )


def test_R43_the_late_outcome_is_still_recorded_and_changes_nothing() -> None:
    story = suspended(flow_row()).after(hours=1).given(advance("r1")).after(days=3)
    story.when(says()).then(("run:r1", Fact(JobRunAnswered, state="succeeded")))
    assert (story.run("r1").state, story.run("r1").rows[1].reason) == (State.FAILED, "wait_timeout")
    story.when(advance("r1")).then_nothing()
    story.when(says()).then_nothing()


def test_R43_releasing_is_no_failure_so_on_failure_stop_goes_on() -> None:
    story = suspended(policies={"on_failure": "stop"}).after(hours=1).given(advance("r1"))
    assert story.run("r1").rows[2].state is State.RUNNING


def test_the_same_answer_again_does_nothing_and_another_one_is_refused() -> None:
    story = suspended().given(says(output=[1]))
    story.when(says(output=[1])).then_nothing()
    story.when(says("failed")).then_refused("callback_over")
    story.given(advance("r1")).when(says(output=[1])).then_nothing()
    story.when(says(output=[2])).then_refused("callback_over")


def test_an_answer_that_comes_before_the_flow_suspended_counts_when_it_does() -> None:
    story = running(flow_row())
    story.when(says(output=1)).then(Fact(JobRunAnswered))
    story.when(advance("r1")).then_nothing()
    story.when(advance("r1", ended=[SUSPENDED])).then(
        Fact(JobRunSuspended), Fact(AttemptEnded), Fact(JobRunEnded, output=1), Fact(RunEnded), Fact(ScheduleRunClosed)
    )


@pytest.mark.parametrize("how", [{"state": "failed", "reason": "timeout"}, {"state": "succeeded", "output": "own"}])
def test_an_answer_is_how_the_try_ended_whatever_its_handler_still_did(how: dict[str, Any]) -> None:
    story = running(flow_row()).given(says(output=1))
    facts = story.when(advance("r1", ended=[{"row": 1, "attempt": 1, **how}])).facts
    assert Fact(JobRunEnded, state="succeeded", output=1) in facts


def test_an_answered_try_is_not_begun_again_by_a_take_over() -> None:
    story = running(flow_row()).given(says())
    take_over = command("TakeOverRun", run="r1", seen_term=1, cause="gone")
    facts = story.when(take_over).facts
    assert Fact(JobRunEnded, state="succeeded") in facts


def test_a_suspended_flow_outlives_its_instance() -> None:
    story = suspended()
    take_over = command("TakeOverRun", run="r1", seen_term=1, cause="gone")
    assert len(story.when(take_over, instance="two").facts) == 1
    story.given(says()).when(advance("r1", term=2)).then(
        Fact(AttemptEnded, state="succeeded", term=1), Fact(JobRunEnded), Fact(ServiceClaimed), Fact(AttemptStarted)
    )


def test_a_suspended_flow_is_handed_over() -> None:
    story = suspended()
    assert len(story.when(command("HandOverRun", run="r1", term=1, to="two")).facts) == 1


def test_R50_a_stop_ends_a_suspended_flow_at_once() -> None:
    story = suspended().given(command("StopRun", run="r1"))
    facts = story.when(advance("r1")).facts
    assert Fact(AttemptEnded, state="aborted", reason="stopped") in facts
    assert Fact(RunEnded, state="aborted", reason="stopped") in facts
    story.when(says()).then_refused("callback_over")


def test_a_stop_after_what_runs_waits_for_the_suspended_flow() -> None:
    story = suspended().given(command("StopRun", run="r1", mode="after_current"))
    facts = story.when(advance("r1")).facts
    assert facts == [Fact(JobRunEnded, row=2, state="skipped", reason="stopped")]
    facts = story.given(says()).when(advance("r1")).facts
    assert Fact(RunEnded, state="aborted") in facts


def test_a_skip_wait_flow_holds_nobody_up() -> None:
    story = running(flow_row(seq=1, skip_wait=True), row(seq=1))
    story.given(advance("r1", ended=[SUSPENDED]), advance("r1", ended=[ended(row=2)]))
    assert story.run("r1").open
    story.given(says()).when(advance("r1")).then(
        Fact(AttemptEnded), Fact(JobRunEnded), Fact(RunEnded, state="succeeded"), Fact(ScheduleRunClosed)
    )


def test_an_exclusive_flow_keeps_its_turn_while_it_is_suspended() -> None:
    story = suspended(flow_row(), exclusive=True).given(schedule("other", jobs=[flow_row()]), run_now("other", id="r2"))
    story.given(advance("r2"))
    assert story.run("r2").rows[1].state is State.WAITING
    assert Fact(FlowReleased) in story.given(says()).when(advance("r1")).facts
    story.when(advance("r2")).then(Fact(AttemptStarted))


def test_a_flow_by_itself_suspends_as_well() -> None:
    story = Story().given(workspace(), flow(), run_now("approve", "flow", id="r1"), advance("r1"))
    story.given(advance("r1", ended=[SUSPENDED]), says())
    assert Fact(FlowRunClosed, state="succeeded") in story.when(advance("r1")).facts


def test_the_callback_of_an_earlier_try_is_over() -> None:
    story = suspended(attempts=2).given(says("errored"), advance("r1")).after(minutes=1).given(advance("r1"))
    assert story.run("r1").rows[1].attempt == 2
    story.when(says()).then_refused("callback_over")
    story.when(says(attempt=2)).then(Fact(JobRunAnswered, attempt=2))


def test_a_callback_of_what_ended_by_itself_is_over() -> None:
    story = running().given(advance("r1", ended=[ended()]))
    story.when(says()).then_refused("callback_over")


def test_what_nobody_knew_the_end_of_is_told_by_its_callback() -> None:
    story = running(flow_row(), delivery="at_most_once")
    story.given(command("TakeOverRun", run="r1", seen_term=1, cause="gone"), advance("r1", term=2))
    assert story.run("r1").rows[1].reason == "unknown_end"
    story.when(says()).then(Fact(JobRunAnswered))


def test_an_output_has_64_kilobytes_at_most() -> None:
    suspended().when(says(output="x" * 70_000)).then_refused("too_long", "output")


def test_there_is_no_callback_of_a_run_that_is_not_there() -> None:
    suspended().when(says(run="unknown")).then_refused("not_found")
    suspended().when(says(row=9)).then_refused("not_found")
