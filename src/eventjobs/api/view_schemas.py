"""The bodies of what the views answer; further fields may join them, so clients ignore what they do not know."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from eventjobs.api.schemas import AsOfBody, Reference


class Shown(BaseModel):
    """What a view shows; more fields may follow. Its validator is built as that of a `Body` is."""

    model_config = ConfigDict(extra="allow", defer_build=True)


class WorkspaceItem(Shown):
    """A workspace."""

    id: str
    version: int
    time_zone: str
    kind: str
    created_at: datetime


class KeyItem(Shown):
    """A key, without its secret and without the secret's hash; `member` is who has it, if it is somebody's."""

    id: str
    version: int
    roles: list[str]
    workspaces: list[str]
    read_only: bool
    expires_at: datetime | None
    issued_at: datetime
    issued_by: str
    revoked_at: datetime | None
    member: str | None


class DueMoment(Shown):
    """A due moment in UTC and as its zone's wall clock shows it; `asked` is the local time that a gap shifted."""

    due: datetime
    local: str
    fold: int
    zone: str
    asked: str | None
    zone_data: str


class LastRun(Shown):
    """
    How the newest run that is over ended.

    `resumed_by` is the run that goes on with it; `same_jobs` says whether its jobs, their order and flags are those of
    today, as they must be for that.
    """

    id: str
    state: str
    reason: str | None
    ended_at: datetime | None
    resumed_by: str | None
    same_jobs: bool


class CadenceShown(Shown):
    """When a schedule begins and how often it comes back."""

    start_date: str
    start_time: str
    time_zone: str
    every: int
    unit: str


class CronShown(Shown):
    """When a schedule runs, as the five fields of a cron expression."""

    cron: str
    time_zone: str


class PoliciesShown(Shown):
    """How a schedule behaves."""

    timing: str
    gap: str
    repeat: str
    catch_up: str
    catch_up_window: str | None
    overlap: str
    on_failure: str
    calendars: list[str]
    spread: str


class JobRowShown(Shown):
    """A row of a job table."""

    row: int
    job: Reference
    seq: int
    skip_wait: bool


class PauseShown(Shown):
    """A pause: it is over once the instant of `as_of` has come to `until`."""

    since: datetime
    until: datetime | None
    note: str
    by: str


class HoldShown(PauseShown):
    """A hold of all starts, `everywhere` or in the workspace."""

    everywhere: bool


class BlackoutShown(Shown):
    """Why a next moment will be skipped: a calendar's entry, and when it ends."""

    calendar: str
    note: str
    until: datetime


class NextDueMoment(DueMoment):
    """The next due moment, and the blackout that it lies in."""

    blackout: BlackoutShown | None


class ActivityShown(Shown):
    """Whether a schedule triggers by itself, and what set it so: by whom, when, with which event."""

    active: bool
    set_by: str
    by: str
    at: datetime
    position: int


class OpenRun(Shown):
    """
    The newest run that is open: in which stage `of` how many it is, and how far.

    `progress` is the share of its jobs that is done, running ones by what they tell, from 0 to 1; `suspended` is how
    many of its flows wait for a callback. `job` is that of the stage, where it has only one.
    """

    id: str
    state: str | None = None
    opened_at: datetime | None = None
    started_at: datetime | None = None
    stage: int | None = None
    of: int | None = None
    progress: float | None = None
    suspended: int | None = None
    job: Reference | None = None


class NotAllowed(Shown):
    """Why the caller may not do it now: the command would be refused with this code."""

    allowed: Literal[False]
    code: str
    reason: str


Actions = dict[str, Literal[True] | NotAllowed]
"""By name what the caller may do with the row: `true`, or why not. Rights are today's, the state is the row's."""


class OverrideMark(Shown):
    """Who set a bundle of a cadence here, when, with which event."""

    by: str
    at: datetime
    position: int


