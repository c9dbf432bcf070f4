"""How runs begin: the snapshot, and the first fact of the run beside that of its owner."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from eventjobs.commands.context import Context
from eventjobs.commands.job_facts import FACTS
from eventjobs.commands.owner_facts import OWNER_FACTS
from eventjobs.commands.qualifying import unqualified
from eventjobs.commands.room import free_room, take_room
from eventjobs.commands.world import World
from eventjobs.domain.due import Following, Span
from eventjobs.domain.group import Group
from eventjobs.domain.job import Job
from eventjobs.domain.owner import Owner
from eventjobs.domain.run import State
from eventjobs.domain.streams import job_stream, owner_stream, run_stream
from eventjobs.events.run import JobRunEnded, Ref, RunEnded, RunOpened, SnapshotJob
from eventjobs.events.schedule import JobRow
from eventjobs.events.service import AttemptPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """
    The occurrence that a run answers: why, its nominal instant, and the later ones that it covers.

    `cadence_version` is that of the instant, where it is not the owner's present one, `not_before` when its first
    jobs may begin, where that is not at once. A run by hand may resume another one, or stand for an instant that it
    does not answer.
    """

    cause: str
    cause_detail: str | None = None
    due: datetime | None = None
    covered: Span | None = None
    cadence_version: int | None = None
    not_before: datetime | None = None
    resumes: str | None = None
    stands_for: datetime | None = None


MANUAL = Moment(cause="manual")


def open_owner_run(
    world: World, context: Context, owner: Ref, run_id: str, moment: Moment, following: Following | None = None
) -> None:
    """Open a run of an owner on a snapshot of its job table; `following` is where its cadence stands afterwards."""
    present = world.owner(owner)
    jobs = snapshot(world, context, present.jobs or [JobRow(row=1, job=owner, seq=1)])
    if isinstance(present, Group):
        jobs = tuple(replace(job, required=member.required) for job, member in zip(jobs, present.members, strict=True))
    _open(world, context, run_id, owner, jobs, moment, present)
    world.emit(
        owner_stream(context.workspace, owner),
        OWNER_FACTS[owner.kind].run_opened(
            run=run_id,
            cause=moment.cause,
            cause_detail=moment.cause_detail,
            due=moment.due,
            timing=None if following is None else following.state,
            next=None if following is None else following.next,
            stands_for=moment.stands_for,
        ),
    )
    if isinstance(present, Group) and moment.resumes is None:
        preflight(world, context, owner, run_id)


def preflight(world: World, context: Context, owner: Ref, run_id: str) -> None:
    """
    End a run of a group at once, with nothing started, if a member does not qualify any more (G23).

    Members that a resumed run carries are not asked; what is left of it can be resumed again.
    """
    left = [row.row for row in world.run(run_id).rows.values() if not row.ended]
    found = unqualified(owner.id, world.group(owner.id), world, context)
    bad = {place + 1: reasons for place, _, reasons in found if place + 1 in left}
    if not bad:
        return
    stream = run_stream(context.workspace, run_id)
    for number in left:
        detail = f"it does not qualify: {bad[number]}" if number in bad else None
        ended = JobRunEnded(row=number, state=State.SKIPPED, reason="preflight_failed", detail=detail, counts={})
        world.emit(stream, ended)
    counts = dict(Counter(str(row.state) for row in world.run(run_id).rows.values()))
    world.emit(stream, RunEnded(state=State.FAILED, reason="not_qualified", counts=counts))
    others = [other for other in world.owner(owner).open_runs if other != run_id]
    closed = OWNER_FACTS[owner.kind].run_closed(
        run=run_id, state=State.FAILED, reason="not_qualified", open_run=others[-1] if others else None
    )
    world.emit(owner_stream(context.workspace, owner), closed)
    free_room(world, context, run_id)


def _open(
    world: World,
    context: Context,
    run_id: str,
    owner: Ref,
    jobs: tuple[SnapshotJob, ...],
    moment: Moment,
    present: Owner | None,
) -> None:
    stream = run_stream(context.workspace, run_id)
    world.begin(stream)
    covered = moment.covered
    world.emit(
        stream,
        RunOpened(
            owner=owner,
            cause=moment.cause,
            cause_detail=moment.cause_detail,
            due=moment.due,
            term=1,
            instance=context.instance,
            on_failure="continue" if present is None else present.policies.on_failure,
            jobs=jobs,
            cadence_version=_cadence_version(moment, present),
            missed_occurrences=0 if covered is None else covered.count,
            missed_first=None if covered is None else covered.first,
            missed_last=None if covered is None else covered.last,
            not_before=moment.not_before,
            resumes=moment.resumes,
            stands_for=moment.stands_for,
        ),
    )
    take_room(world, context, run_id, owner)


def _cadence_version(moment: Moment, present: Owner | None) -> int | None:
    if present is None or moment.due is None:
        return None
    return moment.cadence_version or present.cadence_version


def open_job_run(world: World, context: Context, job: Ref, run_id: str, moment: Moment = MANUAL) -> None:
    """Open the run of a single job, in its own stream and the run's."""
    row = JobRow(row=1, job=job, seq=1)
    _open(world, context, run_id, job, snapshot(world, context, [row]), moment, None)
    world.emit(job_stream(context.workspace, job), FACTS[job.kind].run_opened(run=run_id, cause=moment.cause))


def snapshot(world: World, context: Context, rows: Iterable[JobRow]) -> tuple[SnapshotJob, ...]:
    """Fix the jobs, their order, flags and definitions as they are now (R44)."""
    rows = tuple(rows)
    world.need(job_stream(context.workspace, row.job) for row in rows)
    return tuple(fixed(row, world.job(row.job)) for row in rows)


def fixed(row: JobRow, job: Job) -> SnapshotJob:
    """Fix one row with its job's definition as it is now."""
    return SnapshotJob(
        row=row.row,
        job=row.job,
        seq=row.seq,
        skip_wait=row.skip_wait,
        handler=job.handler,
        config=job.config,
        policy=_overridden(job.policy, row),
        version=job.definition_version,
        input=row.input,
    )


def _overridden(policy: AttemptPolicy, row: JobRow) -> AttemptPolicy:
    return replace(
        policy,
        attempts=row.attempts or policy.attempts,
        timeout_s=row.timeout_s or policy.timeout_s,
        wait_timeout_s=row.wait_timeout_s or policy.wait_timeout_s,
        delivery=row.delivery or policy.delivery,
    )
