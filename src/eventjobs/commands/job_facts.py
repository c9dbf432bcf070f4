"""Which facts a job of a kind has: what happens to services and flows is the same, and stands in their own streams."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from eventjobs.commands.context import Context
from eventjobs.commands.world import World
from eventjobs.domain.streams import CONNECT_JOBS, job_stream
from eventjobs.errors import Conflict
from eventjobs.events.flow import (
    FlowAttached,
    FlowAwaited,
    FlowClaimed,
    FlowDeleted,
    FlowDetached,
    FlowEdited,
    FlowJoined,
    FlowReleased,
    FlowRestored,
    FlowRunClosed,
    FlowRunOpened,
)
from eventjobs.events.job import JobAwaited, JobClaimed, JobJoined, JobReleased
from eventjobs.events.run import Ref
from eventjobs.events.service import (
    ServiceAttached,
    ServiceAwaited,
    ServiceClaimed,
    ServiceConfigured,
    ServiceDeleted,
    ServiceDetached,
    ServiceJoined,
    ServiceReleased,
    ServiceRestored,
    ServiceRunClosed,
    ServiceRunOpened,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFacts:
    """The facts of whose turn it is, by what happened."""

    claimed: type[ServiceClaimed | FlowClaimed | JobClaimed]
    awaited: type[ServiceAwaited | FlowAwaited | JobAwaited]
    joined: type[ServiceJoined | FlowJoined | JobJoined]
    released: type[ServiceReleased | FlowReleased | JobReleased]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFacts(TurnFacts):
    """The facts of one kind of job that schedules have in their tables, by what happened."""

    edited: type[ServiceConfigured | FlowEdited]
    deleted: type[ServiceDeleted | FlowDeleted]
    restored: type[ServiceRestored | FlowRestored]
    attached: type[ServiceAttached | FlowAttached]
    detached: type[ServiceDetached | FlowDetached]
    run_opened: type[ServiceRunOpened | FlowRunOpened]
    run_closed: type[ServiceRunClosed | FlowRunClosed]


FACTS: Final[Mapping[str, JobFacts]] = {
    "service": JobFacts(
        edited=ServiceConfigured,
        deleted=ServiceDeleted,
        restored=ServiceRestored,
        attached=ServiceAttached,
        detached=ServiceDetached,
        claimed=ServiceClaimed,
        awaited=ServiceAwaited,
        joined=ServiceJoined,
        released=ServiceReleased,
        run_opened=ServiceRunOpened,
        run_closed=ServiceRunClosed,
    ),
    "flow": JobFacts(
        edited=FlowEdited,
        deleted=FlowDeleted,
        restored=FlowRestored,
        attached=FlowAttached,
        detached=FlowDetached,
        claimed=FlowClaimed,
        awaited=FlowAwaited,
        joined=FlowJoined,
        released=FlowReleased,
        run_opened=FlowRunOpened,
        run_closed=FlowRunClosed,
    ),
}
"""The kinds of job that stand in job tables, with their facts."""
_OF_CONNECT: Final = TurnFacts(claimed=JobClaimed, awaited=JobAwaited, joined=JobJoined, released=JobReleased)
TURNS: Final[Mapping[str, TurnFacts]] = {**FACTS, **dict.fromkeys(CONNECT_JOBS, _OF_CONNECT)}
"""The facts of whose turn it is, for all kinds of job."""


def attach(world: World, context: Context, schedule_id: str, jobs: Iterable[Ref]) -> None:
    """Tell jobs that a schedule has them in its job table."""
    for job in _sorted(jobs):
        world.emit(job_stream(context.workspace, job), FACTS[job.kind].attached(schedule=schedule_id))


def detach(world: World, context: Context, schedule_id: str, jobs: Iterable[Ref]) -> None:
    """Tell jobs that a schedule has them in its job table no more."""
    for job in _sorted(jobs):
        world.emit(job_stream(context.workspace, job), FACTS[job.kind].detached(schedule=schedule_id))


def _sorted(jobs: Iterable[Ref]) -> list[Ref]:
    return sorted(set(jobs), key=lambda job: job.id)


def refuse_in_use(world: World, job: Ref) -> None:
    """Raise `Conflict` `in_use` with the schedules that have the job in their tables (R87)."""
    users = [{"kind": "schedule", "id": user} for user in sorted(world.job(job).users)]
    if users:
        raise in_use(job.id, users)


def in_use(job_id: str, users: Sequence[Mapping[str, str]]) -> Conflict:
    """The refusal for a job that schedules use, with the list of them."""
    return Conflict("in_use", f"{len(users)} schedules use {job_id!r}", extra={"users": users})


def refuse_taken(world: World, job: Ref) -> None:
    """Raise `Conflict` `id_taken` where a job of another kind has, or had, the id."""
    streams = {job_stream(world.workspace_id, Ref(kind=kind, id=job.id)) for kind in TURNS}
    others = sorted(streams - {job_stream(world.workspace_id, job)})
    world.need(others)
    for other in others:
        if world.state(other).exists:
            raise Conflict("id_taken", f"the id {job.id!r} is taken by a {other.kind}")
