"""
What a decision may know about a run: its snapshot, and where each row of it stands.

Run and row states are SPEC's: queued, waiting, running, suspended, stopping, succeeded, failed, aborted, skipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeAlias, assert_never

from eventjobs.domain.changed import changed
from eventjobs.events.run import (
    AttemptEnded,
    AttemptProgressed,
    AttemptStarted,
    JobRunAnswered,
    JobRunCarried,
    JobRunDefined,
    JobRunEnded,
    JobRunReleased,
    JobRunSuspended,
    JobRunWaiting,
    Ref,
    RunDelayed,
    RunEnded,
    RunEvent,
    RunMissed,
    RunOpened,
    RunResumed,
    RunSkipped,
    RunStopRequested,
    RunTakenOver,
    SnapshotJob,
)

RowEvent: TypeAlias = (
    AttemptStarted
    | AttemptProgressed
    | AttemptEnded
    | JobRunWaiting
    | JobRunSuspended
    | JobRunReleased
    | JobRunAnswered
    | JobRunCarried
    | JobRunDefined
    | JobRunEnded
)


class State(StrEnum):
    """Where a run or a row of it stands; `ABSENT`: there is no such run."""

    ABSENT = "absent"
    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
    SUSPENDED = "suspended"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"
    SKIPPED = "skipped"
    MISSED = "missed"


ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.ABORTED, State.SKIPPED, State.MISSED})


class StopMode(StrEnum):
    """How a person wants a run to stop."""

    NOW = "now"
    AFTER_CURRENT = "after_current"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """
    One job run.

    `attempt` is the newest try's number, `counted` how many tries count against the limit (an interrupted import does
    not), `spared` how many in a row did not, `term` the term in which the newest one began, `retry_at` when the next
    may begin (also the first one, where the run's start was spread), `joined` the run whose result this row takes,
    `deadline` when its wait for a busy job, or for a suspended flow, is over, `progress` what the newest try said last.
    `suspended` is how the newest try went on elsewhere, `answer` what its callback said; a `released` row holds no
    stage up.
    """

    job: SnapshotJob
    state: State = State.QUEUED
    attempt: int = 0
    counted: int = 0
    spared: int = 0
    term: int = 0
    retry_at: datetime | None = None
    joined: str | None = None
    deadline: datetime | None = None
    progress: AttemptProgressed | None = None
    suspended: JobRunSuspended | None = None
    answer: JobRunAnswered | None = None
    released: bool = False
    reason: str | None = None
    detail: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    output: Any = None

    @property
    def row(self) -> int:
        """Its number in the job table."""
        return self.job.row

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    A run as its stream tells it.

    `displaced`: it was stopped to make room for a newer one. `delayed_in` is the last term in which it waited for a
    place on its instance, 0 for none. `moment` is what its jobs are told that they run for: its due moment, or one
    of the past. `resumed_by` is the run that goes on where this one did not succeed.
    """

    state: State = State.ABSENT
    reason: str | None = None
    owner: Ref = Ref(kind="", id="")
    cause: str = ""
    due: datetime | None = None
    moment: datetime | None = None
    term: int = 0
    instance: str = ""
    on_failure: str = "continue"
    rows: Mapping[int, Row] = field(default_factory=dict)
    stop: StopMode | None = None
    displaced: bool = False
    delayed_in: int = 0
    resumed_by: str | None = None

    @property
    def open(self) -> bool:
        """Whether it began and did not end."""
        return self.state in (State.RUNNING, State.STOPPING)


INITIAL = Run()


def evolve(run: Run, event: RunEvent) -> Run:
    """Move the run by one fact."""
    match event:
        case RunOpened():
            return _opened(run, event)
        case RunSkipped() | RunMissed():
            state = State.SKIPPED if isinstance(event, RunSkipped) else State.MISSED
            return changed(run, state=state, owner=event.owner, due=event.due, reason=event.reason)
        case RunStopRequested():
            displaced = run.displaced or (run.stop is None and event.displaced_by is not None)
            return changed(run, state=State.STOPPING, stop=StopMode(event.mode), displaced=displaced)
        case RunTakenOver():
            return changed(run, instance=event.instance, term=event.term)
        case RunDelayed():
            return changed(run, delayed_in=event.term)
        case RunResumed():
            return changed(run, resumed_by=event.by)
        case RunEnded():
            return changed(run, state=State(event.state), reason=event.reason)
        case _:
            row = run.rows.get(event.row)
            return run if row is None else changed(run, rows={**run.rows, event.row: _row(row, event)})


def _opened(run: Run, event: RunOpened) -> Run:
    return changed(
        run,
        state=State.RUNNING,
        owner=event.owner,
        cause=event.cause,
        due=event.due,
        moment=event.due or event.stands_for,
        term=event.term,
        instance=event.instance,
        on_failure=event.on_failure,
        rows={job.row: Row(job=job, retry_at=_begins_at(job, event)) for job in event.jobs},
    )


def _begins_at(job: SnapshotJob, event: RunOpened) -> datetime | None:
    """Return when a job of a spread start may begin: a free-runner, or one of the first stage."""
    if event.not_before is None:
        return None
    first = min((other.seq for other in event.jobs if not other.skip_wait), default=None)
    return event.not_before if job.skip_wait or job.seq == first else None


def _row(row: Row, event: RowEvent) -> Row:
    match event:
        case AttemptProgressed():
            return changed(row, progress=event)
        case AttemptStarted():
            return changed(
                row,
                state=State.RUNNING,
                attempt=event.attempt,
                counted=row.counted + 1,
                term=event.term,
                retry_at=None,
                joined=None,
                deadline=None,
                progress=None,
                suspended=None,
                answer=None,
            )
        case AttemptEnded():
            spared = event.reason == "interrupted" and not row.job.policy.interruption_counts
            return changed(
                row,
                state=State.QUEUED,
                counted=row.counted - 1 if spared else row.counted,
                spared=row.spared + 1 if spared else 0,
                retry_at=event.retry_at,
                reason=event.reason,
                counts=event.counts,
            )
        case JobRunDefined():
            return changed(row, job=event.job)
        case JobRunWaiting():
            return changed(row, state=State.WAITING, retry_at=None, joined=event.joined, deadline=event.deadline)
        case JobRunSuspended() | JobRunReleased() | JobRunAnswered() | JobRunCarried():
            return _elsewhere(row, event)
        case JobRunEnded():
            return changed(
                row,
                state=State(event.state),
                reason=event.reason,
                detail=event.detail,
                counts=event.counts,
                output=event.output,
                retry_at=None,
                deadline=None,
            )
        case _:
            assert_never(event)


def _elsewhere(row: Row, event: JobRunSuspended | JobRunReleased | JobRunAnswered | JobRunCarried) -> Row:
    """Move a row by what does not happen in this run's handlers."""
    match event:
        case JobRunSuspended():
            return changed(row, state=State.SUSPENDED, suspended=event, deadline=event.deadline, counts=event.counts)
        case JobRunReleased():
            return changed(row, released=True, deadline=None)
        case JobRunAnswered():
            return changed(row, answer=event)
        case JobRunCarried():
            return changed(row, state=State.SUCCEEDED, joined=event.run, counts=event.counts, output=event.output)
        case _:
            assert_never(event)
