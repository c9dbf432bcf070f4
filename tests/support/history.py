"""
A made-up history of one deployment, as its streams would hold it: services, schedules, edits, runs with attempts.

It is drawn from a seed and coherent: a run ends after it was opened, a row after its attempts. It knows of no view.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from eventjobs.domain.cadence import due_at
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.streams import (
    calendar_stream,
    key_stream,
    run_stream,
    schedule_stream,
    service_stream,
    workspace_stream,
)
from eventjobs.events.access import KeyIssued, KeyRevoked
from eventjobs.events.cadence import Cadence, TimingPolicies, TimingState, Unit
from eventjobs.events.calendar import BlackoutDate, CalendarSaved
from eventjobs.events.recorded import Event, StreamId
from eventjobs.events.run import (
    AttemptEnded,
    AttemptProgressed,
    AttemptStarted,
    JobRunEnded,
    JobRunWaiting,
    Ref,
    RunEnded,
    RunOpened,
    RunStopRequested,
    RunTakenOver,
)
from eventjobs.events.schedule import (
    JobRow,
    ScheduleActivated,
    ScheduleCadenceEdited,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleDescribed,
    ScheduleInactivated,
    ScheduleJobsEdited,
    ScheduleOccurrenceDropped,
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePaused,
    SchedulePolicies,
    ScheduleRunClosed,
    ScheduleRunOpened,
    ScheduleUnpaused,
)
from eventjobs.events.service import (
    ServiceAdded,
    ServiceAttached,
    ServiceClaimed,
    ServiceConfigured,
    ServiceReleased,
    ServiceRunClosed,
    ServiceRunOpened,
    Turn,
)
from eventjobs.events.workspace import WorkspaceCreated, WorkspaceStartsHeld, WorkspaceStartsReleased
from tests.support import tales
from tests.support.facts import POLICY, START, Facts, snapshot
from tests.support.lists import lists

POLICIES = SchedulePolicies(timing=TimingPolicies())


@dataclass
class Planned:
    """What the generator remembers of a schedule."""

    id: str
    cadence: Cadence
    cadence_version: int = 1
    due: datetime = START
    active: bool = True
    deleted: bool = False
    jobs: tuple[JobRow, ...] = ()

    @property
    def timing(self) -> TimingState:
        return TimingState(reference=self.due, anchor_day=self.due.day)

    def advance(self, moments: int = 1) -> Any:
        self.due += moments * timedelta(minutes=15)
        return due_at(self.cadence, self.due)


@dataclass
class History:
    """Draws appends: each a list of facts that stand in the log together."""

    seed: int
    workspaces: Sequence[str] = ("acme",)
    schedules: int = 3
    jobs: int = 3
    edits: float = 0.3
    """The share of steps that are edits and not runs."""
    random: Random = field(init=False)
    runs: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.planned = {workspace: self._planned() for workspace in self.workspaces}

    def _planned(self) -> list[Planned]:
        cadence = Cadence(start_date="2026-01-01", start_time="00:00", time_zone="UTC", every=15, unit=Unit.MINUTE)
        jobs = tuple(
            JobRow(row=n + 1, job=Ref(kind="service", id=f"service-{n}"), seq=n // 2 + 1, skip_wait=n == 2)
            for n in range(self.jobs)
        )
        return [Planned(f"schedule-{n}", cadence, jobs=jobs) for n in range(self.schedules)]

    def appends(self, steps: int) -> Iterator[Facts]:
        """Yield the beginnings, then `steps` edits and runs."""
        for workspace in self.workspaces:
            yield from self._begin(workspace)
        for _ in range(steps):
            workspace = self.random.choice(self.workspaces)
            schedule = self.random.choice(self.planned[workspace])
            if self.random.random() < 0.05 and schedule.active:
                yield self._stop_and_go(workspace, schedule, self.random.choice(("pause", "hold", "calendar", "queue")))
            if self.random.random() < self.edits:
                yield self._edit(workspace, schedule)
            elif self.random.random() < 0.1:
                yield from self._run(workspace, None)
            else:
                yield from self._run(workspace, schedule)

    def _begin(self, workspace: str) -> Iterator[Facts]:
        yield [(workspace_stream(workspace), WorkspaceCreated(time_zone="Europe/Berlin", kind="automation"))]
        issued = KeyIssued(lookup=f"l{workspace}", secret_sha256="00" * 32, roles=("reader",), workspaces=(workspace,),
                           read_only=False)  # fmt: skip
        yield [(key_stream(workspace, "first"), issued)]
        for n in range(self.jobs):
            kind = "Vista/Jobs/Cache writer" if n == 0 else None
            added = ServiceAdded(name=f"Service {n}", handler="noop", config={"n": n}, policy=POLICY, type=kind)
            yield [(service_stream(workspace, f"service-{n}"), added)]
        for schedule in self.planned[workspace]:
            created = ScheduleCreated(
                description=f"Runs {schedule.id}",
                active=True,
                cadence=schedule.cadence,
                policies=POLICIES,
                jobs=schedule.jobs,
                cadence_version=1,
                timing=TimingState(),
                next=schedule.advance(),
            )
            attached: Facts = [
                (service_stream(workspace, row.job.id), ServiceAttached(schedule=schedule.id)) for row in schedule.jobs
            ]
            yield [(schedule_stream(workspace, schedule.id), created), *attached]
        for what in ("pause", "hold", "calendar", "queue"):
            yield self._stop_and_go(workspace, self.planned[workspace][0], what)
        yield from tales.approvals(workspace, self.planned[workspace][0].cadence)
        yield from tales.alarm(workspace, self.planned[workspace][0].id)
        yield from tales.integration(workspace)
        yield from tales.member(workspace)
        yield from lists(workspace)

    def _edit(self, workspace: str, schedule: Planned) -> Facts:
        stream = schedule_stream(workspace, schedule.id)
        kind = self.random.randrange(9)
        if kind <= 1:
            return self._edit_other(workspace, kind)
        if schedule.deleted or kind == 2:
            return [(stream, ScheduleDescribed(description=f"number {self.random.random()}"))]
        if kind == 3 and self.random.random() < 0.2:
            schedule.deleted, schedule.active = True, False
            return [(stream, ScheduleDeleted())]
        if kind == 4:
            schedule.cadence_version += 1
            edited = ScheduleCadenceEdited(
                cadence=schedule.cadence,
                cadence_version=schedule.cadence_version,
                timing=schedule.timing,
                next=schedule.advance() if schedule.active else None,
            )
            return [(stream, edited)]
        if kind == 5:
            schedule.active = not schedule.active
            if schedule.active:
                return [(stream, ScheduleActivated(timing=schedule.timing, next=schedule.advance()))]
            return [(stream, ScheduleInactivated(timing=schedule.timing))]
        if kind == 6 or not schedule.active:
            return [(stream, ScheduleJobsEdited(jobs=schedule.jobs[: 1 + self.random.randrange(len(schedule.jobs))]))]
        return self._not_run(stream, schedule)

    def _stop_and_go(self, workspace: str, schedule: Planned, what: str) -> Facts:
        """Pause and unpause, hold and release, save a calendar, or let a moment wait and drop it."""
        stream, until = schedule_stream(workspace, schedule.id), START + timedelta(days=200)
        ended = self.random.random() < 0.5
        match what:
            case "pause" if ended:
                return [(stream, ScheduleUnpaused(cause="asked"))]
            case "pause":
                return [(stream, SchedulePaused(since=START, until=until, note="why", by="key:first"))]
            case "hold" if ended:
                return [(workspace_stream(workspace), WorkspaceStartsReleased(since=until))]
            case "hold":
                return [(workspace_stream(workspace), WorkspaceStartsHeld(since=START, note="", by="key:first"))]
            case "calendar":
                dates = (BlackoutDate(date="2026-01-02", note="why"),) if ended else ()
                saved = CalendarSaved(name="Freeze", time_zone="UTC", since=START, dates=dates)
                return [(calendar_stream(workspace, "freeze"), saved)]
            case _:
                return self._queue(stream, schedule, dropped=ended)

    def _queue(self, stream: StreamId, schedule: Planned, *, dropped: bool) -> Facts:
        due, version = schedule.due, schedule.cadence_version
        queued = ScheduleOccurrenceQueued(
            due=due,
            cadence_version=version,
            cause="scheduled",
            reason="overlap",
            open_run="another",
            timing=schedule.timing,
            next=schedule.advance(),
        )
        gone = ScheduleOccurrenceDropped(due=due, cadence_version=version, outcome="skipped", reason="paused")
        return [(stream, queued), *([(stream, gone)] if dropped else [])]

    def _edit_other(self, workspace: str, kind: int) -> Facts:
        if kind == 0:
            configured = ServiceConfigured(name="Other", handler="pay", config={"text": "ü\n"}, policy=POLICY)
            return [(service_stream(workspace, f"service-{self.random.randrange(self.jobs)}"), configured)]
        return [(key_stream(workspace, "first"), KeyRevoked())]

    def _not_run(self, stream: StreamId, schedule: Planned) -> Facts:
        count, first = self.random.choice((1, 1, 5)), schedule.due
        last = first + (count - 1) * timedelta(minutes=15)
        span = {
            "count": count,
            "first": first,
            "last": last,
            "anchor_day": first.day,
            "cadence_version": schedule.cadence_version,
            "timing": schedule.timing,
            "next": schedule.advance(count),
        }
        if self.random.random() < 0.5:
            return [(stream, ScheduleOccurrencesSkipped(reason="overlap", **span))]
        return [(stream, ScheduleOccurrencesMissed(reason="downtime", **span))]

    def _run(self, workspace: str, schedule: Planned | None) -> Iterator[Facts]:
        self.runs += 1
        scheduled = schedule is not None and schedule.active
        if schedule is None:
            owner, run_id = Ref(kind="service", id="service-0"), f"run-{self.runs}"
            rows = (JobRow(row=1, job=owner, seq=1),)
            opening: Facts = [
                (service_stream(workspace, owner.id), ServiceRunOpened(run=run_id, cause="manual")),
            ]
        else:
            owner, rows = Ref(kind="schedule", id=schedule.id), schedule.jobs
            due = schedule.due
            run_id = (
                occurrence_id("schedule", schedule.id, schedule.cadence_version, due)
                if scheduled
                else f"run-{self.runs}"
            )
            opened = ScheduleRunOpened(run=run_id, cause="manual")
            if scheduled:
                opened = ScheduleRunOpened(
                    run=run_id, cause="scheduled", due=due, timing=schedule.timing, next=schedule.advance()
                )
            opening = [(schedule_stream(workspace, schedule.id), opened)]
        stream = run_stream(workspace, run_id)
        begun = RunOpened(
            owner=owner,
            cause="scheduled" if scheduled else "manual",
            due=due if schedule is not None and scheduled else None,
            term=1,
            instance="one",
            on_failure="continue",
            jobs=tuple(snapshot(row) for row in rows),
            cadence_version=schedule.cadence_version if schedule is not None and scheduled else None,
        )
        yield [(stream, begun), *opening]
        yield from self._rows(workspace, stream, rows)
        failed = self.random.random() < 0.2
        state, reason = ("failed", "error") if failed else ("succeeded", None)
        closed: tuple[StreamId, Event] = (
            (service_stream(workspace, owner.id), ServiceRunClosed(run=run_id, state=state, reason=reason))
            if schedule is None
            else (
                schedule_stream(workspace, schedule.id),
                ScheduleRunClosed(run=run_id, state=state, reason=reason),
            )
        )
        yield [(stream, RunEnded(state=state, reason=reason, counts={state: len(rows)})), closed]

    def _rows(self, workspace: str, stream: StreamId, rows: Sequence[JobRow]) -> Iterator[Facts]:
        if self.random.random() < 0.1:
            yield [(stream, RunTakenOver(instance="two", term=2, cause="its instance is gone"))]
        if self.random.random() < 0.05:
            yield [(stream, RunStopRequested(mode="after_current"))]
        for row in rows:
            service = service_stream(workspace, row.job.id)
            turn = Turn(run=stream.id, row=row.row)
            if self.random.random() < 0.1:
                deadline = START + timedelta(days=400)
                yield [(stream, JobRunWaiting(row=row.row, holder="another", deadline=deadline))]
            tries = self.random.choice((1, 1, 1, 2))
            for attempt in range(1, tries + 1):
                started = AttemptStarted(row=row.row, attempt=attempt, term=1)
                yield [(service, ServiceClaimed(turn=turn)), (stream, started)] if attempt == 1 else [(stream, started)]
                if self.random.random() < 0.2:
                    yield [(stream, AttemptProgressed(row=row.row, attempt=attempt, fraction=0.5, text="half",
                                                      counts={"processed": 10}))]  # fmt: skip
                ended = AttemptEnded(
                    row=row.row,
                    attempt=attempt,
                    term=1,
                    state="succeeded" if attempt == tries else "failed",
                    reason=None if attempt == tries else "error",
                    counts={"processed": 100},
                    retry_at=None if attempt == tries else START + timedelta(days=300, seconds=attempt),
                    log_lines=3,
                    log_sha256="ab" * 32,
                )
                if attempt < tries:
                    yield [(stream, ended)]
                    continue
                over = JobRunEnded(row=row.row, state="succeeded", counts={"processed": 100}, output={"rows": 100})
                yield [(stream, ended), (stream, over), (service, ServiceReleased(turn=turn))]
