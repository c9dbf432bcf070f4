"""Instances of the runner side by side on one log in memory, in virtual time."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from eventjobs.auth.callbacks import CallbackKey, CallbackUrls
from eventjobs.commands.context import Limits
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.outcomes import Outcome
from eventjobs.commands.spec import CommandFields
from eventjobs.domain.connect_job import ConnectJob
from eventjobs.domain.owner import Owner
from eventjobs.domain.run import Run
from eventjobs.domain.schedule import Schedule
from eventjobs.domain.service import Service
from eventjobs.domain.slot_owner import SlotOwner
from eventjobs.domain.streams import FOLDS, OWNER_FOLDS, run_stream, schedule_stream, service_stream
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.handlers.files import FileRoom
from eventjobs.handlers.ports import CommandRules
from eventjobs.handlers.workbench import Workbench
from eventjobs.log.memory import Faults, MemoryEventLog
from eventjobs.outbound.secrets import SecretStore
from eventjobs.projections.upcoming import DueTimer, OpenRun
from eventjobs.runner.answered import Answered
from eventjobs.runner.calm import Calm
from eventjobs.runner.catalog import Catalog
from eventjobs.runner.heirs import Alone
from eventjobs.runner.history import RunHistory
from eventjobs.runner.lines import MemoryLines
from eventjobs.runner.places import Places
from eventjobs.runner.ports import LineStore, Peers
from eventjobs.runner.supervisor import Supervisor
from eventjobs.runner.surroundings import InstanceSurroundings
from eventjobs.runner.worker import Station
from eventjobs.runner.workshop import Workshop
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.tasks import Tasks
from tests.support.bodies import schedule, service, workspace
from tests.support.handlers import Floor
from tests.support.logs import facts_of, memory_log
from tests.support.ports import CountingIds, FixedRandom
from tests.support.story import SPEC_OF, WORKSPACE
from tests.support.time import LoopClock
from tests.support.waiting import eventually

NOWHERE = cast(Any, None)
"""A port that no handler of these tests uses."""


class SwitchedLease:
    """A lease that is trusted until it is switched off."""

    def __init__(self) -> None:
        self.is_trusted = True

    def trusted(self) -> bool:
        return self.is_trusted


class Frames:
    """The progress frames that were shown."""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, Any]] = []

    def publish(self, _workspace: str, progress: Mapping[str, Any]) -> None:
        self.seen.append(progress)


class Instance:
    """One process of the service, as far as the runner goes."""

    def __init__(
        self,
        plant: "Plant",
        name: str,
        *,
        grace_s: float = 30.0,
        lines: LineStore | None = None,
        peers: Peers | None = None,
        at_once: int | None = None,
    ) -> None:
        clock, registry = plant.clock, plant.floor.registry(name)
        self.places = Places(at_once)
        self.calm = Calm()
        self.name = name
        self.plant = plant
        self.tasks = Tasks()
        self.lease = SwitchedLease()
        self.frames = Frames()
        self.metrics = Metrics()
        self.dispatcher = Dispatcher(plant.log)
        self.surroundings = InstanceSurroundings(
            instance=name,
            clock=clock,
            ids=plant.ids,
            random=plant.random,
            catalog=Catalog(registry),
            limits=plant.limits,
        )
        workbench = Workbench(
            clock=clock,
            installation="plant",
            files=FileRoom(Path("nowhere")),
            tables=NOWHERE,
            outbound=NOWHERE,
            commands=CommandRules(),
            secrets=SecretStore(environment={"EVENTJOBS_SECRET__ACME__WORD": "swordfish"}),
            history=RunHistory(plant.log, self.dispatcher.states),
        )
        station = Station(
            dispatcher=self.dispatcher,
            surroundings=self.surroundings,
            clock=clock,
            workshop=Workshop(
                registry=registry,
                workbench=workbench,
                lines=lines or plant.lines,
                random=plant.random,
                callbacks=CallbackUrls(CallbackKey(b"the plant's own"), "http://plant"),
            ),
            hub=self.frames,
            lease=self.lease,
            tasks=self.tasks,
            metrics=self.metrics,
            grace_s=grace_s,
            peers=peers or Alone(),
            places=self.places,
            calm=self.calm,
        )
        self.answered = Answered(plant.clock)
        self.supervisor = Supervisor(plant.log, station, name, answered=self.answered)

    def start(self, position: int = 0) -> "Instance":
        """Follow the log."""
        _ = self.tasks.start(self.supervisor.follow(position), name=f"supervisor {self.name}")
        return self

    async def kill(self) -> None:
        """End as a killed process does: everything stops, nothing more is said."""
        self.lease.is_trusted = False
        self.dispatcher.log = cast(Any, Dead())
        await self.tasks.cancel_all()

    async def do(self, command: CommandFields) -> Outcome:
        """Dispatch a command as this instance."""
        context = self.surroundings.context(WORKSPACE)
        return await self.dispatcher.dispatch(SPEC_OF[type(command)], command, context)


class Dead:
    """The log as a process that is gone has it: out of reach for ever."""

    async def append(self, _append: object) -> object:
        return await asyncio.Event().wait()


@dataclass
class Plant:
    """A log, a clock, the handlers' floor, and a first instance `one`."""

    floor: Floor = field(default_factory=Floor)
    faults: Faults | None = None
    chance: float = 0.0
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.clock = LoopClock()
        self.ids = CountingIds()
        self.random = FixedRandom(self.chance)
        self.lines = MemoryLines()
        self.log: MemoryEventLog = memory_log(self.clock, self.faults)
        self._position = 0
        self._states: dict[StreamId, Any] = {}
        self._owners: dict[StreamId, Owner] = {}
        self._open: dict[StreamId, Run] = {}

    async def furnish(
        self,
        instance: Instance,
        jobs: Sequence[Mapping[str, Any]],
        services: Mapping[str, Mapping[str, Any]],
        **fields: Any,
    ) -> None:
        """Make the services, by name, and the schedule `nightly` with these rows."""
        await instance.do(workspace())
        for name, definition in services.items():
            await instance.do(service(name, **definition))
        await instance.do(schedule(jobs=list(jobs), **fields))

    def facts(self, name: str | None = None, type_: str | None = None) -> list[Recorded[Any]]:
        """Return the facts of a stream or a type, in order."""
        return [
            fact
            for fact in facts_of(self.log)
            if (name is None or fact.stream.name == name) and (type_ is None or fact.type == type_)
        ]

    def events(self, type_: str) -> list[Any]:
        """Return all events of a type, in order."""
        return [fact.event for fact in self.facts(type_=type_)]

    def run(self, run_id: str) -> Run:
        return cast(Run, self._folded(run_stream(WORKSPACE, run_id)))

    def schedule(self, schedule_id: str = "nightly") -> Schedule:
        return cast(Schedule, self._folded(schedule_stream(WORKSPACE, schedule_id)))

    def service(self, service_id: str) -> Service:
        return cast(Service, self._folded(service_stream(WORKSPACE, service_id)))

    def _folded(self, stream: StreamId) -> Any:
        return self._states_now().get(stream, FOLDS[stream.kind].initial)

    def _states_now(self) -> Mapping[StreamId, Any]:
        for fact in self.log._tail.between(self._position, None) or ():
            fold = FOLDS[fact.stream.kind]
            before = self._states.get(fact.stream, fold.initial)
            state = self._states[fact.stream] = fold.evolve(before, fact.event)
            if fact.stream.kind in OWNER_FOLDS:
                self._owners[fact.stream] = state.own if isinstance(state, ConnectJob) else state
            elif fact.stream.kind == "run":
                self._open.pop(fact.stream, None)
                if state.open:
                    self._open[fact.stream] = state
            self._position = fact.position
        return self._states

    async def ended(self, run_id: str, *, within_s: float = 3_600.0) -> Run:
        """Wait until a run ended and return it."""

        def look() -> Run | None:
            run = self.run(run_id)
            return None if run.open or run.state == "absent" else run

        return await eventually(look, within_s, every_s=0.05)  # type: ignore[return-value]

    async def due(self, until: datetime, limit: int) -> Sequence[DueTimer]:
        """Return the due moments, as the view would."""
        self._states_now()
        found = [
            DueTimer(at, WORKSPACE, stream.kind, stream.id)
            for stream, state in self._owners.items()
            for at in _timers(state)
            if at <= until
        ]
        return sorted(found, key=lambda timer: timer.due_at)[:limit]

    async def open_runs(self) -> Sequence[OpenRun]:
        """Return the open runs, as the view would."""
        self._states_now()
        return [OpenRun(WORKSPACE, stream.id, state.instance, state.term) for stream, state in self._open.items()]

    def after(self, **span: float) -> datetime:
        """Return an instant from now."""
        return self.clock.now() + timedelta(**span)


def _timers(owner: Owner) -> Iterator[datetime]:
    """Yield when something of an owner is due: a moment, the end of a pause, a warning or its own end."""
    if owner.active and owner.next is not None:
        yield owner.next.due
    if owner.alive and owner.pause is not None and owner.pause.until is not None:
        yield owner.pause.until
    if isinstance(owner, SlotOwner) and owner.alive and not (owner.expired or owner.deferred):
        yield from (owner.warn_at or (() if owner.expires_at is None else (owner.expires_at,)))[:1]
