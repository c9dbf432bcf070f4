"""Every route there is. A tuple is the registry: what is not named here is not offered."""

from collections.abc import Sequence
from typing import Final

from aiohttp import web
from pydantic import BaseModel

from eventjobs.api import (
    calendar_page,
    calendar_schemas,
    connect_page,
    connect_schemas,
    history,
    integration_schemas,
    operations,
    reads,
    schemas,
    view_schemas,
)
from eventjobs.api.audit import PartQuery, audit, verification
from eventjobs.api.batch import BatchEntry, BatchQuery, command_batch
from eventjobs.api.calendar_feed import MEDIA, FeedQuery, calendar_feed
from eventjobs.api.callbacks import callback
from eventjobs.api.commands import CommandQuery, create_workspace, named_command
from eventjobs.api.moment import ListQuery, ReadQuery
from eventjobs.api.plans import (
    CalendarText,
    CrontabText,
    DefinitionSource,
    plan_calendar,
    plan_crontab,
    plan_definition,
)
from eventjobs.api.provider_sign_in import BeginSignIn, FinishSignIn, begin_sign_in, finish_sign_in
from eventjobs.api.registry import Answer, Call, Handler, Query, Route, Scope
from eventjobs.api.run_log import LogQuery, run_log
from eventjobs.api.service_types import service_types
from eventjobs.api.sessions import SignIn, sign_in, sign_out, signed_in
from eventjobs.api.why import WhyQuery, why
from eventjobs.commands.answer_callback import CallbackFields
from eventjobs.commands.create_workspace import CreateWorkspace
from eventjobs.domain.access import ANY_ROLE, HISTORIANS

COMMAND_ANSWERS: Final = (
    Answer(status=201, description="Decided and written", model=schemas.CommandAnswer),
    Answer(description="Nothing was to do", model=schemas.CommandAnswer),
    Answer(description="A dry run", model=schemas.DryRunAnswer),
)
COMMAND_PROBLEMS: Final = (400, 403, 408, 409, 412, 413, 415, 422, 503, 507)


CALLBACK_PROBLEMS: Final = (400, 408, 409, 413, 415, 422, 503, 507)
READ_PROBLEMS: Final = (400, 403, 422, 503)
PLAN_PROBLEMS: Final = (400, 403, 408, 413, 415, 422, 503)


async def live(call: Call) -> web.StreamResponse:
    """Answer with what happens, as it happens."""
    return await call.live.stream(
        call.request, call.request_id, call.caller.lookup, call.workspace, call.is_still_allowed
    )


def _read(
    path: str,
    name: str,
    summary: str,
    tag: str,
    handler: Handler,
    query: type[Query],
    answers: Sequence[Answer],
    *,
    roles: frozenset[str] = ANY_ROLE,
    is_shared: bool = False,
) -> Route:
    return Route(
        method="GET",
        path=path,
        name=name,
        summary=summary,
        tag=tag,
        scope=Scope.WORKSPACE,
        roles=roles,
        handler=handler,
        query=query,
        answers=answers,
        problems=READ_PROBLEMS,
        is_shared=is_shared,
    )


def _list(
    path: str,
    name: str,
    summary: str,
    tag: str,
    handler: Handler,
    query: type[Query],
    model: type[BaseModel],
    *,
    roles: frozenset[str] = ANY_ROLE,
) -> Route:
    answers = (Answer(description="A part of the list", model=model),)
    return _read(path, name, summary, tag, handler, query, answers, roles=roles, is_shared=True)


def _thing(
    path: str,
    name: str,
    summary: str,
    tag: str,
    handler: Handler,
    model: type[BaseModel],
    *,
    roles: frozenset[str] = ANY_ROLE,
) -> Route:
    answers = (Answer(description=summary, model=model, has_etag=True),)
    return _read(path, name, summary, tag, handler, ReadQuery, answers, roles=roles, is_shared=True)


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


