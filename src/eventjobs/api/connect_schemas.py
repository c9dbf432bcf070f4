"""The bodies of what the views of the Manage Connect page answer; further fields may join them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from eventjobs.api.schemas import Reference
from eventjobs.api.view_schemas import (
    Actions,
    DueMoment,
    JobItem,
    LastRun,
    OpenRun,
    PauseShown,
    Read,
    Shown,
    WebhookShown,
)

State = Literal["draft", "active", "inactive", "deleted"]


class SlotScheduleShown(Shown):
    """
    When it runs: `describe` in one line, `window` as the clock shows it, and the `minute` that was drawn in it.

    Only while it is active there is a minute; each activation and each other schedule draws anew, and by `redraw` each
    occurrence.
    """

    type: Literal["on_demand", "once", "daily", "weekly", "monthly", "hourly"]
    date: str | None
    days: list[str]
    day: int | str | None
    every: int | None
    hour: int | None
    slot: str | None
    at: str | None
    time_zone: str
    from_: str | None = Field(alias="from")
    until: str | None
    redraw: str
    minute: int | None
    window: str | None
    describe: str


class NextRunShown(DueMoment):
    """The next due moment, and the window that it lies in."""

    window: str


class ConnectPolicies(Shown):
    """How it behaves: what is late, what meets an open run, what a change of the clock leaves out or repeats."""

    gap: str
    repeat: str
    catch_up: str
    catch_up_window: str | None
    overlap: str


class NotificationShown(Shown):
    """Who is told that a run ended."""

    mode: Literal["always", "failure", "none"]
    recipients: list[str]
    failure_recipients: list[str]
    webhook: list[WebhookShown]
    on_rejects: bool
    on_recovery: bool


class GroupNotificationShown(NotificationShown):
    """The same of a group: whether its jobs tell theirs besides, and what is called after a success."""

    also_send_job_mails: bool
    on_success: list[WebhookShown]


class FindingShown(Shown):
    """Something wrong or odd: the field, a stable code, a sentence; of a job also which `job` and the `reasons`."""

    path: str
    code: str
    detail: str


class SlotOwnerItem(Shown):
    """
    What groups and Connect jobs show alike.

    `state` is that of the definition, whether it is `running` and how its last run ended are other columns. `errors`
    keep it from being activated. `runs_left` are those before it expires, none where they never end. `spent`: its only
    moment is over. It `expired` when its last day was over; `expiry_pending` until that is written, which an open run
    defers. `days_left` is 0 on the last day.
    """

    id: str
    kind: str
    version: int
    name: str
    description: str
    state: State
    running: bool
    deleted: bool
    created_at: datetime
    created_by: str | None
    schedule: SlotScheduleShown
    cadence_version: int
    next_run: NextRunShown | None
    runs_left: int | None
    spent: bool
    expires_on: str | None
    expires_at: datetime | None
    on_expiry: Literal["delete", "deactivate"]
    days_left: int | None
    expires_soon: bool
    expired: bool
    expiry_pending: bool
    errors: list[FindingShown]
    warnings: list[FindingShown]
    notification: NotificationShown
    policies: ConnectPolicies
    pause: PauseShown | None
    waiting: int
    open_run: OpenRun | None
    last_run: LastRun | None
    actions: Actions


class GroupMember(Shown):
    """A job of a group, in its place; `reasons` say why it does not qualify, without a `state` it is not there."""

    row: int
    job: Reference
    required: bool
    name: str | None
    state: State | None
    running: bool
    expires_on: str | None
    reasons: list[str]


class CurrentJob(Shown):
    """Which job of how many a running group is at."""

    place: int
    of: int
    job: Reference | None


class GroupItem(SlotOwnerItem):
    """
    A group, with its jobs in their order.

    `status` is the first that applies of `stopping`, `running`, `invalid` and its `state`. `invalid`: why it would not
    be activated as it is, although it is active.
    """

    status: str
    notification: GroupNotificationShown
    jobs: list[GroupMember]
    current_job: CurrentJob | None
    invalid: list[FindingShown]


class LastResult(Shown):
    """How the job ended last, alone or in a group."""

    run: str
    owner: Reference
    state: str
    reason: str | None
    ended_at: datetime


class ConnectJobItem(SlotOwnerItem, JobItem):
    """
    A job of the kind `import`, `export`, `partner` or `feed`.

    It is a member of `group`, if of any; `group_run` is the open run that has it, of that group or of the one that it
    left last. It is `running` alone, or where `in_run` has it for its turn.
    """

    subtype: str | None
    group: Reference | None
    group_run: str | None
    last_result: LastResult | None


class Group(Read, GroupItem):
    """A group."""


class ConnectJob(Read, ConnectJobItem):
    """A job of the Manage Connect page."""


class GroupJobs(Read):
    """A part of the groups; `actions` are those of the tab."""

    items: list[GroupItem]
    next: str | None
    actions: Actions


class AllJobs(Read):
    """A part of the Connect jobs; `actions` are those of the tab."""

    items: list[ConnectJobItem]
    next: str | None
    actions: Actions


class CompletedJobItem(Shown):
    """
    A job run that is over: of which job, by which `trigger`, in which place of which group, how it ended.

    `counts` are processed, added, updated and rejected records; a success `has_rejects` where some were rejected.
    """

    run: str
    row: int
    job: Reference
    name: str
    state: Literal["succeeded", "failed", "aborted"]
    reason: str | None
    error: str | None
    started_at: datetime | None
    ended_at: datetime
    duration_s: float | None
    counts: dict[str, int]
    has_rejects: bool
    group: Reference | None
    position: int | None
    trigger: str
    trigger_detail: str | None
    due: datetime | None
    actions: Actions


class CompletedJobs(Read):
    """A part of the job runs, the newest first; `actions` are those of the tab."""

    items: list[CompletedJobItem]
    next: str | None
    actions: Actions


class CandidateItem(Shown):
    """A job, whether it may be in the group, and why not."""

    id: str
    kind: str
    name: str
    state: State
    schedule_type: str
    expires_on: str | None
    group: str | None
    qualified: bool
    reasons: list[str]


class GroupCandidates(Read):
    """A part of the jobs that may be in a group, or may not."""

    items: list[CandidateItem]
    next: str | None
