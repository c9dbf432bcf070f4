"""A run goes on: stages, ends, retries, and a worker of another term is refused."""

from typing import Any

import pytest

from eventjobs.domain.run import State
from eventjobs.events.run import AttemptEnded, AttemptProgressed, AttemptStarted, JobRunEnded, RunDelayed, RunEnded
from eventjobs.events.schedule import ScheduleRunClosed
from eventjobs.events.service import ServiceClaimed, ServiceReleased
from tests.support.bodies import advance, ended, row, run_now, schedule, service, workspace
from tests.support.story import Fact, Story, at, command


def opened(*jobs: Any, on_failure: str = "continue", **fields: Any) -> Story:
    """Return a story with the open run `mine` of these rows, whose services are all there."""
    jobs = jobs or (row("load"),)
    story = Story(chance=fields.pop("chance", 0.0)).given(workspace())
    story.given(*(service(name, **fields) for name in sorted({job["job"]["id"] for job in jobs})))
    return story.given(schedule(jobs=list(jobs), policies={"on_failure": on_failure}), run_now(id="mine"))


def states(story: Story) -> dict[int, str]:
    return {number: str(one.state) for number, one in story.run("mine").rows.items()}


def test_R37_the_order_of_worked_example_7() -> None:
    story = opened(row("a", seq=1), row("b", seq=1), row("c", seq=2), row("d", seq=3), row("e", seq=3, skip_wait=True))
    story.given(advance("mine"))
    assert states(story) == {1: "running", 2: "running", 3: "queued", 4: "queued", 5: "running"}
    story.given(advance("mine", ended=[ended(1)]))
    assert states(story)[3] == "queued"
    story.given(advance("mine", ended=[ended(2)]))
    assert states(story) == {1: "succeeded", 2: "succeeded", 3: "running", 4: "queued", 5: "running"}
    story.given(advance("mine", ended=[ended(3)]))
    assert states(story)[4] == "running"
    story.given(advance("mine", ended=[ended(4)]))
    assert story.run("mine").state is State.RUNNING
    story.given(advance("mine", ended=[ended(5)]))
    assert (story.run("mine").state, story.schedule().open_run) == (State.SUCCEEDED, None)


def test_R38_equal_numbers_run_side_by_side_and_the_next_waits_for_both() -> None:
    story = opened(row("a", seq=1), row("b", seq=1), row("c", seq=2))
    story.given(advance("mine"))
    assert states(story) == {1: "running", 2: "running", 3: "queued"}
    story.given(advance("mine", ended=[ended(2)]))
    assert states(story)[3] == "queued"
    story.given(advance("mine", ended=[ended(1)]))
    assert states(story)[3] == "running"


def test_what_begins_is_recorded_before_it_is_called() -> None:
    opened().when(advance("mine")).then(
        ("service:load", Fact(ServiceClaimed)), ("run:mine", AttemptStarted(row=1, attempt=1, term=1))
    )


def test_nothing_begins_while_the_instance_drains() -> None:
    story = opened(row("a"), row("b"))
    story.when(advance("mine", start=False)).then_nothing()
    story.given(advance("mine")).when(advance("mine", ended=[ended(1)], start=False)).then(
        Fact(AttemptEnded), Fact(JobRunEnded, row=1, state="succeeded"), Fact(ServiceReleased)
    )
    assert states(story)[2] == "queued"


def test_nothing_begins_without_a_place_at_the_instance_and_the_delay_is_recorded_once_a_term() -> None:
    story = opened(row("a"), row("b"))
    delayed = RunDelayed(reason="instance_limit", limit=3, instance=story.run("mine").instance, term=1)
    story.when(advance("mine", full_at=3)).then(("run:mine", delayed))
    story.when(advance("mine", full_at=3)).then_nothing()
    story.given(command("HandOverRun", run="mine", term=1, to="two"))
    story.when(advance("mine", term=2, full_at=1)).then(
        RunDelayed(reason="instance_limit", limit=1, instance="two", term=2)
    )
    story.when(advance("mine", term=2)).then(Fact(ServiceClaimed), AttemptStarted(row=1, attempt=1, term=2))


def test_what_ended_is_recorded_without_a_place_as_well() -> None:
    story = opened(row("a"), row("b")).given(advance("mine"))
    story.when(advance("mine", ended=[ended(1)], full_at=1)).then(
        Fact(AttemptEnded), Fact(JobRunEnded, row=1), Fact(ServiceReleased), Fact(RunDelayed, limit=1)
    )


def test_who_waits_for_a_retry_or_a_busy_job_is_not_delayed_by_a_limit() -> None:
    story = opened(attempts=2).given(advance("mine"))
    story.given(advance("mine", ended=[ended(state="failed", reason="error")]))
    story.when(advance("mine", full_at=1)).then_nothing()
    story.after(hours=1).when(advance("mine", full_at=1)).then(Fact(RunDelayed))

    story = opened().given(schedule("other"), run_now("other", id="theirs"), advance("theirs"), advance("mine"))
    story.when(advance("mine", full_at=1)).then_nothing()
    story.given(advance("theirs", ended=[ended()]))  # now it is its turn
    story.when(advance("mine", full_at=1)).then(Fact(RunDelayed))


def test_a_run_that_waits_for_a_place_is_stopped() -> None:
    story = opened(row("a"), row("b")).given(advance("mine", full_at=1), command("StopRun", run="mine"))
    facts = story.when(advance("mine", full_at=1)).facts
    assert Fact(RunEnded, state="aborted", reason="stopped") in facts
    assert states(story) == {1: "skipped", 2: "skipped"}
    assert not any(isinstance(fact, RunDelayed) for fact in facts)


