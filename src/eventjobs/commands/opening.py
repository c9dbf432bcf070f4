"""How runs begin: the snapshot, and the first fact of the run beside that of its owner."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from eventjobs.commands.context import Context
from eventjobs.commands.room import take_room
from eventjobs.commands.world import World
from eventjobs.domain.due import Following, Span
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.service import Service
from eventjobs.domain.streams import run_stream, schedule_stream, service_stream
from eventjobs.events.run import Ref, RunOpened, SnapshotJob
from eventjobs.events.schedule import JobRow, ScheduleRunOpened
from eventjobs.events.service import AttemptPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """
    The occurrence that a run answers: why, its nominal instant, and the later ones that it covers.

    `cadence_version` is that of the instant, where it is not the schedule's present one.
    """

    cause: str
    cause_detail: str | None = None
    due: datetime | None = None
    covered: Span | None = None
    cadence_version: int | None = None


MANUAL = Moment(cause="manual")


def open_schedule_run(
    world: World, context: Context, schedule_id: str, run_id: str, moment: Moment, following: Following | None = None
) -> None:
    """Open a run of a schedule on a snapshot of its job table; `following` is where its cadence stands afterwards."""
    schedule = world.schedule(schedule_id)
    jobs = snapshot(world, context, schedule.jobs)
    owner = Ref(kind="schedule", id=schedule_id)
    _open(world, context, run_id, owner, jobs, moment, schedule)
    world.emit(
        schedule_stream(context.workspace, schedule_id),
        ScheduleRunOpened(
            run=run_id,
            cause=moment.cause,
            cause_detail=moment.cause_detail,
            due=moment.due,
            timing=None if following is None else following.state,
            next=None if following is None else following.next,
        ),
    )


def _open(
    world: World,
    context: Context,
    run_id: str,
    owner: Ref,
    jobs: tuple[SnapshotJob, ...],
    moment: Moment,
    schedule: Schedule | None,
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
            on_failure="continue" if schedule is None else schedule.policies.on_failure,
            jobs=jobs,
            cadence_version=_cadence_version(moment, schedule),
            missed_occurrences=0 if covered is None else covered.count,
            missed_first=None if covered is None else covered.first,
            missed_last=None if covered is None else covered.last,
        ),
    )
    take_room(world, context, run_id, owner)


def _cadence_version(moment: Moment, schedule: Schedule | None) -> int | None:
    if schedule is None or moment.due is None:
        return None
    return moment.cadence_version or schedule.cadence_version


def open_service_run(world: World, context: Context, service_id: str, run_id: str) -> None:
    """Open the run of a single service; the caller records it in the service's stream."""
    row = JobRow(row=1, job=Ref(kind="service", id=service_id), seq=1)
    _open(world, context, run_id, row.job, snapshot(world, context, [row]), MANUAL, None)


def snapshot(world: World, context: Context, rows: Iterable[JobRow]) -> tuple[SnapshotJob, ...]:
    """Fix the jobs, their order, flags and definitions as they are now (R44)."""
    rows = tuple(rows)
    world.need(service_stream(context.workspace, row.job.id) for row in rows)
    return tuple(_fixed(row, world.service(row.job.id)) for row in rows)


def _fixed(row: JobRow, service: Service) -> SnapshotJob:
    return SnapshotJob(
        row=row.row,
        job=row.job,
        seq=row.seq,
        skip_wait=row.skip_wait,
        handler=service.handler,
        config=service.config,
        policy=_overridden(service.policy, row),
        version=service.definition_version,
    )


def _overridden(policy: AttemptPolicy, row: JobRow) -> AttemptPolicy:
    return replace(
        policy,
        attempts=row.attempts or policy.attempts,
        timeout_s=row.timeout_s or policy.timeout_s,
        wait_timeout_s=row.wait_timeout_s or policy.wait_timeout_s,
        delivery=row.delivery or policy.delivery,
    )
