"""Which rows may begin, and how a run ends (R37 to R42)."""

from dataclasses import replace

import pytest

from eventjobs.domain.plan import current_stage, in_turn, never_to_start, to_cancel, verdict
from eventjobs.domain.run import Row, Run, State, StopMode
from eventjobs.events.run import Ref, SnapshotJob
from eventjobs.events.service import AttemptPolicy

POLICY = AttemptPolicy(delivery="at_least_once")


def row(number: int, seq: int, state: State = State.QUEUED, *, skip_wait: bool = False, **fields: object) -> Row:
    job = SnapshotJob(
        row=number,
        job=Ref(kind="service", id=f"job{number}"),
        seq=seq,
        skip_wait=skip_wait,
        handler="noop",
        config={},
        policy=POLICY,
        version=1,
    )
    return Row(job=job, state=state, **fields)  # type: ignore[arg-type]


def run(*rows: Row, **fields: object) -> Run:
    return Run(state=State.RUNNING, rows={one.row: one for one in rows}, **fields)  # type: ignore[arg-type]


def numbers(rows: object) -> list[int]:
    return [one.row for one in rows]  # type: ignore[attr-defined]


DONE, QUEUED, RUNNING, FAILED = State.SUCCEEDED, State.QUEUED, State.RUNNING, State.FAILED


def example_7(a: State, b: State, c: State, d: State, e: State) -> Run:
    """Return worked example 7: A and B in stage 1, C in 2, D in 3, E in 3 with skip wait."""
    return run(row(1, 1, a), row(2, 1, b), row(3, 2, c), row(4, 3, d), row(5, 3, e, skip_wait=True))


@pytest.mark.parametrize(
    ("states", "turn"),
    [
        ((QUEUED, QUEUED, QUEUED, QUEUED, QUEUED), [1, 2, 5]),
        ((RUNNING, DONE, QUEUED, QUEUED, RUNNING), [1, 5]),
        ((DONE, DONE, QUEUED, QUEUED, RUNNING), [3, 5]),
        ((DONE, DONE, DONE, QUEUED, RUNNING), [4, 5]),
        ((DONE, DONE, DONE, QUEUED, DONE), [4]),
        ((DONE, DONE, DONE, DONE, RUNNING), [5]),
        ((DONE, DONE, DONE, DONE, DONE), []),
    ],
)
def test_R37_worked_example_7(states: tuple[State, State, State, State, State], turn: list[int]) -> None:
    assert numbers(in_turn(example_7(*states))) == turn


def test_R37_numbers_may_have_gaps() -> None:
    assert current_stage(run(row(1, 7, DONE), row(2, 900), row(3, 30))) == 30


def test_R40_nobody_waits_for_a_skip_wait_job_of_the_lowest_stage() -> None:
    assert numbers(in_turn(run(row(1, 1, RUNNING, skip_wait=True), row(2, 2)))) == [1, 2]


def test_R40_if_all_jobs_have_the_flag_all_start_at_once() -> None:
    everything = run(row(1, 1, skip_wait=True), row(2, 2, skip_wait=True))
    assert (current_stage(everything), numbers(in_turn(everything))) == (None, [1, 2])


@pytest.mark.parametrize("state", [FAILED, State.ABORTED])
def test_R42_stop_skips_the_later_stages_and_leaves_the_others_alone(state: State) -> None:
    stopped = run(
        row(1, 1, state), row(2, 1, RUNNING), row(3, 1), row(4, 2), row(5, 2, skip_wait=True), on_failure="stop"
    )
    assert list(never_to_start(stopped)) == [(stopped.rows[4], State.SKIPPED, "earlier_failed")]


def test_R42_continue_goes_on() -> None:
    assert list(never_to_start(run(row(1, 1, FAILED), row(2, 2)))) == []


def test_R42_a_failed_free_runner_stops_nobody() -> None:
    assert list(never_to_start(run(row(1, 1, FAILED, skip_wait=True), row(2, 2), on_failure="stop"))) == []


def test_R50_a_stop_ends_what_is_not_running() -> None:
    stopped = run(
        row(1, 1, RUNNING),
        row(2, 1, State.WAITING),
        row(3, 1, attempt=1),
        row(4, 2),
        row(5, 1, DONE),
        stop=StopMode.NOW,
    )
    assert [(one.row, state, reason) for one, state, reason in never_to_start(stopped)] == [
        (2, State.SKIPPED, "stopped"),
        (3, State.ABORTED, "stopped"),
        (4, State.SKIPPED, "stopped"),
    ]


def test_R50_only_a_stop_at_once_cancels_what_runs() -> None:
    going = run(row(1, 1, RUNNING), row(2, 1, DONE), row(3, 2))
    assert numbers(to_cancel(going)) == []
    assert numbers(to_cancel(replace(going, stop=StopMode.AFTER_CURRENT))) == []
    assert numbers(to_cancel(replace(going, stop=StopMode.NOW))) == [1]


def test_a_run_in_which_any_job_failed_is_failed_with_counts() -> None:
    over = run(row(1, 1, DONE), row(2, 1, FAILED, reason="timeout"), row(3, 2, DONE), stop=StopMode.NOW)
    assert verdict(over) == (FAILED, "timeout", {"succeeded": 2, "failed": 1})


def test_a_stopped_run_is_aborted_unless_all_its_jobs_succeeded() -> None:
    assert verdict(run(row(1, 1, DONE), row(2, 1, State.SKIPPED), stop=StopMode.NOW))[:2] == (State.ABORTED, "stopped")
    assert verdict(run(row(1, 1, DONE), row(2, 1, DONE), stop=StopMode.NOW))[:2] == (DONE, None)


def test_a_run_that_took_an_aborted_result_did_not_succeed() -> None:
    assert verdict(run(row(1, 1, DONE), row(2, 1, State.ABORTED)))[:2] == (State.ABORTED, "stopped")
