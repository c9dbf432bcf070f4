"""
The runner's own: record what happened in a run, and begin what may begin.

One append records the attempts that ended, ends rows, opens the next stage, starts attempts and, when all is over,
closes the run, frees its owner and opens the next run that waits for it. A worker's command carries the term it was
given; another term is `superseded`.
"""

from collections.abc import Mapping
from typing import Any, Final

from eventjobs.commands.context import Context
from eventjobs.commands.fields import no_such
from eventjobs.commands.queueing import fill_room, start_waiting
from eventjobs.commands.room import free_room
from eventjobs.commands.spec import CommandFields, CommandSpec, RunId
from eventjobs.commands.turns import Ending, give_up_turn, has_turn, shares_turn, take_turn
from eventjobs.commands.world import World
from eventjobs.domain.plan import in_turn, never_to_start, verdict
from eventjobs.domain.retry import INTERRUPTIONS_MAX, retry_at
from eventjobs.domain.run import Row, Run, State
from eventjobs.domain.streams import owner_stream, run_stream, service_stream
from eventjobs.errors import Conflict
from eventjobs.events.run import (
    AttemptEnded,
    AttemptProgressed,
    AttemptStarted,
    JobRunEnded,
    RunDelayed,
    RunEnded,
)
from eventjobs.events.schedule import ScheduleRunClosed
from eventjobs.events.service import ServiceRunClosed

INSTANCE_LIMIT: Final = "instance_limit"
"""Why a run is delayed whose instance works on as many as it may."""


class Progress(CommandFields):
    """How far a try has come."""

    row: int
    attempt: int
    fraction: float | None = None
    text: str = ""
    counts: Mapping[str, int] = {}


class AttemptResult(CommandFields):
    """How a try ended: `succeeded`, `failed` or `aborted`; `chance` in [0, 1) draws the back-off's jitter."""

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


class AdvanceRun(CommandFields):
    """What the worker of a run has to say; nothing at all still begins what may begin now."""

    run: RunId
    term: int
    ended: tuple[AttemptResult, ...] = ()
    progress: tuple[Progress, ...] = ()
    start: bool = True
    """False while the worker's instance drains: record, but begin nothing."""
    full_at: int | None = None
    """How many runs the worker's instance works on, where that is all it may: begin nothing, and say so if it could."""


def decide(command: AdvanceRun, world: World, context: Context) -> None:
    """Record, then begin; refuses a term that is not the run's."""
    run = world.run(command.run)
    if run.state is State.ABSENT:
        raise no_such("run", command.run)
    if not run.open:
        return
    if command.term != run.term:
        raise superseded(command.run, run)
    world.need(
        [service_stream(context.workspace, row.job.job.id) for row in run.rows.values() if not row.ended]
        + [owner_stream(context.workspace, run.owner.kind, run.owner.id)]
    )
    for progress in command.progress:
        _progress(world, context, command.run, progress)
    for result in command.ended:
        _end_attempt(world, context, command.run, result)
    settle(world, context, command.run, start=command.start and command.full_at is None)
    if command.full_at is not None:
        _note_delay(world, context, command.run, command.full_at)


def superseded(run_id: str, run: Run) -> Conflict:
    """The refusal for a worker whose run was taken over."""
    return Conflict("superseded", f"run {run_id} is in term {run.term}", extra={"term": run.term})


def _progress(world: World, context: Context, run_id: str, progress: Progress) -> None:
    row = world.run(run_id).rows[progress.row]
    said = AttemptProgressed(
        row=progress.row,
        attempt=progress.attempt,
        fraction=progress.fraction,
        text=progress.text,
        counts=progress.counts,
    )
    if row.state is State.RUNNING and row.attempt == progress.attempt and row.progress != said:
        world.emit(run_stream(context.workspace, run_id), said)


def _end_attempt(world: World, context: Context, run_id: str, result: AttemptResult) -> None:
    run = world.run(run_id)
    row = run.rows[result.row]
    if row.state is not State.RUNNING or row.attempt != result.attempt:
        return  # said before: a second report of one end has no effect
    end_attempt(world, context, run_id, row, result, stopping=run.stop is not None)


