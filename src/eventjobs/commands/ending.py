"""How tries and rows end, whoever says so: the worker, a take-over, or the callback of a flow that had suspended."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from eventjobs.commands.context import Context
from eventjobs.commands.spec import CommandFields
from eventjobs.commands.turns import Ending, give_up_turn
from eventjobs.commands.world import World
from eventjobs.domain.retry import INTERRUPTIONS_MAX, retry_at
from eventjobs.domain.run import Row, Run, State, StopMode
from eventjobs.domain.streams import run_stream
from eventjobs.events.run import AttemptEnded, JobRunEnded, JobRunReleased, JobRunSuspended


class AttemptResult(CommandFields):
    """
    How a try ended: `succeeded`, `failed`, `aborted`, or `suspended`, with what it waits for in `detail`.

    `chance` in [0, 1) draws the back-off's jitter.
    """

    row: int
    attempt: int
    state: str
    reason: str | None = None
    detail: str | None = None
    counts: Mapping[str, int] = {}
    output: Any = None
    retryable: bool = True
    chance: float = 0.0
    log_lines: int = 0
    log_sha256: str | None = None


def end_attempt(
    world: World, context: Context, run_id: str, row: Row, result: AttemptResult, *, stopping: bool
) -> None:
    """
    Record the end of a try, and of its row unless it may try again.

    What the try's callback said is how it ended, whatever its handler still did. A row that was released is over.
    """
    result = _answered(row, result)
    again = None
    policy = row.job.policy
    spared = result.reason == "interrupted" and not policy.interruption_counts
    is_hopeless = spared and row.spared + 1 >= INTERRUPTIONS_MAX
    if result.state == State.FAILED and not stopping and not is_hopeless and not row.released:
        again = retry_at(
            policy,
            counted=row.counted - 1 if spared else row.counted,
            attempt=row.attempt,
            reason=result.reason or "error",
            retryable=result.retryable,
            now=context.now,
            chance=result.chance,
        )
    world.emit(
        run_stream(context.workspace, run_id),
        AttemptEnded(
            row=result.row,
            attempt=result.attempt,
            term=row.term,
            state=result.state,
            reason=result.reason,
            detail=result.detail,
            counts=result.counts,
            retry_at=again,
            log_lines=result.log_lines,
            log_sha256=result.log_sha256,
        ),
    )
    if again is None:
        reason = result.reason
        if reason == "interrupted" and policy.delivery == "at_most_once":
            reason = "unknown_end"
        ending = Ending(
            state=State(result.state),
            reason=reason,
            detail=result.detail,
            counts=result.counts,
            output=result.output,
        )
        end_row(world, context, run_id, row, ending)


def end_row(world: World, context: Context, run_id: str, row: Row, ending: Ending) -> None:
    """Record the end of a row and give up its turn."""
    world.emit(
        run_stream(context.workspace, run_id),
        JobRunEnded(
            row=row.row,
            state=ending.state,
            reason=ending.reason,
            detail=ending.detail,
            counts=ending.counts,
            output=ending.output,
        ),
    )
    give_up_turn(world, context, run_id, row, ending)


def _answered(row: Row, result: AttemptResult) -> AttemptResult:
    answer = row.answer
    if answer is None:
        return result
    return result.model_copy(
        update={
            "state": answer.state,
            "reason": answer.reason,
            "detail": answer.detail,
            "counts": answer.counts,
            "output": answer.output,
            "retryable": True,
        }
    )


def suspend(world: World, context: Context, run_id: str, row: Row, result: AttemptResult) -> None:
    """Record that a try goes on elsewhere, and until when later stages wait for it."""
    world.emit(
        run_stream(context.workspace, run_id),
        JobRunSuspended(
            row=row.row,
            attempt=row.attempt,
            waits_for=result.detail or "",
            deadline=context.now + timedelta(seconds=row.job.policy.wait_timeout_s),
            counts=result.counts,
            log_lines=result.log_lines,
            log_sha256=result.log_sha256,
        ),
    )


def end_suspended(world: World, context: Context, run_id: str) -> None:
    """
    End the suspended rows that were answered or stopped, and release those that were waited for long enough (R43).

    A released row that is the last to be over ends with the run, as `failed: wait_timeout`; what its callback says
    later is recorded all the same.
    """
    for row in _suspended(world.run(run_id)):
        if row.answer is not None:
            _end(world, context, run_id, row, State(row.answer.state), row.answer.reason)
        elif world.run(run_id).stop is StopMode.NOW:
            _end(world, context, run_id, row, State.ABORTED, "stopped")
        elif row.deadline is not None and row.deadline <= context.now:
            world.emit(run_stream(context.workspace, run_id), JobRunReleased(row=row.row, attempt=row.attempt))


def end_released(world: World, context: Context, run_id: str) -> None:
    """End the released rows where nothing else of the run is left: it does not stay open for them."""
    run = world.run(run_id)
    if all(row.ended or (row.state is State.SUSPENDED and row.released) for row in run.rows.values()):
        for row in _suspended(run):
            _end(world, context, run_id, row, State.FAILED, "wait_timeout")


def _suspended(run: Run) -> list[Row]:
    return [row for row in run.rows.values() if row.state is State.SUSPENDED]


def _end(world: World, context: Context, run_id: str, row: Row, state: State, reason: str | None) -> None:
    sealed = row.suspended
    result = AttemptResult(
        row=row.row,
        attempt=row.attempt,
        state=state,
        reason=reason,
        counts=row.counts,
        chance=context.random.uniform(),
        log_lines=0 if sealed is None else sealed.log_lines,
        log_sha256=None if sealed is None else sealed.log_sha256,
    )
    end_attempt(world, context, run_id, row, result, stopping=world.run(run_id).stop is not None)
