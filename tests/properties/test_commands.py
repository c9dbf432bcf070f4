"""
Random histories of commands: each command applied again to the state it left has no second effect.

Every story passes its facts through the codec and the folds, so a history that gets to its end also shows that all of
its facts can be written, read and folded.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from eventjobs.commands import SPECS, snapshots
from eventjobs.commands.context import Limits
from eventjobs.commands.spec import CommandFields
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.overlap import QUEUE_MAX, Overlap
from eventjobs.domain.run import State
from eventjobs.domain.streams import notification_stream, owner_stream, starts_stream
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref, RunMissed, RunOpened, RunSkipped
from tests.properties import connect_bodies
from tests.properties.connect_bodies import CONNECT_BUILDERS, called, furnish, group_id, job_id, slot_owner
from tests.support.bodies import DAILY, flow_row, row
from tests.support.story import Story, at, command

SERVICES = ("load", "clean", "pay")
FLOWS = ("approve", "notify")
MANAGED = ("crm.load", "crm.clean")
SCHEDULES = ("nightly", "hourly")
MANAGED_SCHEDULES = ("crm.nightly", "crm.hourly")
FEATURES = ("one", "two")
Draw = Callable[[st.SearchStrategy[Any]], Any]

UNITS = [("once", 1), ("minute", 15), ("minute", 40), ("hour", 1), ("hour", 7), ("day", 1), ("month", 1)]
CRONS = ["*/20 * * * *", "30 2 * * *", "@weekly"]
STARTS = ["2026-11-30", "2026-12-01", "2026-12-02", "2026-12-31"]
TIMES = ["00:00", "02:30", "12:00", "20:00"]
ZONES = ["UTC", "Europe/Berlin", "America/Chicago", "Pacific/Apia"]


def _service(draw: Draw) -> str:
    return str(draw(st.sampled_from([*SERVICES, *MANAGED, "unknown"])))


def _flow(draw: Draw) -> str:
    return str(draw(st.sampled_from([*FLOWS, "load", "unknown"])))


def _schedule(draw: Draw) -> str:
    return str(draw(st.sampled_from([*SCHEDULES, *SCHEDULES, *MANAGED_SCHEDULES, "unknown"])))


def _definition(draw: Draw) -> dict[str, Any]:
    return {
        "handler": draw(st.sampled_from(["noop", "pay", "csv.import"])),
        "attempts": draw(st.integers(1, 3)),
        "wait_timeout": draw(st.sampled_from(["PT5M", "PT1H"])),
        "config": draw(st.sampled_from([{}, {"a": [1, 2.5, None]}, {"b": {"c": "x"}}])),
    }


def _flow_definition(draw: Draw) -> dict[str, Any]:
    return {
        **_definition(draw),
        "handler": "python",
        "trigger": draw(st.sampled_from(["on_demand", "on_demand", "on_demand", "cache_event"])),
        "exclusive": draw(st.booleans()),
        "active": draw(st.sampled_from([True, True, True, False])),
    }


def _cadence(draw: Draw) -> dict[str, Any]:
    if draw(st.integers(0, 4)) == 0:
        return {"cron": draw(st.sampled_from(CRONS)), "time_zone": draw(st.sampled_from(ZONES))}
    unit, every = draw(st.sampled_from(UNITS))
    return {
        "start_date": draw(st.sampled_from(STARTS)),
        "start_time": draw(st.sampled_from(TIMES)),
        "time_zone": draw(st.sampled_from(ZONES)),
        "every": every,
        "unit": unit,
    }


def _policies(draw: Draw) -> dict[str, Any]:
    return {
        "timing": draw(st.sampled_from([None, None, "elapsed", "elapsed", "grid", "wall_clock"])),
        "catch_up": draw(st.sampled_from(["due", "due", "always_on_tighten", "never"])),
        "catch_up_window": draw(st.sampled_from([None, None, "PT30M"])),
        "on_failure": draw(st.sampled_from(["continue", "stop"])),
        "overlap": draw(st.sampled_from(["skip", *Overlap])),
        "calendars": draw(st.sampled_from([[], [], [], ["freeze"]])),
    }


def _jobs(draw: Draw) -> list[dict[str, Any]]:
    picked = draw(
        st.lists(st.tuples(st.sampled_from(SERVICES + FLOWS), st.integers(1, 3), st.booleans()), min_size=1, max_size=4)
    )
    return [(flow_row if name in FLOWS else row)(name, seq=seq, skip_wait=skip) for name, seq, skip in picked]


def _run(draw: Draw, story: Story) -> str:
    known = [stream.id for stream in story.streams if stream.kind == "run"]
    return str(draw(st.sampled_from([*known, "unknown"])))


def _given_id(draw: Draw, name: str) -> dict[str, Any]:
    return {"id": name} if draw(st.integers(0, 9)) else {}


def _create_schedule(draw: Draw, _: Story) -> dict[str, Any]:
    return {
        **_given_id(draw, _schedule(draw)),
        "active": draw(st.booleans()),
        "cadence": _cadence(draw),
        "jobs": _jobs(draw),
        "policies": _policies(draw),
    }


def _run_now(draw: Draw, _: Story) -> dict[str, Any]:
    kind = draw(st.sampled_from(["schedule", "service", "flow", "group", "import"]))
    owner = {"schedule": _schedule, "service": _service, "flow": _flow, "group": group_id, "import": job_id}[kind](draw)
    return {
        "owner": {"kind": kind, "id": owner},
        "id": draw(st.sampled_from([None, "r1", "r2", "r3", "schedule.x"])),
    }


def _advance(draw: Draw, story: Story) -> dict[str, Any]:
    name = _run(draw, story)
    run = story.run(name)
    running = [one for one in run.rows.values() if one.state is State.RUNNING]
    ended = draw(st.lists(st.sampled_from(running), max_size=2, unique_by=lambda one: one.row)) if running else []
    progress = draw(st.lists(st.sampled_from(running), max_size=1)) if running else []
    return {
        "run": name,
        "term": max(1, run.term + draw(st.sampled_from([0, 0, 0, 0, -1, 1]))),
        "start": draw(st.sampled_from([True, True, True, False])),
        "full_at": draw(st.sampled_from([None, None, None, 2])),
        "ended": [{"row": one.row, "attempt": one.attempt, **_ending(draw)} for one in ended],
        "progress": [{"row": one.row, "attempt": one.attempt, "fraction": 0.5, "text": "x"} for one in progress],
    }


def _callback(draw: Draw, story: Story) -> dict[str, Any]:
    name = _run(draw, story)
    going = [one for one in story.run(name).rows.values() if one.state in (State.RUNNING, State.SUSPENDED)]
    one = draw(st.sampled_from(going)) if going else None
    return {
        "run": name,
        "row": 1 if one is None else one.row,
        "attempt": 1 if one is None else one.attempt,
        "state": draw(st.sampled_from(["succeeded", "failed", "errored"])),
    }


def _ending(draw: Draw) -> dict[str, Any]:
    state = draw(st.sampled_from(["succeeded", "succeeded", "failed", "aborted", "suspended"]))
    reason = (
        draw(st.sampled_from(["error", "timeout", "interrupted", "reject_threshold"])) if state == "failed" else None
    )
    return {
        "state": state,
        "reason": reason,
        "counts": {"processed": 1},
        "output": [1],
        "retryable": draw(st.booleans()),
    }


def _until(draw: Draw, story: Story) -> str | None:
    ahead = draw(st.sampled_from([None, 60, 3_600, 100_000]))
    return None if ahead is None else (story.now + timedelta(seconds=ahead)).isoformat()


def _owner(draw: Draw) -> dict[str, str]:
    return {"kind": "schedule", "id": _schedule(draw)} if draw(st.booleans()) else slot_owner(draw)


def _due(draw: Draw, _: Story) -> dict[str, str]:
    return {"kind": "schedule", "id": _schedule(draw)} if draw(st.booleans()) else called(draw)


def _pause(draw: Draw, story: Story) -> dict[str, Any]:
    return {"owner": _owner(draw), "note": draw(st.sampled_from(["", "x"])), "until": _until(draw, story)}


def _hold(draw: Draw, story: Story) -> dict[str, Any]:
    return {"everywhere": draw(st.booleans()), "until": _until(draw, story)}


def _calendar(draw: Draw, _: Story) -> dict[str, Any]:
    hour = draw(st.integers(0, 23))
    weekly = {"days": draw(st.sampled_from([["mon", "tue"], ["sat"]])), "start": f"{hour:02}:00", "end": "06:00"}
    return {
        "id": "freeze",
        "name": "Freeze",
        "time_zone": draw(st.sampled_from(ZONES)),
        "dates": draw(st.sampled_from([[], [{"date": "2026-12-01"}, {"date": "2026-12-03", "note": "x"}]])),
        "weekly": draw(st.sampled_from([[], [weekly]])),
        "yearly": draw(st.sampled_from([[], [{"start": "12-24", "end": "01-02"}]])),
    }


def _alerts(draw: Draw, _: Story) -> dict[str, Any]:
    limits = {"late_after": "PT5M", "runs_longer_than": "PT1H", "no_progress_in": "PT1M", "no_success_in": "P1D"}
    watched = draw(st.sets(st.sampled_from(sorted(limits))))
    alerts = {
        **{name: limits[name] for name in watched},
        "failures_in_a_row": draw(st.sampled_from([None, 1, 2])),
        "email": draw(st.sampled_from([[], ["a@x.test"]])),
        "webhook": draw(st.sampled_from([[], [{"url": "https://x.test/", "secret": "secret://hook"}]])),
        "heartbeat": draw(st.sampled_from([None, "https://x.test/beat"])),
    }
    return {"id": _schedule(draw), "alerts": alerts}


def _check_alerts(draw: Draw, story: Story) -> dict[str, Any]:
    name = _schedule(draw)
    schedule, ago = story.schedule(name), st.sampled_from([1, 61, 400, 4_000, 90_000])

    def before() -> str:
        return (story.now - timedelta(seconds=draw(ago))).isoformat()

    started = [{"due": before(), "run": "r1", "opened_at": before()}] if draw(st.booleans()) else []
    span = {"first": before(), "last": before(), "count": 2, "reason": "downtime", "cadence_version": 1}
    return {
        "schedule": name,
        "runs": [{"run": run, "opened_at": before(), "progressed_at": before()} for run in schedule.open_runs],
        "started": started,
        "missed": [span] if draw(st.booleans()) else [],
        "quiet_since": draw(st.sampled_from([None, before()])),
        "last_success": schedule.last_success,
        "succeeded": [_run(draw, story)],
    }


def _told(draw: Draw, story: Story) -> dict[str, Any]:
    mode = draw(st.sampled_from(["always", "failure", "none"]))
    told = {"mode": mode, "recipients": draw(st.sampled_from([[], ["ops@example.org"]]))}
    return {"kind": "group", "id": "lists", "notification": told, "at": story.now.isoformat()}


def _report_run(draw: Draw, story: Story) -> dict[str, Any]:
    told = _told(draw, story)
    at = told.pop("at")
    return {**told, "run": _run(draw, story), "ended_at": at, "jobs": [{"row": 1, "ended_at": at}]}


def _message(draw: Draw, story: Story) -> str:
    known = [stream.id for stream in story.streams if stream.kind == "notification"]
    return str(draw(st.sampled_from([*known, "unknown"])))


def _end_delivery(draw: Draw, story: Story) -> dict[str, Any]:
    name = _message(draw, story)
    return {
        "notification": name,
        "attempt": max(1, story.load(notification_stream("acme", name)).state.attempt - draw(st.integers(0, 1))),
        "outcome": draw(st.sampled_from(["sent", "failed", "ambiguous"])),
        "reason": draw(st.sampled_from(["refused", "gone"])),
        "retryable": draw(st.booleans()),
    }


def _defined(draw: Draw, _: Story) -> dict[str, Any]:
    """Return a definition of two features, each with a schedule, in which anything may be missing."""
    names = draw(st.sampled_from([("load", "clean"), ("load",)]))
    features: list[dict[str, Any]] = []
    for feature, schedule in zip(FEATURES, ("nightly", "hourly"), strict=True):
        jobs = [row(name) for name in names[: draw(st.integers(1, 2))]]
        content = {"id": schedule, "cadence": _cadence(draw), "policies": _policies(draw), "jobs": jobs}
        features.append({"id": feature, "schedules": [content][: draw(st.sampled_from([0, 1, 1, 1]))]})
    features = features[: draw(st.sampled_from([1, 2, 2, 2]))]
    return {"id": "crm", "services": [{"id": name, **_definition(draw)} for name in names], "features": features}


def _register(draw: Draw, _: Story) -> dict[str, Any]:
    return {
        "definition": "crm",
        "features": draw(st.sampled_from([None, ["one"], ["one", "two"]])),
        "configuration": draw(st.sampled_from([None, {}, {"load": {"a": 2}}])),
        "active": draw(st.sampled_from([None, True, False])),
    }


def _feature_status(draw: Draw, _: Story) -> dict[str, Any]:
    return {
        "integration": "crm",
        "feature": draw(st.sampled_from(FEATURES)),
        "status": draw(st.sampled_from(["off", "onboarding", "active", "active", "maintenance"])),
        "skip_onboarding": draw(st.booleans()),
        "cancel_open_runs": draw(st.booleans()),
    }


BUILDERS: dict[str, Callable[[Draw, Story], dict[str, Any]]] = {
    "ActivateSchedule": lambda draw, _: {"id": _schedule(draw), "run_if_behind": draw(st.booleans())},
    **CONNECT_BUILDERS,
    "AdoptZoneData": _due,
    "AddFlow": lambda draw, _: {**_given_id(draw, _flow(draw)), **_flow_definition(draw)},
    "AddMember": lambda draw, _: {
        "id": draw(st.sampled_from(["ada", "bob"])),
        "name": "Ada",
        "roles": draw(st.sampled_from([["reader"], ["reader", "operator"]])),
        "read_only": draw(st.booleans()),
    },
    "AddService": lambda draw, _: {**_given_id(draw, _service(draw)), **_definition(draw)},
    "AdvanceRun": _advance,
    "AnnounceInstance": lambda draw, _: {"zone_data": draw(st.sampled_from(["2026a", "2026f", "2027a"]))},
    "AnswerCallback": _callback,
    "AnswerDue": _due,
    "BeginDelivery": lambda draw, story: {"notification": _message(draw, story)},
    "CheckAlerts": _check_alerts,
    "ClearCadenceOverride": lambda draw, _: {"id": _schedule(draw)},
    "ConfigureService": lambda draw, _: {"id": _service(draw), **_definition(draw)},
    "CreateSchedule": _create_schedule,
    "CreateWorkspace": lambda draw, _: {"id": "acme", "time_zone": draw(st.sampled_from(ZONES[:2]))},
    "DeleteFlow": lambda draw, _: {"id": _flow(draw)},
    "DeleteSchedule": lambda draw, _: {"id": _schedule(draw)},
    "DeleteService": lambda draw, _: {"id": _service(draw)},
    "DescribeSchedule": lambda draw, _: {"id": _schedule(draw), "description": draw(st.sampled_from(["", "x"]))},
    "EditCadence": lambda draw, _: {"id": _schedule(draw), "cadence": _cadence(draw)},
    "EditFlow": lambda draw, _: {"id": _flow(draw), **_flow_definition(draw)},
    "EditScheduleAlerts": _alerts,
    "EditScheduleJobs": lambda draw, _: {"id": _schedule(draw), "jobs": _jobs(draw)},
    "EditSchedulePolicies": lambda draw, _: {"id": _schedule(draw), "policies": _policies(draw)},
    "EndDelivery": _end_delivery,
    "HandOverRun": lambda draw, story: {
        "run": _run(draw, story),
        "term": draw(st.integers(1, 3)),
        "to": draw(st.sampled_from(["one", "two"])),
    },
    "HoldStarts": _hold,
    "InactivateSchedule": lambda draw, _: {"id": _schedule(draw)},
    "IssueKey": lambda draw, _: {
        **_given_id(draw, draw(st.sampled_from(["k", "l"]))),
        "roles": [draw(st.sampled_from(["reader", "operator"]))],
        "member": draw(st.sampled_from([None, "ada"])),
    },
    "NoteAbsence": lambda draw, _: {"away_s": draw(st.sampled_from([0.5, 12.0, 4_000.0]))},
    "ObserveClockStep": lambda draw, _: {
        "expected": "2026-12-01T12:00:00Z",
        "reading": draw(st.sampled_from(["2026-12-01T12:00:05Z", "2026-12-01T11:00:00Z"])),
        "step_s": 5.0,
    },
    "PauseOwner": _pause,
    "PublishDefinition": _defined,
    "RegisterIntegration": _register,
    "ReleaseStarts": lambda draw, _: {"everywhere": draw(st.booleans())},
    "RemoveMember": lambda draw, _: {"id": draw(st.sampled_from(["ada", "bob"]))},
    "RestoreFlow": lambda draw, _: {"id": _flow(draw)},
    "RestoreService": lambda draw, _: {"id": _service(draw)},
    "RestoreSchedule": lambda draw, _: {"id": _schedule(draw)},
    "Backfill": lambda draw, _: {
        "owner": {"kind": "schedule", "id": _schedule(draw)},
        "id": draw(st.sampled_from(["b1", "b2"])),
        "since": draw(st.sampled_from(["2026-11-29T00:00:00Z", "2026-12-01T00:00:00Z"])),
        "until": draw(st.sampled_from(["2026-11-30T12:00:00Z", "2026-12-01T12:00:00Z"])),
    },
    "StopBackfill": lambda draw, _: {"owner": {"kind": "schedule", "id": _schedule(draw)}},
    "ReportExpiry": lambda draw, story: {
        **_told(draw, story),
        "created_by": draw(st.sampled_from(["system", "key:acme/k"])),
        "expires_on": draw(st.sampled_from(["2026-12-08", "2026-12-31"])),
        "days_left": draw(st.sampled_from([1, 7])),
        "on_expiry": draw(st.sampled_from([None, "delete"])),
    },
    "ReportNotRun": lambda draw, story: {
        **_told(draw, story),
        "outcome": draw(st.sampled_from(["skipped", "missed"])),
        "reason": draw(st.sampled_from(["overlap", "paused"])),
        "time_zone": draw(st.sampled_from(["UTC", "Pacific/Kiritimati"])),
        "first": "2026-12-01T10:00:00Z",
        "last": draw(st.sampled_from(["2026-12-01T11:00:00Z", "2026-12-02T11:00:00Z"])),
        "count": 2,
    },
    "ReportRun": _report_run,
    "ResumeRun": lambda draw, story: {"run": _run(draw, story), "id": draw(st.sampled_from([None, "r4", "r5"]))},
    "RevokeKey": lambda draw, _: {"id": draw(st.sampled_from(["k", "l", "m"]))},
    "RunNow": _run_now,
    "SaveCalendar": _calendar,
    "SetFeatureStatus": _feature_status,
    "StopRun": lambda draw, story: {"run": _run(draw, story), "mode": draw(st.sampled_from(["now", "after_current"]))},
    "SyncRegistration": lambda _draw, _story: {"id": "crm"},
    "TakeOverRun": lambda draw, story: {
        "run": _run(draw, story),
        "seen_term": draw(st.integers(1, 3)),
        "cause": "gone",
    },
    "UnpauseOwner": lambda draw, _: {"owner": _owner(draw)},
}
OFTEN = [
    "AdvanceRun",
    "AdvanceRun",
    "AdvanceRun",
    "AnswerDue",
    "AnswerDue",
    "RunNow",
    "ActivateGroup",
    "EditCadence",
    "CreateSchedule",
    "PublishDefinition",
]
OFTEN += ["SyncRegistration", "SetFeatureStatus", "SetFeatureStatus"]
STEPS = st.sampled_from([*sorted(BUILDERS), *OFTEN])
PAUSES = st.sampled_from([0, 0, 1, 59, 61, 900, 3_600, 40_000, 90_000, 3_000_000])
EACH_TIME = {"NoteAbsence"}
"""Commands that tell something that happened, each time anew; nobody repeats them."""
MADE_ANEW = frozenset({"AddFlow", "AddService", "CreateSchedule", "IssueKey", "ResumeRun", "RunNow"})
"""Commands that make a thing whose id is the command's, unless they name it."""


