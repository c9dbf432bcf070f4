"""The bodies of what the views answer; further fields may join them, so clients ignore what they do not know."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from eventjobs.api.schemas import AsOfBody, Reference


class Shown(BaseModel):
    """What a view shows; more fields may follow."""

    model_config = ConfigDict(extra="allow")


class WorkspaceItem(Shown):
    """A workspace."""

    id: str
    version: int
    time_zone: str
    kind: str
    created_at: datetime


class KeyItem(Shown):
    """A key, without its secret and without the secret's hash."""

    id: str
    version: int
    roles: list[str]
    workspaces: list[str]
    read_only: bool
    expires_at: datetime | None
    issued_at: datetime
    issued_by: str
    revoked_at: datetime | None


class DueMoment(Shown):
    """A due moment in UTC and as its zone's wall clock shows it; `asked` is the local time that a gap shifted."""

    due: datetime
    local: str
    fold: int
    zone: str
    asked: str | None
    zone_data: str


class LastRun(Shown):
    """How the newest run that is over ended."""

    id: str
    state: str
    reason: str | None
    ended_at: datetime | None


class CadenceShown(Shown):
    """When a schedule begins and how often it comes back."""

    start_date: str
    start_time: str
    time_zone: str
    every: int
    unit: str


class PoliciesShown(Shown):
    """How a schedule behaves."""

    timing: str
    gap: str
    repeat: str
    catch_up: str
    catch_up_window: str | None
    overlap: str
    on_failure: str


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


class ScheduleItem(Shown):
    """A schedule: its definition, whether it is active, what is due next, and its runs."""

    id: str
    version: int
    description: str
    active: bool
    deleted: bool
    created_at: datetime
    cadence: CadenceShown
    cadence_version: int
    policies: PoliciesShown
    jobs: list[JobRowShown]
    next_due: DueMoment | None
    drifted_from_label: bool
    pause: PauseShown | None
    waiting: int
    open_run: str | None
    last_run: LastRun | None


class ServiceItem(Shown):
    """A service: its definition, who uses it, and its runs."""

    id: str
    kind: str
    version: int
    name: str
    handler: str
    config: dict[str, Any]
    policy: dict[str, Any]
    deleted: bool
    created_at: datetime
    used_by: list[Reference]
    open_run: str | None
    last_run: LastRun | None


class DelayShown(Shown):
    """
    Why a run waited, and since when.

    `reason` is `overlap` (for `open_run`), `owner_limit`, `limit` (the workspace's) or `instance_limit`; `limit` is how
    many runs might be open, or worked on by `instance`, at once.
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
    missed_occurrences: int
    missed_first: datetime | None
    missed_last: datetime | None
    delays: list[DelayShown]


class ProgressShown(Shown):
    """How far an attempt has come."""

    fraction: float | None
    text: str | None
    at: datetime


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


class JobRunShown(Shown):
    """One job in a run."""

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
    ended_at: datetime | None


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


class Schedule(Read, ScheduleItem):
    """A schedule."""


class Service(Read, ServiceItem):
    """A service."""


class Run(Read, RunItem):
    """A run with its stages."""

    term: int
    instance: str
    stop: str | None
    on_failure: str
    cadence_version: int | None
    progress: RunCounts
    stages: list[StageShown]


class Occurrence(Read, OccurrenceItem):
    """An occurrence."""


class JobsPage(Read):
    """The Jobs page."""

    holds: list[HoldShown]
    schedules: ScheduleSections
    services: ServiceSection


class Workspaces(Read):
    """A part of the workspaces."""

    items: list[WorkspaceItem]
    next: str | None


class Keys(Read):
    """A part of the keys."""

    items: list[KeyItem]
    next: str | None


class Schedules(Read):
    """A part of the schedules."""

    items: list[ScheduleItem]
    next: str | None


class Services(Read):
    """A part of the services."""

    items: list[ServiceItem]
    next: str | None


class Runs(Read):
    """A part of the runs, the newest first."""

    items: list[RunItem]
    next: str | None


class Occurrences(Read):
    """A part of the occurrences, by due moment."""

    items: list[OccurrenceItem]
    next: str | None
