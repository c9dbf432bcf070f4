"""The bodies of answers, as models: they describe the document, and tests hold real answers against them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Body(BaseModel):
    """A body with these fields and no others; its validator is built only where the document or a test asks for it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


class FieldProblem(Body):
    """One wrong field."""

    path: str
    code: str
    detail: str


class ProblemBody(BaseModel):
    """What went wrong (RFC 9457); besides these it holds the way out where there is one."""

    model_config = ConfigDict(extra="allow", title="Problem")

    status: int
    code: str
    title: str
    detail: str
    errors: list[FieldProblem]
    request_id: str


class AsOfBody(Body):
    """The moment that the answer is about."""

    position: int
    at: datetime


class EmittedEvent(Body):
    """A fact that the command made."""

    position: int | None
    stream: str
    type: str


class Warned(BaseModel):
    """
    Something to know although the command was accepted; further fields are the way out (`next_free_slot`).

    What `prevents` the activation is what the command that activates would refuse.
    """

    model_config = ConfigDict(extra="allow")

    code: str
    detail: str
    path: str | None
    prevents: Literal["activation"] | None = None


class CommandAnswer(BaseModel):
    """What became of a command; further fields are its own (`run`, `id`, `secret`)."""

    model_config = ConfigDict(extra="allow")

    command_id: str
    stream: str
    version: int | None
    position: int
    events: list[EmittedEvent]
    warnings: list[Warned]


class WouldEmit(Body):
    """A fact that the command would make, also as a `sentence`; `drawn` names what chance or a new id gave."""

    stream: str
    type: str
    data: dict[str, Any]
    sentence: str
    drawn: list[str]


class Reference(Body):
    """A thing by kind and id."""

    kind: str
    id: str


class RunsNow(Body):
    """A run that the command would start at once; in which workspace, if the command is for many."""

    workspace: str | None = None
    owner: Reference
    cause: str
    due: datetime | None


class FieldChange(Body):
    """A field before and after."""

    before: Any
    after: Any


class ChangeShown(Body):
    """A thing that would be `added`, `changed` or `removed`, with the fields that differ."""

    workspace: str
    kind: str
    id: str
    what: str
    fields: dict[str, FieldChange]


class TargetResult(BaseModel):
    """What became of one registration: its answer or its problem, with the status it would have had alone."""

    model_config = ConfigDict(extra="allow")

    workspace: str
    status: int


class ComingMoment(Body):
    """
    A coming occurrence in UTC and in its zone, and what is odd about it.

    One of a group or a Connect job also has the window in which its minute was drawn; `drawn` names what another draw
    would change.
    """

    due: datetime
    local: str
    fold: int
    notes: list[str]
    window: str | None = None
    drawn: list[str] | None = None


class DryRunAnswer(Body):
    """What a command would do now."""

    dry_run: bool
    position: int
    events: list[WouldEmit]
    warnings: list[Warned]
    diff: list[ChangeShown]
    runs_now: list[RunsNow]
    next: dict[str, list[ComingMoment]]
    before: dict[str, list[ComingMoment]]
    results: list[TargetResult] | None = None


class CrontabLine(Body):
    """
    A job of a crontab: `new`, `there` already, or `refused` for a `problem`.

    `service` and `schedule` are the fields of `AddService` and `CreateSchedule` that make it, `notes` say what is not
    carried over.
    """

    line: int
    text: str
    state: Literal["new", "there", "refused"]
    notes: list[str]
    service: dict[str, Any] | None
    schedule: dict[str, Any] | None
    problem: ProblemBody | None
    warnings: list[Warned]
    next: list[ComingMoment]


class CrontabSetting(Body):
    """A line that is no job, and what becomes of what it says."""

    line: int
    detail: str


class CrontabPlan(Body):
    """What the lines of a crontab would become, in `time_zone` where they name no other."""

    time_zone: str
    lines: list[CrontabLine]
    settings: list[CrontabSetting]


class DefinitionPlan(Body):
    """The fields of `PublishDefinition`, and by their paths the lines on which the text has them."""

    content: dict[str, Any]
    lines: dict[str, int]


class RefusedEvent(Body):
    """An event of a calendar that no blackout can say, and why."""

    event: str
    detail: str


class CalendarPlan(Body):
    """The fields of `SaveCalendar` besides the id, the events that they do not say, and what else is worth a word."""

    content: dict[str, Any]
    refused: list[RefusedEvent]
    notes: list[str]


class BatchResult(BaseModel):
    """What became of one command of a batch: its answer or its problem, with the status it would have had alone."""

    model_config = ConfigDict(extra="allow")

    status: int


class EventBody(Body):
    """A recorded fact; `sentence` says it in one, where that was asked for."""

    position: int
    workspace: str
    stream: str
    stream_version: int
    type: str
    schema_: Annotated[int, Field(alias="schema")]
    at: datetime
    actor: str
    command_id: str
    causation: str | None
    correlation: str | None
    data: dict[str, Any]
    leaf: str
    chain: str
    sentence: str | None = None


