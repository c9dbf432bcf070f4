"""
The answer to what is due of a schedule.

Every due moment is answered once. The append names the owner's stream with its version and the occurrence's stream as
new, so no second answer can be written, by whomever.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from eventjobs.commands.context import Context
from eventjobs.commands.halting import halts_of
from eventjobs.commands.opening import Moment, open_schedule_run
from eventjobs.commands.queueing import drop, fill_room, start_waiting, stop_open_runs
from eventjobs.commands.room import delay, has_room
from eventjobs.commands.world import World
from eventjobs.domain.due import DueAnswer, Following, Span, answer_due
from eventjobs.domain.halts import lasting
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.overlap import LIMIT, QUEUE_MAX, Meeting, meet
from eventjobs.domain.streams import run_stream, schedule_stream
from eventjobs.events.cadence import CatchUp, NextDue
from eventjobs.events.recorded import Event
from eventjobs.events.run import Ref, RunMissed, RunSkipped
from eventjobs.events.schedule import (
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    ScheduleUnpaused,
)


def settle_due(world: World, context: Context, schedule_id: str) -> None:
    """
    Answer every moment of a schedule that has passed, under the definition as it stands.

    Called by the ticker, and before any decision that changes the schedule, so that an edit never swallows a due
    moment. A pause whose end has come is over by then, also in the log.
    """
    schedule = world.schedule(schedule_id)
    if schedule.active and schedule.next is not None and schedule.next.due <= context.now:
        _answer(world, context, schedule_id, schedule.next)
    if schedule.pause is not None and schedule.pause.ends_by(context.now):
        world.emit(schedule_stream(context.workspace, schedule_id), ScheduleUnpaused(cause="until"))


def _answer(world: World, context: Context, schedule_id: str, due: NextDue) -> None:
    schedule = world.schedule(schedule_id)
    halts = halts_of(world, context, schedule)
    timing = schedule.policies.timing
    answer = answer_due(schedule.cadence, timing, schedule.timing, due, context.now, halts=halts)
    _pass(world, context, schedule_id, answer)
    if answer.runs is None:
        return
    halt = lasting(halts, context.now)
    if halt is not None:  # it fell due before the halt, and nothing may start now
        _skip(world, context, schedule_id, answer, halt.reason)
    else:
        _start(world, context, schedule_id, answer)


def _pass(world: World, context: Context, schedule_id: str, answer: DueAnswer) -> None:
    """Record what went by before a run, or without one: only the last fact of all moves the cadence."""
    schedule = world.schedule(schedule_id)
    stays = Following(state=schedule.timing, next=schedule.next)
    never = schedule.policies.timing.catch_up is CatchUp.NEVER
    reason = "catch_up_never" if never else "catch_up_window"
    passed: list[tuple[Span, str | None]] = [(span, None) for span in answer.missed_spans]
    passed += [(halted.span, halted.reason) for halted in answer.halted]
    passed.sort(key=lambda one: one[0].first)
    for place, (span, halted) in enumerate(passed, 1):
        after = answer.if_run if answer.runs is None and place == len(passed) else stays
        if halted is None:
            _missed(world, context, schedule_id, span, reason, None, after)
        else:
            _skipped(world, context, schedule_id, span, halted, None, after)


def _start(world: World, context: Context, schedule_id: str, answer: DueAnswer) -> None:
    """Open the run, or do what the overlap policy says about those before it."""
    schedule, limits = world.schedule(schedule_id), context.limits
    match meet(
        schedule.policies.overlap,
        open_runs=len(schedule.open_runs),
        waiting=len(schedule.waiting),
        limit=limits.runs_per_owner,
    ):
        case Meeting.OPEN if has_room(world, context):
            _run(world, context, schedule_id, answer)
            fill_room(world, context)  # the limits may have been raised
            start_waiting(world, context, schedule_id)
        case Meeting.OPEN if len(schedule.waiting) < QUEUE_MAX:
            due = _queue(world, context, schedule_id, answer, LIMIT, limits.runs_per_workspace)
            delay(world, context, Ref(kind="schedule", id=schedule_id), due)
        case Meeting.OPEN:
            _skip(world, context, schedule_id, answer, Meeting.QUEUE_FULL)
        case Meeting.OWNER_LIMIT as reason:
            _queue(world, context, schedule_id, answer, reason, limits.runs_per_owner)
        case Meeting.QUEUE:
            _queue(world, context, schedule_id, answer)
        case Meeting.DISPLACE:
            for waiting in schedule.waiting:
                drop(world, context, schedule_id, waiting, "skipped", "overlap")
            stop_open_runs(world, context, schedule_id, _occurrence(world, schedule_id, answer))
            _queue(world, context, schedule_id, answer)
        case Meeting.OVERLAP | Meeting.QUEUE_FULL as reason:
            _skip(world, context, schedule_id, answer, reason)


def _occurrence(world: World, schedule_id: str, answer: DueAnswer) -> str:
    assert answer.runs is not None  # noqa: S101 the callers looked
    return occurrence_id("schedule", schedule_id, world.schedule(schedule_id).cadence_version, answer.runs.due)


def _run(world: World, context: Context, schedule_id: str, answer: DueAnswer) -> None:
    assert answer.runs is not None  # noqa: S101 the caller looked
    run_id = _occurrence(world, schedule_id, answer)
    moment = Moment(cause=answer.cause, cause_detail=answer.cause_detail, due=answer.runs.due, covered=answer.covered)
    open_schedule_run(world, context, schedule_id, run_id, moment, answer.if_run)
    for span in answer.covered_spans:
        _missed(world, context, schedule_id, span, "downtime", run_id, answer.if_run)


def _queue(
    world: World,
    context: Context,
    schedule_id: str,
    answer: DueAnswer,
    reason: str = Meeting.OVERLAP,
    limit: int | None = None,
) -> datetime:
    """Let it wait. What waits never re-anchors, so the cadence goes on as if it were skipped."""
    assert answer.runs is not None  # noqa: S101 the caller looked
    schedule, covered = world.schedule(schedule_id), answer.covered
    run_id = _occurrence(world, schedule_id, answer)
    world.emit(
        schedule_stream(context.workspace, schedule_id),
        ScheduleOccurrenceQueued(
            due=answer.runs.due,
            cadence_version=schedule.cadence_version,
            cause=answer.cause,
            cause_detail=answer.cause_detail,
            reason=reason,
            open_run=schedule.open_run,
            limit=limit,
            missed_occurrences=0 if covered is None else covered.count,
            missed_first=None if covered is None else covered.first,
            missed_last=None if covered is None else covered.last,
            timing=answer.if_skipped.state,
            next=answer.if_skipped.next,
        ),
    )
    for span in answer.covered_spans:
        _missed(world, context, schedule_id, span, "downtime", run_id, answer.if_skipped)
    return answer.runs.due


def _skip(world: World, context: Context, schedule_id: str, answer: DueAnswer, reason: str) -> None:
    open_run = world.schedule(schedule_id).open_run if reason in (Meeting.OVERLAP, Meeting.QUEUE_FULL) else None
    for span in answer.skippable:
        _skipped(world, context, schedule_id, span, reason, open_run, answer.if_skipped)


def _missed(
    world: World,
    context: Context,
    schedule_id: str,
    span: Span,
    reason: str,
    covered_by: str | None,
    after: Following,
) -> None:
    alone = partial(RunMissed, reason=reason, covered_by=covered_by)
    together = partial(ScheduleOccurrencesMissed, reason=reason, covered_by=covered_by)
    _not_run(world, context, schedule_id, span, after, alone, together)


def _skipped(
    world: World,
    context: Context,
    schedule_id: str,
    span: Span,
    reason: str,
    open_run: str | None,
    after: Following,
) -> None:
    alone = partial(RunSkipped, reason=reason, open_run=open_run)
    together = partial(ScheduleOccurrencesSkipped, reason=reason, open_run=open_run)
    _not_run(world, context, schedule_id, span, after, alone, together)


def _not_run(
    world: World,
    context: Context,
    schedule_id: str,
    span: Span,
    after: Following,
    alone: Callable[..., Event],
    together: Callable[..., Event],
) -> None:
    """Answer moments without a run: the owner's fact counts them, and one by itself has its own stream too."""
    version = world.schedule(schedule_id).cadence_version
    if span.count == 1:
        stream = run_stream(context.workspace, occurrence_id("schedule", schedule_id, version, span.first))
        world.begin(stream)
        world.emit(stream, alone(owner=Ref(kind="schedule", id=schedule_id), due=span.first))
    world.emit(
        schedule_stream(context.workspace, schedule_id),
        together(
            count=span.count,
            first=span.first,
            last=span.last,
            anchor_day=span.anchor_day,
            cadence_version=version,
            timing=after.state,
            next=after.next,
        ),
    )