class ManagedShown(Shown):
    """
    What an integration manages: of which features, by which version of the definition that last changed it.

    `removed` is `asked` for what was deleted here, `archived` for what the definition has no more. `feature_status` is
    that of its feature; of a service or flow the foremost of its features. Of a schedule besides: who may switch it
    (`local`, `feature`, or `integration`: nobody while that is inactive), the definition's cadence, and which bundles
    of it are overridden.
    """

    integration: str
    features: list[str]
    definition_version: int
    removed: str | None
    feature: str | None = None
    feature_status: str | None = None
    switch: str | None = None
    cadence: CadenceShown | CronShown | None = None
    overrides: dict[str, OverrideMark] | None = None


class ScheduleItem(Shown):
    """
    A schedule: its definition, whether it is active, what is due next, its runs, and what the caller may do.

    `drift` says in what it differs from its definition: `cadence`, `deleted`, or `own`, which is
    what a customer's workspace built.
    """

    id: str
    version: int
    description: str
    origin: str
    managed: ManagedShown | None
    drift: list[str]
    active: bool
    activity: ActivityShown
    deleted: bool
    created_at: datetime
    cadence: CadenceShown | CronShown
    cadence_version: int
    policies: PoliciesShown
    jobs: list[JobRowShown]
    next_due: NextDueMoment | None
    drifted_from_label: bool
    pause: PauseShown | None
    waiting: int
    open_run: OpenRun | None
    last_run: LastRun | None
    actions: Actions


class BlackoutDateShown(Shown):
    """A whole local day."""

    date: str
    note: str


class BlackoutSpanShown(Shown):
    """From one local time to another, or from one day of the year to another."""

    start: str
    end: str
    note: str


class BlackoutWeeklyShown(BlackoutSpanShown):
    """Times of day on days of the week, of those that begin from `first` to `last`."""

    days: list[str]
    first: str | None
    last: str | None


class CalendarItem(Shown):
    """A blackout calendar: when the schedules that name it start nothing, local to its zone."""

    id: str
    version: int
    name: str
    time_zone: str
    saved_at: datetime
    dates: list[BlackoutDateShown]
    ranges: list[BlackoutSpanShown]
    weekly: list[BlackoutWeeklyShown]
    yearly: list[BlackoutSpanShown]
    used_by: list[Reference]
    actions: Actions


class JobItem(Shown):
    """A service or a flow: its definition, who uses it, its runs, the run that has it, and what the caller may do."""

    id: str
    kind: str
    version: int
    name: str
    origin: str
    managed: ManagedShown | None
    drift: list[str]
    handler: str
    config: dict[str, Any]
    policy: dict[str, Any]
    deleted: bool
    created_at: datetime
    used_by: list[Reference]
    in_run: str | None
    open_run: OpenRun | None
    last_run: LastRun | None
    actions: Actions


class ServiceItem(JobItem):
    """A service; `type` is its Connector/Module/Type, where it has one."""

    type: str | None


class FlowItem(JobItem):
    """
    A flow: what starts it, whether it is run at all, and whether it runs for one job run at a time.

    `inactive_by` is there while nothing starts it but a person or a schedule: its `feature` is not Active, or its
    `integration` is inactive. `flow`: it is not run at all.
    """

    trigger: str
    exclusive: bool
    active: bool
    inactive_by: Literal["flow", "feature", "integration"] | None


class DelayShown(Shown):
    """
    Why a run waited, and since when.

    `reason` is `overlap` (for `open_run`), `owner_limit`, `limit` (the workspace's), `instance_limit` or `spread`;
    `limit` is how many runs might be open, or worked on by `instance`, at once.
    """

    reason: str
    limit: int | None
    open_run: str | None
    instance: str | None
    since: datetime


class RunItem(Shown):
    """A run."""

    id: str
    owner: Reference
    cause: str
    cause_detail: str | None
    state: str
    reason: str | None
    due: datetime | None
    opened_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    counts: dict[str, int] | None
    resumes: str | None
    resumed_by: str | None
    stands_for: datetime | None
    missed_occurrences: int
    missed_first: datetime | None
    missed_last: datetime | None
    delays: list[DelayShown]


class ProgressShown(Shown):
    """How far an attempt has come."""

    fraction: float | None
    text: str | None
    at: datetime


