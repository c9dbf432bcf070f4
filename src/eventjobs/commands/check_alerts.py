"""
The runner's own: see what is wrong with a schedule and what is well again, and want the messages that tell of it.

Who sends it gives the instants that the log recorded; what they mean is decided here, on the streams as they are. An
incident is raised once, whoever sees it: it is a fact in the stream of the schedule's incidents.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.commands.context import Context
from eventjobs.commands.halting import halts_of
from eventjobs.commands.notifying import message, request, to_all
from eventjobs.commands.spec import CommandFields, CommandSpec, Id, RunId
from eventjobs.commands.world import World
from eventjobs.domain.alarm import Kind, Seen, SeenMissed, SeenRun, SeenStart, Watch
from eventjobs.domain.halts import lasting
from eventjobs.domain.notification import Channel
from eventjobs.domain.run import Run, State
from eventjobs.domain.streams import alert_stream, run_stream, schedule_stream
from eventjobs.events.alert import AlertRaised, AlertRecovered
from eventjobs.events.run import Ref

LOOK_AGAIN: Final = timedelta(seconds=5)
"""How soon to look again whether a run that is stuck goes on: facts of progress wake nobody."""
HALTED: Final = timedelta(seconds=60)
"""How soon to look again whether starts are still halted."""
TOLD_JOBS: Final = 10
DETAIL_CHARS: Final = 500


class OpenRunFields(CommandFields):
    """An open run: when it opened, and when the log last told of progress in it."""

    run: RunId
    opened_at: datetime
    progressed_at: datetime


class StartFields(CommandFields):
    """The run of a due moment opened."""

    due: datetime
    run: RunId
    opened_at: datetime
    cause_detail: str | None = None


class MissedFields(CommandFields):
    """Due moments were missed, and no run stands for them."""

    first: datetime
    last: datetime
    count: int
    reason: str
    cadence_version: int


class CheckAlerts(CommandFields):
    """
    A schedule, and the recorded instants of what happened to it.

    `quiet_since`: since when a success is waited for, where `last_success` is its last one; `succeeded`: runs whose
    success is to be told to the heartbeat.
    """

    schedule: Id
    runs: tuple[OpenRunFields, ...] = ()
    started: tuple[StartFields, ...] = ()
    missed: tuple[MissedFields, ...] = ()
    quiet_since: datetime | None = None
    last_success: RunId | None = None
    succeeded: tuple[RunId, ...] = ()


def decide(command: CheckAlerts, world: World, context: Context) -> None:
    """End the incidents that are over, raise the new ones; the answer's `look_at` says when to look again."""
    incidents, name = alert_stream(context.workspace, command.schedule), command.schedule
    for ended in tuple(_watch(command, world, context).over(world.run)):
        raised = world.state(incidents).open[ended.incident]
        world.emit(incidents, ended)
        if isinstance(ended, AlertRecovered) and world.schedule(name).alerts.on_recovery:
            _tell(world, context, name, "alert.recovered", raised, _well(raised, ended, world))
    for raised in tuple(_watch(command, world, context).raised()):
        world.emit(incidents, raised)
        _tell(world, context, name, "alert.raised", raised, _wrong(raised, world))
    _beat(world, context, name, command.succeeded)
    world.answer["look_at"] = _look_at(_watch(command, world, context))


def _watch(command: CheckAlerts, world: World, context: Context) -> Watch:
    schedule = world.schedule(command.schedule)
    current = schedule.last_success == command.last_success
    return Watch(
        id=command.schedule,
        schedule=schedule,
        alert=world.state(alert_stream(context.workspace, command.schedule)),
        seen=Seen(
            runs={
                one.run: SeenRun(opened_at=one.opened_at, progressed_at=one.progressed_at)
                for one in command.runs
                if one.run in schedule.open_runs
            },
            started=[SeenStart(**dict(one)) for one in command.started],
            missed=[SeenMissed(**dict(one)) for one in command.missed],
            quiet_since=command.quiet_since if current else None,
        ),
        now=context.now,
        halted=lasting(halts_of(world, context, schedule), context.now) is not None,
    )


def _look_at(watch: Watch) -> datetime | None:
    instants = [watch.look_at()]
    if any(one.alert == Kind.STUCK for one in watch.alert.open.values()):
        instants.append(watch.now + LOOK_AGAIN)
    if watch.halted:
        instants.append(watch.now + HALTED)
    return min((instant for instant in instants if instant is not None), default=None)


def _tell(
    world: World, context: Context, schedule_id: str, kind: str, raised: AlertRaised, about: Mapping[str, Any]
) -> None:
    schedule = world.schedule(schedule_id)
    disabled = world.state(alert_stream(context.workspace, schedule_id)).disabled
    what = {
        "kind": kind,
        "subject": Ref(kind="schedule", id=schedule_id),
        "run": about["run"],
        "about": {"at": context.now, "description": schedule.description or None, **about},
    }
    key = (schedule_id, raised.incident, kind)
    request(world, context, ((key, one) for one in to_all(schedule.alerts, disabled, **what)))


def _wrong(raised: AlertRaised, world: World) -> Mapping[str, Any]:
    """Return what a message says of an incident."""
    failed = _failed_jobs(world.run(raised.run)) if raised.alert == Kind.FAILURES and raised.run else None
    return {
        "alert": raised.alert,
        "incident": raised.incident,
        "since": raised.since,
        "limit_s": raised.limit_s,
        "due": raised.due,
        "last": raised.last,
        "count": raised.count,
        "reason": raised.reason,
        "run": raised.run,
        "settled": raised.settled or None,
        "failed_jobs": failed,
    }


def _well(raised: AlertRaised, recovered: AlertRecovered, world: World) -> Mapping[str, Any]:
    run = world.run(recovered.run) if recovered.cause == "ended" and recovered.run else None
    return {
        "alert": raised.alert,
        "incident": raised.incident,
        "since": raised.since,
        "due": raised.due,
        "cause": recovered.cause,
        "run": recovered.run,
        "state": None if run is None else run.state,
    }


def _failed_jobs(run: Run) -> Sequence[Mapping[str, Any]]:
    return [
        {"job": row.job.job.id, "reason": row.reason, "detail": (row.detail or "")[:DETAIL_CHARS]}
        for row in run.rows.values()
        if row.state is State.FAILED
    ][:TOLD_JOBS]


def _beat(world: World, context: Context, schedule_id: str, runs: Sequence[str]) -> None:
    """Want the calls that tell an outside monitor of successes: many, where nobody watched for a while."""
    url = world.schedule(schedule_id).alerts.heartbeat
    if url is None or (Channel.HEARTBEAT, url) in world.state(alert_stream(context.workspace, schedule_id)).disabled:
        return
    world.need(run_stream(context.workspace, run) for run in runs)
    subject = Ref(kind="schedule", id=schedule_id)
    beats = [
        (
            (schedule_id, run, "heartbeat"),
            message(Channel.HEARTBEAT, url, kind="heartbeat", subject=subject, run=run, about={}),
        )
        for run in runs
        if world.run(run).state is State.SUCCEEDED
    ]
    request(world, context, beats)


SPEC: Final = CommandSpec(
    name="CheckAlerts",
    command=CheckAlerts,
    streams=lambda command, context: [
        schedule_stream(context.workspace, command.schedule),
        alert_stream(context.workspace, command.schedule),
    ],
    decide=decide,
    internal=True,
    summary="See what is wrong with a schedule, and what is well again",
)