def _plan(
    path: str, name: str, summary: str, description: str, handler: Handler, body: type[BaseModel], answer: Answer
) -> Route:
    return Route(
        method="POST",
        path=path,
        name=name,
        summary=summary,
        description=description,
        tag="commands",
        scope=Scope.WORKSPACE,
        handler=handler,
        answers=(answer,),
        problems=PLAN_PROBLEMS,
        body=body,
        writes=False,
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
        answers=(
            Answer(description="What became of each", model=schemas.BatchResult, is_list=True),
            Answer(description="A dry run of all", model=schemas.DryRunAnswer),
        ),
        problems=COMMAND_PROBLEMS,
        body=BatchEntry,
        body_is_list=True,
    ),
    _plan(
        "/v1/{workspace}/plans/crontab",
        "planCrontab",
        "What each line of a crontab would become, or why not",
        "Nothing is written: `AddService` and `CreateSchedule` with the fields in the answer make it. Needs the roles "
        "of both.",
        plan_crontab,
        CrontabText,
        Answer(description="The lines that are jobs, and the others", model=schemas.CrontabPlan),
    ),
    _plan(
        "/v1/{workspace}/plans/definition",
        "planDefinition",
        "Read a definition's YAML or JSON file",
        "Nothing is written: `PublishDefinition` with the `content` in the answer publishes it. Needs its role.",
        plan_definition,
        DefinitionSource,
        Answer(description="The definition, and where its parts stand", model=schemas.DefinitionPlan),
    ),
    _plan(
        "/v1/{workspace}/plans/calendar",
        "planCalendar",
        "What the events of an iCalendar (.ics) file become as blackouts",
        "Nothing is written: `SaveCalendar` with an id and the `content` in the answer saves it. What is `refused` is "
        "not in it. Needs its role.",
        plan_calendar,
        CalendarText,
        Answer(description="The calendar, and the events that it cannot say", model=schemas.CalendarPlan),
    ),
    Route(
        method="POST",
        path="/v1/{workspace}/callbacks/{token}",
        name="answerCallback",
        summary="Say how a suspended flow ended",
        description="The address was handed to the flow's handler, and is the right to answer it once. The same answer "
        "again is 200 with no events; another one, or one for a try that is over, is 409 `callback_over`.",
        tag="runs",
        scope=Scope.SIGNED,
        handler=callback,
        answers=COMMAND_ANSWERS[:2],
        problems=CALLBACK_PROBLEMS,
        body=CallbackFields,
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
        answers=(Answer(description="The caller", model=schemas.MeBody),),
        problems=(503,),
    ),
    Route(
        method="GET",
        path="/v1/me/session",
        name="getSession",
        summary="Who is signed in in this browser, if anybody is",
        tag="keys",
        scope=Scope.SIGN_IN,
        handler=signed_in,
        answers=(Answer(description="Who is signed in, and by whom one may be", model=schemas.SessionBody),),
    ),
    Route(
        method="POST",
        path="/v1/me/session",
        name="signIn",
        summary="Sign in from a browser",
        description="The key is sent once and becomes a cookie that no script can read, with the same rights. It is "
        "over after twelve hours, with its key, and when its owner signs out. Only for pages of this service; others "
        "send their key with each request. Wrong keys are few for each address: 429.",
        tag="keys",
        scope=Scope.SIGN_IN,
        handler=sign_in,
        answers=(Answer(status=201, description="A session began", model=schemas.MeBody),),
        body=SignIn,
    ),
    Route(
        method="DELETE",
        path="/v1/me/session",
        name="signOut",
        summary="Sign out",
        tag="keys",
        scope=Scope.SIGN_IN,
        handler=sign_out,
        answers=(
            Answer(status=204, description="The session is over"),
            Answer(description="The same, and where the identity provider ends its own", model=schemas.GoBody),
        ),
    ),
    Route(
        method="POST",
        path="/v1/me/sign-in",
        name="beginSignIn",
        summary="Begin to sign in by the identity provider",
        description="Answers with where the browser is to go; it has ten minutes to come back with the provider's "
        "answer. Only for pages of this service.",
        tag="keys",
        scope=Scope.SIGN_IN,
        handler=begin_sign_in,
        answers=(Answer(description="Where the provider asks who it is", model=schemas.GoBody),),
        problems=(404,),
        body=BeginSignIn,
    ),
    Route(
        method="POST",
        path="/v1/me/sign-in/answer",
        name="finishSignIn",
        summary="Hand in the identity provider's answer",
        description="The code becomes a session of whom the provider signed in. They have the roles of their "
        "memberships as they are then, and as long as these hold. Answers that lead to "
        "nothing are few for each address: 429.",
        tag="keys",
        scope=Scope.SIGN_IN,
        handler=finish_sign_in,
        answers=(Answer(status=201, description="A session began", model=schemas.SignedInBody),),
        problems=(404,),
        body=FinishSignIn,
    ),
    _history("/v1/log/events", "listLogEvents", "The whole log", history.log_events, Scope.DEPLOYMENT),
)

