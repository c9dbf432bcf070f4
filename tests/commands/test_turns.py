"""One run of a job at a time: the second waits, the third joins (R46, SPEC decision 6)."""

from eventjobs.domain.run import Row, State
from eventjobs.events.run import AttemptStarted, JobRunEnded, JobRunWaiting
from eventjobs.events.service import ServiceAwaited, ServiceClaimed, ServiceJoined, ServiceReleased, Turn
from tests.support.bodies import advance, ended, row, run_now, schedule, service, workspace
from tests.support.story import Fact, Story, at, command

A, B, C, D = (Turn(run=name, row=1) for name in "abcd")
DEADLINE = at("2026-12-01 13:00")


def rivals(*names: str, **fields: object) -> Story:
    """Return a story with a schedule for each name, all of which run `load`, and an open run called like each."""
    story = Story().given(workspace(), service(**fields))
    for name in names:
        story.given(schedule(f"s{name}"), run_now(f"s{name}", id=name))
    return story


def row_of(story: Story, name: str, number: int = 1) -> Row:
    return story.run(name).rows[number]


def stop(name: str) -> object:
    return command("StopRun", run=name)


def test_R46_the_first_has_the_job_and_begins() -> None:
    rivals("a").when(advance("a")).then(
        ("service:load", ServiceClaimed(turn=A)), ("run:a", AttemptStarted(row=1, attempt=1, term=1))
    )


def test_R46_the_second_waits_as_long_as_it_may() -> None:
    story = rivals("a", "b").given(advance("a"))
    story.when(advance("b")).then(
        ("service:load", ServiceAwaited(turn=B, deadline=DEADLINE)),
        ("run:b", JobRunWaiting(row=1, holder="a", joined=None, deadline=DEADLINE)),
    )
    story.when(advance("b")).then_nothing()


def test_R46_the_third_joins_the_one_that_waits() -> None:
    story = rivals("a", "b", "c").given(advance("a"), advance("b"))
    story.when(advance("c")).then(
        ("service:load", ServiceJoined(turn=C, with_turn=B, deadline=DEADLINE)),
        ("run:c", JobRunWaiting(row=1, holder="a", joined="b", deadline=DEADLINE)),
    )


def test_the_end_of_one_is_the_turn_of_the_next_in_the_same_append() -> None:
    story = rivals("a", "b").given(advance("a"), advance("b"))
    outcome = story.when(advance("a", ended=[ended()]))
    assert [fact for stream, fact in outcome.emitted if stream.name == "service:load"] == [
        ServiceReleased(turn=A),
        ServiceClaimed(turn=B),
    ]
    story.when(advance("b")).then(AttemptStarted(row=1, attempt=1, term=1))


def test_R46_who_joined_takes_the_result() -> None:
    story = rivals("a", "b", "c").given(advance("a"), advance("b"), advance("c"))
    story.given(advance("a", ended=[ended()]), advance("b"))
    result = ended(state="failed", reason="error", detail="no", counts={"processed": 3}, output={"x": 1})
    outcome = story.when(advance("b", ended=[result]))
    taken = JobRunEnded(
        row=1, state="failed", reason="error", detail="no", counts={"processed": 3}, output={"x": 1}, joined="b"
    )
    assert (("acme", "run:c"), taken) in outcome.emitted
    story.given(advance("c"))
    assert (story.run("c").state, story.run("c").reason) == (State.FAILED, "error")
    assert row_of(story, "c").attempt == 0
    assert story.service().holder is None


def test_who_comes_while_a_joined_turn_runs_waits_for_the_next_one() -> None:
    story = rivals("a", "b", "c", "d").given(advance("a"), advance("b"), advance("c"))
    story.given(advance("a", ended=[ended()]), advance("b"), advance("d"))
    assert (story.service().holder, story.service().waiting, story.service().sharing) == (B, D, (C,))
    story.given(advance("b", ended=[ended()]))
    assert (story.service().holder, story.service().waiting, story.service().sharing) == (D, None, ())
    assert (row_of(story, "c").state, row_of(story, "d").state) == (State.SUCCEEDED, State.WAITING)