def test_the_end_of_the_last_job_is_the_end_of_the_run_in_one_append() -> None:
    story = opened().given(advance("mine"))
    result = ended(counts={"processed": 2}, output={"x": 1}, log_lines=3, log_sha256="ab")
    story.when(advance("mine", ended=[result])).then(
        (
            "run:mine",
            AttemptEnded(
                row=1, attempt=1, term=1, state="succeeded", counts={"processed": 2}, log_lines=3, log_sha256="ab"
            ),
        ),
        ("run:mine", JobRunEnded(row=1, state="succeeded", counts={"processed": 2}, output={"x": 1})),
        ("service:load", Fact(ServiceReleased)),
        ("run:mine", RunEnded(state="succeeded", counts={"succeeded": 1})),
        ("schedule:nightly", ScheduleRunClosed(run="mine", state="succeeded")),
    )


def test_a_second_report_of_one_end_has_no_effect() -> None:
    story = opened(row("a"), row("b")).given(advance("mine"))
    report = advance("mine", ended=[ended(1)])
    story.given(report).when(report).then_nothing()
    story.when(advance("mine", ended=[ended(1, attempt=7)])).then_nothing()


def test_R42_continue_goes_on_after_a_failure_and_the_run_is_failed() -> None:
    story = opened(row("a"), row("b")).given(advance("mine"))
    story.given(advance("mine", ended=[ended(1, "failed", reason="error")]))
    assert states(story) == {1: "failed", 2: "running"}
    story.given(advance("mine", ended=[ended(2)]))
    assert (story.run("mine").state, story.run("mine").reason) == (State.FAILED, "error")


def test_R42_stop_skips_later_stages_and_lets_the_others_end() -> None:
    story = opened(
        row("a", seq=1), row("b", seq=1), row("c", seq=2), row("d", seq=3, skip_wait=True), on_failure="stop"
    ).given(advance("mine"))
    story.given(advance("mine", ended=[ended(1, "failed", reason="error")]))
    assert states(story) == {1: "failed", 2: "running", 3: "skipped", 4: "running"}
    assert story.run("mine").rows[3].reason == "earlier_failed"
    story.given(advance("mine", ended=[ended(2), ended(4)]))
    assert story.run("mine").state is State.FAILED


def test_a_failed_attempt_is_followed_by_another_after_its_wait() -> None:
    story = opened(attempts=2, backoff={"initial": "PT10S", "jitter": 0.5}).given(advance("mine"))
    outcome = story.when(advance("mine", ended=[ended(1, "failed", reason="error", chance=0.5)]))
    outcome.then(Fact(AttemptEnded, state="failed", reason="error", retry_at=at("2026-12-01 12:00:07.5")))
    story.after(seconds=7).when(advance("mine")).then_nothing()
    story.after(milliseconds=500).when(advance("mine")).then(AttemptStarted(row=1, attempt=2, term=1))
    outcome = story.when(advance("mine", ended=[ended(1, "failed", attempt=2, reason="error")]))
    outcome.then(
        Fact(AttemptEnded, retry_at=None), Fact(JobRunEnded, state="failed"), Fact(object), Fact(RunEnded), Fact(object)
    )


@pytest.mark.parametrize("result", [{"retryable": False}, {"reason": "reject_threshold"}, {"reason": "boom"}])
def test_a_final_failure_ends_the_job_run(result: dict[str, Any]) -> None:
    story = opened(attempts=5, non_retryable=["boom"]).given(advance("mine"))
    story.given(advance("mine", ended=[ended(1, "failed", **{"reason": "error", **result})]))
    assert story.run("mine").state is State.FAILED


@pytest.mark.parametrize(
    ("handler", "attempts", "row_state", "reason"),
    [
        ("noop", 2, "queued", "interrupted"),
        ("noop", 1, "failed", "interrupted"),
        ("csv.import", 1, "queued", "interrupted"),
        ("pay", 5, "failed", "unknown_end"),
    ],
)
def test_an_interrupted_attempt_ends_as_its_delivery_says(
    handler: str, attempts: int, row_state: str, reason: str
) -> None:
    story = opened(handler=handler, attempts=attempts).given(advance("mine"))
    story.given(advance("mine", ended=[ended(1, "failed", reason="interrupted")], start=False))
    assert (states(story)[1], story.run("mine").rows[1].reason) == (row_state, reason)


def test_progress_is_recorded_once() -> None:
    story = opened().given(advance("mine"))
    progress = {"row": 1, "attempt": 1, "fraction": 0.5, "text": "half", "counts": {"processed": 5}}
    half = AttemptProgressed(row=1, attempt=1, fraction=0.5, text="half", counts={"processed": 5})
    story.when(advance("mine", progress=[progress])).then(("run:mine", half))
    story.when(advance("mine", progress=[progress])).then_nothing()
    story.when(advance("mine", progress=[{**progress, "attempt": 2}])).then_nothing()
    story.given(advance("mine", ended=[ended()])).when(advance("mine", progress=[progress])).then_nothing()


def test_a_worker_of_another_term_is_superseded() -> None:
    story = opened().given(advance("mine"), command("TakeOverRun", run="mine", seen_term=1, cause="gone"))
    story.when(advance("mine", term=1, ended=[ended()])).then_refused("superseded", term=2)
    story.when(advance("mine", term=3)).then_refused("superseded", term=2)
    assert story.when(advance("mine", term=2)).refusal is None


def test_a_run_that_ended_has_nothing_to_go_on_with() -> None:
    story = opened().given(advance("mine"), advance("mine", ended=[ended()]))
    story.when(advance("mine", ended=[ended(1, "failed")])).then_nothing()
    story.when(advance("mine", term=9)).then_nothing()


def test_an_unknown_run_cannot_go_on() -> None:
    opened().when(advance("other")).then_refused("not_found")