class WhyFact(Body):
    """A fact of the chain: what it is told for, and what it says."""

    about: Literal[
        "rule",
        "policies",
        "activity",
        "members",
        "expiry",
        "feature",
        "integration",
        "pause",
        "hold",
        "blackout",
        "zone_data",
        "before",
        "due",
        "absence",
        "answer",
        "waited_for",
        "member",
        "run",
        "overlapped",
        "covered_by",
    ]
    sentence: str
    position: int
    at: datetime
    workspace: str
    stream: str
    type: str
    actor: str


class WhyBody(Body):
    """
    Why an owner did or did not run: `due` to `due_last` are the moments that the instant fell into.

    `cadence_version` is that of the rule that was in force.
    """

    as_of: AsOfBody
    owner: Reference
    at: datetime
    verdict: Literal[
        "ran",
        "running",
        "waiting",
        "skipped",
        "missed",
        "unanswered",
        "not_due",
        "inactive",
        "expired",
        "deleted",
    ]
    sentence: str
    due: datetime | None
    due_last: datetime | None
    moments: int
    occurrence: str | None
    run: str | None
    next_due: datetime | None
    cadence_version: int | None
    facts: list[WhyFact]


class ChainFinding(Body):
    """Something that the audit of occurrences cannot reproduce from the log: what kind, where, about whom."""

    kind: str
    position: int
    at: datetime
    workspace: str
    owner: str
    due: datetime | None
    what: str


class OccurrencesAudited(Body):
    """
    What the audit of occurrences has found by now, up to `position`: `found` in all, by kind in `kinds`.

    `findings` are the first ones, those of this workspace. `occurrences` counts due moments by outcome, `steps` the
    recorded steps that the rule was replayed for.
    """

    position: int
    at: datetime | None
    found: int
    kinds: dict[str, int]
    occurrences: dict[str, int]
    steps: int
    findings: list[ChainFinding]


class AuditBody(Body):
    """
    The value of the log's chain at the moment, and the audit of occurrences.

    There is no value where the log lacks the position. The audit is of now, and empty until the first one is kept.
    `types` are those that facts may have.
    """

    as_of: AsOfBody
    chain: str | None
    occurrences: OccurrencesAudited | None
    types: list[str]


class BrokenAt(Body):
    """The first position at which the log is not what was written, and what is wrong there."""

    position: int
    what: str


class VerificationBody(Body):
    """
    A part of the log, verified as storage holds it: from after `after` to `position`, which has this chain value.

    It is all that was asked for once `position` is `until`. Ask for the next part with both values. Where something is
    `broken` there is no next part.
    """

    as_of: AsOfBody
    after: int
    position: int
    chain: str
    until: int
    broken: BrokenAt | None


class EventPage(Body):
    """A part of a history, ascending."""

    as_of: AsOfBody
    items: list[EventBody]
    next: str | None


class LogLineBody(Body):
    """One line that an attempt wrote."""

    row: int
    attempt: int
    line: int
    at: datetime
    level: str
    text: str
    fields: dict[str, Any]


class LogPage(Body):
    """A part of a run's lines."""

    as_of: AsOfBody
    items: list[LogLineBody]
    next: str | None


class MembershipBody(Body):
    """What a person who signed in by an identity provider may do in a workspace."""

    workspace: str
    member: str
    roles: list[str]
    read_only: bool


class MeBody(Body):
    """
    Who calls, and what they may do: a key, or a person who signed in by an identity provider.

    `member` is the person who has the key, if it is somebody's. A person has no `key`, and in each workspace the roles
    of their membership there; `roles` are all of them.
    """

    actor: str
    key: str | None
    issued_in: str | None
    member: str | None
    name: str | None
    roles: list[str]
    workspaces: list[str]
    read_only: bool
    expires_at: datetime | None
    memberships: list[MembershipBody]


class StrangerBody(Body):
    """Whom an identity provider knows and no workspace does."""

    issuer: str
    subject: str


class ProviderBody(Body):
    """The identity provider by which people sign in."""

    name: str
    issuer: str


class SessionBody(Body):
    """Who is signed in, if anybody is; a `stranger` was signed in by the `provider`, and is a member of nothing."""

    me: MeBody | None
    stranger: StrangerBody | None
    provider: ProviderBody | None


class GoBody(Body):
    """Where the browser goes next."""

    url: str


class SignedInBody(Body):
    """Who signed in, `null` for a member of nothing, and where the dashboard goes on."""

    me: MeBody | None
    page: str


class LedgerBody(Body):
    """Up to where occurrences are audited, how much was found, and the first position of it."""

    position: int
    findings: int
    first: int | None


class HealthBody(Body):
    """The process answers."""

    status: str
    version: str
    instance: str
    ledger: LedgerBody | None = None


class LiveBody(Body):
    """The event loop turns."""

    status: str


class ReadyBody(Body):
    """Whether the instance can do its work, and what is in the way."""

    status: str
    problems: list[str]
