"""
Plays a scenario through the core, and keeps what was refused.

What happens by itself at the instant of a step happens before it. Nothing that happens at `until` or later is played.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from eventjobs.clock import Clock
from eventjobs.commands import create_workspace
from eventjobs.commands.context import Limits
from eventjobs.commands.create_workspace import CreateWorkspace
from eventjobs.errors import Rejected
from eventjobs.events import EVENT_TYPES
from eventjobs.events.owner import OwnerScheduled
from eventjobs.events.recorded import Recorded
from eventjobs.handlers.registry import Registry
from eventjobs.log.codec import Codec
from eventjobs.simulation.instance import Grounds, Instance
from eventjobs.simulation.loop import VirtualLoop, running_loop, virtually
from eventjobs.simulation.ports import DrawnMinutes, SeededIds, SeededRandom, VirtualClock
from eventjobs.simulation.scenario import Play, Scenario
from eventjobs.simulation.sparse import SparseLog
from eventjobs.simulation.stand_in import Script

WORKSPACE: Final = "workspace"
"""The workspace of a scenario that makes none."""
SERVICE_DOWN: Final = "service_down"
"""What a command is refused with while no instance is up."""
ACTOR: Final = "key:simulation"
SEED: Final = 0

_TICK: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A command that the service said no to."""

    at: datetime
    command: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What happened: every fact, in order, and what was refused."""

    facts: Sequence[Recorded[Any]]
    refused: Sequence[Refused]


def play(scenario: Scenario, limits: Limits, handlers: Registry) -> Played:
    """Play a scenario with the deployment's limits and the installed handlers."""
    return virtually(_Stage(scenario, limits, handlers).play())


class _Stage:
    def __init__(self, scenario: Scenario, limits: Limits, handlers: Registry) -> None:
        self._scenario = scenario
        self._limits = limits
        self._handlers = handlers
        self._clock: Clock = VirtualClock(scenario.now)
        self._workspace = _workspace_of(scenario)
        self._instances: list[Instance] = []
        self._started = 0
        self._refused: list[Refused] = []

    async def play(self) -> Played:
        """Play everything and return what happened."""
        loop = running_loop()
        self._grounds = self._made()
        self._minutes = DrawnMinutes(self._scenario.slot_minutes, self._grounds.random)
        await self._up()
        if not any(isinstance(play.command, CreateWorkspace) for play in self._scenario.steps):
            made = CreateWorkspace(id=self._workspace)
            await self._send(Play(at=self._scenario.now, spec=create_workspace.SPEC, command=made))
        for step in self._scenario.steps:
            await self._until(step.at, loop)
            await self._take(step)
        await self._until(self._scenario.until - _TICK, loop)
        await self._down()
        facts = await self._grounds.log.read(0, self._grounds.log.known_head.position)
        return Played(facts=facts, refused=self._refused)

    def _made(self) -> Grounds:
        ids, clock = SeededIds(self._clock, SEED), self._clock
        return Grounds(
            start=self._scenario.now,
            clock=clock,
            log=SparseLog(Codec(EVENT_TYPES), clock),
            ids=ids,
            random=SeededRandom(SEED),
            limits=self._limits,
            handlers=self._handlers,
            script=Script(self._scenario.run_seconds, self._scenario.outcomes),
        )

    async def _until(self, instant: datetime, loop: VirtualLoop) -> None:
        await self._clock.sleep(max(0.0, (instant - self._clock.now()).total_seconds()))
        await loop.settle()

    async def _take(self, step: Play) -> None:
        if step.command is not None:
            await self._send(step)
        elif step.up:
            await self._up()
        else:
            await self._down()

    async def _up(self) -> None:
        self._started += 1
        self._instances.append(await Instance(self._grounds, f"instance-{self._started}").start())

    async def _down(self) -> None:
        killed, self._instances = self._instances, []
        for instance in killed:
            await instance.kill()

    async def _send(self, step: Play) -> None:
        assert step.spec is not None and step.command is not None  # noqa: S101, PT018 the caller looked
        if not self._instances:
            self._refuse(step, SERVICE_DOWN, "no instance is up")
            return
        asked = self._instances[0]
        context = replace(asked.surroundings.context(self._workspace), actor=ACTOR, random=self._minutes)
        try:
            outcome = await asked.dispatcher.dispatch(step.spec, step.command, context)
        except Rejected as refusal:
            self._refuse(step, refusal.code, refusal.detail)
            return
        for event in outcome.answer["events"]:
            facts = await self._grounds.log.read(event["position"] - 1, 1)
            if any(isinstance(fact.event, OwnerScheduled) and fact.event.schedule.minute is not None for fact in facts):
                self._minutes.next()

    def _refuse(self, step: Play, code: str, detail: str) -> None:
        name = "" if step.spec is None else step.spec.name
        self._refused.append(Refused(at=step.at, command=name, code=code, detail=detail))


def _workspace_of(scenario: Scenario) -> str:
    made = (play.command.id for play in scenario.steps if isinstance(play.command, CreateWorkspace))
    return next(made, WORKSPACE)