def end_attempt(
    world: World, context: Context, run_id: str, row: Row, result: AttemptResult, *, stopping: bool
) -> None:
    """Record the end of a try, and of its row unless it may try again."""
    again = None
    policy = row.job.policy
    spared = result.reason == "interrupted" and not policy.interruption_counts
    is_hopeless = spared and row.spared + 1 >= INTERRUPTIONS_MAX
    if result.state == State.FAILED and not stopping and not is_hopeless:
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


def settle(world: World, context: Context, run_id: str, *, start: bool = True) -> None:
    """Bring the run as far as it can go now: skip, start, close."""
    while True:
        _skip(world, context, run_id)
        if not start or not _begin_all(world, context, run_id):
            break
    if all(row.ended for row in world.run(run_id).rows.values()):
        _close(world, context, run_id)


def _begin_all(world: World, context: Context, run_id: str) -> bool:
    """Start what may start; returns whether a row ended instead, so that others may move up."""
    ended = [_begin(world, context, run_id, row) for row in list(in_turn(world.run(run_id)))]
    return any(ended)


def _note_delay(world: World, context: Context, run_id: str, limit: int) -> None:
    """Say, once in a term, that something would begin now if the instance had a place."""
    run = world.run(run_id)
    if (
        not run.open
        or run.delayed_in == run.term
        or not any(_waits(world, context, run_id, row) for row in in_turn(run))
    ):
        return
    world.emit(
        run_stream(context.workspace, run_id),
        RunDelayed(reason=INSTANCE_LIMIT, limit=limit, instance=run.instance, term=run.term),
    )


def _waits(world: World, context: Context, run_id: str, row: Row) -> bool:
    """Whether the row would begin, or ask for its job, and waits neither for a retry nor for a job that is busy."""
    if row.state is State.WAITING:
        return has_turn(world, run_id, row)
    return row.state is State.QUEUED and (row.retry_at is None or row.retry_at <= context.now)


def _skip(world: World, context: Context, run_id: str) -> None:
    for row, state, reason in list(never_to_start(world.run(run_id))):
        end_row(world, context, run_id, row, Ending(state=state, reason=reason, counts={}))


def _begin(world: World, context: Context, run_id: str, row: Row) -> bool:
    """Start the row's next try if it may; returns whether the row ended instead."""
    if row.state not in (State.QUEUED, State.WAITING) or (row.retry_at is not None and row.retry_at > context.now):
        return False
    if take_turn(world, context, run_id, row):
        world.emit(
            run_stream(context.workspace, run_id),
            AttemptStarted(row=row.row, attempt=row.attempt + 1, term=world.run(run_id).term),
        )
        return False
    if row.deadline is not None and row.deadline <= context.now and not shares_turn(world, run_id, row):
        detail = "the job was busy for longer than wait_timeout"
        end_row(world, context, run_id, row, Ending(state=State.FAILED, reason="job_running", detail=detail, counts={}))
        return True
    return False


def _close(world: World, context: Context, run_id: str) -> None:
    run = world.run(run_id)
    state, reason, counts = verdict(run)
    world.emit(run_stream(context.workspace, run_id), RunEnded(state=state, reason=reason, counts=counts))
    owner = owner_stream(context.workspace, run.owner.kind, run.owner.id)
    if run.owner.kind != "schedule":
        world.emit(owner, ServiceRunClosed(run=run_id, state=state, reason=reason))
        free_room(world, context, run_id)
        fill_room(world, context)
        return
    others = [other for other in world.schedule(run.owner.id).open_runs if other != run_id]
    still_open = others[-1] if others else None
    world.emit(owner, ScheduleRunClosed(run=run_id, state=state, reason=reason, open_run=still_open))
    free_room(world, context, run_id)
    fill_room(world, context)
    start_waiting(world, context, run.owner.id)


SPEC: Final = CommandSpec(
    name="AdvanceRun",
    command=AdvanceRun,
    streams=lambda command, context: [run_stream(context.workspace, command.run)],
    decide=decide,
    internal=True,
    summary="Record what happened in a run and begin what may begin",
)
