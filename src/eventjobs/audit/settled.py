"""What the rule makes of moments that have passed: who runs, waits, is skipped or missed, and what comes next."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from eventjobs.audit.findings import Kind, Mismatch
from eventjobs.audit.steps import MISSED, QUEUED, RAN, SKIPPED, Part, Settling
from eventjobs.domain.due import DueAnswer, Span, answer_due
from eventjobs.domain.halts import Halt, in_force
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.overlap import LIMIT, QUEUE_MAX, Meeting, meet
from eventjobs.domain.owner import Owner
from eventjobs.domain.reference import why_missed
from eventjobs.events.cadence import NextDue, TimingState
from eventjobs.events.owner import OccurrenceQueued
from eventjobs.events.recorded import StreamId


def settled(
    stream: StreamId, owner: Owner, step: Settling, now: datetime, halts: Sequence[Halt]
) -> tuple[Mismatch | None, TimingState, NextDue | None]:
    """Return what is wrong with an answer at `now`, and where the rule says that the cadence stands afterwards."""
    due = owner.next
    if due is None or due.due > now:
        return Mismatch(Kind.EARLY, "nothing is due at that instant"), owner.timing, due
    answer = answer_due(
        owner.cadence, owner.policies.timing, owner.timing, due, now, halts=halts, over=owner.is_over(now)
    )
    meeting, reason = _meeting(owner, answer, now, halts, _owner_limit(step))
    if meeting is Meeting.OPEN and _says_limit(step, owner):
        meeting, reason = _without_room(owner)
    wanted = sorted(_parts(stream, owner, answer, meeting, reason, now), key=lambda part: part.first)
    following = answer.if_run if meeting in (None, Meeting.OPEN) else answer.if_skipped
    return _compared(step.parts, wanted) or _cause(step, answer), following.state, following.next


def _meeting(
    owner: Owner, answer: DueAnswer, now: datetime, halts: Sequence[Halt], limit: int | None
) -> tuple[Meeting | None, str | None]:
    """Return what the moment that could run meets (`None`: there is none), and the reason if it does not run."""
    if answer.runs is None:
        return None, None
    halt = in_force(halts, now)
    if halt is not None:
        return Meeting.OVERLAP, halt.reason
    meeting = meet(owner.policies.overlap, open_runs=len(owner.open_runs), waiting=len(owner.waiting), limit=limit)
    return meeting, meeting if meeting in (Meeting.OVERLAP, Meeting.QUEUE_FULL) else None


def _parts(
    stream: StreamId, owner: Owner, answer: DueAnswer, meeting: Meeting | None, reason: str | None, now: datetime
) -> Iterator[Part]:
    unrun = why_missed(owner.policies.timing, over=owner.is_over(now))
    for span in answer.missed_spans:
        yield _part(MISSED, unrun, owner, span)
    for halted in answer.halted:
        yield _part(SKIPPED, halted.reason, owner, halted.span)
    if answer.runs is None:
        return
    due, version = answer.runs.due, owner.cadence_version
    if reason is not None:
        beside = owner.open_run if reason in (Meeting.OVERLAP, Meeting.QUEUE_FULL) else None
        for span in answer.skippable:
            yield _part(SKIPPED, reason, owner, span, open_run=beside)
        return
    if meeting is Meeting.OPEN:
        yield Part(outcome=RAN, first=due, last=due, cadence_version=version)
    else:
        yield Part(
            outcome=QUEUED,
            reason=_why_queued(owner, meeting),
            first=due,
            last=due,
            cadence_version=version,
            open_run=owner.open_run,
        )
    for span in answer.covered_spans:
        run = occurrence_id(stream.kind, stream.id, version, due)
        yield _part(MISSED, "downtime", owner, span, covered_by=run)


def _owner_limit(step: Settling) -> int | None:
    """Return how many runs of the owner might be open, where that kept the moment back: only its fact says it."""
    head = step.head
    if isinstance(head, OccurrenceQueued) and head.reason == Meeting.OWNER_LIMIT:
        return head.limit
    return None


def _says_limit(step: Settling, owner: Owner) -> bool:
    """Whether only a limit kept a moment back or out, which the owner's other facts do not show."""
    if isinstance(step.head, OccurrenceQueued):
        return step.head.reason == LIMIT
    return len(owner.waiting) >= QUEUE_MAX and any(part.reason == Meeting.QUEUE_FULL for part in step.parts)


def _without_room(owner: Owner) -> tuple[Meeting, str | None]:
    if len(owner.waiting) < QUEUE_MAX:
        return Meeting.QUEUE, None
    return Meeting.QUEUE_FULL, Meeting.QUEUE_FULL


def _why_queued(owner: Owner, meeting: Meeting | None) -> str:
    """Return what a moment waits for; where the policy would let it open, only for room."""
    if meeting is Meeting.OWNER_LIMIT:
        return meeting
    free = meet(owner.policies.overlap, open_runs=len(owner.open_runs), waiting=len(owner.waiting)) is Meeting.OPEN
    return LIMIT if free else Meeting.OVERLAP


def _part(outcome: str, reason: str, owner: Owner, span: Span, **others: str | None) -> Part:
    return Part(
        outcome=outcome,
        reason=reason,
        count=span.count,
        first=span.first,
        last=span.last,
        anchor_day=span.anchor_day,
        cadence_version=owner.cadence_version,
        **others,
    )


def _compared(told: Sequence[Part], wanted: Sequence[Part]) -> Mismatch | None:
    for one, other in zip(told, wanted, strict=False):
        if one != other:
            return Mismatch(_kind(one, other), f"by the rule {_text(other)}, and it says {_text(one)}")
    if len(told) == len(wanted):
        return None
    if len(told) > len(wanted):
        return Mismatch(Kind.MISCOUNTED, f"it says {_text(told[len(wanted)])}, which the rule does not")
    return Mismatch(Kind.MISCOUNTED, f"by the rule also {_text(wanted[len(told)])}")


def _kind(told: Part, wanted: Part) -> Kind:
    if (told.outcome, told.reason) != (wanted.outcome, wanted.reason):
        return Kind.UNFOUNDED
    if (told.count, told.first, told.last) != (wanted.count, wanted.first, wanted.last):
        return Kind.MISCOUNTED
    if told.open_run != wanted.open_run:
        return Kind.UNFOUNDED
    return Kind.UNCOVERED if told.covered_by != wanted.covered_by else Kind.NOT_THE_RULE


def _cause(step: Settling, answer: DueAnswer) -> Mismatch | None:
    head = step.head
    if head is None or (head.cause, head.cause_detail) == (answer.cause, answer.cause_detail):
        return None
    what = f"its cause is {answer.cause} ({answer.cause_detail}), not {head.cause} ({head.cause_detail})"
    return Mismatch(Kind.NOT_THE_RULE, what)


def _text(part: Part) -> str:
    outcome = part.outcome if part.reason is None else f"{part.outcome} ({part.reason})"
    if part.count == 1:
        return f"{part.first:%Y-%m-%dT%H:%M:%SZ} {outcome}"
    return f"{part.count:,} from {part.first:%Y-%m-%dT%H:%M:%SZ} to {part.last:%Y-%m-%dT%H:%M:%SZ} {outcome}"