_THINGS: Final = (
    _thing("/v1/{workspace}", "getWorkspace", "The workspace", "workspaces", reads.workspace, view_schemas.Workspace),
    Route(
        method="GET",
        path="/v1/{workspace}/calendar.ics",
        name="getCalendarFeed",
        summary="What comes in the next 31 days and what became of the last seven, as a calendar to subscribe to",
        description="The key stands in the address: one with the role `calendar`, which opens nothing else. A key that "
        "is over, revoked or for another workspace is 404; any other key is refused as `credential_in_url`.",
        tag="views",
        scope=Scope.LINK,
        handler=calendar_feed,
        query=FeedQuery,
        answers=(Answer(description="An iCalendar stream (RFC 5545)", media=MEDIA),),
        problems=(422, 503),
    ),
    _list(
        "/v1/{workspace}/keys",
        "listKeys",
        "The keys that were issued in the workspace",
        "keys",
        reads.keys,
        ListQuery,
        view_schemas.Keys,
        roles=HISTORIANS,
    ),
    _thing("/v1/{workspace}/keys/{id}", "getKey", "A key", "keys", reads.key, view_schemas.Key, roles=HISTORIANS),
    _list(
        "/v1/{workspace}/members",
        "listMembers",
        "Who belongs to the workspace, with their roles and keys",
        "keys",
        reads.members,
        reads.ThingsQuery,
        view_schemas.Members,
        roles=HISTORIANS,
    ),
    _thing(
        "/v1/{workspace}/members/{id}",
        "getMember",
        "A member",
        "keys",
        reads.member,
        view_schemas.Member,
        roles=HISTORIANS,
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
    _list("/v1/{workspace}/flows", "listFlows", "Flows", "views", reads.flows, reads.ThingsQuery, view_schemas.Flows),
    _thing("/v1/{workspace}/flows/{id}", "getFlow", "A flow", "views", reads.flow, view_schemas.Flow),
    _list(
        "/v1/{workspace}/integrations",
        "listIntegrations",
        "Registrations",
        "integrations",
        reads.integrations,
        ListQuery,
        integration_schemas.Integrations,
    ),
    _thing(
        "/v1/{workspace}/integrations/{id}",
        "getIntegration",
        "A registration with its features, its sync state and its drift",
        "integrations",
        reads.integration,
        integration_schemas.Integration,
    ),
    _thing(
        "/v1/{workspace}/features/{id}",
        "getFeature",
        "A feature of a registration, by <integration>.<its id there>",
        "integrations",
        reads.feature,
        integration_schemas.Feature,
    ),
    _list(
        "/v1/{workspace}/definitions",
        "listDefinitions",
        "Definitions that the workspace publishes",
        "integrations",
        reads.definitions,
        ListQuery,
        integration_schemas.Definitions,
    ),
    _thing(
        "/v1/{workspace}/definitions/{id}",
        "getDefinition",
        "A definition with its registrations",
        "integrations",
        reads.definition,
        integration_schemas.Definition,
    ),
    _list(
        "/v1/{workspace}/calendars",
        "listCalendars",
        "Blackout calendars",
        "views",
        reads.calendars,
        reads.ThingsQuery,
        view_schemas.Calendars,
    ),
    _thing(
        "/v1/{workspace}/calendars/{id}",
        "getCalendar",
        "A blackout calendar",
        "views",
        reads.calendar,
        view_schemas.Calendar,
    ),
    _read(
        "/v1/{workspace}/jobs/{id}",
        "getJob",
        "A job of any kind",
        "views",
        reads.job,
        ReadQuery,
        (
            Answer(description="A service or a flow", model=view_schemas.Job, has_etag=True),
            Answer(description="A Connect job", model=connect_schemas.ConnectJob, has_etag=True),
        ),
    ),
    _list(
        "/v1/{workspace}/search",
        "search",
        "Whatever has a text in its id or name; runs, occurrences and messages by the beginning of their id",
        "views",
        reads.search,
        reads.SearchQuery,
        view_schemas.Found,
    ),
    _list(
        "/v1/{workspace}/service-types",
        "listServiceTypes",
        "What a service can be, with the JSON schema of its configuration",
        "views",
        service_types,
        ReadQuery,
        view_schemas.ServiceTypes,
    ),
    _read(
        "/v1/{workspace}/calendar-page",
        "getCalendarPage",
        "The Calendar page: by the day or the hour what became of the moments, and which come",
        "views",
        calendar_page.calendar_page,
        calendar_page.CalendarQuery,
        (Answer(description="The slots, in order", model=calendar_schemas.CalendarPage),),
        is_shared=True,
    ),
    _read(
        "/v1/{workspace}/lateness",
        "getLateness",
        "How late starts were: the newest 1,000 of the last seven days, or of a window",
        "views",
        calendar_page.lateness,
        calendar_page.LatenessQuery,
        (Answer(description="Starts, the newest first, and what is usual", model=calendar_schemas.Lateness),),
        is_shared=True,
    ),
    _read(
        "/v1/{workspace}/strips",
        "getStrips",
        "The last 50 occurrences of up to 100 owners",
        "views",
        calendar_page.strips,
        calendar_page.StripsQuery,
        (Answer(description="Their outcomes, in the order of the owners", model=calendar_schemas.Strips),),
        is_shared=True,
    ),
    _read(
        "/v1/{workspace}/load",
        "getLoad",
        "How many runs will be open in each minute of the coming 24 hours",
        "views",
        reads.load,
        ReadQuery,
        (Answer(description="A grid of 24 hours of 60 minutes, in UTC", model=view_schemas.Load),),
        is_shared=True,
    ),
)

_CONNECT: Final = (
    _list(
        "/v1/{workspace}/manage-connect/all-jobs",
        "listAllJobs",
        "The Manage Connect page: all jobs",
        "views",
        connect_page.all_jobs,
        connect_page.AllJobsQuery,
        connect_schemas.AllJobs,
    ),
    _list(
        "/v1/{workspace}/manage-connect/completed-jobs",
        "listCompletedJobs",
        "The Manage Connect page: job runs that are over, of the last seven days where nothing else is said",
        "views",
        connect_page.completed_jobs,
        connect_page.CompletedJobsQuery,
        connect_schemas.CompletedJobs,
    ),
    _list(
        "/v1/{workspace}/manage-connect/group-jobs",
        "listGroupJobs",
        "The Manage Connect page: groups",
        "views",
        connect_page.group_jobs,
        connect_page.GroupJobsQuery,
        connect_schemas.GroupJobs,
    ),
    _list(
        "/v1/{workspace}/group-candidates",
        "listGroupCandidates",
        "Every Connect job: whether it may be in a group, and why not",
        "views",
        connect_page.group_candidates,
        connect_page.CandidatesQuery,
        connect_schemas.GroupCandidates,
    ),
    _thing("/v1/{workspace}/groups/{id}", "getGroup", "A group", "views", reads.group, connect_schemas.Group),
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
        "/v1/{workspace}/notifications",
        "listNotifications",
        "Messages about schedules: to whom, how often they were tried, how they ended",
        "runs",
        reads.notifications,
        reads.NotificationsQuery,
        view_schemas.Notifications,
    ),
    _thing(
        "/v1/{workspace}/notifications/{id}",
        "getNotification",
        "A message",
        "runs",
        reads.notification,
        view_schemas.Notification,
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
    _read(
        "/v1/{workspace}/audit",
        "getAudit",
        "The value of the log's chain, and what the audit of occurrences has found",
        "history",
        audit,
        ReadQuery,
        (Answer(description="The chain, and the findings about this workspace", model=schemas.AuditBody),),
        roles=HISTORIANS,
    ),
    _read(
        "/v1/{workspace}/audit/verification",
        "verifyLog",
        "Recompute a part of the log's chain: every leaf from its event, every value from the one before",
        "history",
        verification,
        PartQuery,
        (Answer(description="How far it is verified, and what is wrong", model=schemas.VerificationBody),),
        roles=HISTORIANS,
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
        "(`event: progress`) have no id and are not kept. The first frame (`event: head`) has the "
        "`position` of the log's head: a view that is read with it as `wait_for` misses nothing.",
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

ROUTES: Final[Sequence[Route]] = (*_COMMANDS, *_DEPLOYMENT, *_THINGS, *_CONNECT, *_RUNS, *_HISTORY, *_OPERATIONS)
