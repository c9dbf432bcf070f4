"""The rows of a run, each one job run, and their attempts with progress and sealed log lines."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.domain.run import State
from eventjobs.events.recorded import Recorded
from eventjobs.events.run import (
    AttemptEnded,
    AttemptProgressed,
    AttemptStarted,
    JobRunAnswered,
    JobRunCarried,
    JobRunEnded,
    JobRunReleased,
    JobRunSuspended,
    JobRunWaiting,
)
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

SUSPENSIONS: Final = Table(
    name="view_suspensions_1",
    key={"workspace": "text", "run": "text", "row": "integer", "attempt": "integer"},
    columns={
        "waits_for": "text",
        "since": "timestamptz",
        "released_at": "timestamptz",
        "answered_at": "timestamptz",
        "answer": "json",
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
                "retry_at": None,
                "holder": event.holder,
                "joined": event.joined,
                "deadline": event.deadline,
            }
            yield Put(JOB_RUNS, (*run, event.row), waiting)
        case JobRunSuspended():
            suspended = {"state": str(State.SUSPENDED), "deadline": event.deadline}
            yield Put(JOB_RUNS, (*run, event.row), {**suspended, "counts": json_text(event.counts)})
            yield Put(ATTEMPTS, (*run, event.row, event.attempt), {"state": str(State.SUSPENDED)})
            since = {"waits_for": event.waits_for, "since": recorded.at}
            yield Put(SUSPENSIONS, (*run, event.row, event.attempt), since)
        case JobRunReleased():
            yield Put(JOB_RUNS, (*run, event.row), {"deadline": None})
            yield Put(SUSPENSIONS, (*run, event.row, event.attempt), {"released_at": recorded.at})
        case JobRunAnswered():
            answer = {"answered_at": recorded.at, "answer": json_text(_answer(event))}
            yield Put(SUSPENSIONS, (*run, event.row, event.attempt), answer)
        case JobRunCarried():
            yield Put(JOB_RUNS, (*run, event.row), _carried(recorded, event))
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


def _answer(event: JobRunAnswered) -> dict[str, Any]:
    return {
        "state": event.state,
        "reason": event.reason,
        "detail": event.detail,
        "counts": event.counts,
        "output": event.output,
    }


def _carried(recorded: Recorded[Any], event: JobRunCarried) -> dict[str, Any]:
    return {
        "state": str(State.SUCCEEDED),
        "joined": event.run,
        "ended_at": recorded.at,
        "counts": json_text(event.counts),
        "output": None if event.output is None else json_text(event.output),
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
    tables=(JOB_RUNS, ATTEMPTS, SUSPENSIONS),
    events=(
        AttemptStarted,
        AttemptProgressed,
        AttemptEnded,
        JobRunWaiting,
        JobRunSuspended,
        JobRunReleased,
        JobRunAnswered,
        JobRunCarried,
        JobRunEnded,
    ),
    project=project,
)
