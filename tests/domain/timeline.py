"""One schedule's life in time, told in steps: activate, tick, edit."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from eventjobs.domain.activation import on_activated, on_inactivated
from eventjobs.domain.due import Decision, DueAnswer, answer_due
from eventjobs.domain.edits import on_cadence_changed
from eventjobs.domain.preview import preview
from eventjobs.events.cadence import Cadence, NextDue, TimingPolicies, TimingState, Unit

SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    """Read a UTC instant such as `2026-03-06 20:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def every(count: int, unit: Unit, start: str = "2026-03-06 14:00", zone: str = "UTC") -> Cadence:
    """Build a cadence from its start's local date and time."""
    date, time = start.split(" ")
    return Cadence(start_date=date, start_time=time, time_zone=zone, every=count, unit=unit)


def daily(start: str = "2026-03-06 14:00", zone: str = "UTC") -> Cadence:
    return every(1, Unit.DAY, start, zone)


class Timeline:
    """What the commands do with the pure rules: keep the state and the next moment that they return."""

    def __init__(self, cadence: Cadence, **policies: Any) -> None:
        self.cadence = cadence
        self.policies = TimingPolicies(**policies)
        self.state = TimingState()
        self.next: NextDue | None = None
        self.active = False

    @property
    def due(self) -> datetime | None:
        return None if self.next is None else self.next.due

    def activate(self, when: str, **options: bool) -> Decision:
        self.active = True
        return self._decided(on_activated(self.cadence, self.policies, self.state, at(when), **options))

    def inactivate(self) -> None:
        self.active, self.next, self.state = False, None, on_inactivated(self.state)

    def edit(self, when: str, cadence: Cadence | None = None, **policies: Any) -> Decision:
        new, new_policies = cadence or self.cadence, replace(self.policies, **policies)
        decision = on_cadence_changed(
            self.cadence,
            self.policies,
            new,
            new_policies,
            state=self.state,
            next_due=self.next,
            now=at(when),
            active=self.active,
        )
        self.cadence, self.policies = new, new_policies
        return self._decided(decision)

    def tick(self, when: str, *, open_run: bool = False, limited: bool = False) -> DueAnswer:
        answer = self.peek(when, limited=limited)
        after = answer.if_skipped if open_run else answer.if_run
        self.state, self.next = after.state, after.next
        return answer

    def peek(self, when: str, *, limited: bool = False) -> DueAnswer:
        assert self.next is not None
        return answer_due(self.cadence, self.policies, self.state, self.next, at(when), limited=limited)

    def run_on_time(self, times: int) -> list[datetime]:
        """Answer the next moments a second late each and return them."""
        dues = []
        for _ in range(times):
            assert self.next is not None
            dues.append(self.next.due)
            after = answer_due(self.cadence, self.policies, self.state, self.next, self.next.due + SECOND).if_run
            self.state, self.next = after.state, after.next
        return dues

    def coming(self, n: int = 10, now: str | None = None) -> list[datetime]:
        until = None if now is None else at(now)
        return [c.due.due for c in preview(self.cadence, self.policies, self.state, self.next, n, now=until)]

    def _decided(self, decision: Decision) -> Decision:
        self.state, self.next = decision.state, decision.next
        return decision
