"""
The answer to a moment that is due: what runs, what is missed, what comes next.

A due moment is *answered* once: its run opens, or it is skipped, or it is missed. A storm of moments (an outage of
years) is counted, not walked through.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import groupby, pairwise

from eventjobs.domain.cadence import due_at
from eventjobs.domain.halts import Halt, in_force_at
from eventjobs.domain.moments import Moments, Passed
from eventjobs.domain.reference import ON_TIME, anchor_day_of, catch_up_window, cut, following, label_answered
from eventjobs.domain.timing import TICK, Steps
from eventjobs.events.cadence import Cadence, CauseDetail, NextDue, Timing, TimingPolicies, TimingState, Unit


class Cause(StrEnum):
    """Why a run was opened by the schedule itself."""

    SCHEDULED = "scheduled"
    CATCH_UP = "catch_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """
    What an activation or edit means for time.

    `next` is the due moment to record, `None` while inactive or where nothing comes. With `runs_now` it is already due
    (`nominal_due` is its instant, the occurrence's name) and is answered like any other by `answer_due`; `then` is what
    follows that run. `notes`: `start_already_past`, `day_lost`, `never_fires`.
    """

    next: NextDue | None
    state: TimingState
    runs_now: bool = False
    cause: Cause | None = None
    cause_detail: CauseDetail | None = None
    nominal_due: datetime | None = None
    then: NextDue | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """
    Consecutive moments that share an outcome: how many, the first and the last.

    `anchor_day` is the day that their months keep (R17); without it the later of both days is supposed.
    """

    count: int
    first: datetime
    last: datetime
    anchor_day: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What is recorded once a due moment is answered: the new state, and the next moment or none."""

    state: TimingState
    next: NextDue | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Halted:
    """Consecutive moments that fell into a halt: they are skipped, for `reason`."""

    span: Span
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueAnswer:
    """
    The moments that have passed, and what becomes of them.

    `runs` is the occurrence whose run opens, `None` if there is none. `missed` went by before it and stay uncovered
    (outside the window, or `never`); `covered` passed after it and are missed, `covered_by` it. `if_run` follows when
    the run opens, `if_skipped` when it cannot (`runs` and `covered` are then skipped, and the due moment still
    advances). Where nothing runs both are the same.

    Halts take moments out of the middle: `missed` and `covered` count over them and bound them, `missed_spans` and
    `covered_spans` are the consecutive ones. `run_span` is `runs` with the covered moments that follow it directly,
    which are the first of `covered_spans`.
    """

    runs: NextDue | None
    cause: Cause
    cause_detail: CauseDetail | None
    missed: Span | None
    covered: Span | None
    if_run: Following
    if_skipped: Following
    run_span: Span | None
    missed_spans: tuple[Span, ...] = ()
    covered_spans: tuple[Span, ...] = ()
    halted: tuple[Halted, ...] = ()

    @property
    def skippable(self) -> tuple[Span, ...]:
        """The consecutive moments that are skipped together when the run cannot open."""
        if self.run_span is None:
            return ()
        return (self.run_span, *self.covered_spans[0 if self.run_span.count == 1 else 1 :])


def answer_due(
    cadence: Cadence,
    policies: TimingPolicies,
    state: TimingState,
    next_due: NextDue,
    now: datetime,
    *,
    limited: bool = False,
    halts: Sequence[Halt] = (),
    over: bool = False,
) -> DueAnswer:
    """
    Answer every moment from `next_due` to `now`, which must not be earlier.

    Those in a halt are skipped, each by itself (a halt beats missed; the first of `halts` counts). Of the others the
    first one inside the catch-up window runs (R22, R30). `limited` says that only a limit made it late: the run does
    not re-anchor then. `over`: the owner has expired meanwhile, so none runs (G60).
    """
    return _Passage(cadence, policies, state, next_due, now, tuple(halts), over).answer(limited=limited)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part `[begin, end)` of the time that has passed, and why nothing was to start in it, if so."""

    begin: datetime
    end: datetime
    reason: str | None


@dataclass(frozen=True)
class _Passage:
    """The moments from `head` to `now`, and what each of the three answers makes of them."""

    cadence: Cadence
    policies: TimingPolicies
    state: TimingState
    head: NextDue
    now: datetime
    halts: tuple[Halt, ...] = ()
    over: bool = False

    def answer(self, *, limited: bool) -> DueAnswer:
        if self.head.due > self.now:
            raise ValueError(f"{self.head.due} is not due at {self.now}")
        runs = self.head if self._is_alone else self._runs
        edited = runs == self.head and self.state.pending is not None
        late = edited or (runs is not None and self.now - runs.due > ON_TIME)
        skipped = self._unmoved()
        reanchors = late and not limited and self.policies.timing is Timing.ELAPSED
        missed = () if self._is_alone else tuple(self._missed_spans())
        covered = () if self._is_alone else tuple(self._covered_spans())
        return DueAnswer(
            runs=runs,
            cause=Cause.CATCH_UP if late else Cause.SCHEDULED,
            cause_detail=self._detail(edited=edited, limited=limited) if late else None,
            missed=_whole(missed),
            covered=_whole(covered),
            if_run=self._reanchored() if reanchors else skipped,
            if_skipped=skipped,
            run_span=_only(self.head) if self._is_alone else self._run_span(),
            missed_spans=missed,
            covered_spans=covered,
            halted=() if self._is_alone else tuple(self._halted()),
        )

    @cached_property
    def _is_alone(self) -> bool:
        """Whether one moment has passed, and it runs: the usual answer, for which no time needs to be cut up."""
        if self.halts or self.over or self._begin > self.now or self._passed is not None:
            return False
        edge = self._window_edge()
        return edge is None or edge <= self._begin

    def _detail(self, *, edited: bool, limited: bool) -> CauseDetail | None:
        if edited:
            return self.state.pending
        return None if limited else CauseDetail.DOWNTIME

    @cached_property
    def _rest(self) -> Moments:
        return following(self.cadence, self.policies, self.state, self.head)

    @cached_property
    def _passed(self) -> Passed | None:
        return self._rest.passed(self._begin, self.now)

    @cached_property
    def _day(self) -> int:
        return anchor_day_of(self.cadence, self.policies, self.state, self.head.due)

    @cached_property
    def _begin(self) -> datetime:
        return self._from(self.head.due)

    def _from(self, at: datetime) -> datetime:
        # What an edit put into the past, or passed while inactive, never fell due.
        return at if self.state.pending_at is None else max(at, self.state.pending_at)

    @cached_property
    def _pieces(self) -> Sequence[_Piece]:
        begin, end = self._begin, self.now + TICK
        edges = {edge for halt in self.halts for edge in (halt.since, halt.until) if edge and begin < edge < end}
        spans = list(pairwise(sorted({begin, end, *edges})))
        there = in_force_at(self.halts, (a for a, _ in spans))
        cut_up = [
            _Piece(a, b, None if halt is None else halt.reason) for (a, b), halt in zip(spans, there, strict=True)
        ]
        alike = [list(pieces) for _, pieces in groupby(cut_up, key=lambda piece: piece.reason)]
        return [_Piece(pieces[0].begin, pieces[-1].end, pieces[0].reason) for pieces in alike]

    @cached_property
    def _runs(self) -> NextDue | None:
        edge = self._window_edge()
        for piece in () if self.over else self._pieces:
            begin = piece.begin if edge is None else max(piece.begin, edge)
            if piece.reason is not None or begin >= piece.end:
                continue
            if begin == self._begin:
                return self.head
            found = self._rest.after(max(begin - TICK, self._begin))
            if found is not None and found.due < piece.end:
                return found
        return None

    def _window_edge(self) -> datetime | None:
        window = catch_up_window(self.policies)
        return None if window is None else self.now - window

    @cached_property
    def _ran_at(self) -> datetime:
        return self.now + TICK if self._runs is None else self._from(self._runs.due)

    def _missed_spans(self) -> Iterator[Span]:
        for piece in self._pieces:
            if piece.reason is None and piece.begin < self._ran_at:
                yield from self._span(piece.begin, min(piece.end, self._ran_at))

    def _covered_spans(self) -> Iterator[Span]:
        for piece in self._pieces:
            if piece.reason is None and self._ran_at < piece.end:
                after = piece.begin <= self._ran_at
                yield from self._span(self._ran_at + TICK if after else piece.begin, piece.end)

    def _run_span(self) -> Span | None:
        if self._runs is None:
            return None
        own = _only(self._runs)
        end = next(piece.end for piece in self._pieces if piece.begin <= self._ran_at < piece.end)
        covered = next(self._span(self._ran_at + TICK, end), None)
        if covered is None:
            return own
        return Span(count=1 + covered.count, first=own.first, last=covered.last, anchor_day=covered.anchor_day)

    def _halted(self) -> Iterator[Halted]:
        for piece in self._pieces:
            if piece.reason is not None:
                yield from (Halted(span=span, reason=piece.reason) for span in self._span(piece.begin, piece.end))

    def _span(self, begin: datetime, end: datetime) -> Iterator[Span]:
        """Yield the moments in `[begin, end)` as one span, if there are any."""
        head = begin == self._begin
        passed = self._rest.passed(max(begin - TICK, self._begin), end - TICK)
        if passed is None and head:
            yield Span(count=1, first=self.head.due, last=self.head.due, anchor_day=self._day)
        elif passed is not None:
            count, first = (passed.count + 1, self.head) if head else (passed.count, passed.first)
            yield Span(count=count, first=first.due, last=passed.last.due, anchor_day=self._day)

    def _last(self) -> NextDue:
        return self.head if self._passed is None else self._passed.last

    def _unmoved(self) -> Following:
        """On time, skipped or missed: the reference is the last moment that has passed (R45)."""
        last, day, resume = self._last(), self._day, self.state.resume_at
        if resume is not None and last.due >= resume:
            day = resume.day
        return Following(state=self._state(last, last.due, day), next=self._rest.after(self._from(self.now)))

    def _reanchored(self) -> Following:
        """Ran late: the clock starts at the dispatch (R18), or at a start that is still ahead."""
        at, resume = cut(self.now), self.state.resume_at
        state = self._state(self._last(), at, at.day)
        if self.cadence.unit is Unit.ONCE:
            return Following(state=state, next=None)
        if resume is not None and resume > self.now:
            return Following(state=state, next=due_at(self.cadence, resume))
        return Following(state=state, next=Steps(self.cadence, at, at.day, first=1).after(at))

    def _state(self, last: NextDue, reference: datetime, day: int) -> TimingState:
        local, fold = label_answered(self.policies, self.state, last)
        return TimingState(
            reference=reference,
            anchor_day=day if self.cadence.unit is Unit.MONTH else reference.day,
            last_answered=last.due,
            last_local=local,
            last_fold=fold,
            completed=self.cadence.unit is Unit.ONCE,
        )


def _only(moment: NextDue) -> Span:
    return Span(count=1, first=moment.due, last=moment.due, anchor_day=moment.due.day)


def _whole(spans: Iterable[Span]) -> Span | None:
    spans = tuple(spans)
    if not spans:
        return None
    count = sum(span.count for span in spans)
    return Span(count=count, first=spans[0].first, last=spans[-1].last, anchor_day=spans[0].anchor_day)
