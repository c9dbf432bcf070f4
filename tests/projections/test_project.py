"""What each fact writes, without a database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from eventjobs.domain.cadence import due_at
from eventjobs.domain.streams import (
    REFUSED_ATTEMPTS,
    key_stream,
    run_stream,
    schedule_stream,
    service_stream,
    workspace_stream,
)
from eventjobs.events import EVENT_TYPES
from eventjobs.events.access import AttemptRefused, KeyIssued, KeyRevoked
from eventjobs.events.cadence import Cadence, TimingPolicies, TimingState, Unit
from eventjobs.events.recorded import Event, Recorded, StreamId
from eventjobs.events.run import (
    AttemptEnded,
    AttemptProgressed,
    AttemptStarted,
    JobRunEnded,
    JobRunWaiting,
    Ref,
    RunEnded,
    RunMissed,
    RunOpened,
    RunSkipped,
    RunStopRequested,
    RunTakenOver,
)
from eventjobs.events.schedule import (
    ScheduleActivated,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleDescribed,
    ScheduleInactivated,
    ScheduleJobsEdited,
    ScheduleOccurrencesMissed,
    ScheduleOccurrencesSkipped,
    SchedulePolicies,
    ScheduleRunClosed,
    ScheduleRunOpened,
    ScheduleZoneDataAdopted,
)
from eventjobs.events.service import (
    ServiceAdded,
    ServiceAttached,
    ServiceClaimed,
    ServiceDetached,
    ServiceReleased,
    Turn,
)
from eventjobs.events.workspace import WorkspaceCreated
from eventjobs.projections import (
    activity,
    job_runs,
    keys,
    occurrences,
    runs,
    schedules,
    services,
    timers,
    turns,
    workspaces,
)
from eventjobs.projections.registry import PROJECTIONS
from eventjobs.projections.temporal import Put, Remove, Table
from tests.support.history import POLICY

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
DUE = datetime(2026, 12, 1, 20, tzinfo=UTC)
CADENCE = Cadence(start_date="2026-12-01", start_time="14:00", time_zone="America/Chicago", every=1, unit=Unit.DAY)
NEXT = due_at(CADENCE, DUE)
TIMING = TimingState(reference=NOW, anchor_day=1)
SCHEDULE = schedule_stream("acme", "s")
SERVICE = service_stream("acme", "load")
RUN = run_stream("acme", "r")
KEY = ("acme", "s")
TIMER = ("acme", "schedule", "s", "next_due")

CREATED = ScheduleCreated(
    description="Nightly",
    active=True,
    cadence=CADENCE,
    policies=SchedulePolicies(timing=TimingPolicies()),
    jobs=(),
    cadence_version=1,
    timing=TIMING,
    next=NEXT,
)


def recorded(stream: StreamId, event: Event) -> Recorded[Any]:
    return Recorded(
        position=7,
        stream=stream,
        stream_version=1,
        type=event.TYPE,
        schema=event.SCHEMA,
        at=NOW,
        actor="key:k",
        command_id="c",
        causation=None,
        correlation=None,
        data=b"{}",
        leaf=b"",
        chain=b"",
        decode=lambda *_: None,
        event=event,
    )


def written(stream: StreamId, event: Event) -> dict[str, list[Any]]:
    """Return the writes of all views, by table."""
    found: dict[str, list[Any]] = {}
    fact = recorded(stream, event)
    for projection in PROJECTIONS:
        if fact.type in projection.types:
            for write in projection.project(fact):
                assert write.table in projection.tables
                found.setdefault(write.table.name, []).append(write)
    return found


def only(table: Table, stream: StreamId, event: Event) -> Any:
    """Return the one write into a table."""
    (write,) = written(stream, event)[table.name]
    return write


def test_a_workspace_is_there_from_its_making_on() -> None:
    put = only(
        workspaces.WORKSPACES, workspace_stream("acme"), WorkspaceCreated(time_zone="Europe/Rome", kind="customer")
    )
    assert put.key == ("acme",)
    assert put.values == {"version": 1, "time_zone": "Europe/Rome", "kind": "customer", "created_at": NOW}


def test_a_key_keeps_its_digest_and_is_marked_when_it_is_revoked() -> None:
    issued = KeyIssued(lookup="l", secret_sha256="d", roles=("reader",), workspaces=("*",), read_only=False)
    put = only(keys.KEYS, key_stream("acme", "k"), issued)
    assert put.key == ("acme", "k")
    assert (put.values["lookup"], put.values["secret_sha256"], put.values["issued_by"]) == ("l", "d", "key:k")
    revoked = only(keys.KEYS, key_stream("acme", "k"), KeyRevoked())
    assert (revoked.values, revoked.add) == ({"revoked_at": NOW}, {"version": 1})


def test_refused_attempts_write_nothing() -> None:
    assert written(REFUSED_ATTEMPTS, AttemptRefused(workspace="acme", action="RunNow", needed=())) == {}


def test_a_turn_is_shown_from_when_it_is_taken_until_its_holder_gives_it_up() -> None:
    turn = {"run": "r", "row": 1}
    taken = only(turns.TURNS, SERVICE, ServiceClaimed(turn=Turn(**turn)))
    given_up = only(turns.TURNS, SERVICE, ServiceReleased(turn=Turn(**turn)))
    assert (taken.key, taken.values) == (("acme", "service", "load"), turn)
    assert (given_up.values, given_up.only_if) == ({"run": None, "row": None}, turn)


def test_a_service_and_its_users_stand_in_two_tables() -> None:
    added = written(SERVICE, ServiceAdded(name="Load", handler="noop", config={"b": 1, "a": 2}, policy=POLICY))
    assert list(added) == [services.SERVICES.name]
    assert added[services.SERVICES.name][0].values["config"] == '{"b":1,"a":2}'
    assert only(services.USES, SERVICE, ServiceAttached(schedule="s")) == Put(
        services.USES, ("acme", "load", "s"), {"attached": True}
    )
    assert only(services.USES, SERVICE, ServiceDetached(schedule="s")).values == {"attached": False}


def test_a_new_schedule_has_a_definition_jobs_a_next_moment_and_a_timer() -> None:
    found = written(SCHEDULE, CREATED)
    assert list(found) == [
        schedules.SCHEDULES.name,
        schedules.JOBS.name,
        schedules.NEXT.name,
        timers.TIMERS.name,
        activity.ACTIVITY.name,
    ]
    (definition,) = found[schedules.SCHEDULES.name]
    assert (definition.values["active"], definition.values["created_at"], definition.add) == (True, NOW, {"version": 1})
    (timer,) = found[timers.TIMERS.name]
    assert timer.key == TIMER
    assert timer.values == {"due_at": DUE, "zone_data": NEXT.zone_data}


def test_an_edit_touches_only_what_it_changes() -> None:
    assert list(written(SCHEDULE, ScheduleDescribed(description="x"))) == [schedules.SCHEDULES.name]
    edited = written(SCHEDULE, ScheduleJobsEdited(jobs=()))
    assert list(edited) == [schedules.SCHEDULES.name, schedules.JOBS.name]
    assert edited[schedules.SCHEDULES.name][0].values == {}


@pytest.mark.parametrize("event", [ScheduleInactivated(timing=TIMING), ScheduleDeleted()])
def test_what_is_not_active_has_no_next_moment_and_no_timer(event: Event) -> None:
    found = written(SCHEDULE, event)
    assert found[schedules.NEXT.name][0].values["due"] is None
    assert found[timers.TIMERS.name][0] == Remove(timers.TIMERS, TIMER)
    assert found[schedules.SCHEDULES.name][0].values["active"] is False


def test_an_activation_that_makes_nothing_due_takes_the_timer_away() -> None:
    found = written(SCHEDULE, ScheduleActivated(timing=TIMING, next=None))
    assert found[timers.TIMERS.name] == [Remove(timers.TIMERS, TIMER)]


def test_R19_a_manual_run_moves_neither_the_next_moment_nor_the_timer() -> None:
    found = written(SCHEDULE, ScheduleRunOpened(run="r", cause="manual"))
    assert list(found) == [schedules.RUNS.name]
    assert found[schedules.RUNS.name] == [Put(schedules.RUNS, KEY, {"open_run": "r"})]


def test_an_answered_moment_moves_both() -> None:
    opened = ScheduleRunOpened(run="r", cause="scheduled", due=NOW, timing=TIMING, next=NEXT)
    found = written(SCHEDULE, opened)
    assert list(found) == [schedules.RUNS.name, schedules.NEXT.name, timers.TIMERS.name]
    assert found[schedules.NEXT.name][0].values["local"] == "2026-12-01T14:00:00"


def test_a_closed_run_is_the_last_one_and_leaves_another_open_one_alone() -> None:
    last, clear = written(SCHEDULE, ScheduleRunClosed(run="r", state="failed", reason="error"))[schedules.RUNS.name]
    assert last.values == {"last_run": "r", "last_state": "failed", "last_reason": "error", "last_ended_at": NOW}
    assert (clear.values, clear.only_if) == ({"open_run": None}, {"open_run": "r"})


def opened(due: datetime | None) -> RunOpened:
    return RunOpened(
        owner=Ref(kind="schedule", id="s"),
        cause="scheduled",
        due=due,
        term=1,
        instance="one",
        on_failure="stop",
        jobs=(),
        cadence_version=3,
    )


def test_a_run_is_written_once_and_its_status_stands_apart() -> None:
    found = written(RUN, opened(DUE))
    assert list(found) == [runs.RUNS.name, runs.STATUS.name, occurrences.OCCURRENCES.name]
    assert found[runs.STATUS.name][0].values == {"state": "running", "term": 1, "instance": "one"}
    (ran,) = found[occurrences.OCCURRENCES.name]
    assert (ran.key, ran.values["outcome"], ran.values["run"]) == (("acme", "r"), "ran", "r")
    assert list(written(RUN, opened(None))) == [runs.RUNS.name, runs.STATUS.name]


def test_a_run_has_started_with_its_first_attempt_alone() -> None:
    first = only(runs.STATUS, RUN, AttemptStarted(row=2, attempt=1, term=1))
    assert (first.values, first.only_if) == ({"started_at": NOW}, {"started_at": None})
    assert runs.STATUS.name not in written(RUN, AttemptStarted(row=2, attempt=2, term=1))


def test_stops_take_overs_and_ends_change_the_status() -> None:
    stop = only(runs.STATUS, RUN, RunStopRequested(mode="now"))
    assert stop.values == {"state": "stopping", "stop_mode": "now"}
    taken = only(runs.STATUS, RUN, RunTakenOver(instance="two", term=2, cause="gone"))
    assert taken.values == {"instance": "two", "term": 2}
    ended = only(runs.STATUS, RUN, RunEnded(state="aborted", reason="stopped", counts={"skipped": 1}))
    assert ended.values == {"state": "aborted", "reason": "stopped", "ended_at": NOW, "counts": '{"skipped":1}'}


def test_an_attempt_and_its_row_move_together() -> None:
    started = written(RUN, AttemptStarted(row=1, attempt=2, term=4))
    assert started[job_runs.JOB_RUNS.name][0].values["state"] == "running"
    assert started[job_runs.ATTEMPTS.name][0].key == ("acme", "r", 1, 2)
    progressed = AttemptProgressed(row=1, attempt=2, fraction=0.5, text="half", counts={"processed": 1})
    assert list(written(RUN, progressed)) == [job_runs.ATTEMPTS.name]
    ended = written(
        RUN, AttemptEnded(row=1, attempt=2, term=4, state="failed", reason="error", counts={}, retry_at=DUE)
    )
    row = ended[job_runs.JOB_RUNS.name][0].values
    assert row == {"state": "queued", "reason": "error", "retry_at": DUE, "counts": "{}"}
    assert ended[job_runs.ATTEMPTS.name][0].values["state"] == "failed"


def test_a_row_that_waits_and_then_ends_waits_no_more() -> None:
    waiting = only(job_runs.JOB_RUNS, RUN, JobRunWaiting(row=1, holder="other", deadline=DUE))
    shown = {"state": "waiting", "holder": "other", "joined": None, "deadline": DUE, "retry_at": None}
    assert waiting.values == shown
    ended = only(job_runs.JOB_RUNS, RUN, JobRunEnded(row=1, state="failed", reason="job_running", counts={}))
    assert (ended.values["holder"], ended.values["deadline"], ended.values["state"]) == (None, None, "failed")


@pytest.mark.parametrize("kind", [ScheduleOccurrencesSkipped, ScheduleOccurrencesMissed])
def test_moments_that_did_not_run_are_one_row_named_by_the_first(kind: Any) -> None:
    event = kind(
        reason="overlap", count=2, first=NOW, last=DUE, anchor_day=1, cadence_version=3, timing=TIMING, next=None
    )
    found = written(SCHEDULE, event)
    (put,) = found[occurrences.OCCURRENCES.name]
    assert put.key == ("acme", "schedule.s.3.20261201t120000z")
    assert (put.values["count"], put.values["last"]) == (2, DUE)
    assert put.values["outcome"] == kind.__name__.removeprefix("ScheduleOccurrences").lower()
    assert found[timers.TIMERS.name] == [Remove(timers.TIMERS, TIMER)]


def test_other_zone_data_is_no_other_definition() -> None:
    found = written(SCHEDULE, ScheduleZoneDataAdopted(version="2026b", timing=TIMING, next=NEXT))
    assert set(found) == {schedules.NEXT.name, timers.TIMERS.name}


def test_the_stream_of_a_moment_that_did_not_run_says_nothing_new() -> None:
    owner = Ref(kind="schedule", id="s")
    assert written(RUN, RunSkipped(owner=owner, due=DUE, reason="overlap")) == {}
    assert written(RUN, RunMissed(owner=owner, due=DUE, reason="downtime")) == {}


def test_every_fact_is_some_views_business_or_known_to_be_none() -> None:
    nobody = {event.TYPE for event in EVENT_TYPES} - {name for one in PROJECTIONS for name in one.types}
    assert nobody == {
        "access.attempt_refused",
        "alert.recipient_disabled",
        "alert.recipients_enabled",
        "flow.awaited",
        "flow.joined",
        "groups.named",
        "groups.unnamed",
        "job.awaited",
        "job.joined",
        "job_run.defined",
        "log.created",
        "log.clock_step_observed",
        "log.instance_resumed",
        "log.instance_started",
        "log.zone_data_adopted",
        "mailbox.spared",
        "mailbox.summed_up",
        "mailbox.told",
        "member.key_issued",
        "run.missed",
        "run.skipped",
        "schedule.backfill_asked",
        "schedule.backfill_stopped",
        "service.awaited",
        "service.joined",
        "starts.freed",
        "starts.given_up",
        "starts.taken",
    }
