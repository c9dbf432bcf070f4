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
from eventjobs.domain.overlap import QUEUE_MAX, Overlap
from eventjobs.domain.run import State
from eventjobs.domain.streams import starts_stream
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import Ref, RunMissed, RunOpened, RunSkipped
from tests.support.bodies import DAILY, row
from tests.support.story import Story, at, command

SERVICES = ("load", "clean", "pay")
SCHEDULES = ("nightly", "hourly")
Draw = Callable[[st.SearchStrategy[Any]], Any]

UNITS = [("once", 1), ("minute", 15), ("minute", 40), ("hour", 1), ("hour", 7), ("day", 1), ("month", 1)]
STARTS = ["2026-11-30", "2026-12-01", "2026-12-02", "2026-12-31"]
TIMES = ["00:00", "02:30", "12:00", "20:00"]
ZONES = ["UTC", "Europe/Berlin", "America/Chicago", "Pacific/Apia"]


def _service(draw: Draw) -> str:
    return str(draw(st.sampled_from([*SERVICES, "unknown"])))


def _schedule(draw: Draw) -> str:
    return str(draw(st.sampled_from([*SCHEDULES, *SCHEDULES, "unknown"])))


def _definition(draw: Draw) -> dict[str, Any]:
    return {
        "handler": draw(st.sampled_from(["noop", "pay", "csv.import"])),
        "attempts": draw(st.integers(1, 3)),
        "wait_timeout": draw(st.sampled_from(["PT5M", "PT1H"])),
        "config": draw(st.sampled_from([{}, {"a": [1, 2.5, None]}, {"b": {"c": "x"}}])),
    }


def _cadence(draw: Draw) -> dict[str, Any]:
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
        "timing": draw(st.sampled_from(["elapsed", "elapsed", "grid", "wall_clock"])),
        "catch_up": draw(st.sampled_from(["due", "due", "always_on_tighten", "never"])),
        "catch_up_window": draw(st.sampled_from([None, None, "PT30M"])),
        "on_failure": draw(st.sampled_from(["continue", "stop"])),
        "overlap": draw(st.sampled_from(["skip", *Overlap])),
    }


def _jobs(draw: Draw) -> list[dict[str, Any]]:
    picked = draw(
        st.lists(st.tuples(st.sampled_from(SERVICES), st.integers(1, 3), st.booleans()), min_size=1, max_size=4)
    )
    return [row(name, seq=seq, skip_wait=skip) for name, seq, skip in picked]


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
    kind = draw(st.sampled_from(["schedule", "service"]))
    owner = _schedule(draw) if kind == "schedule" else _service(draw)
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


def _ending(draw: Draw) -> dict[str, Any]:
    state = draw(st.sampled_from(["succeeded", "succeeded", "failed", "aborted"]))
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


def _pause(draw: Draw, story: Story) -> dict[str, Any]:
    owner = {"kind": "schedule", "id": _schedule(draw)}
    return {"owner": owner, "note": draw(st.sampled_from(["", "x"])), "until": _until(draw, story)}


def _hold(draw: Draw, story: Story) -> dict[str, Any]:
    return {"everywhere": draw(st.booleans()), "until": _until(draw, story)}


