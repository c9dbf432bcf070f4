"""
What a decision may know about a run: its snapshot, and where each row of it stands.

Run and row states are SPEC's: queued, waiting, running, stopping, succeeded, failed, aborted, skipped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, assert_never

from eventjobs.events.run import (
    AttemptEnded,
    AttemptProgressed,
    AttemptStarted,
    JobRunEnded,
    JobRunWaiting,
    Ref,
    RunDelayed,
    RunEnded,
    RunEvent,
    RunMissed,
    RunOpened,
    RunSkipped,
    RunStopRequested,
    RunTakenOver,
    SnapshotJob,
)


class State(StrEnum):
    """Where a run or a row of it stands; `ABSENT`: there is no such run."""

    ABSENT = "absent"
    QUEUED = "queued"
    WAITING = "waiting"
    RUNNING = "running"
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
    may begin, `joined` the run whose result this row takes, `deadline` when its wait for a busy job is over,
    `progress` what the newest try said last.
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
    place on its instance, 0 for none.
    """

    state: State = State.ABSENT
    reason: str | None = None
    owner: Ref = Ref(kind="", id="")
    cause: str = ""
    due: datetime | None = None
    term: int = 0
    instance: str = ""
    on_failure: str = "continue"
    rows: Mapping[int, Row] = field(default_factory=dict)
    stop: StopMode | None = None
    displaced: bool = False
    delayed_in: int = 0

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
        case RunSkipped():
            return replace(run, state=State.SKIPPED, owner=event.owner, due=event.due, reason=event.reason)
        case RunMissed():
            return replace(run, state=State.MISSED, owner=event.owner, due=event.due, reason=event.reason)
        case RunStopRequested():
            displaced = run.displaced or (run.stop is None and event.displaced_by is not None)
            return replace(run, state=State.STOPPING, stop=StopMode(event.mode), displaced=displaced)
        case RunTakenOver():
            return replace(run, instance=event.instance, term=event.term)
        case RunDelayed():
            return replace(run, delayed_in=event.term)
        case RunEnded():
            return replace(run, state=State(event.state), reason=event.reason)
        case AttemptStarted() | AttemptProgressed() | AttemptEnded() | JobRunWaiting() | JobRunEnded():
            row = run.rows.get(event.row)
            return run if row is None else replace(run, rows={**run.rows, event.row: _row(row, event)})
        case _:
            assert_never(event)


def _opened(run: Run, event: RunOpened) -> Run:
    return replace(
        run,
        state=State.RUNNING,
        owner=event.owner,
        cause=event.cause,
        due=event.due,
        term=event.term,
        instance=event.instance,
        on_failure=event.on_failure,
        rows={job.row: Row(job=job) for job in event.jobs},
    )


def _row(row: Row, event: AttemptStarted | AttemptProgressed | AttemptEnded | JobRunWaiting | JobRunEnded) -> Row:
    match event:
        case AttemptProgressed():
            return replace(row, progress=event)
        case AttemptStarted():
            return replace(
                row,
                state=State.RUNNING,
                attempt=event.attempt,
                counted=row.counted + 1,
                term=event.term,
                retry_at=None,
                joined=None,
                deadline=None,
                progress=None,
            )
        case AttemptEnded():
            spared = event.reason == "interrupted" and not row.job.policy.interruption_counts
            return replace(
                row,
                state=State.QUEUED,
                counted=row.counted - 1 if spared else row.counted,
                spared=row.spared + 1 if spared else 0,
                retry_at=event.retry_at,
                reason=event.reason,
                counts=event.counts,
            )
        case JobRunWaiting():
            return replace(row, state=State.WAITING, joined=event.joined, deadline=event.deadline)
        case JobRunEnded():
            return replace(
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