def test_if_the_one_that_waits_is_stopped_who_joined_takes_its_place() -> None:
    story = rivals("a", "b", "c", "d").given(advance("a"), advance("b"), advance("c"), advance("d"), stop("b"))
    outcome = story.when(advance("b"))
    assert (("acme", "service:load"), ServiceAwaited(turn=C, deadline=DEADLINE)) in outcome.emitted
    assert (row_of(story, "c").joined, row_of(story, "d").joined) == (None, "c")
    story.given(advance("a", ended=[ended()]))
    story.when(advance("c")).then(Fact(AttemptStarted))
    assert (story.service().holder, story.service().sharing) == (C, (D,))


def test_if_it_is_stopped_when_its_turn_came_but_before_it_began_who_joined_takes_its_place() -> None:
    story = rivals("a", "b", "c", "d").given(advance("a"), advance("b"), advance("c"), advance("d"))
    story.given(advance("a", ended=[ended()]), stop("b"))
    outcome = story.when(advance("b"))
    assert row_of(story, "b").state is State.SKIPPED
    assert (("acme", "service:load"), ServiceClaimed(turn=C)) in outcome.emitted
    assert (story.service().holder, story.service().sharing) == (C, (D,))
    assert row_of(story, "d").joined == "c"
    story.given(advance("c"), advance("c", ended=[ended()]))
    assert (row_of(story, "c").state, row_of(story, "d").state) == (State.SUCCEEDED, State.SUCCEEDED)


def test_if_it_is_stopped_then_and_nobody_joined_the_next_one_has_the_turn() -> None:
    story = rivals("a", "b", "c").given(advance("a"), advance("b"))
    story.given(advance("a", ended=[ended()]), advance("c"), stop("b"), advance("b"))
    assert (story.service().holder, story.service().waiting) == (C, None)


def test_if_it_is_stopped_while_it_runs_who_joined_takes_that_result() -> None:
    story = rivals("a", "b", "c").given(advance("a"), advance("b"), advance("c"))
    story.given(advance("a", ended=[ended()]), advance("b"), stop("b"))
    story.given(advance("b", ended=[ended(state="aborted", reason="stopped")]), advance("c"))
    assert row_of(story, "c").state is State.ABORTED
    assert (story.run("c").state, story.run("c").reason) == (State.ABORTED, "stopped")


def test_who_joined_and_is_stopped_leaves_without_a_trace() -> None:
    story = rivals("a", "b", "c").given(advance("a"), advance("b"), advance("c"), stop("c"), advance("c"))
    assert story.service().joined == ()
    assert story.run("c").state is State.ABORTED


def test_who_shares_a_running_turn_and_is_stopped_leaves_without_a_trace() -> None:
    story = rivals("a", "b", "c").given(advance("a"), advance("b"), advance("c"))
    story.given(advance("a", ended=[ended()]), advance("b"), stop("c"), advance("c"))
    assert story.service().sharing == ()
    assert story.run("c").state is State.ABORTED
    assert story.given(advance("b", ended=[ended()])).run("b").state is State.SUCCEEDED


def test_the_wait_ends_as_job_running() -> None:
    story = rivals("a", "b", wait_timeout="PT5M").given(advance("a"), advance("b"))
    story.after(minutes=4, seconds=59).when(advance("b")).then_nothing()
    story.after(seconds=1).given(advance("b"))
    assert (row_of(story, "b").state, row_of(story, "b").reason) == (State.FAILED, "job_running")
    assert (story.run("b").state, story.run("b").reason) == (State.FAILED, "job_running")
    assert story.service().waiting is None


