"""What an edit of cadence or timing policies means for time (R25 to R28, R33, R34)."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from eventjobs.domain.activation import anchored, is_within_window, nothing_comes, resting, run_now
from eventjobs.domain.due import Decision
from eventjobs.domain.reference import cut, next_after
from eventjobs.domain.timing import aligned, start_of, step
from eventjobs.events.cadence import Cadence, CatchUp, CauseDetail, NextDue, Timing, TimingPolicies, TimingState, Unit


def on_cadence_changed(
    old: Cadence,
    old_policies: TimingPolicies,
    new: Cadence,
    new_policies: TimingPolicies,
    *,
    state: TimingState,
    next_due: NextDue | None,
    now: datetime,
    active: bool,
) -> Decision:
    """
    Decide what one save of cadence, timing policies or both makes due (R33: at most one run).

    `next_due` is the moment now recorded; moments up to `now` must have been answered under the old version before.
    While inactive nothing is due and only the state is carried over (R34).
    """
    edit = _Edit(old, old_policies, new, new_policies, state, next_due, now)
    state = edit.carried(active=active)
    if not active:
        return Decision(next=None, state=state)
    if not edit.is_change:
        return Decision(next=next_due, state=state)
    edit = replace(edit, state=state)
    if new.unit is Unit.ONCE:
        return edit.to_once()
    if new_policies.timing is not Timing.ELAPSED:
        return edit.to_aligned()
    return resting(new, new_policies, state, now) if edit.is_switch else edit.to_elapsed()


def is_read_otherwise(old: TimingPolicies, new: TimingPolicies) -> bool:
    """Tell whether other policies make other moments of the same cadence; the catch-up policy does not."""
    return (old.timing, old.gap, old.repeat) != (new.timing, new.gap, new.repeat)


def on_zone_data_changed(
    cadence: Cadence, policies: TimingPolicies, state: TimingState, next_due: NextDue | None, now: datetime
) -> Decision:
    """
    Decide what a new version of the zone data means for an active schedule, its passed moments being answered.

    `wall_clock` looks again for its next moment; the others keep theirs.
    """
    if policies.timing is not Timing.WALL_CLOCK:
        return Decision(next=next_due, state=state)
    due = next_after(cadence, policies, state, now)
    return Decision(next=due, state=state, notes=nothing_comes(due))


@dataclass(frozen=True)
class _Edit:
    """One save: the rule before, the rule after, and what was in force."""

    old: Cadence
    old_policies: TimingPolicies
    new: Cadence
    new_policies: TimingPolicies
    state: TimingState
    next_due: NextDue | None
    now: datetime

    @cached_property
    def start(self) -> NextDue:
        return start_of(self.new, self.new_policies)

    @cached_property
    def old_start(self) -> NextDue:
        return start_of(self.old, self.old_policies)

    @property
    def is_ahead(self) -> bool:
        return self.start.due > self.now

    @property
    def is_change(self) -> bool:
        """Whether anything that moments depend on differs; the catch-up policy is none of it."""
        return self.old != self.new or is_read_otherwise(self.old_policies, self.new_policies)

    @property
    def is_switch(self) -> bool:
        """Once to recurring, back, another timing, or a cron, which has no period or start: nothing runs at once."""
        once = (self.old.unit is Unit.ONCE) != (self.new.unit is Unit.ONCE)
        return once or self.has_cron or self.old_policies.timing is not self.new_policies.timing

    @property
    def has_cron(self) -> bool:
        return Unit.CRON in (self.old.unit, self.new.unit)

    @property
    def is_start_edited(self) -> bool:
        return not self.has_cron and _start_fields(self.old) != _start_fields(self.new)

    @property
    def is_earlier(self) -> bool:
        return self.is_start_edited and self.start.due < self.old_start.due

    @property
    def is_same_interval(self) -> bool:
        return (self.old.every, self.old.unit) == (self.new.every, self.new.unit)

    @property
    def is_shorter(self) -> bool:
        """Whether the period is; months and days are compared by where they lead from the reference (R25)."""
        base = self.state.reference or cut(self.now)
        before = step(base, self.old.every, self.old.unit, base.day)
        after = step(base, self.new.every, self.new.unit, base.day)
        return after is not None and (before is None or after < before)

    @property
    def is_literal(self) -> bool:
        return self.new_policies.catch_up is CatchUp.ALWAYS_ON_TIGHTEN

    @property
    def start_detail(self) -> CauseDetail:
        moved = (self.old.start_date, self.old.start_time) != (self.new.start_date, self.new.start_time)
        return CauseDetail.START_MOVED_EARLIER if moved else CauseDetail.ZONE_CHANGED

    def carried(self, *, active: bool) -> TimingState:
        """Return the state under the new rule, before anything is decided."""
        state = self.state
        if self.is_switch and state.last_answered is not None:
            state = replace(anchored(state, state.last_answered), anchor_day=state.anchor_day)
        if self.new.unit is Unit.MONTH and self.old.unit is not Unit.MONTH and state.reference is not None:
            state = anchored(state, state.reference)  # between month counts the anchor's day is kept (R17)
        return replace(state, completed=self._completed(active=active))

    def _completed(self, *, active: bool) -> bool:
        if self.new.unit is not Unit.ONCE:
            return False
        if self.old.unit is Unit.ONCE:
            rearmed = self.start.due != self.old_start.due and self.is_ahead
            return self.state.completed and not rearmed
        return not self.is_ahead and (active or self.state.last_answered is not None)

    def to_once(self) -> Decision:
        """Wait for a start that is ahead; a start moved into the past runs one that has not run yet (R7, R26)."""
        if self.state.completed:
            return Decision(next=None, state=self.state, notes=nothing_comes(None) if self.is_switch else ())
        if self.is_ahead:
            return Decision(next=self.start, state=self.state)
        if self.is_earlier and self.new_policies.catch_up is not CatchUp.NEVER:
            return self._run(self.start_detail, notes=self._old_start_notes())
        return Decision(next=None, state=self.state, notes=nothing_comes(None))

    def to_aligned(self) -> Decision:
        """Begin at the first moment of the new cadence; only `always_on_tighten` runs at once (SPEC 3.1)."""
        due = next_after(self.new, self.new_policies, self.state, self.now)
        notes = self._lost_day_notes(due)
        if self.is_literal and not self.is_switch and (self.is_earlier or (self.is_shorter and not self.is_ahead)):
            detail = self.start_detail if self.is_earlier else CauseDetail.INTERVAL_DECREASED
            return self._run(detail, notes=notes)
        return Decision(next=due, state=self.state, notes=notes + nothing_comes(due))

    def to_elapsed(self) -> Decision:
        """Decide by an earlier start first (R26), else by the reference and the new period (R25, R28)."""
        if self.is_earlier and self.is_ahead:
            if self.is_literal:
                return self._run(self.start_detail, resume_at=self.start.due)
            return Decision(next=self.start, state=self.state)
        if self.is_earlier and self.new_policies.catch_up is not CatchUp.NEVER:
            return self._run(self.start_detail, notes=self._old_start_notes())
        if self.is_ahead or self.state.reference is None:
            return self._waiting()
        return self._by_period(self.state.reference)

    def _waiting(self) -> Decision:
        if self.state.reference is None and self.is_ahead:
            return Decision(next=self.start, state=self.state)
        return resting(self.new, self.new_policies, self.state, self.now)

    def _by_period(self, reference: datetime) -> Decision:
        if self.is_same_interval and not self.is_earlier:
            return Decision(next=self.next_due, state=self.state)  # a later start that is past changes nothing
        due = next_after(self.new, self.new_policies, self.state, reference)
        if due is not None and self._is_behind(due.due):
            return self._run(CauseDetail.INTERVAL_DECREASED, nominal=due.due)
        if self.is_literal and self.is_shorter:
            return self._run(CauseDetail.INTERVAL_DECREASED)
        return resting(self.new, self.new_policies, self.state, self.now)

    def _is_behind(self, due: datetime) -> bool:
        is_sooner = self.next_due is None or due < self.next_due.due
        return is_sooner and due <= self.now and is_within_window(self.new_policies, due, self.now)

    def _run(
        self,
        detail: CauseDetail,
        *,
        nominal: datetime | None = None,
        resume_at: datetime | None = None,
        notes: tuple[str, ...] = (),
    ) -> Decision:
        return run_now(
            self.new,
            self.new_policies,
            self.state,
            self.now,
            detail,
            nominal=nominal,
            resume_at=resume_at,
            notes=notes,
        )

    def _old_start_notes(self) -> tuple[str, ...]:
        return ("start_already_past",) if self.old_start.due <= self.now else ()

    def _lost_day_notes(self, due: NextDue | None) -> tuple[str, ...]:
        if self.new_policies.timing is not Timing.WALL_CLOCK:
            return ()
        free = aligned(self.new, self.new_policies, None).after(self.now)
        return ("day_lost",) if free is not None and (due is None or free.due < due.due) else ()


def _start_fields(cadence: Cadence) -> tuple[str | None, str | None, str]:
    return cadence.start_date, cadence.start_time, cadence.time_zone
