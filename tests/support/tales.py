"""Parts of a history that are the same whatever the seed: alerts, a member, a flow that waits, an integration."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from eventjobs.domain.streams import (
    alert_stream,
    definition_stream,
    flow_stream,
    integration_stream,
    key_stream,
    member_stream,
    notification_stream,
    run_stream,
    schedule_stream,
    service_stream,
)
from eventjobs.events.access import KeyIssued, KeyRevoked
from eventjobs.events.alert import AlertRaised, AlertRecovered
from eventjobs.events.cadence import Cadence, TimingPolicies, TimingState
from eventjobs.events.definition import DefinitionPublished, DefinitionRegistered
from eventjobs.events.flow import FlowAdded, FlowAttached, FlowDetached, FlowEdited, FlowRunClosed, FlowRunOpened
from eventjobs.events.integration import (
    IntegrationActivated,
    IntegrationConfigured,
    IntegrationFeatureStatusSet,
    IntegrationInactivated,
    IntegrationRegistered,
    IntegrationSynced,
    IntegrationSyncFailed,
)
from eventjobs.events.member import MemberAdded, MemberKeyIssued, MemberRemoved
from eventjobs.events.notification import (
    NotificationAttempted,
    NotificationFailed,
    NotificationRequested,
    NotificationSent,
)
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import (
    AttemptEnded,
    AttemptStarted,
    JobRunAnswered,
    JobRunCarried,
    JobRunEnded,
    JobRunReleased,
    JobRunSuspended,
    Ref,
    RunEnded,
    RunOpened,
    RunResumed,
)
from eventjobs.events.schedule import (
    Alerts,
    JobRow,
    ScheduleAlertsEdited,
    ScheduleCreated,
    ScheduleDeleted,
    SchedulePolicies,
    ScheduleRunClosed,
    ScheduleRunOpened,
)
from eventjobs.events.service import JobOrigin, ServiceAttached, ServiceClaimed, ServiceDetached, ServiceReleased, Turn
from tests.support.facts import POLICY, START, Facts, snapshot

FLOW = Ref(kind="flow", id="approve")
OWNER = Ref(kind="schedule", id="approvals")
LOAD = JobRow(row=1, job=Ref(kind="service", id="service-0"), seq=1)
APPROVE = JobRow(row=2, job=FLOW, seq=2)
LOADED: dict[str, Any] = {"state": "succeeded", "counts": {"processed": 100}}


def member(workspace: str) -> Iterator[Facts]:
    """A person comes, gets a key, goes with it, and comes again."""
    stream, key = member_stream(workspace, "ada"), key_stream(workspace, "laptop")
    issued = KeyIssued(
        lookup=f"a{workspace}",
        secret_sha256="00" * 32,
        roles=("reader",),
        workspaces=(workspace,),
        read_only=True,
        member="ada",
    )
    yield [(stream, MemberAdded(name="Ada", roles=("reader",), read_only=True))]
    yield [(key, issued), (stream, MemberKeyIssued(key="laptop"))]
    yield [(stream, MemberRemoved()), (key, KeyRevoked())]
    yield [(stream, MemberAdded(name="Ada", email="ada@example.org", roles=("operator",)))]


def alarm(workspace: str, schedule: str) -> Iterator[Facts]:
    """Alerts, two incidents, and a message that is sent at its second try."""
    watched = Alerts(late_after_s=600.0, email=("ops@example.org",))
    yield [(schedule_stream(workspace, schedule), ScheduleAlertsEdited(alerts=watched))]
    incidents, message = alert_stream(workspace, schedule), notification_stream(workspace, f"m-{schedule}")
    wanted = NotificationRequested(
        kind="alert.raised",
        channel="email",
        recipient="ops@example.org",
        subject=Ref(kind="schedule", id=schedule),
        about={"alert": "late"},
    )
    late = AlertRaised(alert="late", incident="late.1", since=START, limit_s=600.0, due=START, run="r")
    yield [(incidents, late), (message, wanted)]
    yield [(message, NotificationAttempted(attempt=1, instance="one", until=START + timedelta(minutes=1)))]
    lost = NotificationFailed(attempt=1, reason="no_answer", detail="x", ambiguous=True, retry_at=START)
    yield [(message, lost)]
    yield [(incidents, AlertRecovered(alert="late", incident="late.1", cause="started"))]
    yield [(incidents, AlertRaised(alert="failures", incident="failures.r", since=START, count=3, run="r"))]
    yield [(message, NotificationAttempted(attempt=2, instance="one", until=START + timedelta(minutes=2)))]
    yield [(message, NotificationSent(attempt=2, detail="250"))]


def approvals(workspace: str, cadence: Cadence) -> Iterator[Facts]:
    """A flow that is run by itself, then by a schedule whose run fails at it and is resumed."""
    flow, service = flow_stream(workspace, FLOW.id), service_stream(workspace, LOAD.job.id)
    yield [(flow, FlowAdded(name="Approve", trigger="on_demand", handler="python", config={}, policy=POLICY))]
    yield from _alone(workspace, flow)
    schedule = schedule_stream(workspace, OWNER.id)
    created = ScheduleCreated(
        description="Loads what was approved",
        active=False,
        cadence=cadence,
        policies=SchedulePolicies(timing=TimingPolicies()),
        jobs=(LOAD, APPROVE),
        cadence_version=1,
        timing=TimingState(),
        next=None,
    )
    yield [(schedule, created), (service, ServiceAttached(schedule=OWNER.id)), (flow, FlowAttached(schedule=OWNER.id))]
    yield from _given_up(workspace, schedule)
    yield from _resumed(workspace, schedule)
    gone: Facts = [(service, ServiceDetached(schedule=OWNER.id)), (flow, FlowDetached(schedule=OWNER.id))]
    yield [(schedule, ScheduleDeleted()), *gone]
    yield [(flow, FlowEdited(name="Ask", trigger="on_demand", handler="python", config={}, policy=POLICY))]


def _alone(workspace: str, flow: StreamId) -> Iterator[Facts]:
    run = run_stream(workspace, "flow-run")
    row = JobRow(row=1, job=FLOW, seq=1)
    yield [(run, _opened(FLOW, row)), (flow, FlowRunOpened(run=run.id, cause="manual"))]
    yield from _asked(run, 1)
    ended: Facts = [(run, RunEnded(state="succeeded", counts={"succeeded": 1}))]
    yield [*_approved(run, 1), *ended, (flow, FlowRunClosed(run=run.id, state="succeeded"))]


def _given_up(workspace: str, schedule: StreamId) -> Iterator[Facts]:
    """A run for a moment of the past; its callback comes when nobody waits any more."""
    run, service = run_stream(workspace, "backfilled"), service_stream(workspace, LOAD.job.id)
    begun = ScheduleRunOpened(run=run.id, cause="manual", cause_detail="backfill", stands_for=START)
    opened = _opened(OWNER, LOAD, APPROVE, cause_detail="backfill", stands_for=START)
    yield [(run, opened), (schedule, begun)]
    turn = Turn(run=run.id, row=LOAD.row)
    yield [(service, ServiceClaimed(turn=turn)), (run, AttemptStarted(row=LOAD.row, attempt=1, term=1))]
    loaded: Facts = [(run, AttemptEnded(row=LOAD.row, attempt=1, term=1, **LOADED))]
    yield [*loaded, (run, JobRunEnded(row=LOAD.row, output=[1], **LOADED)), (service, ServiceReleased(turn=turn))]
    yield from _asked(run, APPROVE.row)
    failed: dict[str, Any] = {"state": "failed", "reason": "wait_timeout"}
    yield [
        (run, JobRunReleased(row=APPROVE.row, attempt=1)),
        (run, AttemptEnded(row=APPROVE.row, attempt=1, term=1, counts={"asked": 1}, **failed)),
        (run, JobRunEnded(row=APPROVE.row, counts={"asked": 1}, **failed)),
        (run, RunEnded(counts={"succeeded": 1, "failed": 1}, **failed)),
        (schedule, ScheduleRunClosed(run=run.id, **failed)),
    ]
    yield [(run, JobRunAnswered(row=APPROVE.row, attempt=1, state="failed", reason="refused", counts={}))]


def _resumed(workspace: str, schedule: StreamId) -> Iterator[Facts]:
    run, before = run_stream(workspace, "resumed"), run_stream(workspace, "backfilled")
    begun = ScheduleRunOpened(run=run.id, cause="manual", cause_detail="resumed", stands_for=START)
    yield [
        (run, _opened(OWNER, LOAD, APPROVE, cause_detail="resumed", resumes=before.id, stands_for=START)),
        (schedule, begun),
        (run, JobRunCarried(row=LOAD.row, run=before.id, counts=LOADED["counts"], output=[1])),
        (before, RunResumed(by=run.id)),
    ]
    yield from _asked(run, APPROVE.row)
    ended: Facts = [(run, RunEnded(state="succeeded", counts={"succeeded": 2}))]
    yield [*_approved(run, APPROVE.row), *ended, (schedule, ScheduleRunClosed(run=run.id, state="succeeded"))]


def _opened(owner: Ref, *rows: JobRow, **more: Any) -> RunOpened:
    jobs = tuple(snapshot(row) for row in rows)
    return RunOpened(owner=owner, cause="manual", term=1, instance="one", on_failure="continue", jobs=jobs, **more)


def _asked(run: StreamId, row: int) -> Iterator[Facts]:
    deadline = START + timedelta(hours=1)
    yield [(run, AttemptStarted(row=row, attempt=1, term=1))]
    yield [(run, JobRunSuspended(row=row, attempt=1, waits_for="the buyer", deadline=deadline, counts={"asked": 1}))]


def _approved(run: StreamId, row: int) -> Facts:
    said: dict[str, Any] = {"state": "succeeded", "counts": {"approved": 1}}
    return [
        (run, JobRunAnswered(row=row, attempt=1, output={"approved": True}, **said)),
        (run, AttemptEnded(row=row, attempt=1, term=1, **said)),
        (run, JobRunEnded(row=row, output={"approved": True}, **said)),
    ]


def integration(workspace: str) -> Iterator[Facts]:
    """A definition that the workspace has registered from itself, and a second version whose first sync is refused."""
    definition, registration = definition_stream(workspace, "crm"), integration_stream(workspace, "crm")
    job, flow = Ref(kind="flow", id="crm-ask"), flow_stream(workspace, "crm-ask")
    yield [(definition, DefinitionPublished(version=1, content=_content("Ask")))]
    yield [
        (registration, _registered(workspace)),
        (definition, DefinitionRegistered(by=workspace)),
        (flow, FlowAdded(name="Ask", **_managed(1))),
        (registration, IntegrationSynced(version=1, added=(job,))),
    ]
    active = IntegrationFeatureStatusSet(feature="orders", status="active", before="onboarding")
    yield [(registration, active)]
    yield [(definition, DefinitionPublished(version=2, content=_content("Ask again")))]
    yield [(registration, IntegrationSyncFailed(version=2, code="id_taken", detail="x"))]
    yield [(registration, IntegrationConfigured(configuration={"crm-ask": {}}))]
    yield [(registration, IntegrationInactivated())]
    yield [(registration, IntegrationActivated())]
    yield [(flow, FlowEdited(name="Ask again", **_managed(2))), (registration, IntegrationSynced(version=2))]


def _content(name: str) -> dict[str, Any]:
    flow = {"id": "crm-ask", "name": name, "handler": "python"}
    return {"id": "crm", "flows": [flow], "features": [{"id": "orders", "flows": ["crm-ask"]}]}


def _registered(workspace: str) -> IntegrationRegistered:
    return IntegrationRegistered(definition_workspace=workspace, features=("orders",), configuration={}, active=True)


def _managed(version: int) -> dict[str, Any]:
    origin = JobOrigin(integration="crm", features=("orders",), definition_version=version)
    return {"trigger": "on_demand", "handler": "python", "config": {}, "policy": POLICY, "origin": origin}