class SuspensionShown(Shown):
    """
    How a flow went on elsewhere: what for, since when, and when later stages waited for it no more.

    `answer` is what its callback said, also too late; `since` is empty where that came before the flow had suspended.
    """

    waits_for: str | None
    since: datetime | None
    released_at: datetime | None
    answered_at: datetime | None
    answer: dict[str, Any] | None


class AttemptShown(Shown):
    """One try of a job run; the lines that it wrote are sealed by their number and SHA-256."""

    attempt: int
    state: str | None
    reason: str | None
    detail: str | None
    term: int | None
    started_at: datetime | None
    ended_at: datetime | None
    retry_at: datetime | None
    counts: dict[str, int]
    progress: ProgressShown | None
    log_lines: int
    log_sha256: str | None
    suspension: SuspensionShown | None


class JobRunShown(Shown):
    """One job in a run, from its first try on; nobody waits for a `released` one; a `carried` one ran in `joined`."""

    row: int
    job: Reference
    seq: int
    skip_wait: bool
    handler: str
    state: str
    reason: str | None
    detail: str | None
    counts: dict[str, int]
    progress: ProgressShown | None
    attempts_max: int
    attempts: list[AttemptShown]
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None
    released: bool
    carried: bool


class StageShown(Shown):
    """The jobs of one sequence number."""

    seq: int
    job_runs: list[JobRunShown]


class RunCounts(Shown):
    """How many job runs there are and how many have ended."""

    job_runs: int
    ended: int


class OccurrenceItem(Shown):
    """A due moment and its outcome; `coming` ones have none yet, nor has one that is `waiting` in its owner's queue."""

    id: str
    owner: Reference
    cadence_version: int
    due: datetime
    outcome: str
    delays: list[DelayShown] = []


class ScheduleSection(Shown):
    """A section of the Jobs page with schedules, cut at the limit."""

    count: int
    items: list[ScheduleItem]
    next: str | None


class ServiceSection(Shown):
    """The Jobs page's services, cut at the limit."""

    count: int
    items: list[ServiceItem]
    next: str | None


class FlowSection(Shown):
    """The Jobs page's flows, cut at the limit."""

    count: int
    items: list[FlowItem]
    next: str | None


class ScheduleSections(Shown):
    """Schedules by the status of their feature, and the workspace's own."""

    active: ScheduleSection
    onboarding: ScheduleSection
    maintenance: ScheduleSection
    workspace: ScheduleSection


class Read(Shown):
    """An answer about a moment."""

    as_of: AsOfBody


class Workspace(Read, WorkspaceItem):
    """A workspace, with the holds of all starts that concern it."""

    holds: list[HoldShown]


class WebhookShown(Shown):
    """Where alerts are posted to, and the names of the secrets that sign them: the present one, and the one before."""

    url: str
    secret: str
    previous_secret: str | None


class AlertsShown(Shown):
    """What is watched for, and who is told; `null`: not watched for."""

    late_after: str | None
    runs_longer_than: str | None
    no_progress_in: str | None
    no_success_in: str | None
    failures_in_a_row: int | None
    on_recovery: bool
    email: list[str]
    webhook: list[WebhookShown]
    heartbeat: str | None


class IncidentShown(Shown):
    """Something that is wrong: `late`, `too_long`, `stuck`, `no_success` or `failures`."""

    incident: str
    alert: str
    state: str
    since: datetime
    due: datetime | None
    last: datetime | None
    count: int | None
    reason: str | None
    run: str | None
    raised_at: datetime


class Schedule(Read, ScheduleItem):
    """A schedule, with its alerts and what is wrong."""

    alerts: AlertsShown
    incidents: list[IncidentShown]


class NotificationItem(Shown):
    """
    A message to one recipient.

    `ambiguous` tries may have got through without an answer: at most so many copies came besides the one that counts.
    `next_at` is when it is tried again.
    """

    id: str
    kind: str
    channel: str
    recipient: str
    subject: str
    run: str | None
    state: str
    attempts: int
    ambiguous: int
    reason: str | None
    detail: str | None
    requested_at: datetime
    next_at: datetime | None
    ended_at: datetime | None


class Notification(Read, NotificationItem):
    """A message."""


