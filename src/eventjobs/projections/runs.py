"""
Runs: as they were opened, which never changes, and how they stand.

An occurrence that did not run is no run; it is in the view of occurrences.
"""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.domain.run import State
from eventjobs.events.recorded import Recorded
from eventjobs.events.run import (
    AttemptStarted,
    RunEnded,
    RunOpened,
    RunResumed,
    RunStopRequested,
    RunTakenOver,
    SnapshotJob,
)
from eventjobs.projections.temporal import Keeps, Projection, Put, Table, Write, json_text

RUNS: Final = Table(
    name="view_runs_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "owner_kind": "text",
        "owner_id": "text",
        "cause": "text",
        "cause_detail": "text",
        "due": "timestamptz",
        "cadence_version": "integer",
        "on_failure": "text",
        "missed_occurrences": "integer",
        "missed_first": "timestamptz",
        "missed_last": "timestamptz",
        "resumes": "text",
        "opened_at": "timestamptz",
        "jobs": "json",
    },
    keeps=Keeps.FIRST,
)
STATUS: Final = Table(
    name="view_run_status_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "state": "text",
        "reason": "text",
        "stop_mode": "text",
        "term": "integer",
        "instance": "text",
        "started_at": "timestamptz",
        "ended_at": "timestamptz",
        "counts": "json",
    },
)


LINKS: Final = Table(
    name="view_run_links_1",
    key={"workspace": "text", "id": "text"},
    columns={"stands_for": "timestamptz", "resumed_by": "text"},
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a run as a whole writes."""
    key = (recorded.workspace, recorded.stream.id)
    match recorded.event:
        case AttemptStarted() as event if event.attempt == 1:
            yield Put(STATUS, key, {"started_at": recorded.at}, only_if={"started_at": None})
        case RunOpened() as event:
            yield Put(RUNS, key, {**_opened(event), "opened_at": recorded.at}, new=True)
            begun = {"state": str(State.RUNNING), "term": event.term, "instance": event.instance}
            yield Put(STATUS, key, begun, new=True)
            if event.stands_for is not None:
                yield Put(LINKS, key, {"stands_for": event.stands_for})
        case RunStopRequested() as event:
            yield Put(STATUS, key, {"state": str(State.STOPPING), "stop_mode": event.mode})
        case RunTakenOver() as event:
            yield Put(STATUS, key, {"term": event.term, "instance": event.instance})
        case RunResumed() as event:
            yield Put(LINKS, key, {"resumed_by": event.by})
        case RunEnded() as event:
            ended = {
                "state": event.state,
                "reason": event.reason,
                "ended_at": recorded.at,
                "counts": json_text(event.counts),
            }
            yield Put(STATUS, key, ended)
        case _:
            pass  # rows and attempts have a view of their own


def _opened(event: RunOpened) -> dict[str, Any]:
    return {
        "owner_kind": event.owner.kind,
        "owner_id": event.owner.id,
        "cause": event.cause,
        "cause_detail": event.cause_detail,
        "due": event.due,
        "cadence_version": event.cadence_version,
        "on_failure": event.on_failure,
        "missed_occurrences": event.missed_occurrences,
        "missed_first": event.missed_first,
        "missed_last": event.missed_last,
        "resumes": event.resumes,
        "jobs": json_text([_snapshot(job) for job in event.jobs]),
    }


def _snapshot(job: SnapshotJob) -> dict[str, Any]:
    """Return what a run's detail shows of a row; its configuration stays in the log."""
    return {
        "row": job.row,
        "job": job.job,
        "seq": job.seq,
        "skip_wait": job.skip_wait,
        "handler": job.handler,
        "attempts": job.policy.attempts,
        "version": job.version,
    }


PROJECTION: Final = Projection(
    name="runs",
    version=1,
    tables=(RUNS, STATUS, LINKS),
    events=(RunOpened, AttemptStarted, RunStopRequested, RunTakenOver, RunEnded, RunResumed),
    project=project,
)
