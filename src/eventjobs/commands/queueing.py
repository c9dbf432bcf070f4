"""
Due moments that wait for their owner's open runs, or for room (SPEC decisions 3 and 13).

The queue stands in the owner's stream. The append that closes a run also opens the next one that waits, so nobody has
to notice, and no moment is answered twice: it is out of the queue by the same fact that opens, skips or misses it.
"""

from datetime import timedelta

from eventjobs.commands.context import Context
from eventjobs.commands.halting import halts_of
from eventjobs.commands.managing import is_off
from eventjobs.commands.opening import Moment, open_owner_run
from eventjobs.commands.owner_facts import OWNER_FACTS
from eventjobs.commands.room import delay, first_delayed, give_up, has_room
from eventjobs.commands.world import World
from eventjobs.domain.due import Span
from eventjobs.domain.halts import HELD, lasting
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.overlap import LIMIT, may_open
from eventjobs.domain.owner import Owner, Waiting
from eventjobs.domain.reference import ON_TIME
from eventjobs.domain.run import StopMode
from eventjobs.domain.schedule import BACKFILL, Schedule
from eventjobs.domain.streams import owner_stream, run_stream
from eventjobs.events.run import Ref, RunMissed, RunSkipped, RunStopRequested
from eventjobs.events.schedule import ScheduleBackfillStopped


def start_waiting(world: World, context: Context, owner: Ref) -> None:
    """
    Open the next waiting moment's run if the owner is free.

    One that may not start any more leaves the queue: in a halt, or where its owner has expired, it is skipped, past an
    explicit catch-up window it is missed. Without room in the workspace it waits on.
    """
    while True:
        present = world.owner(owner)
        if not present.waiting:
            _go_on_with_backfill(world, context, owner)
            return
        if not _is_free(present, context):
            return
        waiting = present.waiting[0]
        halt = lasting(halts_of(world, context, present), context.now)
        if present.is_over(context.now):
            drop(world, context, owner, waiting, "skipped", "expired")
        elif halt is not None:
            drop(world, context, owner, waiting, "skipped", halt.reason)
        elif _is_too_late(present, waiting, context):
            drop(world, context, owner, waiting, "missed", "catch_up_window")
        elif not has_room(world, context):
            name = None if waiting.reason == LIMIT else _name(owner, waiting)
            delay(world, context, owner, waiting.due, name)
            return
        else:
            _open(world, context, owner, waiting)


def _go_on_with_backfill(world: World, context: Context, owner: Ref) -> None:
    """Open the run of a backfill's next moment where the schedule has no run; what refuses one by hand ends it."""
    if owner.kind != "schedule":
        return
    schedule = world.schedule(owner.id)
    backfill = schedule.backfill
    if backfill is None or schedule.open_runs:
        return
    reason = _ends_backfill(world, context, schedule)
    if reason is not None:
        stopped = ScheduleBackfillStopped(backfill=backfill.id, reason=reason, left=len(backfill.moments))
        world.emit(owner_stream(context.workspace, owner), stopped)
        return
    first = backfill.moments[0]
    if not has_room(world, context):
        delay(world, context, owner, first)
        return
    moment = Moment(cause="manual", cause_detail=BACKFILL, stands_for=first)
    open_owner_run(world, context, owner, context.ids.new(), moment)


def _ends_backfill(world: World, context: Context, schedule: Schedule) -> str | None:
    holds = (halt for halt in halts_of(world, context, schedule) if halt.reason == HELD)
    if lasting(holds, context.now) is not None:
        return HELD
    if not schedule.jobs:
        return "no_jobs"
    return "feature_off" if is_off(schedule, world) else None


def fill_room(world: World, context: Context) -> None:
    """Let those start who wait for room in the workspace, as long as there is some, the first first."""
    while (owner := first_delayed(world, context)) is not None:
        before = len(world.owner(owner).open_runs)
        start_waiting(world, context, owner)
        if len(world.owner(owner).open_runs) == before:
            give_up(world, context, owner)


def _is_free(present: Owner, context: Context) -> bool:
    limit = context.limits.runs_per_owner
    return may_open(present.policies.overlap, open_runs=len(present.open_runs), limit=limit)


def _is_too_late(present: Owner, waiting: Waiting, context: Context) -> bool:
    window = present.policies.timing.catch_up_window_s
    return window is not None and context.now - waiting.due > max(timedelta(seconds=window), ON_TIME)


def _open(world: World, context: Context, owner: Ref, waiting: Waiting) -> None:
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
    open_owner_run(world, context, owner, _name(owner, waiting), moment)


def drop_all(world: World, context: Context, owner: Ref, reason: str) -> None:
    """Skip everything that waits: the owner has no runs of its own accord any more."""
    for waiting in world.owner(owner).waiting:
        drop(world, context, owner, waiting, "skipped", reason)


def drop(world: World, context: Context, owner: Ref, waiting: Waiting, outcome: str, reason: str) -> None:
    """Take a moment out of the queue, `skipped` or `missed`."""
    open_run = world.owner(owner).open_run if reason == "overlap" else None
    stream = run_stream(context.workspace, _name(owner, waiting))
    world.begin(stream)
    if outcome == "missed":
        world.emit(stream, RunMissed(owner=owner, due=waiting.due, reason=reason))
    else:
        world.emit(stream, RunSkipped(owner=owner, due=waiting.due, reason=reason, open_run=open_run))
    world.emit(
        owner_stream(context.workspace, owner),
        OWNER_FACTS[owner.kind].dropped(
            due=waiting.due,
            cadence_version=waiting.cadence_version,
            outcome=outcome,
            reason=reason,
            open_run=open_run,
        ),
    )


def stop_open_runs(world: World, context: Context, owner: Ref, displaced_by: str | None = None) -> None:
    """Ask every open run of an owner to stop at once, unless it was asked already."""
    runs = world.owner(owner).open_runs
    world.need(run_stream(context.workspace, run_id) for run_id in runs)
    for run_id in runs:
        if world.run(run_id).stop is not StopMode.NOW:
            stop = RunStopRequested(mode=StopMode.NOW, displaced_by=displaced_by)
            world.emit(run_stream(context.workspace, run_id), stop)


def _name(owner: Ref, waiting: Waiting) -> str:
    return occurrence_id(owner.kind, owner.id, waiting.cadence_version, waiting.due)
