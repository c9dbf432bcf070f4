"""
Due moments that wait for their owner's open runs, or for room (SPEC decisions 3 and 13).

The queue stands in the owner's stream. The append that closes a run also opens the next one that waits, so nobody has
to notice, and no moment is answered twice: it is out of the queue by the same fact that opens, skips or misses it.
"""

from datetime import timedelta

from eventjobs.commands.context import Context
from eventjobs.commands.halting import halts_of
from eventjobs.commands.opening import Moment, open_schedule_run
from eventjobs.commands.room import delay, first_delayed, give_up, has_room
from eventjobs.commands.world import World
from eventjobs.domain.due import Span
from eventjobs.domain.halts import lasting
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.overlap import may_open
from eventjobs.domain.reference import ON_TIME
from eventjobs.domain.run import StopMode
from eventjobs.domain.schedule import Schedule, Waiting
from eventjobs.domain.streams import run_stream, schedule_stream
from eventjobs.events.run import Ref, RunMissed, RunSkipped, RunStopRequested
from eventjobs.events.schedule import ScheduleOccurrenceDropped


def start_waiting(world: World, context: Context, schedule_id: str) -> None:
    """
    Open the next waiting moment's run if the owner is free.

    One that may not start any more leaves the queue: in a halt it is skipped, past an explicit catch-up window it is
    missed. Without room in the workspace it waits on.
    """
    while True:
        schedule = world.schedule(schedule_id)
        if not schedule.waiting or not _is_free(schedule, context):
            return
        waiting = schedule.waiting[0]
        halt = lasting(halts_of(world, context, schedule), context.now)
        if halt is not None:
            drop(world, context, schedule_id, waiting, "skipped", halt.reason)
        elif _is_too_late(schedule, waiting, context):
            drop(world, context, schedule_id, waiting, "missed", "catch_up_window")
        elif not has_room(world, context):
            delay(world, context, Ref(kind="schedule", id=schedule_id), waiting.due)
            return
        else:
            _open(world, context, schedule_id, waiting)


def fill_room(world: World, context: Context) -> None:
    """Let those start who wait for room in the workspace, as long as there is some, the first first."""
    while (owner := first_delayed(world, context)) is not None:
        before = len(world.schedule(owner.id).open_runs)
        start_waiting(world, context, owner.id)
        if len(world.schedule(owner.id).open_runs) == before:
            give_up(world, context, owner)


def _is_free(schedule: Schedule, context: Context) -> bool:
    limit = context.limits.runs_per_owner
    return may_open(schedule.policies.overlap, open_runs=len(schedule.open_runs), limit=limit)


def _is_too_late(schedule: Schedule, waiting: Waiting, context: Context) -> bool:
    window = schedule.policies.timing.catch_up_window_s
    return window is not None and context.now - waiting.due > max(timedelta(seconds=window), ON_TIME)


def _open(world: World, context: Context, schedule_id: str, waiting: Waiting) -> None:
    covered = None
    if waiting.missed_first is not None and waiting.missed_last is not None:
        covered = Span(count=waiting.missed_occurrences, first=waiting.missed_first, last=waiting.missed_last)
    moment = Moment(
        cause=waiting.cause,
        cause_detail=waiting.cause_detail,
        due=waiting.due,
        covered=covered,
        cadence_version=waiting.cadence_version,
    )
    open_schedule_run(world, context, schedule_id, _name(schedule_id, waiting), moment)


def drop_all(world: World, context: Context, schedule_id: str, reason: str) -> None:
    """Skip everything that waits: the owner has no runs of its own accord any more."""
    for waiting in world.schedule(schedule_id).waiting:
        drop(world, context, schedule_id, waiting, "skipped", reason)


def drop(world: World, context: Context, schedule_id: str, waiting: Waiting, outcome: str, reason: str) -> None:
    """Take a moment out of the queue, `skipped` or `missed`."""
    open_run = world.schedule(schedule_id).open_run if reason == "overlap" else None
    stream = run_stream(context.workspace, _name(schedule_id, waiting))
    owner = Ref(kind="schedule", id=schedule_id)
    world.begin(stream)
    if outcome == "missed":
        world.emit(stream, RunMissed(owner=owner, due=waiting.due, reason=reason))
    else:
        world.emit(stream, RunSkipped(owner=owner, due=waiting.due, reason=reason, open_run=open_run))
    world.emit(
        schedule_stream(context.workspace, schedule_id),
        ScheduleOccurrenceDropped(
            due=waiting.due,
            cadence_version=waiting.cadence_version,
            outcome=outcome,
            reason=reason,
            open_run=open_run,
        ),
    )


def stop_open_runs(world: World, context: Context, schedule_id: str, displaced_by: str) -> None:
    """Ask every open run of a schedule to stop at once, unless it was asked already."""
    runs = world.schedule(schedule_id).open_runs
    world.need(run_stream(context.workspace, run_id) for run_id in runs)
    for run_id in runs:
        if world.run(run_id).stop is not StopMode.NOW:
            stop = RunStopRequested(mode=StopMode.NOW, displaced_by=displaced_by)
            world.emit(run_stream(context.workspace, run_id), stop)


def _name(schedule_id: str, waiting: Waiting) -> str:
    return occurrence_id("schedule", schedule_id, waiting.cadence_version, waiting.due)