def test_when_the_wait_ends_who_joined_takes_the_place_until_its_own_wait_ends() -> None:
    story = rivals("a", "b", "c", wait_timeout="PT5M").given(advance("a"), advance("b"))
    story.after(minutes=1).given(advance("c")).after(minutes=4).given(advance("b"))
    assert (story.service().waiting, row_of(story, "c").deadline) == (C, at("2026-12-01 12:06"))
    story.after(minutes=1).given(advance("c"))
    assert row_of(story, "c").reason == "job_running"


def test_a_turn_that_comes_at_the_deadline_is_taken() -> None:
    story = rivals("a", "b", wait_timeout="PT5M").given(advance("a"), advance("b"))
    story.after(minutes=5).given(advance("a", ended=[ended()]))
    story.when(advance("b")).then(Fact(AttemptStarted))


def test_who_shares_a_running_turn_does_not_wait_for_a_busy_job_any_more() -> None:
    story = rivals("a", "b", "c", wait_timeout="PT5M").given(advance("a"), advance("b"), advance("c"))
    story.given(advance("a", ended=[ended()]), advance("b")).after(minutes=30)
    story.when(advance("c")).then_nothing()
    story.given(advance("b", ended=[ended()]), advance("c"))
    assert story.run("c").state is State.SUCCEEDED


def test_between_attempts_the_job_stays_with_its_run() -> None:
    story = rivals("a", "b", attempts=2, backoff={"initial": "PT1M", "jitter": 0.0}).given(advance("a"), advance("b"))
    story.given(advance("a", ended=[ended(state="failed", reason="error")]))
    assert story.service().holder == A
    story.after(minutes=1).when(advance("a")).then(AttemptStarted(row=1, attempt=2, term=1))


def twice(name: str) -> Story:
    """Return a story in which run `name` has two rows with the same job, both of which may begin at once."""
    story = rivals("x").given(schedule("both", jobs=[row(seq=1), row(seq=2, skip_wait=True)]))
    return story.given(run_now("both", id=name))


def test_two_rows_of_one_run_take_turns() -> None:
    story = twice("a").given(advance("a"))
    assert (row_of(story, "a", 1).state, row_of(story, "a", 2).state) == (State.RUNNING, State.QUEUED)
    story.given(advance("a", ended=[ended(1)]))
    assert (row_of(story, "a", 1).state, row_of(story, "a", 2).state) == (State.SUCCEEDED, State.RUNNING)
    assert story.given(advance("a", ended=[ended(2)])).run("a").state is State.SUCCEEDED


def test_two_rows_of_one_run_do_not_both_wait() -> None:
    story = twice("a").given(advance("x"), advance("a"))
    assert (row_of(story, "a", 1).state, row_of(story, "a", 2).state) == (State.WAITING, State.QUEUED)
    story.given(advance("x", ended=[ended()]), advance("a"), advance("a", ended=[ended(1)]))
    assert row_of(story, "a", 2).state is State.RUNNING


def test_two_rows_of_one_run_do_not_both_join() -> None:
    story = twice("a").given(schedule("sb"), run_now("sb", id="b"))
    story.given(advance("x"), advance("b"), advance("a"))
    assert story.service().joined == (Turn(run="a", row=1),)
    assert row_of(story, "a", 2).state is State.QUEUED
    story.given(advance("x", ended=[ended()]), advance("b"), advance("a"))
    assert row_of(story, "a", 2).state is State.QUEUED
    story.given(advance("b", ended=[ended()]), advance("a"))
    assert (row_of(story, "a", 1).state, row_of(story, "a", 2).state) == (State.SUCCEEDED, State.RUNNING)


def test_a_run_of_one_schedule_does_not_wait_for_another_job() -> None:
    story = Story().given(workspace(), service("load"), service("clean"))
    story.given(schedule("sa"), schedule("sb", jobs=[row("clean")]), run_now("sa", id="a"), run_now("sb", id="b"))
    story.given(advance("a")).when(advance("b")).then(Fact(ServiceClaimed), Fact(AttemptStarted))
