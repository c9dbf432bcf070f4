"""
One instance of the service on virtual time: everything between the log and the handlers.

It is put together as `app.py` does it, from the same parts. What is not there: the database, HTTP, and the thread that
beats; a beat rises with virtual time for as long as its instance lives.
"""

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Never, cast

from eventjobs.clock import Clock
from eventjobs.commands import announce_instance
from eventjobs.commands.announce_instance import AnnounceInstance
from eventjobs.commands.context import Limits
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.domain.zones import zone_data
from eventjobs.handlers.files import FileRoom
from eventjobs.handlers.ports import CommandRules
from eventjobs.handlers.registry import Registry
from eventjobs.handlers.workbench import Workbench
from eventjobs.ids import EVERYWHERE, Ids, Random
from eventjobs.log.port import EventLog
from eventjobs.runner.answered import Answered
from eventjobs.runner.catalog import Catalog
from eventjobs.runner.leases import BEAT_S
from eventjobs.runner.lines import MemoryLines
from eventjobs.runner.rescuer import Rescuer
from eventjobs.runner.supervisor import Supervisor
from eventjobs.runner.surroundings import InstanceSurroundings
from eventjobs.runner.ticker import LOOK_AHEAD, Ticker
from eventjobs.runner.worker import Station
from eventjobs.runner.workshop import Workshop
from eventjobs.simulation.sparse import SparseClock, SparseLog
from eventjobs.simulation.stand_in import NoSecrets, Script, StandIns
from eventjobs.simulation.views import MemoryUpcoming
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.progress import Progress
from eventjobs.telemetry.tasks import Tasks

_UNUSED: Final = cast(Any, None)
"""A port that the stand-ins do not use."""