class Notifications(Read):
    """A part of the messages, the newest first."""

    items: list[NotificationItem]
    next: str | None


class Calendar(Read, CalendarItem):
    """A blackout calendar."""


class Service(Read, ServiceItem):
    """A service."""


class Flow(Read, FlowItem):
    """A flow."""


class Job(Read, JobItem):
    """A job of any kind."""


class Run(Read, RunItem):
    """
    A run with its stages, and the messages that tell of it, with how far each has come.

    `same_jobs`: its jobs, their order and flags are those of its schedule today.
    """

    same_jobs: bool
    term: int
    instance: str
    stop: str | None
    on_failure: str
    cadence_version: int | None
    progress: RunCounts
    stages: list[StageShown]
    notifications: list[NotificationItem]
    actions: Actions


class Occurrence(Read, OccurrenceItem):
    """An occurrence."""


class JobsPage(Read):
    """The Jobs page."""

    holds: list[HoldShown]
    schedules: ScheduleSections
    services: ServiceSection
    flows: FlowSection


class FoundItem(Shown):
    """
    Something that was found: `text` is its name or description, of a key its roles, of the rest whose it is.

    `where` is its address.
    """

    kind: str
    id: str
    text: str
    where: str


class Found(Read):
    """A part of what was found, the best first."""

    items: list[FoundItem]
    next: str | None


class ServiceTypeItem(Shown):
    """
    What a service can be: a Connector/Module/Type of the workspace with its handler, or a handler by itself.

    `schema` is the JSON schema of the handler's configuration, and `delivery` is the usual one; a handler that is not
    `installed` here has neither. `services` is how many have the type, `integrations` are the registrations that bring
    it.
    """

    model_config = ConfigDict(extra="allow", serialize_by_alias=True)

    type: str | None
    connector: str | None
    module: str | None
    service_type: str | None
    integrations: list[str]
    services: int | None
    handler: str
    installed: bool
    delivery: str | None
    config_schema: dict[str, Any] | None = Field(alias="schema")


class ServiceTypes(Read):
    """The types of the workspace, then each handler by itself."""

    items: list[ServiceTypeItem]
    next: str | None


class BusyMinute(Shown):
    """A minute of the day, UTC, and how many runs are open in it."""

    at: str
    runs: int


class Load(Read):
    """
    How many runs are open at once in each minute of the 24 hours from `since` on: 24 hours of 60 minutes, 00:00 first.

    It follows from when the active schedules, groups and Connect jobs are due, in the minutes that were drawn for them,
    and how long their last runs took, a minute where none was seen.
    Pauses, holds and blackouts are not looked at.
    """

    zone: str
    since: datetime
    until: datetime
    grid: list[list[int]]
    busiest: list[BusyMinute]


class Workspaces(Read):
    """A part of the workspaces."""

    items: list[WorkspaceItem]
    next: str | None


class Key(Read, KeyItem):
    """A key."""


class Keys(Read):
    """A part of the keys."""

    items: list[KeyItem]
    next: str | None


class MemberItem(Shown):
    """A person, their roles, whom an identity provider knows them as, and their `keys` that were not revoked."""

    id: str
    version: int
    name: str
    email: str | None
    roles: list[str]
    read_only: bool
    added_at: datetime
    added_by: str
    removed_at: datetime | None
    issuer: str | None
    subject: str | None
    keys: list[str]
    actions: Actions


class Member(Read, MemberItem):
    """A member."""


class Members(Read):
    """A part of the members."""

    items: list[MemberItem]
    next: str | None


class Schedules(Read):
    """A part of the schedules."""

    items: list[ScheduleItem]
    next: str | None


class Calendars(Read):
    """A part of the blackout calendars."""

    items: list[CalendarItem]
    next: str | None


class Services(Read):
    """A part of the services."""

    items: list[ServiceItem]
    next: str | None


class Flows(Read):
    """A part of the flows."""

    items: list[FlowItem]
    next: str | None


class Runs(Read):
    """A part of the runs, the newest first."""

    items: list[RunItem]
    next: str | None


class Occurrences(Read):
    """A part of the occurrences, by due moment."""

    items: list[OccurrenceItem]
    next: str | None
