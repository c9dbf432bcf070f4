"""
Whose turn it is: one run of a job at a time, in the order of asking (SPEC decision 6, R46).

The first takes the job, the second waits, a third joins the one that waits and takes its result. All of it stands in
the job's own stream; what it means for another run is written into that run's stream in the same append.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from eventjobs.commands.context import Context
from eventjobs.commands.job_facts import TURNS
from eventjobs.commands.world import World
from eventjobs.domain.flow import Flow
from eventjobs.domain.job import Job
from eventjobs.domain.plan import NotRun
from eventjobs.domain.run import Row, State
from eventjobs.domain.streams import job_stream, run_stream
from eventjobs.events.run import JobRunEnded, JobRunWaiting, Ref
from eventjobs.events.service import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job run ends."""

    state: State
    reason: str | None = None
    detail: str | None = None
    counts: Mapping[str, int]
    output: Any = None


def take_turn(world: World, context: Context, run_id: str, row: Row) -> bool:
    """
    Ask for the row's job. Returns whether the row has it now.

    Where it is busy with another run the row waits or joins, which is recorded once; rows of one run take turns. A job
    that is not exclusive is had by everybody.
    """
    stream, facts = job_stream(context.workspace, row.job.job), TURNS[row.job.job.kind]
    job = world.job(row.job.job)
    turn = Turn(run=run_id, row=row.row)
    if job.holder == turn or not job.exclusive:
        return True
    if job.holder is None and job.waiting in (None, turn):
        world.emit(stream, facts.claimed(turn=turn))
        return True
    if row.state is not State.WAITING:
        _queue(world, context, job, turn, row)
    return False


def not_runnable(world: World, row: Row) -> str | None:
    """Return why the row's flow is not run any more although the run's snapshot holds it (R95)."""
    job = world.job(row.job.job)
    if not isinstance(job, Flow) or row.attempt:
        return None
    if not job.alive:
        return NotRun.FLOW_DELETED
    return None if job.active else NotRun.FLOW_INACTIVE


def is_free(world: World, row: Row) -> bool:
    """Tell whether the row's job may be had at once: nobody has it or waits for it, and it is run at all."""
    job = world.job(row.job.job)
    if not_runnable(world, row) is not None:
        return False
    return not job.exclusive or (job.holder is None and job.waiting is None)


def has_turn(world: World, run_id: str, row: Row) -> bool:
    """Tell whether the row has its job for itself, or needs not to."""
    job = world.job(row.job.job)
    return not job.exclusive or job.holder == Turn(run=run_id, row=row.row)


def _queue(world: World, context: Context, job: Job, turn: Turn, row: Row) -> None:
    if _has(job, turn.run):
        return
    stream, facts = job_stream(context.workspace, row.job.job), TURNS[row.job.job.kind]
    deadline = context.now + timedelta(seconds=row.job.policy.wait_timeout_s)
    holder = "" if job.holder is None else job.holder.run
    if job.waiting is None:
        world.emit(stream, facts.awaited(turn=turn, deadline=deadline))
        _tell(world, context, turn, holder, None, deadline)
    else:
        world.emit(stream, facts.joined(turn=turn, with_turn=job.waiting, deadline=deadline))
        _tell(world, context, turn, holder, job.waiting.run, deadline)


def _has(job: Job, run_id: str) -> bool:
    """Whether another row of the same run has, awaits or shares the job: the two take turns, they never join."""
    turns = (job.holder, job.waiting, *job.joined, *job.sharing)
    return any(turn is not None and turn.run == run_id for turn in turns)


def shares_turn(world: World, run_id: str, row: Row) -> bool:
    """Tell whether the row waits no longer: the job runs for it, in the turn that it joined."""
    return Turn(run=run_id, row=row.row) in world.job(row.job.job).sharing


def _tell(world: World, context: Context, turn: Turn, holder: str, joined: str | None, deadline: datetime) -> None:
    world.emit(
        run_stream(context.workspace, turn.run),
        JobRunWaiting(row=turn.row, holder=holder, joined=joined, deadline=deadline),
    )


def give_up_turn(world: World, context: Context, run_id: str, row: Row, ending: Ending) -> None:
    """
    Free the row's job, its place in the queue, or its share.

    Who joined takes the result of a turn that was used, and the place of one that was not; who waits is next.
    """
    turn = Turn(run=run_id, row=row.row)
    job = world.job(row.job.job)
    if job.holder == turn and row.attempt:
        _release_holder(world, context, job, row.job.job, turn, ending)
    elif job.holder == turn:
        _release_unused(world, context, job, row.job.job, turn)
    elif job.waiting == turn:
        _release_waiting(world, context, job, row, turn)
    elif turn in job.joined or turn in job.sharing:
        world.emit(job_stream(context.workspace, row.job.job), TURNS[row.job.job.kind].released(turn=turn))


def _release_holder(world: World, context: Context, job: Job, ref: Ref, turn: Turn, ending: Ending) -> None:
    stream, facts = job_stream(context.workspace, ref), TURNS[ref.kind]
    world.need(run_stream(context.workspace, other.run) for other in job.sharing)
    world.emit(stream, facts.released(turn=turn))
    for other in job.sharing:
        if not world.run(other.run).rows[other.row].ended:
            world.emit(
                run_stream(context.workspace, other.run),
                JobRunEnded(
                    row=other.row,
                    state=ending.state,
                    reason=ending.reason,
                    detail=ending.detail,
                    counts=ending.counts,
                    output=ending.output,
                    joined=turn.run,
                ),
            )
    if job.waiting is not None:
        world.emit(stream, facts.claimed(turn=job.waiting))


def _release_unused(world: World, context: Context, job: Job, ref: Ref, turn: Turn) -> None:
    """The turn had come and was not used: who joined has it now, else who waits."""
    stream, facts = job_stream(context.workspace, ref), TURNS[ref.kind]
    if not job.sharing:
        world.emit(stream, facts.released(turn=turn))
        if job.waiting is not None:
            world.emit(stream, facts.claimed(turn=job.waiting))
        return
    heir, *rest = job.sharing
    world.need(run_stream(context.workspace, other.run) for other in rest)
    world.emit(stream, facts.claimed(turn=heir))
    world.emit(stream, facts.released(turn=turn))
    for other in rest:
        _tell(world, context, other, heir.run, heir.run, _deadline(world, context, other))


def _release_waiting(world: World, context: Context, job: Job, row: Row, turn: Turn) -> None:
    stream, facts = job_stream(context.workspace, row.job.job), TURNS[row.job.job.kind]
    world.need(run_stream(context.workspace, other.run) for other in job.joined)
    world.emit(stream, facts.released(turn=turn))
    if not job.joined:
        return
    promoted, *rest = job.joined
    holder = "" if job.holder is None else job.holder.run
    deadline = _deadline(world, context, promoted)
    world.emit(stream, facts.awaited(turn=promoted, deadline=deadline))
    _tell(world, context, promoted, holder, None, deadline)
    for other in rest:
        _tell(world, context, other, holder, promoted.run, _deadline(world, context, other))


def _deadline(world: World, context: Context, turn: Turn) -> datetime:
    return world.run(turn.run).rows[turn.row].deadline or context.now
