"""
How runs begin: the snapshot, and the answer to what is due.

Every due moment is answered once. The append names the owner's stream with its version and the occurrence's stream as
new, so no second answer can be written, by whomever.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from eventjobs.commands.context import Context
from eventjobs.commands.world import World
from eventjobs.domain.due import DueAnswer, Following, Span, answer_due
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.service import Service
from eventjobs.domain.streams import run_stream, schedule_stream, service_stream
from eventjobs.events.cadence import CatchUp
from eventjobs.events.run import Ref, RunMissed, RunOpened, RunSkipped, SnapshotJob
from eventjobs.events.schedule import (
    JobRow,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    ScheduleRunOpened,
)
from eventjobs.events.service import AttemptPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The occurrence that a run answers: why, its nominal instant, and the later ones that it covers."""

    cause: str
    cause_detail: str | None = None
    due: datetime | None = None
    covered: Span | None = None


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
            cadence_version=None if schedule is None or moment.due is None else schedule.cadence_version,
            missed_occurrences=0 if covered is None else covered.count,
            missed_first=None if covered is None else covered.first,
            missed_last=None if covered is None else covered.last,
        ),
    )


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


def settle_due(world: World, context: Context, schedule_id: str) -> None:
    """
    Answer every moment of a schedule that has passed, under the definition as it stands.

    Called by the ticker, and before any decision that changes the schedule, so that an edit never swallows a due
    moment.
    """
    schedule = world.schedule(schedule_id)
    if not schedule.active or schedule.next is None or schedule.next.due > context.now:
        return
    answer = answer_due(schedule.cadence, schedule.policies.timing, schedule.timing, schedule.next, context.now)
    if answer.missed is not None:
        after = answer.if_run if answer.runs is None else Following(state=schedule.timing, next=schedule.next)
        never = schedule.policies.timing.catch_up is CatchUp.NEVER
        reason = "catch_up_never" if never else "catch_up_window"
        _missed(world, context, schedule_id, answer.missed, reason, None, after)
    if answer.runs is None:
        return
    if schedule.open_run is not None:
        _skipped(world, context, schedule_id, answer, "overlap", schedule.open_run)
    else:
        _run(world, context, schedule_id, answer)


def _run(world: World, context: Context, schedule_id: str, answer: DueAnswer) -> None:
    assert answer.runs is not None  # noqa: S101 the caller looked
    version = world.schedule(schedule_id).cadence_version
    run_id = occurrence_id("schedule", schedule_id, version, answer.runs.due)
    moment = Moment(cause=answer.cause, cause_detail=answer.cause_detail, due=answer.runs.due, covered=answer.covered)
    open_schedule_run(world, context, schedule_id, run_id, moment, answer.if_run)
    if answer.covered is not None:
        _missed(world, context, schedule_id, answer.covered, "downtime", run_id, answer.if_run)


def _missed(
    world: World,
    context: Context,
    schedule_id: str,
    span: Span,
    reason: str,
    covered_by: str | None,
    after: Following,
) -> None:
    version = world.schedule(schedule_id).cadence_version
    owner = Ref(kind="schedule", id=schedule_id)
    if span.count == 1:
        stream = run_stream(context.workspace, occurrence_id("schedule", schedule_id, version, span.first))
        world.begin(stream)
        world.emit(stream, RunMissed(owner=owner, due=span.first, reason=reason, covered_by=covered_by))
    world.emit(
        schedule_stream(context.workspace, schedule_id),
        ScheduleOccurrencesMissed(
            reason=reason,
            count=span.count,
            first=span.first,
            last=span.last,
            anchor_day=span.anchor_day,
            cadence_version=version,
            covered_by=covered_by,
            timing=after.state,
            next=after.next,
        ),
    )


def _skipped(
    world: World, context: Context, schedule_id: str, answer: DueAnswer, reason: str, open_run: str | None
) -> None:
    assert answer.runs is not None  # noqa: S101 the caller looked
    schedule = world.schedule(schedule_id)
    due = answer.runs.due
    covered = answer.covered
    owner = Ref(kind="schedule", id=schedule_id)
    if covered is None:
        stream = run_stream(context.workspace, occurrence_id("schedule", schedule_id, schedule.cadence_version, due))
        world.begin(stream)
        world.emit(stream, RunSkipped(owner=owner, due=due, reason=reason, open_run=open_run))
    world.emit(
        schedule_stream(context.workspace, schedule_id),
        ScheduleOccurrencesSkipped(
            reason=reason,
            count=1 if covered is None else 1 + covered.count,
            first=due,
            last=due if covered is None else covered.last,
            anchor_day=due.day if covered is None else covered.anchor_day,
            cadence_version=schedule.cadence_version,
            open_run=open_run,
            timing=answer.if_skipped.state,
            next=answer.if_skipped.next,
        ),
    )