BUILDERS: dict[str, Callable[[Draw, Story], dict[str, Any]]] = {
    "ActivateSchedule": lambda draw, _: {"id": _schedule(draw), "run_if_behind": draw(st.booleans())},
    "AdoptZoneData": lambda draw, _: {"schedule": _schedule(draw)},
    "AddService": lambda draw, _: {**_given_id(draw, _service(draw)), **_definition(draw)},
    "AdvanceRun": _advance,
    "AnnounceInstance": lambda draw, _: {"zone_data": draw(st.sampled_from(["2026a", "2026f", "2027a"]))},
    "AnswerDue": lambda draw, _: {"schedule": _schedule(draw)},
    "ConfigureService": lambda draw, _: {"id": _service(draw), **_definition(draw)},
    "CreateSchedule": _create_schedule,
    "CreateWorkspace": lambda draw, _: {"id": "acme", "time_zone": draw(st.sampled_from(ZONES[:2]))},
    "DeleteSchedule": lambda draw, _: {"id": _schedule(draw)},
    "DeleteService": lambda draw, _: {"id": _service(draw)},
    "DescribeSchedule": lambda draw, _: {"id": _schedule(draw), "description": draw(st.sampled_from(["", "x"]))},
    "EditCadence": lambda draw, _: {"id": _schedule(draw), "cadence": _cadence(draw)},
    "EditScheduleJobs": lambda draw, _: {"id": _schedule(draw), "jobs": _jobs(draw)},
    "EditSchedulePolicies": lambda draw, _: {"id": _schedule(draw), "policies": _policies(draw)},
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
    },
    "NoteAbsence": lambda draw, _: {"away_s": draw(st.sampled_from([0.5, 12.0, 4_000.0]))},
    "ObserveClockStep": lambda draw, _: {
        "expected": "2026-12-01T12:00:00Z",
        "reading": draw(st.sampled_from(["2026-12-01T12:00:05Z", "2026-12-01T11:00:00Z"])),
        "step_s": 5.0,
    },
    "PauseOwner": _pause,
    "ReleaseStarts": lambda draw, _: {"everywhere": draw(st.booleans())},
    "RevokeKey": lambda draw, _: {"id": draw(st.sampled_from(["k", "l", "m"]))},
    "RunNow": _run_now,
    "StopRun": lambda draw, story: {"run": _run(draw, story), "mode": draw(st.sampled_from(["now", "after_current"]))},
    "TakeOverRun": lambda draw, story: {
        "run": _run(draw, story),
        "seen_term": draw(st.integers(1, 3)),
        "cause": "gone",
    },
    "UnpauseOwner": lambda draw, _: {"owner": {"kind": "schedule", "id": _schedule(draw)}},
}
OFTEN = ["AdvanceRun", "AdvanceRun", "AdvanceRun", "AnswerDue", "RunNow", "EditCadence", "CreateSchedule"]
STEPS = st.sampled_from([*sorted(BUILDERS), *OFTEN])
PAUSES = st.sampled_from([0, 0, 1, 59, 61, 900, 3_600, 40_000, 90_000, 3_000_000])
EACH_TIME = {"NoteAbsence"}
"""Commands that tell something that happened, each time anew; nobody repeats them."""
MADE_ANEW = frozenset({"AddService", "CreateSchedule", "IssueKey", "RunNow"})
"""Commands that make a thing whose id is the command's, unless they name it."""


def settled(draw: Draw) -> Story:
    """Return a story with three services and two schedules, on any day."""
    at_once = st.sampled_from([None, None, 1, 2])
    limits = Limits(runs_per_workspace=draw(at_once), runs_per_owner=draw(at_once))
    story = Story(at("2026-12-01 12:00") + timedelta(seconds=draw(st.sampled_from([0, 0.5, 86_000]))), limits=limits)
    story.given(command("CreateWorkspace", id="acme"))
    story.given(*(command("AddService", id=name, **_definition(draw)) for name in SERVICES))
    for name in SCHEDULES:
        story.given(command("CreateSchedule", id=name, cadence=DAILY, jobs=[row("load"), row("clean")]))
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
    for name in SCHEDULES:
        schedule = story.schedule(name)
        assert all(story.run(run).open for run in schedule.open_runs)
        places = story.load(starts_stream("acme")).state
        is_delayed = Ref(kind="schedule", id=name) in places.delayed
        assert schedule.open_runs or is_delayed or not schedule.waiting, "somebody waits for nothing"
        limit = story.context.limits.runs_per_workspace
        assert limit is None or len(places.taken) <= limit
        assert not places.delayed or len(places.taken) == limit, "somebody waits for room that there is"
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
    owner = story.load(StreamId(stream.workspace, f"{run.owner.kind}:{run.owner.id}")).state
    open_runs = owner.open_runs if run.owner.kind == "schedule" else [owner.open_run]
    assert (stream.id in open_runs) is run.open, "owner and run disagree about whether it is open"
