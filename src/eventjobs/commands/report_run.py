"""
The runner's own: tell how a run of a group or of a single Connect job went, and where wanted its jobs (G64 to G69).

Who sends it gives what the log recorded: instants, who asked, who was to be told when the run opened. Whether anybody
is told and what of is decided here; each message is wanted once, whoever asks for it again.
"""

from datetime import date, datetime
from typing import Annotated, Final, cast

from pydantic import Field

from eventjobs.commands.context import Context
from eventjobs.commands.reporting import report_to
from eventjobs.commands.spec import CommandFields, CommandSpec, Id, RunId
from eventjobs.commands.world import World
from eventjobs.domain.expiry import days_left
from eventjobs.domain.notification_policy import NOBODY, Recipients, how_a_job_ended, how_it_ended, recipients
from eventjobs.domain.report import JobReport, RunReport, SucceededReport
from eventjobs.domain.run import ENDED, Row, Run, State
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.streams import job_stream, owner_stream, run_stream
from eventjobs.events.connect import Notification
from eventjobs.events.run import Ref


class JobTimes(CommandFields):
    """When the first try of a row began, and when the row ended."""

    row: int
    started_at: datetime | None = None
    ended_at: datetime


class MemberTold(CommandFields):
    """A job of a group that is told of besides: its row, and whom it told when the run opened (G66)."""

    row: int
    notification: Notification


class ReportRun(CommandFields):
    """
    A run that ended, and what the log recorded of it; `kind` is that of its owner's stream.

    `notification` is as it was when the run opened (G44), `by` who asked for it by hand, `failed_before` whether the
    last run before it that nobody stopped had failed.
    """

    kind: str
    id: Id
    run: RunId
    notification: Notification
    by: str | None = None
    ended_at: datetime
    failed_before: bool = False
    jobs: Annotated[tuple[JobTimes, ...], Field(max_length=1_000)] = ()
    members: Annotated[tuple[MemberTold, ...], Field(max_length=1_000)] = ()


def decide(command: ReportRun, world: World, context: Context) -> None:
    """Want the messages; nothing where the mode tells nobody of such an end, or they were wanted before."""
    run = world.run(command.run)
    if run.state not in ENDED:
        return
    told = recipients(command.notification, how_it_ended(run, recovered=command.failed_before))
    if told != NOBODY:
        report_to(world, context, told, _report(command, run, world, context))
    if run.state is State.SUCCEEDED and command.notification.on_success:
        hooks = Recipients(webhook=command.notification.on_success)
        report_to(world, context, hooks, _report(command, run, world, context, SucceededReport))
    for member in command.members:
        row = run.rows[member.row]
        told = recipients(member.notification, how_a_job_ended(run, row))
        if told != NOBODY:
            report_to(world, context, told, _member_report(command, run, row, world))


def _report(
    command: ReportRun, run: Run, world: World, context: Context, kind: type[RunReport] = RunReport
) -> RunReport:
    owner = world.called(command.kind, command.id)
    world.need(job_stream(context.workspace, row.job.job) for row in run.rows.values())
    present = cast(SlotOwner, world.owner(owner))
    times = {one.row: one for one in command.jobs}
    begun = [one.started_at for one in command.jobs if one.started_at is not None]
    return kind(
        owner=owner,
        name=present.name,
        time_zone=present.schedule.time_zone,
        run=command.run,
        state=run.state,
        reason=run.reason,
        cause=run.cause,
        by=command.by,
        due=run.due,
        started_at=min(begun, default=None),
        ended_at=command.ended_at,
        jobs=[_job(row, times.get(row.row), world) for row in run.rows.values()],
        next_due=None if present.next is None else present.next.due,
        expires_on=present.expires_on,
        days_left=_days_left(present, command.ended_at, world),
        recovered=command.failed_before and run.state is State.SUCCEEDED,
    )


def _member_report(command: ReportRun, run: Run, row: Row, world: World) -> RunReport:
    owner, times = row.job.job, next((one for one in command.jobs if one.row == row.row), None)
    present = cast(SlotOwner, world.owner(owner))
    ended_at = command.ended_at if times is None else times.ended_at
    return RunReport(
        owner=owner,
        name=present.name,
        time_zone=world.group(command.id).schedule.time_zone,
        run=command.run,
        group=command.id,
        row=row.row,
        state=row.state,
        reason=row.reason,
        cause=run.cause,
        by=command.by,
        due=run.due,
        started_at=None if times is None else times.started_at,
        ended_at=ended_at,
        jobs=[_job(row, times, world)],
        next_due=None if present.next is None else present.next.due,
        expires_on=present.expires_on,
        days_left=_days_left(present, ended_at, world),
    )


def _job(row: Row, times: JobTimes | None, world: World) -> JobReport:
    return JobReport(
        job=row.job.job,
        name=world.job(row.job.job).name,
        state=row.state,
        reason=row.reason,
        detail=row.detail,
        started_at=None if times is None else times.started_at,
        ended_at=None if times is None else times.ended_at,
        counts=row.counts,
    )


def _days_left(present: SlotOwner, ended_at: datetime, world: World) -> int | None:
    """Return how many days it has left, `None` where it never expires or has expired."""
    if present.expires_on is None or present.is_over(ended_at):
        return None
    return days_left(world.workspace().time_zone, date.fromisoformat(present.expires_on), ended_at)


SPEC: Final = CommandSpec(
    name="ReportRun",
    command=ReportRun,
    streams=lambda command, context: [
        run_stream(context.workspace, command.run),
        owner_stream(context.workspace, Ref(kind=command.kind, id=command.id)),
    ],
    decide=decide,
    internal=True,
    summary="Tell how a run of a group or of a single job went",
)
