"""
What each Connect job does, the group that it is in, and its job runs, alone or in a group.

The rest of a job is in the view of slot owners, the rest of a job run in that of job runs.
"""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.domain.streams import CONNECT_JOBS
from eventjobs.events.job import JobCreated, JobGrouped, JobSaved, JobUngrouped
from eventjobs.events.recorded import Recorded
from eventjobs.events.run import JobRunEnded, RunOpened
from eventjobs.projections.temporal import Keeps, Projection, Put, Table, Write, json_text

JOBS: Final = Table(
    name="view_connect_jobs_1",
    key={"workspace": "text", "id": "text"},
    columns={
        "kind": "text",
        "subtype": "text",
        "handler": "text",
        "config": "json",
        "policy": "json",
        "errors": "json",
        "member_of": "text",
    },
)
JOB_RUNS: Final = Table(
    name="view_connect_job_runs_1",
    key={"workspace": "text", "run": "text", "row": "integer"},
    columns={
        "job": "text",
        "owner_kind": "text",
        "owner_id": "text",
        "cause": "text",
        "state": "text",
        "ended_at": "timestamptz",
    },
    keeps=Keeps.LAST,
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a Connect job, or about a run of one, writes."""
    key = (recorded.workspace, recorded.stream.id)
    match recorded.event:
        case JobCreated() as event:
            yield Put(JOBS, key, {"kind": event.kind, **_definition(event)})
        case JobSaved() as event:
            yield Put(JOBS, key, _definition(event))
        case JobGrouped() as event:
            yield Put(JOBS, key, {"member_of": event.group})
        case JobUngrouped() as event:
            yield Put(JOBS, key, {"member_of": None}, only_if={"member_of": event.group})
        case RunOpened() as event:
            owner = {"owner_kind": event.owner.kind, "owner_id": event.owner.id, "cause": event.cause}
            for job in event.jobs:
                if job.job.kind in CONNECT_JOBS:
                    yield Put(JOB_RUNS, (*key, job.row), {"job": job.job.id, **owner}, new=True)
        case JobRunEnded() as event:  # of another kind of job there is no row
            ended = {"state": event.state, "ended_at": recorded.at}
            yield Put(JOB_RUNS, (*key, event.row), ended, only_if={"ended_at": None})
        case _:
            pass  # not this view's business


def _definition(event: JobCreated | JobSaved) -> dict[str, Any]:
    return {
        "subtype": event.subtype,
        "handler": event.handler,
        "config": json_text(event.config),
        "policy": json_text(event.policy),
        "errors": json_text(event.errors),
    }


PROJECTION: Final = Projection(
    name="connect_jobs",
    version=1,
    tables=(JOBS, JOB_RUNS),
    events=(JobCreated, JobSaved, JobGrouped, JobUngrouped, RunOpened, JobRunEnded),
    project=project,
)
