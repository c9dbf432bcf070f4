"""
The answer to what is due of an owner.

Every due moment is answered once. The append names the owner's stream with its version and the occurrence's stream as
new, so no second answer can be written, by whomever.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from eventjobs.commands.context import Context
from eventjobs.commands.expiring import settle_expiry
from eventjobs.commands.halting import halts_of
from eventjobs.commands.opening import Moment, open_owner_run
from eventjobs.commands.owner_facts import OWNER_FACTS
from eventjobs.commands.queueing import drop, fill_room, start_waiting, stop_open_runs
from eventjobs.commands.redrawing import redraw
from eventjobs.commands.room import delay, has_room
from eventjobs.commands.world import World
from eventjobs.domain.due import DueAnswer, Following, Span, answer_due
from eventjobs.domain.halts import lasting
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.overlap import LIMIT, QUEUE_MAX, Meeting, meet
from eventjobs.domain.reference import why_missed
from eventjobs.domain.spread import not_before
from eventjobs.domain.streams import owner_stream, run_stream
from eventjobs.events.cadence import NextDue
from eventjobs.events.recorded import Event
from eventjobs.events.run import Ref, RunMissed, RunSkipped


def settle_due(world: World, context: Context, owner: Ref) -> None:
    """
    Answer every moment of an owner that has passed, under the definition as it stands.

    Called by the ticker, and before any decision that changes the owner, so that an edit never swallows a due
    moment; what is decided next holds until the next one. A pause whose end has come is over by then, and who expires
    has expired, also in the log.
    """
    present = world.owner(owner)
    while present.active and present.next is not None and present.next.due <= context.now:
        answered = present.next.due
        _answer(world, context, owner, present.next)
        redraw(world, context, owner)  # perhaps as a minute of the slot under way that has passed
        present = world.owner(owner)
        if present.next is not None and present.next.due <= answered:  # it would be answered here for ever
            raise AssertionError(f"{owner.kind} {owner.id} is due at {answered} again, which was answered")
    if present.pause is not None and present.pause.ends_by(context.now):
        world.emit(owner_stream(context.workspace, owner), OWNER_FACTS[owner.kind].unpaused(cause="until"))
    settle_expiry(world, context, owner)
    present = world.owner(owner)
    if present.active and present.next is not None and present.next.due > context.now:
        world.holds_before(present.next.due)


def settle_end(world: World, context: Context, owner: Ref) -> None:
    """Let it expire if its time has come, what fell due before it answered; else warn that it expires soon."""
    if world.owner(owner).is_over(context.now):
        settle_due(world, context, owner)
    else:
        settle_expiry(world, context, owner)


def settle_group_of(world: World, context: Context, job_id: str) -> None:
    """Let the group that a job is in expire, if its time has come: its members are free from that instant on (G6)."""
    group = world.connect_job(job_id).group
    if group is not None:
        settle_if_over(world, context, group)


def settle_if_over(world: World, context: Context, group_id: str) -> None:
    """Let a group expire if its time has come, without a warning before."""
    if world.group(group_id).is_over(context.now):
        settle_due(world, context, Ref(kind="group", id=group_id))


def _answer(world: World, context: Context, owner: Ref, due: NextDue) -> None:
    present = world.owner(owner)
    halts = halts_of(world, context, present, due.due)
    timing = present.policies.timing
    over = present.is_over(context.now)
    answer = answer_due(present.cadence, timing, present.timing, due, context.now, halts=halts, over=over)
    _pass(world, context, owner, answer)
    if answer.runs is None:
        return
    halt = lasting(halts, context.now)
    if halt is not None:  # it fell due before the halt, and nothing may start now
        _skip(world, context, owner, answer, halt.reason)
    else:
        _start(world, context, owner, answer)


def _pass(world: World, context: Context, owner: Ref, answer: DueAnswer) -> None:
    """Record what went by before a run, or without one: only the last fact of all moves the cadence."""
    present = world.owner(owner)
    stays = Following(state=present.timing, next=present.next)
    reason = why_missed(present.policies.timing, over=present.is_over(context.now))
    passed: list[tuple[Span, str | None]] = [(span, None) for span in answer.missed_spans]
    passed += [(halted.span, halted.reason) for halted in answer.halted]
    passed.sort(key=lambda one: one[0].first)
    for place, (span, halted) in enumerate(passed, 1):
        after = answer.if_run if answer.runs is None and place == len(passed) else stays
        if halted is None:
            _missed(world, context, owner, span, reason, None, after)
        else:
            _skipped(world, context, owner, span, halted, None, after)


def _start(world: World, context: Context, owner: Ref, answer: DueAnswer) -> None:
    """Open the run, or do what the overlap policy says about those before it."""
    present, limits = world.owner(owner), context.limits
    match meet(
        present.policies.overlap,
        open_runs=len(present.open_runs),
        waiting=len(present.waiting),
        limit=limits.runs_per_owner,
    ):
        case Meeting.OPEN if has_room(world, context):
            _run(world, context, owner, answer)
            fill_room(world, context)  # the limits may have been raised
            start_waiting(world, context, owner)
        case Meeting.OPEN if len(present.waiting) < QUEUE_MAX:
            due = _queue(world, context, owner, answer, LIMIT, limits.runs_per_workspace)
            delay(world, context, owner, due)
        case Meeting.OPEN:
            _skip(world, context, owner, answer, Meeting.QUEUE_FULL)
        case Meeting.OWNER_LIMIT as reason:
            _queue(world, context, owner, answer, reason, limits.runs_per_owner)
        case Meeting.QUEUE:
            _queue(world, context, owner, answer)
        case Meeting.DISPLACE:
            for waiting in present.waiting:
                drop(world, context, owner, waiting, "skipped", "overlap")
            stop_open_runs(world, context, owner, _occurrence(world, owner, answer))
            _queue(world, context, owner, answer)
        case Meeting.OVERLAP | Meeting.QUEUE_FULL as reason:
            _skip(world, context, owner, answer, reason)


def _occurrence(world: World, owner: Ref, answer: DueAnswer) -> str:
    assert answer.runs is not None  # noqa: S101 the callers looked
    return occurrence_id(owner.kind, owner.id, world.owner(owner).cadence_version, answer.runs.due)


def _run(world: World, context: Context, owner: Ref, answer: DueAnswer) -> None:
    assert answer.runs is not None  # noqa: S101 the caller looked
    run_id = _occurrence(world, owner, answer)
    spread_s = world.owner(owner).policies.spread_s
    moment = Moment(
        cause=answer.cause,
        cause_detail=answer.cause_detail,
        due=answer.runs.due,
        covered=answer.covered,
        not_before=not_before(context.workspace, owner.id, spread_s, answer.cause, context.now),
    )
    open_owner_run(world, context, owner, run_id, moment, answer.if_run)
    for span in answer.covered_spans:
        _missed(world, context, owner, span, "downtime", run_id, answer.if_run)


def _queue(
    world: World,
    context: Context,
    owner: Ref,
    answer: DueAnswer,
    reason: str = Meeting.OVERLAP,
    limit: int | None = None,
) -> datetime:
    """Let it wait. What waits never re-anchors, so the cadence goes on as if it were skipped."""
    assert answer.runs is not None  # noqa: S101 the caller looked
    present, covered = world.owner(owner), answer.covered
    run_id = _occurrence(world, owner, answer)
    world.emit(
        owner_stream(context.workspace, owner),
        OWNER_FACTS[owner.kind].queued(
            due=answer.runs.due,
            cadence_version=present.cadence_version,
            cause=answer.cause,
            cause_detail=answer.cause_detail,
            reason=reason,
            open_run=present.open_run,
            limit=limit,
            missed_occurrences=0 if covered is None else covered.count,
            missed_first=None if covered is None else covered.first,
            missed_last=None if covered is None else covered.last,
            timing=answer.if_skipped.state,
            next=answer.if_skipped.next,
        ),
    )
    for span in answer.covered_spans:
        _missed(world, context, owner, span, "downtime", run_id, answer.if_skipped)
    return answer.runs.due


def _skip(world: World, context: Context, owner: Ref, answer: DueAnswer, reason: str) -> None:
    open_run = world.owner(owner).open_run if reason in (Meeting.OVERLAP, Meeting.QUEUE_FULL) else None
    for span in answer.skippable:
        _skipped(world, context, owner, span, reason, open_run, answer.if_skipped)


def _missed(
    world: World,
    context: Context,
    owner: Ref,
    span: Span,
    reason: str,
    covered_by: str | None,
    after: Following,
) -> None:
    alone = partial(RunMissed, reason=reason, covered_by=covered_by)
    together = partial(OWNER_FACTS[owner.kind].missed, reason=reason, covered_by=covered_by)
    _not_run(world, context, owner, span, after, alone, together)


def _skipped(
    world: World,
    context: Context,
    owner: Ref,
    span: Span,
    reason: str,
    open_run: str | None,
    after: Following,
) -> None:
    alone = partial(RunSkipped, reason=reason, open_run=open_run)
    together = partial(OWNER_FACTS[owner.kind].skipped, reason=reason, open_run=open_run)
    _not_run(world, context, owner, span, after, alone, together)


def _not_run(
    world: World,
    context: Context,
    owner: Ref,
    span: Span,
    after: Following,
    alone: Callable[..., Event],
    together: Callable[..., Event],
) -> None:
    """Answer moments without a run: the owner's fact counts them, and one by itself has its own stream too."""
    version = world.owner(owner).cadence_version
    if span.count == 1:
        stream = run_stream(context.workspace, occurrence_id(owner.kind, owner.id, version, span.first))
        world.begin(stream)
        world.emit(stream, alone(owner=owner, due=span.first))
    world.emit(
        owner_stream(context.workspace, owner),
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
