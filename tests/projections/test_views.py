"""What readers get, now and as of any moment before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventjobs.domain.cadence import due_at
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.run import INITIAL, Row, evolve
from eventjobs.domain.streams import (
    flow_stream,
    key_stream,
    run_stream,
    schedule_stream,
    service_stream,
    starts_stream,
    workspace_stream,
)
from eventjobs.errors import Invalid
from eventjobs.events.access import KeyIssued, KeyRevoked
from eventjobs.events.cadence import Cadence, TimingPolicies, TimingState, Unit
from eventjobs.events.flow import (
    FlowAdded,
    FlowAttached,
    FlowDeleted,
    FlowDetached,
    FlowEdited,
    FlowRunClosed,
    FlowRunOpened,
)
from eventjobs.events.recorded import Event, StreamId
from eventjobs.events.run import (
    AttemptStarted,
    JobRunAnswered,
    JobRunEnded,
    JobRunReleased,
    JobRunSuspended,
    Ref,
    RunDelayed,
    RunEnded,
    RunOpened,
)
from eventjobs.events.schedule import (
    JobRow,
    ScheduleActivated,
    ScheduleCadenceEdited,
    ScheduleCreated,
    ScheduleDeleted,
    ScheduleDescribed,
    ScheduleInactivated,
    ScheduleOccurrenceDropped,
    ScheduleOccurrenceQueued,
    ScheduleOccurrencesMissed,
    SchedulePaused,
    SchedulePolicies,
    ScheduleRunClosed,
    ScheduleRunOpened,
    ScheduleUnpaused,
)
from eventjobs.events.service import (
    AttemptPolicy,
    ServiceAdded,
    ServiceAttached,
    ServiceConfigured,
    ServiceDeleted,
    ServiceDetached,
)
from eventjobs.events.starts import StartsDelayed
from eventjobs.events.workspace import WorkspaceCreated, WorkspaceStartsHeld, WorkspaceStartsReleased
from eventjobs.log.memory import MemoryEventLog
from eventjobs.postgres.pool import TimedPool
from eventjobs.projections.cursors import write_cursor
from eventjobs.projections.upcoming import DueTimer, Upcoming
from eventjobs.projections.views import Views
from eventjobs.runner.projector import Projector
from tests.projections.conftest import Fresh
from tests.support.facts import snapshot
from tests.support.history import History
from tests.support.views import Writer, append_all, everything, new_log, project_all, projector_on

MIDNIGHT = datetime(2026, 1, 1, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
QUARTERLY = Cadence(start_date="2026-01-01", start_time="00:00", time_zone="UTC", every=15, unit=Unit.MINUTE)
DAILY = Cadence(start_date="2026-01-01", start_time="14:00", time_zone="America/Chicago", every=1, unit=Unit.DAY)
POLICIES = SchedulePolicies(timing=TimingPolicies(catch_up_window_s=3600))
ROWS = (
    JobRow(row=1, job=Ref(kind="service", id="load"), seq=1),
    JobRow(row=2, job=Ref(kind="service", id="load"), seq=2, skip_wait=True, timeout_s=90.0),
)


@dataclass
class Reader:
    """A log, views that follow it, and what reads them."""

    log: MemoryEventLog
    pool: TimedPool
    views: Views
    projector: Projector
    writer: Writer

    async def after(self, *facts: tuple[StreamId, Event]) -> int:
        """Append facts, project them, and return the position."""
        position = await self.writer.append(list(facts))
        await project_all(self.projector)
        return position


@pytest.fixture
async def reader(fresh: Fresh) -> Reader:
    log, pool = new_log(), await fresh()
    return Reader(log, pool, Views(pool), projector_on(log, pool), Writer(log))


def created(cadence: Cadence = QUARTERLY, due: datetime | None = MIDNIGHT, **changed: Any) -> ScheduleCreated:
    event = ScheduleCreated(
        description="Load it",
        active=due is not None,
        cadence=cadence,
        policies=POLICIES,
        jobs=ROWS,
        cadence_version=1,
        timing=TimingState(),
        next=None if due is None else due_at(cadence, due),
    )
    return replace(event, **changed)


def opened(owner: str, due: datetime | None = None) -> RunOpened:
    return RunOpened(
        owner=Ref(kind="schedule", id=owner),
        cause="manual" if due is None else "scheduled",
        due=due,
        term=1,
        instance="one",
        on_failure="continue",
        jobs=tuple(snapshot(row) for row in ROWS),
        cadence_version=None if due is None else 1,
    )


def missed(first: datetime, count: int, following: datetime, cadence: Cadence = QUARTERLY) -> ScheduleOccurrencesMissed:
    return ScheduleOccurrencesMissed(
        reason="downtime",
        count=count,
        first=first,
        last=first + (count - 1) * QUARTER,
        anchor_day=first.day,
        cadence_version=1,
        timing=TimingState(reference=following - QUARTER, anchor_day=1),
        next=due_at(cadence, following),
    )


SCHEDULE = schedule_stream("acme", "s")


async def test_a_schedule_shows_its_pause_and_how_many_moments_wait_as_of_any_position(reader: Reader) -> None:
    before = await reader.after((SCHEDULE, created()))
    since, until = MIDNIGHT, MIDNIGHT + timedelta(days=1)
    waits = ScheduleOccurrenceQueued(
        due=MIDNIGHT,
        cadence_version=1,
        cause="scheduled",
        reason="overlap",
        open_run="r",
        timing=TimingState(),
        next=due_at(QUARTERLY, MIDNIGHT + QUARTER),
    )
    paused = await reader.after(
        (SCHEDULE, SchedulePaused(since=since, until=until, note="why", by="key:a")), (SCHEDULE, waits)
    )
    await reader.after(
        (SCHEDULE, ScheduleUnpaused(cause="asked")),
        (SCHEDULE, ScheduleRunOpened(run="r2", cause="scheduled", due=MIDNIGHT)),
    )
    shown = [await reader.views.schedule("acme", "s", position=at) for at in (before, paused, None)]
    pause = {"since": since, "until": until, "note": "why", "by": "key:a"}
    assert [one and (one["pause"], one["waiting"], one["version"]) for one in shown] == [
        (None, 0, 1),
        (pause, 1, 1),
        (None, 0, 1),
    ]
    listed = await reader.views.jobs_page("acme", position=paused)
    assert listed["schedules"]["workspace"]["items"][0]["pause"] == pause
    assert shown[1] is not None
    assert shown[1]["next_due"]["due"] == MIDNIGHT + QUARTER


def _queued(reason: str, limit: int | None, open_run: str | None = None) -> ScheduleOccurrenceQueued:
    return ScheduleOccurrenceQueued(
        due=MIDNIGHT,
        cadence_version=1,
        cause="scheduled",
        reason=reason,
        open_run=open_run,
        limit=limit,
        timing=TimingState(),
        next=due_at(QUARTERLY, MIDNIGHT + QUARTER),
    )


def _run_of(due: datetime | None) -> RunOpened:
    return RunOpened(
        owner=Ref(kind="schedule", id="s"),
        cause="scheduled",
        due=due,
        term=1,
        instance="one",
        on_failure="continue",
        jobs=(snapshot(ROWS[0]),),
        cadence_version=1,
    )


async def test_a_run_and_its_occurrence_show_why_they_waited_as_of_any_position(reader: Reader) -> None:
    name = "schedule.s.1.20260101t000000z"
    before = await reader.after((SCHEDULE, created()))
    waits = await reader.after((SCHEDULE, _queued("owner_limit", 2, "r")))
    full = StartsDelayed(owner=Ref(kind="schedule", id="s"), due=MIDNIGHT, limit=9, occurrence=name)
    in_turn = await reader.after((starts_stream("acme"), full))
    (waiting,) = (await reader.views.occurrences("acme", outcome="waiting"))["items"]
    assert [(delay["reason"], delay["limit"]) for delay in waiting["delays"]] == [("owner_limit", 2), ("limit", 9)]
    opened = await reader.after((run_stream("acme", name), _run_of(MIDNIGHT)))
    await reader.after(
        (run_stream("acme", name), RunDelayed(reason="instance_limit", limit=3, instance="one", term=1)),
        (run_stream("acme", "by-hand"), _run_of(None)),
    )
    shown = [await reader.views.occurrence("acme", name, position=at) for at in (before, waits, in_turn, opened, None)]
    assert [one and (one["outcome"], [delay["reason"] for delay in one["delays"]]) for one in shown] == [
        None,
        ("waiting", ["owner_limit"]),
        ("waiting", ["owner_limit", "limit"]),
        ("ran", ["owner_limit", "limit"]),
        ("ran", ["owner_limit", "limit", "instance_limit"]),
    ]
    detail = await reader.views.run("acme", name)
    assert detail is not None
    in_queue, _, in_line = detail["delays"]
    assert (in_queue["limit"], in_queue["open_run"], in_queue["instance"]) == (2, "r", None)
    assert (in_line["limit"], in_line["open_run"], in_line["instance"]) == (3, None, "one")
    assert in_queue["since"] < detail["opened_at"] < in_line["since"]
    runs = (await reader.views.runs("acme"))["items"]
    assert {run["id"]: len(run["delays"]) for run in runs} == {name: 3, "by-hand": 0}
    (listed,) = (await reader.views.occurrences("acme", outcome="ran"))["items"]
    assert listed["delays"] == detail["delays"]
    elsewhere = await reader.views.occurrence("other", name)
    assert elsewhere is None


async def test_what_waits_is_listed_once_where_one_id_begins_as_another(reader: Reader) -> None:
    waits, longer = _queued("overlap", None, "r"), schedule_stream("acme", "s.2")
    before = await reader.after((SCHEDULE, created(due=None)), (longer, created(due=None)))
    both = await reader.after((SCHEDULE, waits), (longer, waits))
    await reader.after((longer, ScheduleRunOpened(run="r2", cause="scheduled", due=MIDNIGHT)))

    async def listed(position: int | None, owner: str | None = None) -> list[str]:
        of = None if owner is None else ("schedule", owner)
        page = await reader.views.occurrences("acme", position=position, owner=of, outcome="waiting")
        return [one["owner"]["id"] for one in page["items"]]

    assert [await listed(at) for at in (before, both, None)] == [[], ["s", "s.2"], ["s"]]
    assert [await listed(both, owner) for owner in ("s", "s.2", "s.2.1")] == [["s"], ["s.2"], []]


async def test_the_end_of_a_pause_is_a_timer(reader: Reader) -> None:
    until = MIDNIGHT + timedelta(days=1)
    timers = Upcoming(reader.pool)
    await reader.after((SCHEDULE, created(due=None)))
    await reader.after((SCHEDULE, SchedulePaused(since=MIDNIGHT, until=until, note="", by="key:a")))
    assert [(one.due_at, one.owner) for one in await timers.due(until, 10)] == [(until, "s")]
    await reader.after((SCHEDULE, SchedulePaused(since=MIDNIGHT, note="", by="key:a")))
    assert await timers.due(until, 10) == []


async def test_a_moment_that_waited_and_was_dropped_has_its_outcome(reader: Reader) -> None:
    dropped = ScheduleOccurrenceDropped(
        due=MIDNIGHT, cadence_version=1, outcome="skipped", reason="held", open_run=None
    )
    await reader.after((SCHEDULE, created()), (SCHEDULE, dropped))
    found = await reader.views.occurrence("acme", "schedule.s.1.20260101t000000z")
    assert found is not None
    assert (found["outcome"], found["reason"], found["due"]) == ("skipped", "held", MIDNIGHT)


async def test_holds_are_shown_with_the_workspace_and_on_the_jobs_page(reader: Reader) -> None:
    here, everywhere = workspace_stream("acme"), workspace_stream("*")
    await reader.after((here, WorkspaceCreated(time_zone="UTC", kind="automation")))
    held = await reader.after(
        (everywhere, WorkspaceStartsHeld(since=MIDNIGHT, note="all", by="key:a")),
        (here, WorkspaceStartsHeld(since=MIDNIGHT, note="one", by="key:b")),
    )
    await reader.after((everywhere, WorkspaceStartsReleased(since=MIDNIGHT + QUARTER)))
    then, now = [await reader.views.workspace("acme", position=at) for at in (held, None)]
    page = await reader.views.jobs_page("acme")
    assert then is not None
    assert now is not None
    assert [(hold["note"], hold["everywhere"]) for hold in then["holds"]] == [("all", True), ("one", False)]
    assert [hold["by"] for hold in now["holds"]] == ["key:b"]
    assert page["holds"] == now["holds"]


async def test_with_runs_that_overlap_the_newest_open_one_is_shown(reader: Reader) -> None:
    closing = ScheduleRunClosed(run="b", state="succeeded", open_run="a")
    openings = [(SCHEDULE, ScheduleRunOpened(run=run, cause="manual")) for run in ("a", "b")]
    await reader.after((SCHEDULE, created()), *openings, (SCHEDULE, closing))
    shown = await reader.views.schedule("acme", "s")
    assert shown is not None
    assert (shown["open_run"], shown["last_run"]["id"]) == ({"id": "a"}, "b")


async def test_R12_a_schedule_shows_its_description_cadence_jobs_and_when_it_was_created(reader: Reader) -> None:
    await reader.after((SCHEDULE, created(DAILY, datetime(2026, 1, 1, 20, tzinfo=UTC))))
    shown = await reader.views.schedule("acme", "s")
    assert shown is not None
    assert (shown["id"], shown["version"], shown["description"]) == ("s", 1, "Load it")
    set_at = {"at": shown["created_at"], "position": shown["activity"]["position"]}
    assert shown["activity"] == {"active": True, "set_by": "local", "by": "system", **set_at}
    assert shown["cadence"] == {
        "start_date": "2026-01-01",
        "start_time": "14:00",
        "time_zone": "America/Chicago",
        "every": 1,
        "unit": "day",
    }
    assert shown["policies"]["catch_up_window"] == "PT1H"
    assert [job["seq"] for job in shown["jobs"]] == [1, 2]
    assert shown["jobs"][1]["timeout"] == "PT1M30S"
    assert shown["created_at"].tzinfo is not None
    assert (shown["open_run"], shown["last_run"], shown["deleted"]) == (None, None, False)


async def test_R20_the_next_due_is_utc_and_local_and_drifts_from_its_label(reader: Reader) -> None:
    await reader.after((SCHEDULE, created(DAILY, datetime(2026, 1, 1, 20, tzinfo=UTC))))
    shown = await reader.views.schedule("acme", "s")
    assert shown is not None
    assert shown["next_due"] == {
        "due": datetime(2026, 1, 1, 20, tzinfo=UTC),
        "local": "2026-01-01T14:00:00",
        "fold": 0,
        "zone": "America/Chicago",
        "asked": None,
        "zone_data": shown["next_due"]["zone_data"],
        "blackout": None,
    }
    assert shown["drifted_from_label"] is False
    summer = due_at(DAILY, datetime(2026, 7, 1, 20, tzinfo=UTC))
    await reader.after((SCHEDULE, ScheduleActivated(timing=TimingState(), next=summer)))
    shown = await reader.views.schedule("acme", "s")
    assert shown is not None
    assert (shown["next_due"]["local"], shown["drifted_from_label"]) == ("2026-07-01T15:00:00", True)


async def test_R59_the_jobs_page_groups_schedules_and_counts_each_section(reader: Reader) -> None:
    for number in range(5):
        await reader.after((schedule_stream("acme", f"s{number}"), created(due=None)))
    await reader.after((schedule_stream("other", "s0"), created()))
    policy = AttemptPolicy(delivery="at_most_once", timeout_s=3600.0)
    added = ServiceAdded(name="Load", handler="noop", config={"a": 1}, policy=policy)
    await reader.after((service_stream("acme", "load"), added))
    page = await reader.views.jobs_page("acme", limit=2)
    assert list(page["schedules"]) == ["active", "onboarding", "maintenance", "workspace"]
    assert [page["schedules"][name]["count"] for name in page["schedules"]] == [0, 0, 0, 5]
    section = page["schedules"]["workspace"]
    assert [item["id"] for item in section["items"]] == ["s0", "s1"]
    assert (page["services"]["count"], page["services"]["next"]) == (1, None)
    assert page["services"]["items"][0]["policy"]["timeout"] == "PT1H"
    more = await reader.views.jobs_page("acme", section="workspace", cursor=section["next"], limit=2)
    assert [item["id"] for item in more["schedules"]["workspace"]["items"]] == ["s2", "s3"]
    assert (more["services"]["count"], more["services"]["items"]) == (1, [])
    with pytest.raises(Invalid, match="cursor"):
        await reader.views.jobs_page("acme", cursor=section["next"])


async def test_the_jobs_page_is_filtered_by_text_activity_and_feature(reader: Reader) -> None:
    await reader.after((schedule_stream("acme", "nightly"), created(description="Contacts 100%")))
    await reader.after((schedule_stream("acme", "hourly"), created(due=None, description="Orders")))

    async def found(**wanted: Any) -> list[str]:
        section = (await reader.views.jobs_page("acme", **wanted))["schedules"]["workspace"]
        assert section["count"] == len(section["items"])
        return [item["id"] for item in section["items"]]

    assert await found(q="CONT") == ["nightly"]
    assert await found(q="100%") == ["nightly"]
    assert await found(q="o%s") == []
    assert await found(q="hour") == ["hourly"]
    assert await found(state="active") == ["nightly"]
    assert await found(state="inactive") == ["hourly"]
    assert await found(feature="sync") == []
    assert await found(drift=True) == []
    assert await found(drift=False) == ["hourly", "nightly"]


async def test_a_read_as_of_a_position_shows_what_was_then(reader: Reader) -> None:
    first = await reader.after((SCHEDULE, created()))
    second = await reader.after((SCHEDULE, ScheduleDescribed(description="Better")))
    third = await reader.after((SCHEDULE, ScheduleInactivated(timing=TimingState())))
    fourth = await reader.after((SCHEDULE, ScheduleDeleted()))

    async def shown(position: int | None) -> Any:
        document = await reader.views.schedule("acme", "s", position=position)
        keys = ("description", "active", "version", "deleted")
        return None if document is None else tuple(document[key] for key in keys)

    assert await shown(first - 1) is None
    assert await shown(first) == ("Load it", True, 1, False)
    assert await shown(second) == ("Better", True, 2, False)
    assert await shown(third) == ("Better", False, 3, False)
    assert await shown(fourth) == await shown(None) == ("Better", False, 4, True)
    counts = [
        (await reader.views.jobs_page("acme", position=position))["schedules"]["workspace"]["count"]
        for position in (first - 1, first, third, fourth, None)
    ]
    assert counts == [0, 1, 1, 0, 0]
    assert [item["id"] for item in (await reader.views.schedules("acme", position=third))["items"]] == ["s"]
    assert (await reader.views.schedules("acme"))["items"] == []


async def test_a_service_shows_who_uses_it_as_of_any_moment(reader: Reader) -> None:
    service = service_stream("acme", "load")
    added = ServiceAdded(name="Load", handler="noop", config={}, policy=AttemptPolicy(delivery="at_most_once"))
    await reader.after((service, added))
    attached = await reader.after((service, ServiceAttached(schedule="b")), (service, ServiceAttached(schedule="a")))
    await reader.after((service, ServiceDetached(schedule="a")))
    configured = ServiceConfigured(name="Loader", handler="pay", config={"x": [1]}, policy=added.policy)
    await reader.after((service, configured))

    async def users(position: int | None) -> list[str]:
        shown = await reader.views.job("acme", "load", position=position)
        assert shown is not None
        return [user["id"] for user in shown["used_by"]]

    assert await users(attached - 2) == []
    assert await users(attached) == ["a", "b"]
    assert await users(None) == ["b"]
    shown = await reader.views.service("acme", "load")
    assert shown is not None
    assert (shown["version"], shown["name"], shown["config"]) == (2, "Loader", {"x": [1]})
    await reader.after((service, ServiceDeleted()))
    assert (await reader.views.services("acme"))["items"] == []
    assert (await reader.views.job("acme", "load") or {})["deleted"] is True


async def test_a_flow_has_its_definition_who_uses_it_and_its_runs_at_any_moment(reader: Reader) -> None:
    flow = flow_stream("acme", "approve")
    policy = AttemptPolicy(delivery="at_least_once", wait_timeout_s=14_400)
    before = FlowAdded(name="Approve", trigger="on_demand", handler="http", config={"x": [1]}, policy=policy)
    after = FlowEdited(
        name="Ask", trigger="cache_event", handler="http", config={}, policy=policy, exclusive=True, active=False
    )
    added = await reader.after((flow, before), (flow, FlowAttached(schedule="a")))
    await reader.after(
        (flow, after), (flow, FlowDetached(schedule="a")), (flow, FlowRunOpened(run="r1", cause="manual"))
    )
    then, now = await reader.views.flow("acme", "approve", position=added), await reader.views.job("acme", "approve")
    assert then is not None
    assert now is not None
    assert (then["kind"], then["version"], then["trigger"], then["active"]) == ("flow", 1, "on_demand", True)
    assert (now["version"], now["trigger"], now["exclusive"], now["active"]) == (2, "cache_event", True, False)
    assert (then["used_by"], now["used_by"]) == ([{"kind": "schedule", "id": "a"}], [])
    assert (then["open_run"], now["open_run"]) == (None, {"id": "r1"})
    assert now["policy"]["wait_timeout"] == "PT4H"
    page = await reader.views.jobs_page("acme", section="flows")
    assert (page["flows"]["count"], [item["id"] for item in page["flows"]["items"]]) == (1, ["approve"])
    await reader.after((flow, FlowRunOpened(run="r2", cause="manual")))
    await reader.after((flow, FlowRunClosed(run="r2", state="succeeded", open_run="r1")))
    beside = await reader.views.flow("acme", "approve") or {}
    assert (beside["open_run"], beside["last_run"]["id"]) == ({"id": "r1"}, "r2")
    await reader.after((flow, FlowDeleted()))
    assert (await reader.views.flows("acme"))["items"] == []
    assert (await reader.views.jobs_page("acme"))["flows"]["count"] == 0


async def test_R43_a_suspended_row_shows_what_it_waits_for_and_what_was_said_at_any_moment(reader: Reader) -> None:
    run, owner = run_stream("acme", "r1"), schedule_stream("acme", "s")
    opening = replace(opened("s"), jobs=tuple(snapshot(row) for row in ROWS[:1]))
    suspended = JobRunSuspended(
        row=1, attempt=1, waits_for="the buyer", deadline=MIDNIGHT + timedelta(hours=1), counts={"asked": 1}
    )
    answer = JobRunAnswered(row=1, attempt=1, state="failed", reason="stop_step", counts={}, output=[1])
    flow, policy = flow_stream("acme", "approve"), AttemptPolicy(delivery="at_least_once")
    added = FlowAdded(name="Approve", trigger="on_demand", handler="http", config={}, policy=policy)
    await reader.after((run, opening), (owner, ScheduleRunOpened(run="r1", cause="manual")))
    await reader.after((flow, added), (flow, FlowRunOpened(run="r1", cause="manual")))
    waits = await reader.after((run, AttemptStarted(row=1, attempt=1, term=1)), (run, suspended))
    released = await reader.after((run, JobRunReleased(row=1, attempt=1)))
    ending = JobRunEnded(row=1, state="failed", reason="stop_step", counts={})
    ended = await reader.after((run, answer), (run, ending))

    async def job_run(position: int) -> Mapping[str, Any]:
        shown = await reader.views.run("acme", "r1", position=position)
        assert shown is not None
        return shown["stages"][0]["job_runs"][0]  # type: ignore[no-any-return]

    open_run = (await reader.views.flows("acme", position=waits))["items"][0]["open_run"]
    assert (open_run["id"], open_run["suspended"]) == ("r1", 1)
    before, later, last = [await job_run(position) for position in (waits, released, ended)]
    assert (before["state"], before["released"], before["deadline"]) == ("suspended", False, suspended.deadline)
    assert before["attempts"][0]["suspension"]["waits_for"] == "the buyer"
    assert before["attempts"][0]["suspension"]["answer"] is None
    assert (later["state"], later["released"], later["deadline"]) == ("suspended", True, None)
    said = last["attempts"][0]["suspension"]["answer"]
    assert (last["state"], last["released"], said["reason"], said["output"]) == ("failed", True, "stop_step", [1])


async def test_R85_a_service_shows_its_connector_module_and_type(reader: Reader) -> None:
    policy = AttemptPolicy(delivery="at_most_once")
    added = ServiceAdded(name="Load", handler="noop", config={}, policy=policy, type="Vista/Jobs/Writer")
    first = await reader.after((service_stream("acme", "load"), added))
    configured = ServiceConfigured(name="Load", handler="noop", config={}, policy=policy)
    await reader.after((service_stream("acme", "load"), configured))
    then, now = [await reader.views.service("acme", "load", position=position) for position in (first, None)]
    assert [shown and shown["type"] for shown in (then, now)] == ["Vista/Jobs/Writer", None]


async def test_things_of_another_workspace_are_not_there(reader: Reader) -> None:
    await append_all(reader.log, History(50, workspaces=("acme",)).appends(10))
    await project_all(reader.projector)
    run = (await reader.views.runs("acme"))["items"][0]["id"]
    occurrence = (await reader.views.occurrences("acme", outcome="ran"))["items"][0]["id"]
    assert await reader.views.run("acme", run) is not None
    assert await reader.views.occurrence("acme", occurrence) is not None
    views = reader.views
    assert await views.schedule("other", "schedule-0") is None
    assert await views.service("other", "service-0") is None
    assert await views.run("other", run) is None
    assert await views.occurrence("other", occurrence) is None
    assert await views.workspace("other") is None
    for listed in (views.schedules, views.services, views.runs, views.occurrences, views.keys):
        assert (await listed("other"))["items"] == []


async def test_things_of_the_same_names_in_another_workspace_are_listed_there_alone(reader: Reader) -> None:
    await append_all(reader.log, History(50, workspaces=("acme", "other")).appends(10))
    await project_all(reader.projector)
    views = reader.views
    for listed in (views.schedules, views.services, views.runs, views.occurrences):
        ids = [item["id"] for item in (await listed("other", limit=1000))["items"]]
        assert ids
        assert len(ids) == len(set(ids))
    own = {item["id"] for item in (await views.schedules("other"))["items"]}
    assert own == {item["id"] for item in (await views.schedules("acme"))["items"]}


async def test_runs_are_listed_newest_first_page_by_page(reader: Reader) -> None:
    await append_all(reader.log, History(51, edits=0.0).appends(30))
    await project_all(reader.projector)
    whole = (await reader.views.runs("acme", limit=1000))["items"]
    assert len(whole) == 30 + 3 + 2  # those of the flow and of the group
    assert [run["opened_at"] for run in whole] == sorted((run["opened_at"] for run in whole), reverse=True)
    paged: list[Any] = []
    cursor = None
    while True:
        page = await reader.views.runs("acme", limit=7, cursor=cursor)
        paged += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert paged == whole
    owner = ("schedule", "schedule-1")
    own = (await reader.views.runs("acme", owner=owner, limit=1000))["items"]
    assert own == [run for run in whole if run["owner"] == {"kind": "schedule", "id": "schedule-1"}]
    failed = (await reader.views.runs("acme", state="failed", limit=1000))["items"]
    assert failed == [run for run in whole if run["state"] == "failed"]
    since, until = whole[20]["opened_at"], whole[10]["opened_at"]
    window = (await reader.views.runs("acme", since=since, until=until, limit=1000))["items"]
    assert window == whole[11:21]


async def test_a_run_in_detail_has_stages_job_runs_and_attempts(reader: Reader) -> None:
    stream = run_stream("acme", "r")
    await reader.after((stream, opened("s")))
    first = await reader.views.run("acme", "r")
    assert first is not None
    assert (first["state"], first["started_at"], first["progress"]) == ("running", None, {"job_runs": 2, "ended": 0})
    assert [(stage["seq"], stage["job_runs"][0]["state"]) for stage in first["stages"]] == [
        (1, "queued"),
        (2, "queued"),
    ]
    began = await reader.after((stream, AttemptStarted(row=1, attempt=1, term=1)))
    await reader.after((stream, JobRunEnded(row=1, state="succeeded", counts={"added": 3}, output={"x": [1]})))
    await reader.after((stream, RunEnded(state="failed", reason="error", counts={"failed": 1, "succeeded": 1})))
    running = await reader.views.run("acme", "r", position=began)
    ended = await reader.views.run("acme", "r")
    assert running is not None
    assert ended is not None
    assert running["started_at"] == ended["started_at"] == running["stages"][0]["job_runs"][0]["started_at"]
    assert running["stages"][0]["job_runs"][0]["state"] == "running"
    job_run = ended["stages"][0]["job_runs"][0]
    assert (job_run["state"], job_run["counts"], job_run["output"]) == ("succeeded", {"added": 3}, {"x": [1]})
    assert [attempt["attempt"] for attempt in job_run["attempts"]] == [1]
    assert (ended["state"], ended["reason"], ended["counts"]) == ("failed", "error", {"failed": 1, "succeeded": 1})


async def test_a_job_run_is_shown_in_the_state_that_the_domain_gives_it(reader: Reader) -> None:
    await append_all(reader.log, History(52, edits=0.0).appends(6))
    await project_all(reader.projector)
    runs: dict[str, Any] = {}
    for fact in await everything(reader.log):
        if fact.stream.kind != "run":
            continue
        run = runs[fact.stream.id] = evolve(runs.get(fact.stream.id, INITIAL), fact.event)
        shown = await reader.views.run("acme", fact.stream.id, position=fact.position)
        assert shown is not None
        assert (shown["state"], shown["reason"], shown["term"]) == (run.state, run.reason, run.term)
        rows: Mapping[int, Row] = run.rows
        for stage in shown["stages"]:
            for job_run in stage["job_runs"]:
                row = rows[job_run["row"]]
                assert (job_run["state"], job_run["reason"], job_run["retry_at"]) == (
                    row.state,
                    row.reason,
                    row.retry_at,
                )
                assert (len(job_run["attempts"]), job_run["counts"]) == (row.attempt, dict(row.counts))


async def test_a_schedule_shows_its_open_run_and_then_how_it_ended(reader: Reader) -> None:
    await reader.after((SCHEDULE, created()))
    await reader.after((run_stream("acme", "r"), opened("s")), (SCHEDULE, ScheduleRunOpened(run="r", cause="manual")))
    shown = await reader.views.schedule("acme", "s")
    assert shown is not None
    assert (shown["open_run"]["id"], shown["version"], shown["next_due"]["due"]) == ("r", 1, MIDNIGHT)
    assert (shown["open_run"]["stage"], shown["open_run"]["of"], shown["open_run"]["progress"]) == (1, 2, 0.0)
    assert [run.run for run in await Upcoming(reader.pool).open_runs()] == ["r"]
    closed = ScheduleRunClosed(run="r", state="failed", reason="error")
    await reader.after(
        (run_stream("acme", "r"), RunEnded(state="failed", reason="error", counts={})), (SCHEDULE, closed)
    )
    shown = await reader.views.schedule("acme", "s")
    assert shown is not None
    last = {"id": "r", "state": "failed", "reason": "error", "ended_at": shown["last_run"]["ended_at"]}
    assert (shown["open_run"], shown["last_run"]) == (None, {**last, "resumed_by": None, "same_jobs": True})
    assert await Upcoming(reader.pool).open_runs() == []


async def test_a_storm_is_shown_as_its_moments_on_pages_of_any_size(reader: Reader) -> None:
    await reader.after((SCHEDULE, created()))
    await reader.after((schedule_stream("acme", "t"), created()))
    ran = occurrence_id("schedule", "t", 1, MIDNIGHT + 3 * QUARTER)
    await reader.after((run_stream("acme", ran), opened("t", MIDNIGHT + 3 * QUARTER)))
    await reader.after((SCHEDULE, missed(MIDNIGHT, 300, MIDNIGHT + 300 * QUARTER)))
    edited = ScheduleCadenceEdited(cadence=DAILY, cadence_version=2, timing=TimingState(), next=None)
    await reader.after((SCHEDULE, edited))  # the storm's moments follow from the cadence of its time
    storm = [occurrence_id("schedule", "s", 1, MIDNIGHT + n * QUARTER) for n in range(300)]
    expected = [*storm[:4], ran, *storm[4:]]
    for limit in (1, 4, 250, 1000):
        found: list[str] = []
        cursor = None
        while True:
            page = await reader.views.occurrences("acme", limit=limit, cursor=cursor, until=MIDNIGHT + 299 * QUARTER)
            found += [item["id"] for item in page["items"] if item["outcome"] != "coming"]
            cursor = page["next"]
            if cursor is None or len(found) >= 20:
                break
        assert found == expected[:-1][: len(found)]
        assert len(found) >= min(20, len(expected) - 1)
    window = await reader.views.occurrences(
        "acme",
        owner=("schedule", "s"),
        since=MIDNIGHT + 100 * QUARTER,
        until=MIDNIGHT + 103 * QUARTER,
        outcome="missed",
    )
    assert [item["id"] for item in window["items"]] == storm[100:103]
    assert window["items"][0]["answered_with"]["count"] == 300
    inside = await reader.views.occurrence("acme", storm[150])
    assert inside is not None
    assert (inside["due"], inside["outcome"], inside["reason"]) == (MIDNIGHT + 150 * QUARTER, "missed", "downtime")
    beside = occurrence_id("schedule", "s", 1, MIDNIGHT + timedelta(minutes=7))
    assert await reader.views.occurrence("acme", beside) is None
    assert await reader.views.occurrence("acme", occurrence_id("schedule", "s", 2, MIDNIGHT)) is None
    assert await reader.views.occurrence("acme", "schedule.s.1.20269901t000000z") is None


async def test_pages_of_what_comes_of_many_schedules_leave_nothing_out(reader: Reader) -> None:
    for name, every in (("a", 15), ("b", 20), ("c", 45)):
        cadence = replace(QUARTERLY, every=every)
        await reader.after((schedule_stream("acme", name), created(cadence)))
    window = {"outcome": "coming", "until": MIDNIGHT + timedelta(hours=6)}
    whole = (await reader.views.occurrences("acme", limit=1000, **window))["items"]
    pages, cursor = [], None
    while not pages or cursor is not None:
        page = await reader.views.occurrences("acme", limit=5, cursor=cursor, **window)
        pages, cursor = [*pages, *page["items"]], page["next"]

    assert len(whole) == 24 + 18 + 8
    assert pages == whole


async def test_coming_moments_follow_the_answered_ones_in_order(reader: Reader) -> None:
    await reader.after((SCHEDULE, created(due=MIDNIGHT + 2 * QUARTER)))
    await reader.after((schedule_stream("acme", "d"), created(DAILY, datetime(2026, 1, 1, 20, tzinfo=UTC))))
    await reader.after((schedule_stream("acme", "off"), created(due=None)))
    own = await reader.views.occurrences("acme", owner=("schedule", "s"))
    assert [item["due"] for item in own["items"]] == [MIDNIGHT + n * QUARTER for n in range(2, 12)]
    assert {item["outcome"] for item in own["items"]} == {"coming"}
    later = MIDNIGHT + timedelta(days=400)
    far = await reader.views.occurrences("acme", owner=("schedule", "s"), since=later, until=later + 3 * QUARTER)
    assert [item["due"] for item in far["items"]] == [later, later + QUARTER, later + 2 * QUARTER]
    day = await reader.views.occurrences("acme", until=MIDNIGHT + timedelta(days=1), limit=1000)
    assert [item["due"] for item in day["items"]] == sorted(item["due"] for item in day["items"])
    assert [item["local"] for item in day["items"] if item["owner"]["id"] == "d"] == ["2026-01-01T14:00:00"]
    assert len(day["items"]) == 95
    paged: list[Any] = []
    cursor = None
    while True:
        page = await reader.views.occurrences("acme", until=MIDNIGHT + timedelta(days=1), limit=10, cursor=cursor)
        paged += page["items"]
        cursor = page["next"]
        if cursor is None:
            break
    assert paged == day["items"]


async def test_workspaces_and_keys_are_listed_without_secrets(reader: Reader) -> None:
    for workspace in ("acme", "beta", "gamma"):
        made = WorkspaceCreated(time_zone="UTC", kind="automation")
        await reader.after((workspace_stream(workspace), made))
    issued = KeyIssued(lookup="abc", secret_sha256="f" * 64, roles=("reader",), workspaces=("acme",), read_only=True)
    before = await reader.after((key_stream("acme", "k"), issued))
    await reader.after((key_stream("acme", "k"), KeyRevoked()))
    assert [one["id"] for one in (await reader.views.workspaces())["items"]] == ["acme", "beta", "gamma"]
    assert [one["id"] for one in (await reader.views.workspaces(only=["gamma", "none"]))["items"]] == ["gamma"]
    (key,) = (await reader.views.keys("acme"))["items"]
    assert (key["roles"], key["workspaces"], key["version"]) == (["reader"], ["acme"], 2)
    assert key["revoked_at"] is not None
    assert "f" * 64 not in str(key)
    assert "abc" not in str(key)
    assert (await reader.views.keys("acme", position=before))["items"][0]["revoked_at"] is None
    (stored,) = await Upcoming(reader.pool).all_keys()
    assert (stored["lookup"], stored["secret_sha256"], stored["workspace"]) == ("abc", "f" * 64, "acme")


async def test_a_timer_is_due_from_its_instant_on(reader: Reader) -> None:
    upcoming = Upcoming(reader.pool)
    await reader.after((SCHEDULE, created()))
    (timer,) = await upcoming.due(MIDNIGHT, 10)
    assert timer == DueTimer(MIDNIGHT, "acme", "schedule", "s")
    assert await upcoming.due(MIDNIGHT - QUARTER, 10) == []
    await reader.after((SCHEDULE, missed(MIDNIGHT, 1, MIDNIGHT + QUARTER)))
    assert [one.due_at for one in await upcoming.due(MIDNIGHT + QUARTER, 10)] == [MIDNIGHT + QUARTER]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "%%%", write_cursor(), write_cursor(1), write_cursor("a", "b"), write_cursor("a\0"), write_cursor(None),
     write_cursor("2026-01-01T00:00:00", 1), write_cursor("2026-01-01T00:00:00Z", 2**63), "ünï"],
)  # fmt: skip
async def test_a_cursor_that_was_not_given_out_is_refused(reader: Reader, cursor: str) -> None:
    for listed in (reader.views.runs, reader.views.schedules, reader.views.occurrences, reader.views.keys):
        with pytest.raises(Invalid) as refused:
            await listed("acme", cursor=cursor)
        assert refused.value.code == "bad_cursor"
