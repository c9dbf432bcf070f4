"""The rows of a run, each one job run, and their attempts with progress and sealed log lines."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.domain.run import State
from eventjobs.events.recorded import Recorded
from eventjobs.events.run import AttemptEnded, AttemptProgressed, AttemptStarted, JobRunEnded, JobRunWaiting
from eventjobs.projections.temporal import Projection, Put, Table, Write, json_text

JOB_RUNS: Final = Table(
    name="view_job_runs_1",
    key={"workspace": "text", "run": "text", "row": "integer"},
    columns={
        "state": "text",
        "reason": "text",
        "detail": "text",
        "attempt": "integer",
        "retry_at": "timestamptz",
        "holder": "text",
        "joined": "text",
        "deadline": "timestamptz",
        "ended_at": "timestamptz",
        "counts": "json",
        "output": "json",
    },
)
ATTEMPTS: Final = Table(
    name="view_attempts_1",
    key={"workspace": "text", "run": "text", "row": "integer", "attempt": "integer"},
    columns={
        "state": "text",
        "reason": "text",
        "detail": "text",
        "term": "integer",
        "started_at": "timestamptz",
        "ended_at": "timestamptz",
        "retry_at": "timestamptz",
        "counts": "json",
        "fraction": "double precision",
        "progress": "text",
        "progressed_at": "timestamptz",
        "log_lines": "integer",
        "log_sha256": "text",
    },
)

_NOT_WAITING: Final = {"retry_at": None, "holder": None, "joined": None, "deadline": None}


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a row of a run writes; a row without facts is queued and has no row here."""
    run = (recorded.workspace, recorded.stream.id)
    event = recorded.event
    match event:
        case AttemptStarted():
            began = {"state": str(State.RUNNING), "attempt": event.attempt, **_NOT_WAITING}
            yield Put(JOB_RUNS, (*run, event.row), began)
            started = {"state": str(State.RUNNING), "term": event.term, "started_at": recorded.at}
            yield Put(ATTEMPTS, (*run, event.row, event.attempt), started, new=True)
        case AttemptProgressed():
            progress = {
                "fraction": event.fraction,
                "progress": event.text,
                "counts": json_text(event.counts),
                "progressed_at": recorded.at,
            }
            yield Put(ATTEMPTS, (*run, event.row, event.attempt), progress)
        case AttemptEnded():
            ended = _ended(recorded, event)
            queued = {name: ended[name] for name in ("reason", "retry_at", "counts")}
            yield Put(JOB_RUNS, (*run, event.row), {"state": str(State.QUEUED), **queued})
            yield Put(ATTEMPTS, (*run, event.row, event.attempt), ended)
        case JobRunWaiting():
            waiting = {
                "state": str(State.WAITING),
                "holder": event.holder,
                "joined": event.joined,
                "deadline": event.deadline,
            }
            yield Put(JOB_RUNS, (*run, event.row), waiting)
        case JobRunEnded():
            yield Put(JOB_RUNS, (*run, event.row), _over(recorded, event))
        case _:
            pass  # the run as a whole has a view of its own


def _ended(recorded: Recorded[Any], event: AttemptEnded) -> dict[str, Any]:
    return {
        "state": event.state,
        "reason": event.reason,
        "detail": event.detail,
        "ended_at": recorded.at,
        "retry_at": event.retry_at,
        "counts": json_text(event.counts),
        "log_lines": event.log_lines,
        "log_sha256": event.log_sha256,
    }


def _over(recorded: Recorded[Any], event: JobRunEnded) -> dict[str, Any]:
    over = {
        "state": event.state,
        "reason": event.reason,
        "detail": event.detail,
        "ended_at": recorded.at,
        "counts": json_text(event.counts),
        "output": None if event.output is None else json_text(event.output),
        **_NOT_WAITING,
    }
    return over if event.joined is None else {**over, "joined": event.joined}


PROJECTION: Final = Projection(
    name="job_runs",
    version=1,
    tables=(JOB_RUNS, ATTEMPTS),
    events=(AttemptStarted, AttemptProgressed, AttemptEnded, JobRunWaiting, JobRunEnded),
    project=project,
)