class Beats:
    """The beats of all instances that ever lived, as the others read them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began: dict[str, float] = {}
        self._stopped: dict[str, float] = {}
        self._died = asyncio.Event()

    def begin(self, instance: str) -> None:
        """An instance joins."""
        self._began[instance] = self._clock.monotonic()

    def stop(self, instance: str) -> None:
        """Its beat stands still from now on; its row stays, for it did not leave in order."""
        self._stopped[instance] = self._clock.monotonic()
        self._died.set()
        self._died = asyncio.Event()

    async def wait_for_death(self) -> None:
        """Wait until an instance dies."""
        await self._died.wait()

    def is_alive(self, instance: str) -> bool:
        """Tell whether an instance lives."""
        return instance in self._began and instance not in self._stopped

    async def read(self) -> Mapping[str, int]:
        """Return instance → beat."""
        now = self._clock.monotonic()
        return {name: int((self._stopped.get(name, now) - began) // BEAT_S) for name, began in self._began.items()}


@dataclass(slots=True, kw_only=True)
class Grounds:
    """What all instances of a simulation share."""

    start: datetime
    log: SparseLog
    ids: Ids
    random: Random
    limits: Limits
    handlers: Registry
    script: Script
    clock: Clock
    metrics: Metrics = field(default_factory=Metrics)
    beats: Beats = field(init=False)
    upcoming: MemoryUpcoming = field(init=False)

    def __post_init__(self) -> None:
        self.beats = Beats(self.clock)
        self.upcoming = MemoryUpcoming(self.log)


class _Due:
    """What the ticker looks for: a due moment that comes near."""

    def __init__(self, upcoming: MemoryUpcoming, clock: Clock) -> None:
        self._upcoming = upcoming
        self._clock = clock

    async def ahead_s(self) -> float:
        return await self._upcoming.ahead_s(self._clock.now(), LOOK_AHEAD)

    async def wait_for_change(self, timeout_s: float) -> None:
        await self._upcoming.wait_for_change(timeout_s)


class _Orphans:
    """What the rescuer looks for: the open runs of an instance that does not live."""

    def __init__(self, upcoming: MemoryUpcoming, beats: Beats) -> None:
        self._upcoming = upcoming
        self._beats = beats

    async def ahead_s(self) -> float:
        orphans = (run for run in await self._upcoming.open_runs() if not self._beats.is_alive(run.instance))
        return math.inf if next(orphans, None) is None else 0.0

    async def wait_for_change(self, timeout_s: float) -> None:
        _ = timeout_s
        await self._beats.wait_for_death()


class _Lease:
    """Trusted while the instance lives: nothing here delays a beat."""

    def __init__(self) -> None:
        self.is_trusted = True

    def trusted(self) -> bool:
        return self.is_trusted

    def left_s(self) -> float:
        return math.inf if self.is_trusted else 0.0


class Instance:
    """A process of the service, from its start until it is killed."""

    def __init__(self, grounds: Grounds, name: str) -> None:
        self.name = name
        self._grounds = grounds
        self._tasks = Tasks()
        self._lease = _Lease()
        self._clock = SparseClock(grounds.start)
        self.dispatcher = Dispatcher(grounds.log)
        self.surroundings = InstanceSurroundings(
            instance=name,
            clock=self._clock,
            ids=grounds.ids,
            random=grounds.random,
            catalog=Catalog(grounds.handlers),
            limits=grounds.limits,
        )
        answered = Answered(self._clock)
        self._supervisor = Supervisor(grounds.log, self._station(), name, answered=answered)
        self._ticker = Ticker(
            self.dispatcher,
            grounds.upcoming,
            self.surroundings,
            self._clock,
            self._lease,
            self._tasks,
            grounds.metrics,
            answered=answered,
        )
        self._rescuer = Rescuer(
            self.dispatcher,
            self.surroundings,
            self._clock,
            self._lease,
            grounds.beats,
            grounds.upcoming,
            name,
        )

    async def start(self) -> "Instance":
        """Say in the log that it is up; then follow it, answer what is due, and watch the others."""
        self._grounds.beats.begin(self.name)
        command = AnnounceInstance(zone_data=zone_data())
        await self.dispatcher.dispatch(announce_instance.SPEC, command, self.surroundings.context(EVERYWHERE))
        position = self._grounds.log.known_head.position
        _ = self._tasks.start(self._supervisor.follow(position), name="supervisor")
        _ = self._tasks.start(self._grounds.upcoming.follow_for_ever(), name="views")
        ticking = self._tasks.start(self._ticker.tick_for_ever(), name="ticker")
        self._clock.name_poller(ticking, _Due(self._grounds.upcoming, self._clock))
        rescuing = self._tasks.start(self._rescuer.watch_for_ever(), name="rescuer")
        self._clock.name_poller(rescuing, _Orphans(self._grounds.upcoming, self._grounds.beats))
        return self

    async def kill(self) -> None:
        """End as a killed process does: everything stops, nothing more is said."""
        self._grounds.beats.stop(self.name)
        self._lease.is_trusted = False
        self.dispatcher.log = cast(EventLog, _Gone())
        await self._tasks.cancel_all()

    def _station(self) -> Station:
        grounds = self._grounds
        workbench = Workbench(
            clock=self._clock,
            installation="simulation",
            files=FileRoom(Path("simulation")),
            tables=_UNUSED,
            outbound=_UNUSED,
            commands=CommandRules(),
            secrets=NoSecrets(),
        )
        return Station(
            dispatcher=self.dispatcher,
            surroundings=self.surroundings,
            clock=self._clock,
            workshop=Workshop(
                registry=StandIns(grounds.handlers, grounds.script),
                workbench=workbench,
                lines=MemoryLines(),
                random=grounds.random,
            ),
            hub=Progress(),
            lease=self._lease,
            tasks=self._tasks,
            metrics=grounds.metrics,
        )


class _Gone:
    """The log as a process that is gone has it: out of reach for ever."""

    async def append(self, _append: object) -> Never:
        await asyncio.Event().wait()
        raise AssertionError
