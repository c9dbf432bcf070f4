"""
Whole lives: instances come, drain and die while schedules run and the log misbehaves.

Whatever happens in whatever order, every run ends, nothing that may run once is called twice, a job never runs for two
runs at once, and every due moment has one outcome: also of schedules whose runs wait, displace each other or overlap,
and while owners are paused and all starts are held.
"""

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from eventjobs.audit.occurrences import audit_facts
from eventjobs.commands.context import Limits
from eventjobs.domain.overlap import Overlap
from eventjobs.domain.run import State
from eventjobs.domain.starts import Starts
from eventjobs.domain.streams import starts_stream
from eventjobs.errors import LogFault, Rejected
from eventjobs.events.run import RunOpened
from eventjobs.events.workspace import WorkspaceStartsHeld, WorkspaceStartsReleased
from eventjobs.handlers.context import HandlerContext
from eventjobs.log.memory import Fault
from eventjobs.runner.rescuer import Rescuer
from eventjobs.runner.ticker import Ticker
from tests.runner.plant import Instance, Plant
from tests.support.bodies import DAILY, row, run_now, schedule
from tests.support.handlers import Call
from tests.support.logs import Planned
from tests.support.story import WORKSPACE, command
from tests.support.time import virtually
from tests.support.waiting import eventually

QUARTERLY = {**DAILY, "start_time": "12:05", "every": 15, "unit": "minute"}
SERVICES = {
    "safe": {"handler": "noop", "attempts": 3, "config": {"do": "work", "seconds": 40}},
    "pay": {"handler": "pay", "attempts": 3, "config": {"do": "work", "seconds": 25}},
    "load": {"handler": "csv.import", "config": {"do": "work", "seconds": 90}, "timeout": "PT5M"},
    "slow": {"handler": "noop", "attempts": 2, "config": {"do": "work", "seconds": 1_300}},
}
TABLES = {
    "nightly": [row("safe", seq=1), row("pay", seq=1), row("load", seq=2)],
    "second": [row("load", seq=1), row("pay", seq=2), row("safe", seq=3, skip_wait=True)],
    "third": [row("pay", seq=1), row("slow", seq=1), row("pay", seq=2)],
}


