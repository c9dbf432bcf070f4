"""
The runner's own: record what happened in a run, and begin what may begin.

One append records the attempts that ended, ends rows, opens the next stage, starts attempts and, when all is over,
closes the run, frees its owner and opens the next run that waits for it. A worker's command carries the term it was
given; another term is `superseded`.
"""

from collections.abc import Mapping
from typing import Final

from eventjobs.commands.answering import settle_end
from eventjobs.commands.context import Context
from eventjobs.commands.ending import AttemptResult, end_attempt, end_released, end_row, end_suspended, suspend
from eventjobs.commands.fields import no_such
from eventjobs.commands.job_facts import FACTS
from eventjobs.commands.members import define, lost
from eventjobs.commands.owner_facts import OWNER_FACTS
from eventjobs.commands.queueing import fill_room, start_waiting
from eventjobs.commands.room import free_room
from eventjobs.commands.spec import CommandFields, CommandSpec, RunId
from eventjobs.commands.turns import Ending, has_turn, not_runnable, shares_turn, take_turn
from eventjobs.commands.world import World
from eventjobs.domain.plan import in_turn, never_to_start, verdict
from eventjobs.domain.run import Row, Run, State
from eventjobs.domain.streams import CONNECT_JOBS, job_stream, owner_stream, run_stream
from eventjobs.errors import Conflict
from eventjobs.events.run import (
    AttemptProgressed,
    AttemptStarted,
    RunDelayed,
    RunEnded,
)

INSTANCE_LIMIT: Final = "instance_limit"
"""Why a run is delayed whose instance works on as many as it may."""


class Progress(CommandFields):
    """How far a try has come."""

    row: int
    attempt: int
    fraction: float | None = None
    text: str = ""
    counts: Mapping[str, int] = {}


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
        [job_stream(context.workspace, row.job.job) for row in run.rows.values() if not row.ended]
        + [owner_stream(context.workspace, run.owner)]
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
    if result.state == State.SUSPENDED:
        suspend(world, context, run_id, row, result)
        return
    end_attempt(world, context, run_id, row, result, stopping=run.stop is not None)


def settle(world: World, context: Context, run_id: str, *, start: bool = True) -> None:
    """Bring the run as far as it can go now: skip, start, close."""
    end_suspended(world, context, run_id)
    while True:
        _skip(world, context, run_id)
        if not start or not _begin_all(world, context, run_id):
            break
    end_released(world, context, run_id)
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
    if (reason := not_runnable(world, row)) is not None:
        end_row(world, context, run_id, row, Ending(state=State.SKIPPED, reason=reason, counts={}))
        return True
    if (detail := lost(world, context, run_id, row)) is not None:
        ending = Ending(state=State.FAILED, reason="not_qualified", detail=detail, counts={})
        end_row(world, context, run_id, row, ending)
        return True
    if take_turn(world, context, run_id, row):
        define(world, context, run_id, row)
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
    owner = owner_stream(context.workspace, run.owner)
    others = [other for other in world.state(owner).open_runs if other != run_id]
    still_open = {"open_run": others[-1]} if others else {}
    closed = (OWNER_FACTS.get(run.owner.kind) or FACTS[run.owner.kind]).run_closed
    world.emit(owner, closed(run=run_id, state=state, reason=reason, **still_open))
    free_room(world, context, run_id)
    fill_room(world, context)
    if run.owner.kind in OWNER_FACTS:
        settle_end(world, context, run.owner)
        start_waiting(world, context, run.owner)
    members = [row.job.job for row in run.rows.values() if row.job.job.kind in CONNECT_JOBS]
    world.need(job_stream(context.workspace, member) for member in members)
    for member in members:
        if member != run.owner:
            settle_end(world, context, member)


SPEC: Final = CommandSpec(
    name="AdvanceRun",
    command=AdvanceRun,
    streams=lambda command, context: [run_stream(context.workspace, command.run)],
    decide=decide,
    internal=True,
    summary="Record what happened in a run and begin what may begin",
)
