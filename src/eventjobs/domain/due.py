"""
The answer to a moment that is due: what runs, what is missed, what comes next.

A due moment is *answered* once: its run opens, or it is skipped, or it is missed. A storm of moments (an outage of
years) is counted, not walked through.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from eventjobs.domain.cadence import due_at
from eventjobs.domain.reference import ON_TIME, anchor_day_of, catch_up_window, cut, following, label_answered
from eventjobs.domain.timing import TICK, Moments, Passed, Steps
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
class DueAnswer:
    """
    The moments that have passed, and what becomes of them.

    `runs` is the occurrence whose run opens, `None` if all are missed. `missed` went by before it and stay uncovered
    (outside the window, or `never`); `covered` passed after it and are missed, `covered_by` it. `if_run` follows when
    the run opens, `if_skipped` when it cannot (`runs` and `covered` are then skipped, and the due moment still
    advances). Where nothing runs both are the same.
    """

    runs: NextDue | None
    cause: Cause
    cause_detail: CauseDetail | None
    missed: Span | None
    covered: Span | None
    if_run: Following
    if_skipped: Following


def answer_due(
    cadence: Cadence,
    policies: TimingPolicies,
    state: TimingState,
    next_due: NextDue,
    now: datetime,
    *,
    limited: bool = False,
) -> DueAnswer:
    """
    Answer every moment from `next_due` to `now`, which must not be earlier.

    The first one inside the catch-up window runs (R22, R30). `limited` says that only a limit made it late: the run
    does not re-anchor then.
    """
    return _Passage(cadence, policies, state, next_due, now).answer(limited=limited)


@dataclass(frozen=True)
class _Passage:
    """The moments from `head` to `now`, and what each of the three answers makes of them."""

    cadence: Cadence
    policies: TimingPolicies
    state: TimingState
    head: NextDue
    now: datetime

    def answer(self, *, limited: bool) -> DueAnswer:
        if self.head.due > self.now:
            raise ValueError(f"{self.head.due} is not due at {self.now}")
        runs = self._runs()
        edited = runs == self.head and self.state.pending is not None
        late = edited or (runs is not None and self.now - runs.due > ON_TIME)
        skipped = self._unmoved()
        reanchors = late and not limited and self.policies.timing is Timing.ELAPSED
        return DueAnswer(
            runs=runs,
            cause=Cause.CATCH_UP if late else Cause.SCHEDULED,
            cause_detail=self._detail(edited=edited, limited=limited) if late else None,
            missed=self._missed_before(runs),
            covered=self._covered_by(runs),
            if_run=self._reanchored() if reanchors else skipped,
            if_skipped=skipped,
        )

    def _detail(self, *, edited: bool, limited: bool) -> CauseDetail | None:
        if edited:
            return self.state.pending
        return None if limited else CauseDetail.DOWNTIME

    @cached_property
    def _rest(self) -> Moments:
        return following(self.cadence, self.policies, self.state, self.head)

    @cached_property
    def _passed(self) -> Passed | None:
        return self._rest.passed(self._from(self.head.due), self.now)

    @cached_property
    def _day(self) -> int:
        return anchor_day_of(self.cadence, self.policies, self.state, self.head.due)

    def _from(self, at: datetime) -> datetime:
        # What an edit put into the past, or passed while inactive, never fell due.
        return at if self.state.pending_at is None else max(at, self.state.pending_at)

    def _runs(self) -> NextDue | None:
        edge = self._window_edge()
        if edge is None or self._from(self.head.due) >= edge:
            return self.head
        found = self._rest.after(max(edge - TICK, self._from(self.head.due)))
        return found if found is not None and found.due <= self.now else None

    def _window_edge(self) -> datetime | None:
        window = catch_up_window(self.policies)
        return None if window is None else self.now - window

    def _missed_before(self, runs: NextDue | None) -> Span | None:
        if runs == self.head:
            return None
        if runs is None:
            return self._span(self._passed, head=True)
        return self._span(self._rest.passed(self._from(self.head.due), runs.due - TICK), head=True)

    def _covered_by(self, runs: NextDue | None) -> Span | None:
        if runs is None:
            return None
        passed = self._passed if runs == self.head else self._rest.passed(self._from(runs.due), self.now)
        return self._span(passed)

    def _span(self, passed: Passed | None, *, head: bool = False) -> Span | None:
        day = self._day
        if passed is None:
            return Span(count=1, first=self.head.due, last=self.head.due, anchor_day=day) if head else None
        count, first = (passed.count + 1, self.head) if head else (passed.count, passed.first)
        return Span(count=count, first=first.due, last=passed.last.due, anchor_day=day)

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