class World:
    """The instances, their beats, and what is asked of them."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.living: list[Instance] = []
        self.standing: dict[str, int] = {}
        self.started = 0

    async def read(self) -> Mapping[str, int]:
        now = int(self.plant.clock.monotonic())
        return {**{instance.name: now for instance in self.living}, **self.standing}

    def start(self) -> None:
        self.started += 1
        instance = Instance(self.plant, f"i{self.started}", grace_s=10.0)
        self.living.append(instance)
        instance.start(self.plant.log.known_head.position)
        common = (instance.surroundings, self.plant.clock, instance.lease)
        rescuer = Rescuer(instance.dispatcher, *common, self, self.plant, instance.name)
        ticker = Ticker(instance.dispatcher, self.plant, *common, instance.tasks, instance.metrics)
        _ = instance.tasks.start(rescuer.watch_for_ever(), name="rescuer")
        _ = instance.tasks.start(ticker.tick_for_ever(), name="ticker")

    async def kill(self) -> None:
        instance = self.living.pop(0)
        self.standing[instance.name] = int(self.plant.clock.monotonic())
        await instance.kill()

    async def drain(self) -> None:
        instance = self.living[0]
        await instance.supervisor.drain(5.0)
        self.living.remove(instance)
        await instance.kill()

    async def ask(self, body: Any) -> None:
        with suppress(Rejected, LogFault):
            await self.living[-1].do(body)


ACTIONS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 7, 30, 61])),
    st.tuples(st.just("run"), st.sampled_from(sorted(TABLES))),
    st.tuples(st.just("stop"), st.sampled_from(["now", "after_current"])),
    st.tuples(st.sampled_from(["kill", "drain", "start", "release"]), st.none()),
    st.tuples(st.sampled_from(["pause", "hold"]), st.sampled_from([None, 20, 400, 2_000])),
)
Step = tuple[tuple[str, Any], int]
STEPS = st.tuples(ACTIONS, st.sampled_from([0, 0, 2, 120, 600, 1_200]))
LIVES = st.fixed_dictionaries({name: st.sampled_from(list(Overlap)) for name in TABLES})
FAULTS = st.lists(st.sampled_from([None, None, None, *Fault]), max_size=20)


async def work(context: HandlerContext, config: Any) -> None:
    await context.progress(0.0, "began")
    await context.clock.sleep(config.seconds)
    if context.attempt == 1 and context.row == 1:
        raise RuntimeError("the first attempt of the first row")


async def live(
    actions: list[Step], faults: list[Fault | None], overlap: Mapping[str, str], at_once: int | None
) -> Plant:
    planned = Planned()
    plant = Plant(faults=planned, limits=Limits(runs_per_workspace=at_once))
    plant.floor.doings["work"] = work
    world = World(plant)
    world.start()
    ways = {name: {"cadence": QUARTERLY, "policies": {"overlap": overlap[name]}} for name in TABLES}
    await plant.furnish(world.living[0], TABLES["nightly"], SERVICES, **ways["nightly"])
    for name in ("second", "third"):
        await world.ask(schedule(name, jobs=TABLES[name], **ways[name]))
    planned.left.extend(faults)
    for (action, detail), pause in actions:
        await act(world, action, detail)
        await plant.clock.sleep(pause)
    for name in TABLES:
        await world.ask(command("InactivateSchedule", id=name))
    planned.left.clear()
    for name in TABLES:
        await world.ask(command("InactivateSchedule", id=name))
    await eventually(lambda: not _open(plant), 3_600, every_s=1.0)
    await asyncio.gather(*(instance.kill() for instance in world.living))
    return plant


async def act(world: World, action: str, detail: Any) -> None:
    match action:
        case "wait":
            await world.plant.clock.sleep(detail)
        case "pause" | "hold" | "release":
            await act_on_starts(world, action, detail)
        case "run":
            await world.ask(run_now(detail))
        case "stop":
            for run in _open(world.plant)[:1]:
                await world.ask(command("StopRun", run=run, mode=detail))
        case "start":
            world.start()
        case "kill" | "drain":
            if len(world.living) == 1:
                world.start()
            await (world.kill() if action == "kill" else world.drain())


async def act_on_starts(world: World, action: str, detail: Any) -> None:
    match action:
        case "pause":
            owner = {"kind": "schedule", "id": sorted(TABLES)[len(world.living) % len(TABLES)]}
            await world.ask(command("PauseOwner", owner=owner, until=_until(world, detail)))
        case "hold":
            await world.ask(command("HoldStarts", until=_until(world, detail)))
        case "release":
            await world.ask(command("ReleaseStarts"))
            for name in TABLES:
                await world.ask(command("UnpauseOwner", owner={"kind": "schedule", "id": name}))


def _until(world: World, seconds: int | None) -> str | None:
    return None if seconds is None else world.plant.after(seconds=seconds).isoformat()


def _open(plant: Plant) -> list[str]:
    return [stream.id for stream, state in plant._states_now().items() if stream.kind == "run" and state.open]


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, min_size=3, max_size=20), FAULTS, LIVES, st.sampled_from([None, None, 1, 2]))
def test_whatever_happens_every_run_ends_and_nothing_happens_twice(
    actions: list[Step], faults: list[Fault | None], overlap: Mapping[str, str], at_once: int | None
) -> None:
    plant = virtually(live(actions, faults, overlap, at_once))
    check_calls(plant)
    check_runs(plant)
    check_halts(plant)
    check_limit(plant, at_once)
    assert audit_facts(plant.facts()).findings == ()


def check_calls(plant: Plant) -> None:
    crashed = {(f.stream.id, f.event.row, f.event.attempt) for f in plant.facts(type_="attempt.ended")}
    calls = plant.floor.calls
    tries = Counter((call.run, call.row, call.attempt) for call in calls)
    assert set(tries.values()) <= {1}, "one try was made twice"
    for call in calls:
        assert (call.run, call.row, call.attempt) in crashed, "a try without an end"
    for one, other in ((a, b) for a in calls for b in calls if a is not b and a.job == b.job):
        overlap = one.began < _end(other) - 0.01 and other.began < _end(one) - 0.01
        assert not overlap, f"{one} and {other} at once"


def _end(call: Call) -> float:
    return math.inf if call.ended is None else call.ended


def check_runs(plant: Plant) -> None:
    for stream, state in plant._states_now().items():
        match stream.kind:
            case "run":
                kinds = Counter(fact.type for fact in plant.facts(stream.name))
                assert kinds["run.opened"] + kinds["run.skipped"] + kinds["run.missed"] == 1
                assert kinds["run.ended"] == kinds["run.opened"]
                interrupted = [one for one in state.rows.values() if one.reason == "unknown_end"]
                assert all(one.job.handler == "pay" and one.state is State.FAILED for one in interrupted)
            case "service":
                assert (state.holder, state.waiting, state.joined, state.sharing) == (None, None, (), ())
            case "schedule":
                assert (state.open_runs, state.waiting) == ((), ())


def check_limit(plant: Plant, at_once: int | None) -> None:
    """At no position are more runs open than may be, and at the end nobody waits for a place."""
    opened = 0
    for fact in plant.facts():
        opened += {"run.opened": 1, "run.ended": -1}.get(fact.type, 0)
        assert at_once is None or opened <= at_once
    assert plant._folded(starts_stream(WORKSPACE)) == Starts()


def check_halts(plant: Plant) -> None:
    """No run stands in the log between the beginning and the end of a hold, nor one that was due between a pause's."""
    held: datetime | bool | None = None
    for fact in plant.facts():
        match fact.event:
            case WorkspaceStartsHeld() as event:
                held = event.until or True
            case WorkspaceStartsReleased():
                held = None
            case RunOpened():
                assert held is None or (held is not True and held <= fact.at), "a run began in a hold"
            case _:
                pass
