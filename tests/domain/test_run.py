"""A run's state follows its facts, and no fact breaks it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eventjobs.domain.run import ENDED, INITIAL, Run, State, evolve
from eventjobs.events.run import (
    AttemptEnded,
    AttemptProgressed,
    AttemptStarted,
    JobRunEnded,
    JobRunWaiting,
    Ref,
    RunEnded,
    RunMissed,
    RunOpened,
    RunSkipped,
    RunStopRequested,
    RunTakenOver,
    SnapshotJob,
)
from eventjobs.events.service import AttemptPolicy

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
OWNER = Ref(kind="schedule", id="nightly")


def opened(*, counts: bool = True) -> RunOpened:
    job = SnapshotJob(
        row=1,
        job=Ref(kind="service", id="load"),
        seq=1,
        skip_wait=False,
        handler="noop",
        config={},
        policy=AttemptPolicy(delivery="at_least_once", interruption_counts=counts),
        version=1,
    )
    return RunOpened(owner=OWNER, cause="manual", term=1, instance="one", on_failure="continue", jobs=(job,))


def after(*events: object) -> Run:
    run = INITIAL
    for event in events:
        run = evolve(run, event)  # type: ignore[arg-type]
    return run


STARTED = AttemptStarted(row=1, attempt=1, term=1)
FAILED = AttemptEnded(row=1, attempt=1, term=1, state="failed", reason="error", counts={}, retry_at=NOON)


def test_there_is_no_run_before_it_opened() -> None:
    assert (INITIAL.state, INITIAL.open) == (State.ABSENT, False)


def test_an_open_run_runs_until_it_ended() -> None:
    assert (after(opened()).state, after(opened()).open) == (State.RUNNING, True)
    stopping = after(opened(), RunStopRequested(mode="now"))
    assert (stopping.state, stopping.open) == (State.STOPPING, True)
    over = after(opened(), RunEnded(state="failed", reason="timeout", counts={}))
    assert (over.state, over.reason, over.open) == (State.FAILED, "timeout", False)


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (RunSkipped(owner=OWNER, due=NOON, reason="overlap"), State.SKIPPED),
        (RunMissed(owner=OWNER, due=NOON, reason="downtime"), State.MISSED),
    ],
)
def test_an_occurrence_that_did_not_run_is_over(event: object, state: State) -> None:
    run = after(event)
    assert (run.state, run.open, run.due, run.owner) == (state, False, NOON, OWNER)
    assert run.state in ENDED


def test_a_row_waits_runs_and_waits_for_its_next_try() -> None:
    waiting = after(opened(), JobRunWaiting(row=1, holder="x", joined="y", deadline=NOON)).rows[1]
    assert (waiting.state, waiting.joined, waiting.deadline) == (State.WAITING, "y", NOON)
    running = after(opened(), JobRunWaiting(row=1, holder="x", deadline=NOON), STARTED).rows[1]
    assert (running.state, running.attempt, running.deadline, running.joined) == (State.RUNNING, 1, None, None)
    again = after(opened(), STARTED, FAILED).rows[1]
    assert (again.state, again.retry_at, again.counted) == (State.QUEUED, NOON, 1)


def test_an_interruption_that_does_not_count_is_not_counted() -> None:
    interrupted = AttemptEnded(row=1, attempt=1, term=1, state="failed", reason="interrupted", counts={})
    assert after(opened(counts=True), STARTED, interrupted).rows[1].counted == 1
    assert after(opened(counts=False), STARTED, interrupted).rows[1].counted == 0
    assert after(opened(counts=False), STARTED, FAILED).rows[1].counted == 1


def test_a_row_that_ended_has_its_result() -> None:
    end = JobRunEnded(row=1, state="succeeded", counts={"processed": 1}, output={"a": 1})
    row = after(opened(), STARTED, end).rows[1]
    assert (row.ended, row.counts, row.output) == (True, {"processed": 1}, {"a": 1})


def test_a_row_knows_what_its_newest_try_said_last() -> None:
    half = AttemptProgressed(row=1, attempt=1, fraction=0.5, text="half", counts={})
    assert after(opened(), STARTED, half).rows[1].progress == half
    assert after(opened(), STARTED, half, FAILED, AttemptStarted(row=1, attempt=2, term=1)).rows[1].progress is None


def test_who_takes_over_has_it_in_a_higher_term() -> None:
    run = after(opened(), RunTakenOver(instance="two", term=2, cause="gone"))
    assert (run.instance, run.term, run.state) == ("two", 2, State.RUNNING)


ROWS = st.integers(1, 3)
EVENTS = st.one_of(
    st.just(opened()),
    st.just(RunSkipped(owner=OWNER, due=NOON, reason="overlap")),
    st.just(RunMissed(owner=OWNER, due=NOON, reason="downtime")),
    st.builds(AttemptStarted, row=ROWS, attempt=ROWS, term=ROWS),
    st.builds(AttemptProgressed, row=ROWS, attempt=ROWS, fraction=st.none(), text=st.just(""), counts=st.just({})),
    st.builds(
        AttemptEnded,
        row=ROWS,
        attempt=ROWS,
        term=ROWS,
        state=st.sampled_from(["failed", "aborted", "succeeded"]),
        reason=st.sampled_from([None, "interrupted", "error"]),
        detail=st.none(),
        counts=st.just({}),
        retry_at=st.sampled_from([None, NOON]),
        log_lines=st.just(0),
        log_sha256=st.none(),
    ),
    st.builds(JobRunWaiting, row=ROWS, holder=st.just(""), joined=st.sampled_from([None, "y"]), deadline=st.just(NOON)),
    st.builds(JobRunEnded, row=ROWS, state=st.sampled_from(sorted(ENDED)), counts=st.just({}), joined=st.none()),
    st.builds(RunStopRequested, mode=st.sampled_from(["now", "after_current"])),
    st.builds(RunTakenOver, instance=st.just("two"), term=ROWS, cause=st.just("gone")),
    st.builds(RunEnded, state=st.sampled_from(sorted(ENDED)), reason=st.none(), counts=st.just({})),
)


@given(st.lists(EVENTS, max_size=12))
def test_every_fact_is_accepted_in_every_state(events: list[object]) -> None:
    assert isinstance(after(*events), Run)
