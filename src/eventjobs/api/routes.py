"""Every route there is. A tuple is the registry: what is not named here is not offered."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from eventjobs.api import history, operations, reads, schemas, view_schemas
from eventjobs.api.batch import BatchEntry, BatchQuery, command_batch
from eventjobs.api.commands import CommandQuery, create_workspace, named_command
from eventjobs.api.moment import ListQuery, ReadQuery
from eventjobs.api.registry import Answer, Call, Handler, Query, Route, Scope
from eventjobs.api.run_log import LogQuery, run_log
from eventjobs.api.why import WhyQuery, why
from eventjobs.commands.create_workspace import CreateWorkspace
from eventjobs.domain.access import ADMINISTRATOR, ANY_ROLE, AUDITOR

HISTORIANS: Final = frozenset({AUDITOR, ADMINISTRATOR})
COMMAND_ANSWERS: Final = (
    Answer(status=201, description="Decided and written", model=schemas.CommandAnswer),
    Answer(description="Nothing was to do", model=schemas.CommandAnswer),
    Answer(description="A dry run", model=schemas.DryRunAnswer),
)
COMMAND_PROBLEMS: Final = (400, 403, 408, 409, 412, 413, 415, 422, 503, 507)


READ_PROBLEMS: Final = (400, 403, 422, 503)


async def live(call: Call) -> web.StreamResponse:
    """Answer with what happens, as it happens."""
    return await call.live.stream(call.request, call.request_id, call.caller, call.workspace)


def _read(
    path: str, name: str, summary: str, tag: str, handler: Handler, query: type[Query], answers: Sequence[Answer]
) -> Route:
    return Route(
        method="GET",
        path=path,
        name=name,
        summary=summary,
        tag=tag,
        scope=Scope.WORKSPACE,
        roles=ANY_ROLE,
        handler=handler,
        query=query,
        answers=answers,
        problems=READ_PROBLEMS,
    )


def _list(
    path: str,
    name: str,
    summary: str,
    tag: str,
    handler: Handler,
    query: type[Query],
    model: type[BaseModel],
) -> Route:
    return _read(path, name, summary, tag, handler, query, (Answer(description="A part of the list", model=model),))


def _thing(
    path: str,
    name: str,
    summary: str,
    tag: str,
    handler: Handler,
    model: type[BaseModel],
) -> Route:
    answers = (Answer(description=summary, model=model, has_etag=True),)
    return _read(path, name, summary, tag, handler, ReadQuery, answers)


def _history(path: str, name: str, summary: str, handler: Handler, scope: Scope) -> Route:
    return Route(
        method="GET",
        path=path,
        name=name,
        summary=summary,
        tag="history",
        scope=scope,
        roles=HISTORIANS,
        handler=handler,
        query=history.HistoryQuery,
        answers=(
            Answer(description="Facts, ascending", model=schemas.EventPage),
            Answer(description="The same, one fact a line", model=schemas.EventBody, media=history.NDJSON),
        ),
        problems=READ_PROBLEMS,
    )


def _operation(path: str, name: str, summary: str, handler: Handler, *answers: Answer) -> Route:
    return Route(
        method="GET",
        path=path,
        name=name,
        summary=summary,
        tag="operations",
        scope=Scope.OPEN,
        handler=handler,
        answers=answers,
    )


_COMMANDS: Final = (
    Route(
        method="POST",
        path="/v1/{workspace}/commands/{command}",
        name="runCommand",
        summary="Run a command",
        tag="commands",
        scope=Scope.WORKSPACE,
        handler=named_command,
        query=CommandQuery,
        answers=COMMAND_ANSWERS,
        problems=COMMAND_PROBLEMS,
        is_command=True,
    ),
    Route(
        method="POST",
        path="/v1/{workspace}/commands",
        name="runCommands",
        summary="Run up to 1,000 commands in order",
        tag="commands",
        scope=Scope.WORKSPACE,
        handler=command_batch,
        query=BatchQuery,
        answers=(Answer(description="What became of each", model=schemas.BatchResult, is_list=True),),
        problems=COMMAND_PROBLEMS,
        body=BatchEntry,
        body_is_list=True,
    ),
    Route(
        method="POST",
        path="/v1/workspaces",
        name="createWorkspace",
        summary="Make a workspace",
        tag="workspaces",
        scope=Scope.KEY,
        handler=create_workspace,
        query=CommandQuery,
        answers=COMMAND_ANSWERS,
        problems=COMMAND_PROBLEMS,
        body=CreateWorkspace,
    ),
)

_DEPLOYMENT: Final = (
    Route(
        method="GET",
        path="/v1/workspaces",
        name="listWorkspaces",
        summary="The workspaces that the key covers",
        tag="workspaces",
        scope=Scope.KEY,
        handler=reads.workspaces,
        query=ListQuery,
        answers=(Answer(description="A part of the list", model=view_schemas.Workspaces),),
        problems=READ_PROBLEMS,
    ),
    Route(
        method="GET",
        path="/v1/me",
        name="me",
        summary="Who am I",
        tag="keys",
        scope=Scope.KEY,
        handler=reads.me,
        answers=(Answer(description="The caller's key", model=schemas.MeBody),),
    ),
    _history("/v1/log/events", "listLogEvents", "The whole log", history.log_events, Scope.DEPLOYMENT),
)

_THINGS: Final = (
    _thing("/v1/{workspace}", "getWorkspace", "The workspace", "workspaces", reads.workspace, view_schemas.Workspace),
    Route(
        method="GET",
        path="/v1/{workspace}/keys",
        name="listKeys",
        summary="The keys that were issued in the workspace",
        tag="keys",
        scope=Scope.WORKSPACE,
        roles=HISTORIANS,
        handler=reads.keys,
        query=ListQuery,
        answers=(Answer(description="A part of the list", model=view_schemas.Keys),),
        problems=READ_PROBLEMS,
    ),
    _list(
        "/v1/{workspace}/jobs-page",
        "getJobsPage",
        "The Jobs page",
        "views",
        reads.jobs_page,
        reads.JobsPageQuery,
        view_schemas.JobsPage,
    ),
    _list(
        "/v1/{workspace}/schedules",
        "listSchedules",
        "Schedules",
        "views",
        reads.schedules,
        reads.SchedulesQuery,
        view_schemas.Schedules,
    ),
    _thing(
        "/v1/{workspace}/schedules/{id}", "getSchedule", "A schedule", "views", reads.schedule, view_schemas.Schedule
    ),
    _list(
        "/v1/{workspace}/services",
        "listServices",
        "Services",
        "views",
        reads.services,
        reads.ThingsQuery,
        view_schemas.Services,
    ),
    _thing("/v1/{workspace}/services/{id}", "getService", "A service", "views", reads.service, view_schemas.Service),
    _thing("/v1/{workspace}/jobs/{id}", "getJob", "A job of any kind", "views", reads.job, view_schemas.Service),
)

_RUNS: Final = (
    _list("/v1/{workspace}/runs", "listRuns", "Runs", "runs", reads.runs, reads.RunsQuery, view_schemas.Runs),
    _thing(
        "/v1/{workspace}/runs/{id}", "getRun", "A run with its stages and attempts", "runs", reads.run, view_schemas.Run
    ),
    _list(
        "/v1/{workspace}/runs/{id}/log", "getRunLog", "The lines of a run", "runs", run_log, LogQuery, schemas.LogPage
    ),
    _list(
        "/v1/{workspace}/occurrences",
        "listOccurrences",
        "Occurrences with their outcome, and coming ones",
        "runs",
        reads.occurrences,
        reads.OccurrencesQuery,
        view_schemas.Occurrences,
    ),
    _thing(
        "/v1/{workspace}/occurrences/{id}",
        "getOccurrence",
        "An occurrence",
        "runs",
        reads.occurrence,
        view_schemas.Occurrence,
    ),
    _read(
        "/v1/{workspace}/why",
        "why",
        "Why an owner did or did not run at an instant: the chain of facts, by the rules in force then",
        "runs",
        why,
        WhyQuery,
        (Answer(description="The verdict and its facts", model=schemas.WhyBody),),
    ),
)

_HISTORY: Final = (
    _history(
        "/v1/{workspace}/events", "listEvents", "The workspace's history", history.workspace_events, Scope.WORKSPACE
    ),
    _history(
        "/v1/{workspace}/streams/{stream}/events",
        "listStreamEvents",
        "One stream's history",
        history.stream_events,
        Scope.WORKSPACE,
    ),
    Route(
        method="GET",
        path="/v1/{workspace}/live",
        name="live",
        summary="What happens, as it happens",
        description="Frames of the log have their position as id; `Last-Event-ID` resumes after it. Frames of progress "
        "(`event: progress`) have no id and are not kept.",
        tag="history",
        scope=Scope.WORKSPACE,
        roles=ANY_ROLE,
        handler=live,
        answers=(Answer(description="Server-sent events", media="text/event-stream"),),
        problems=(400, 403, 429, 503),
    ),
)

_OPERATIONS: Final = (
    _operation(
        "/healthz",
        "healthz",
        "The process answers",
        operations.healthz,
        Answer(description="It does", model=schemas.HealthBody),
    ),
    _operation(
        "/livez",
        "livez",
        "The event loop turns",
        operations.livez,
        Answer(description="It does", model=schemas.LiveBody),
    ),
    _operation(
        "/readyz",
        "readyz",
        "Writes are accepted and every view is at most a second behind",
        operations.readyz,
        Answer(description="So it is", model=schemas.ReadyBody),
        Answer(status=503, description="It is not", model=schemas.ReadyBody),
    ),
    _operation(
        "/metrics",
        "metrics",
        "The process's numbers",
        operations.metrics,
        Answer(description="In Prometheus' text format", media="text/plain"),
    ),
)

ROUTES: Final[Sequence[Route]] = (*_COMMANDS, *_DEPLOYMENT, *_THINGS, *_RUNS, *_HISTORY, *_OPERATIONS)
