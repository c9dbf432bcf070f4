"""
When something is wrong with a schedule, and when it is well again (R97).

What the streams do not say is when their facts were recorded; that is given as `Seen`, by whoever read them in the log.
Nothing is late that was skipped on purpose: while starts are halted nobody waits for one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from eventjobs.domain.alert import Alert
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.run import ENDED, Run, State
from eventjobs.domain.schedule import Schedule
from eventjobs.events.alert import AlertDropped, AlertRaised, AlertRecovered
from eventjobs.events.cadence import CauseDetail
from eventjobs.events.schedule import Alerts

RAN = frozenset({State.RUNNING, State.STOPPING, *ENDED} - {State.SKIPPED, State.MISSED})


class Kind(StrEnum):
    """What may be wrong."""

    LATE = "late"
    TOO_LONG = "too_long"
    STUCK = "stuck"
    NO_SUCCESS = "no_success"
    FAILURES = "failures"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRun:
    """An open run: when it opened, and when the log last told of progress in it."""

    opened_at: datetime
    progressed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenStart:
    """The run of a due moment opened."""

    due: datetime
    run: str
    opened_at: datetime
    cause_detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMissed:
    """Due moments were missed, and no run stands for them."""

    first: datetime
    last: datetime
    count: int
    reason: str
    cadence_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    When what happened was recorded.

    `quiet_since`: since when a success is waited for: the last one, or what began the wait anew (creation, activation,
    the end of a pause or hold, other alerts).
    """

    runs: Mapping[str, SeenRun] = field(default_factory=dict)
    started: Sequence[SeenStart] = ()
    missed: Sequence[SeenMissed] = ()
    quiet_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A schedule with its open incidents, as seen at `now`; `halted`: nothing of it may start."""

    id: str
    schedule: Schedule
    alert: Alert
    seen: Seen
    now: datetime
    halted: bool = False

    @property
    def alerts(self) -> Alerts:
        """What is watched for; of an inactive or deleted schedule, nothing."""
        return self.schedule.alerts if self.schedule.active and self.schedule.alive else Alerts()

    def over(self, run_of: Callable[[str], Run]) -> Iterator[AlertRecovered | AlertDropped]:
        """Yield what ends open incidents."""
        for incident in self.alert.open.values():
            reason = self._unwatched(Kind(incident.alert))
            if reason is not None:
                yield AlertDropped(alert=incident.alert, incident=incident.incident, reason=reason)
                continue
            ended = self._over(incident, run_of)
            if ended is not None:
                yield ended

    def raised(self) -> Iterator[AlertRaised]:
        """Yield the incidents that are new."""
        known = self.alert.open
        yield from self._late()
        for incident in (*self._runs(), *self._successless(), *self._failures()):
            if incident.incident not in known:
                yield incident

    def look_at(self) -> datetime | None:
        """Return the next instant at which time alone makes something wrong (`None`: it takes a fact)."""
        alerts, runs = self.alerts, self.seen.runs.values()
        waits: list[tuple[datetime, float | None]] = [(run.opened_at, alerts.runs_longer_than_s) for run in runs]
        waits += [(run.progressed_at, alerts.no_progress_in_s) for run in runs]
        if not self.halted:
            waits += [(due, alerts.late_after_s) for due, _ in self._awaited()]
            if self.seen.quiet_since is not None:
                waits.append((self.seen.quiet_since, alerts.no_success_in_s))
        instants = [since + timedelta(seconds=limit) for since, limit in waits if limit is not None]
        return min((instant for instant in instants if instant > self.now), default=None)

    def _unwatched(self, kind: Kind) -> str | None:
        if self.schedule.deleted:
            return "deleted"
        if not self.schedule.active:
            return "inactive"
        return None if self._limit(kind) is not None else "not_watched"

    def _limit(self, kind: Kind) -> float | None:
        alerts = self.alerts
        match kind:
            case Kind.LATE:
                return alerts.late_after_s
            case Kind.TOO_LONG:
                return alerts.runs_longer_than_s
            case Kind.STUCK:
                return alerts.no_progress_in_s
            case Kind.NO_SUCCESS:
                return alerts.no_success_in_s
            case Kind.FAILURES:
                return alerts.failures_in_a_row

    def _over(self, incident: AlertRaised, run_of: Callable[[str], Run]) -> AlertRecovered | AlertDropped | None:
        match Kind(incident.alert):
            case Kind.LATE:
                return self._late_over(incident, run_of)
            case Kind.TOO_LONG | Kind.STUCK if incident.run not in self.schedule.open_runs:
                return _recovered(incident, "ended", incident.run)
            case Kind.STUCK:
                seen = self.seen.runs.get(incident.run or "")
                moved = seen is not None and seen.progressed_at > incident.since
                return _recovered(incident, "progressed", incident.run) if moved else None
            case Kind.NO_SUCCESS:
                succeeded = self.schedule.last_success not in (None, incident.run)
                return _recovered(incident, "succeeded", self.schedule.last_success) if succeeded else None
            case Kind.FAILURES:
                over = self._streak() != incident.incident
                return _recovered(incident, "succeeded", self.schedule.last_success) if over else None
            case _:
                return None

    def _late_over(self, incident: AlertRaised, run_of: Callable[[str], Run]) -> AlertRecovered | AlertDropped | None:
        if any(due == incident.due for due, _ in self._awaited()):
            return None
        if run_of(incident.run or "").state in RAN:
            return _recovered(incident, "started", incident.run)
        return AlertDropped(alert=incident.alert, incident=incident.incident, reason="not_due")

    def _awaited(self) -> Iterator[tuple[datetime, int]]:
        """Yield the moments whose start is still to come, with their cadence version."""
        yield from ((one.due, one.cadence_version) for one in self.schedule.waiting)
        if self.schedule.active and self.schedule.next is not None:
            yield self.schedule.next.due, self.schedule.cadence_version

    def _late(self) -> Iterator[AlertRaised]:
        limit = self.alerts.late_after_s
        if limit is None:
            return
        found = [*self._unstarted(limit), *self._started_late(limit), *self._missed(limit)]
        last = self.alert.last_late
        for incident in sorted(found, key=lambda one: one.since):
            assert incident.due is not None  # noqa: S101 each of them has one
            if last is None or incident.due > last:
                yield incident
                last = incident.last or incident.due

    def _unstarted(self, limit: float) -> Iterator[AlertRaised]:
        for due, version in () if self.halted else self._awaited():
            if due + timedelta(seconds=limit) <= self.now:
                yield self._late_one(due, occurrence_id("schedule", self.id, version, due), limit)

    def _started_late(self, limit: float) -> Iterator[AlertRaised]:
        """What an edit or activation put behind began at once and is not late."""
        for start in self.seen.started:
            on_purpose = start.cause_detail not in (None, CauseDetail.DOWNTIME)
            if not on_purpose and start.opened_at - start.due > timedelta(seconds=limit):
                yield self._late_one(start.due, start.run, limit, settled=True)

    def _missed(self, limit: float) -> Iterator[AlertRaised]:
        for span in self.seen.missed:
            run = occurrence_id("schedule", self.id, span.cadence_version, span.first)
            yield self._late_one(
                span.first, run, limit, settled=True, last=span.last, count=span.count, reason=span.reason
            )

    def _late_one(
        self,
        due: datetime,
        run: str,
        limit: float,
        *,
        settled: bool = False,
        last: datetime | None = None,
        count: int | None = None,
        reason: str | None = None,
    ) -> AlertRaised:
        return AlertRaised(
            alert=Kind.LATE,
            incident=f"late.{stamp(due)}",
            since=due,
            limit_s=limit,
            due=due,
            last=last,
            count=count,
            reason=reason,
            run=run,
            settled=settled,
        )

    def _runs(self) -> Iterator[AlertRaised]:
        for run in self.schedule.open_runs:
            seen = self.seen.runs.get(run)
            if seen is None:
                continue
            too_long = f"too_long.{run}"
            yield from self._if_long(Kind.TOO_LONG, too_long, seen.opened_at, self.alerts.runs_longer_than_s, run)
            stuck = f"stuck.{run}.{stamp(seen.progressed_at)}"
            yield from self._if_long(Kind.STUCK, stuck, seen.progressed_at, self.alerts.no_progress_in_s, run)

    def _successless(self) -> Iterator[AlertRaised]:
        since = self.seen.quiet_since
        if since is not None and not self.halted and not self._open(Kind.NO_SUCCESS):
            incident, last = f"no_success.{stamp(since)}", self.schedule.last_success
            yield from self._if_long(Kind.NO_SUCCESS, incident, since, self.alerts.no_success_in_s, last)

    def _open(self, kind: Kind) -> bool:
        return any(one.alert == kind for one in self.alert.open.values())

    def _if_long(
        self, kind: Kind, incident: str, since: datetime, limit: float | None, run: str | None
    ) -> Iterator[AlertRaised]:
        if limit is not None and since + timedelta(seconds=limit) <= self.now:
            yield AlertRaised(alert=kind, incident=incident, since=since, limit_s=limit, run=run)

    def _streak(self) -> str:
        return f"failures.{self.schedule.failing_since}"

    def _failures(self) -> Iterator[AlertRaised]:
        limit, count = self.alerts.failures_in_a_row, self.schedule.failed_in_a_row
        if limit is not None and count >= limit:
            run = self.schedule.last_failure
            yield AlertRaised(alert=Kind.FAILURES, incident=self._streak(), since=self.now, count=count, run=run)


def stamp(at: datetime) -> str:
    """Write an instant into an incident's id."""
    return at.strftime("%Y%m%dt%H%M%Sz")


def _recovered(incident: AlertRaised, cause: str, run: str | None) -> AlertRecovered:
    return AlertRecovered(alert=incident.alert, incident=incident.incident, cause=cause, run=run)
