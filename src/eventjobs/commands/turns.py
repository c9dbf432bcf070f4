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
from eventjobs.commands.world import World
from eventjobs.domain.run import Row, State
from eventjobs.domain.service import Service
from eventjobs.domain.streams import run_stream, service_stream
from eventjobs.events.run import JobRunEnded, JobRunWaiting
from eventjobs.events.service import (
    ServiceAwaited,
    ServiceClaimed,
    ServiceJoined,
    ServiceReleased,
    Turn,
)


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

    Where it is busy with another run the row waits or joins, which is recorded once; rows of one run take turns.
    """
    stream = service_stream(context.workspace, row.job.job.id)
    service = world.service(row.job.job.id)
    turn = Turn(run=run_id, row=row.row)
    if service.holder == turn:
        return True
    if service.holder is None and service.waiting in (None, turn):
        world.emit(stream, ServiceClaimed(turn=turn))
        return True
    if row.state is not State.WAITING:
        _queue(world, context, service, turn, row)
    return False


def is_free(world: World, row: Row) -> bool:
    """Tell whether nobody has the row's job, nor waits for it."""
    service = world.service(row.job.job.id)
    return service.holder is None and service.waiting is None


def has_turn(world: World, run_id: str, row: Row) -> bool:
    """Tell whether the row has its job for itself."""
    return world.service(row.job.job.id).holder == Turn(run=run_id, row=row.row)


def _queue(world: World, context: Context, service: Service, turn: Turn, row: Row) -> None:
    if _has(service, turn.run):
        return
    stream = service_stream(context.workspace, row.job.job.id)
    deadline = context.now + timedelta(seconds=row.job.policy.wait_timeout_s)
    holder = "" if service.holder is None else service.holder.run
    if service.waiting is None:
        world.emit(stream, ServiceAwaited(turn=turn, deadline=deadline))
        _tell(world, context, turn, holder, None, deadline)
    else:
        world.emit(stream, ServiceJoined(turn=turn, with_turn=service.waiting, deadline=deadline))
        _tell(world, context, turn, holder, service.waiting.run, deadline)


def _has(service: Service, run_id: str) -> bool:
    """Whether another row of the same run has, awaits or shares the job: the two take turns, they never join."""
    turns = (service.holder, service.waiting, *service.joined, *service.sharing)
    return any(turn is not None and turn.run == run_id for turn in turns)


def shares_turn(world: World, run_id: str, row: Row) -> bool:
    """Tell whether the row waits no longer: the job runs for it, in the turn that it joined."""
    return Turn(run=run_id, row=row.row) in world.service(row.job.job.id).sharing


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
    service = world.service(row.job.job.id)
    if service.holder == turn and row.attempt:
        _release_holder(world, context, service, row.job.job.id, turn, ending)
    elif service.holder == turn:
        _release_unused(world, context, service, row.job.job.id, turn)
    elif service.waiting == turn:
        _release_waiting(world, context, service, row, turn)
    elif turn in service.joined or turn in service.sharing:
        world.emit(service_stream(context.workspace, row.job.job.id), ServiceReleased(turn=turn))


def _release_holder(
    world: World, context: Context, service: Service, service_id: str, turn: Turn, ending: Ending
) -> None:
    stream = service_stream(context.workspace, service_id)
    world.need(run_stream(context.workspace, other.run) for other in service.sharing)
    world.emit(stream, ServiceReleased(turn=turn))
    for other in service.sharing:
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
    if service.waiting is not None:
        world.emit(stream, ServiceClaimed(turn=service.waiting))


def _release_unused(world: World, context: Context, service: Service, service_id: str, turn: Turn) -> None:
    """The turn had come and was not used: who joined has it now, else who waits."""
    stream = service_stream(context.workspace, service_id)
    if not service.sharing:
        world.emit(stream, ServiceReleased(turn=turn))
        if service.waiting is not None:
            world.emit(stream, ServiceClaimed(turn=service.waiting))
        return
    heir, *rest = service.sharing
    world.need(run_stream(context.workspace, other.run) for other in rest)
    world.emit(stream, ServiceClaimed(turn=heir))
    world.emit(stream, ServiceReleased(turn=turn))
    for other in rest:
        _tell(world, context, other, heir.run, heir.run, _deadline(world, context, other))


def _release_waiting(world: World, context: Context, service: Service, row: Row, turn: Turn) -> None:
    stream = service_stream(context.workspace, row.job.job.id)
    world.need(run_stream(context.workspace, other.run) for other in service.joined)
    world.emit(stream, ServiceReleased(turn=turn))
    if not service.joined:
        return
    promoted, *rest = service.joined
    holder = "" if service.holder is None else service.holder.run
    deadline = _deadline(world, context, promoted)
    world.emit(stream, ServiceAwaited(turn=promoted, deadline=deadline))
    _tell(world, context, promoted, holder, None, deadline)
    for other in rest:
        _tell(world, context, other, holder, promoted.run, _deadline(world, context, other))


def _deadline(world: World, context: Context, turn: Turn) -> datetime:
    return world.run(turn.run).rows[turn.row].deadline or context.now