def settled(draw: Draw) -> Story:
    """Return a story with three services and two schedules, three imports and two groups, on any day."""
    at_once = st.sampled_from([None, None, 1, 2])
    limits = Limits(runs_per_workspace=draw(at_once), runs_per_owner=draw(at_once))
    story = Story(at("2026-12-01 12:00") + timedelta(seconds=draw(st.sampled_from([0, 0.5, 86_000]))), limits=limits)
    story.given(command("CreateWorkspace", id="acme"))
    story.given(*(command("AddService", id=name, **_definition(draw)) for name in SERVICES))
    story.given(*(command("AddFlow", id=name, **{**_flow_definition(draw), "trigger": "on_demand"}) for name in FLOWS))
    for name in SCHEDULES:
        jobs = [row("load"), flow_row("approve"), row("clean")]
        story.given(command("CreateSchedule", id=name, cadence=DAILY, jobs=jobs))
    furnish(draw, story)
    if draw(st.booleans()) and story.when(command("PublishDefinition", **_defined(draw, story))).refusal is None:
        _ = story.when(command("RegisterIntegration", definition="crm", features=["one"]))  # it may name no calendar
    return story


def test_every_command_is_in_the_histories() -> None:
    assert set(BUILDERS) == {spec.name for spec in SPECS}


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_command_applied_again_has_no_second_effect(data: st.DataObject) -> None:
    story = settled(data.draw)
    for _ in range(data.draw(st.integers(1, 25))):
        name = data.draw(STEPS)
        story.after(seconds=data.draw(PAUSES))
        body = command(name, **BUILDERS[name](data.draw, story))
        surroundings = {"command_id": story.context.ids.new(), "instance": data.draw(st.sampled_from(["one", "two"]))}
        if story.when(body, **surroundings).refusal is None and name not in EACH_TIME:
            _again(story, body, surroundings)
        _check(story)


