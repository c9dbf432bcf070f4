"""
One instance of the service on virtual time: everything between the log and the handlers.

It is put together as `app.py` does it, from the same parts. What is not there: the database, HTTP, and the thread that
beats; a beat rises with virtual time for as long as its instance lives.
"""

import asyncio
import math
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
from eventjobs.runner.alarms import Alarms
from eventjobs.runner.answered import Answered
from eventjobs.runner.catalog import Catalog
from eventjobs.runner.lines import MemoryLines
from eventjobs.runner.reporter import Reporter
from eventjobs.runner.rescuer import Rescuer
from eventjobs.runner.supervisor import Supervisor
from eventjobs.runner.surroundings import InstanceSurroundings
from eventjobs.runner.ticker import Ticker
from eventjobs.runner.worker import Station
from eventjobs.runner.workshop import Workshop
from eventjobs.simulation.pollers import Beats, Due, Orphans, Untold, Wrong
from eventjobs.simulation.sparse import SparseClock, SparseLog
from eventjobs.simulation.stand_in import NoSecrets, Script, StandIns
from eventjobs.simulation.views import MemoryMark, MemoryUpcoming, MemoryWatched
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.progress import Progress
from eventjobs.telemetry.tasks import Tasks

_UNUSED: Final = cast(Any, None)
"""A port that the stand-ins do not use."""


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
    watched: MemoryWatched = field(init=False)
    mark: MemoryMark = field(default_factory=MemoryMark)
    reported: MemoryMark = field(default_factory=MemoryMark)

    def __post_init__(self) -> None:
        self.watched = MemoryWatched(self.log)
        self.beats = Beats(self.clock)
        self.upcoming = MemoryUpcoming(self.log)


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
        self._alarms = Alarms(
            grounds.log,
            self.dispatcher,
            self.surroundings,
            self._clock,
            self._lease,
            watched=grounds.watched,
            mark=grounds.mark,
            following=grounds.watched,
        )
        self._reporter = Reporter(
            grounds.log, self.dispatcher, self.surroundings, self._clock, self._lease, mark=grounds.reported
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
        self._clock.name_poller(ticking, Due(self._grounds.upcoming, self._clock))
        rescuing = self._tasks.start(self._rescuer.watch_for_ever(), name="rescuer")
        self._clock.name_poller(rescuing, Orphans(self._grounds.upcoming, self._grounds.beats))
        watching = self._tasks.start(self._alarms.run(), name="alarms")
        self._clock.name_poller(watching, Wrong(self._alarms, self._grounds.watched, self._grounds.log, self._clock))
        telling = self._tasks.start(self._reporter.run(), name="reporter")
        self._clock.name_poller(telling, Untold(self._reporter, self._grounds.log))
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