def _again(story: Story, body: CommandFields, surroundings: dict[str, Any]) -> None:
    repeated = story.when(body, **surroundings)
    assert repeated.facts == [], f"a second effect: {repeated.facts}"
    names_its_thing = type(body).__name__ not in MADE_ANEW or getattr(body, "id", None) is not None
    if names_its_thing:
        anew = story.when(body, **{**surroundings, "command_id": story.context.ids.new()})
        assert anew.facts == [], f"a second effect: {anew.facts}"


def _check(story: Story) -> None:
    for stream in story.streams:
        state = story.load(stream).state
        if stream.kind in snapshots.KINDS:
            assert snapshots.decode(stream.kind, snapshots.encode(state)) == state
        if stream.kind == "run":
            _check_run(story, stream)
    connect_bodies.check(story)
    for name in (*SCHEDULES, *MANAGED_SCHEDULES):
        schedule = story.schedule(name)
        assert all(story.run(run).open for run in schedule.open_runs)
        places = story.load(starts_stream("acme")).state
        is_delayed = Ref(kind="schedule", id=name) in places.delayed
        assert schedule.open_runs or is_delayed or not schedule.waiting, "somebody waits for nothing"
        limit = story.context.limits.runs_per_workspace
        assert limit is None or len(places.taken) <= limit
        assert not places.delayed or len(places.taken) == limit, "somebody waits for room that there is"
        assert schedule.open_runs or is_delayed or schedule.backfill is None, "a backfill waits for nothing"
        own_limit = story.context.limits.runs_per_owner
        assert own_limit is None or len(schedule.open_runs) <= own_limit
        assert len(schedule.waiting) <= QUEUE_MAX
        assert schedule.active or not schedule.waiting
        assert schedule.next is None or (schedule.active and schedule.alive)
        last = schedule.timing.last_answered
        assert schedule.next is None or last is None or schedule.next.due > last, "an instant became due again"


def _check_run(story: Story, stream: StreamId) -> None:
    first, *others = story.streams[stream]
    assert isinstance(first, RunOpened | RunSkipped | RunMissed)
    assert isinstance(first, RunOpened) or not others, "an occurrence that did not run has one fact"
    assert not any(isinstance(one, RunOpened | RunSkipped | RunMissed) for one in others)
    run = story.run(stream.id)
    owner = story.load(owner_stream(stream.workspace, run.owner)).state
    open_runs = owner.open_runs if run.owner.kind == "schedule" else [owner.open_run]
    if isinstance(owner, ConnectJob):
        open_runs = owner.own.open_runs
    assert (stream.id in open_runs) is run.open, "owner and run disagree about whether it is open"
