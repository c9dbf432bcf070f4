"""
One instance of the service: everything between the log and the handlers, on a machine of the simulation.

It is put together as `app.py` does it. What is not the real thing: the connections (`links.py`), the thread of the
beats, which is a machine of its own here, and the projector's database work.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

from eventjobs.auth.callbacks import CallbackUrls
from eventjobs.commands.context import Limits
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.domain import zones
from eventjobs.errors import LogFault
from eventjobs.handlers.files import FileRoom
from eventjobs.handlers.ports import CommandRules
from eventjobs.handlers.workbench import Workbench
from eventjobs.log.clock import ClockStep, DatabaseClock
from eventjobs.outbound.secrets import SecretStore
from eventjobs.runner.alarms import Alarms
from eventjobs.runner.answered import Answered
from eventjobs.runner.calm import Calm
from eventjobs.runner.catalog import Catalog
from eventjobs.runner.clock_steps import record_step
from eventjobs.runner.heirs import Heirs
from eventjobs.runner.leases import BEAT_S, STUCK_LOOP_S, Trust, Watch
from eventjobs.runner.notifier import Notifier
from eventjobs.runner.places import Places
from eventjobs.runner.presence import Presence
from eventjobs.runner.reporter import Reporter
from eventjobs.runner.rescuer import Rescuer
from eventjobs.runner.supervisor import Supervisor
from eventjobs.runner.surroundings import InstanceSurroundings
from eventjobs.runner.ticker import Ticker
from eventjobs.runner.worker import Station
from eventjobs.runner.workshop import Workshop
from eventjobs.simulation.ports import SeededRandom
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.progress import Progress
from eventjobs.telemetry.tasks import Tasks
from tests.simulation.links import BEAT_TIMEOUT_S, ClockPool, Kept, Outbox, Reads, Roster, SimulatedLog
from tests.simulation.machines import Machine
from tests.simulation.partners import KEY

if TYPE_CHECKING:
    from tests.simulation.world import World

GRACE_S: Final = 8.0
PROJECT_S: Final = 1.0
SNAPSHOTS_S: Final = 5.0
RETRY_S: Final = 0.5
_METRICS: Final = Metrics()
"""One for all: nobody reads them here, and making them takes longer than a run."""


class MachineClock:
    """A machine's own clock: its seconds may be a little longer or shorter than the database's."""

    def __init__(self, world: "World", rate: float) -> None:
        self._time = world.loop.time
        self._rate = rate

    def now(self) -> Any:
        raise AssertionError("nobody may read the machine's own date")

    def monotonic(self) -> float:
        return self._time() * self._rate

    def sleep(self, seconds: float) -> Coroutine[Any, Any, None]:
        return asyncio.sleep(seconds / self._rate)


class Member:
    """An instance, from its start to its end."""

    def __init__(self, world: "World", number: int, random: Random) -> None:
        self.world = world
        self.name = f"i{number}"
        self.machine = Machine(world.loop, self.name)
        self.thread = Machine(world.loop, f"{self.name}-beats")
        self.machine.has_old_zone_data = self.thread.has_old_zone_data = not world.is_upgraded
        self.is_up = False
        self.is_leaving = False
        self.tasks = Tasks()
        self.system = MachineClock(world, 1.0 + random.uniform(-world.options.drift, world.options.drift))
        self.random = SeededRandom(random.getrandbits(32))
        self.lease = Trust(self.system.monotonic)
        self.blocked_at: float | None = None
        self.troubled_at = world.loop.time()
        """When something last happened to it that may have cost it its lease."""

    @property
    def is_alive(self) -> bool:
        """Whether its process exists."""
        return self.machine.alive

    def begin(self) -> "Member":
        """Start the process; it is up after a while, or tries again."""
        self.machine.start(self._main(), f"main {self.name}")
        return self

    def run(self, coro: Coroutine[Any, Any, Any], name: str) -> None:
        """Run something on its machine, as one of its tasks."""
        self.machine.context.copy().run(lambda: self.tasks.start(coro, name=name))

    def hold(self) -> None:
        """SIGSTOP."""
        self.machine.hold()
        self.thread.hold()

    def release(self) -> None:
        """SIGCONT."""
        self.machine.release()
        self.thread.release()

    def block(self) -> None:
        """Keep its event loop busy; its thread goes on."""
        self.blocked_at = self.world.loop.time()
        self.machine.hold()

    def unblock(self) -> None:
        """Let its event loop go on."""
        self.blocked_at = None
        self.machine.release()

    def kill(self) -> None:
        """SIGKILL."""
        self.is_up = False
        self.machine.kill()
        self.thread.kill()
        self.world.database.listeners.pop(self.machine, None)

    async def leave(self) -> None:
        """SIGTERM: drain, leave the beats, end; on its own machine."""
        self.is_leaving = True
        self.ticker.drain()
        self.rescuer.drain()
        await self.notifier.drain()
        await self.supervisor.drain(GRACE_S, clean_up_s=1.0, answering=lambda: self.ticker.answering)
        database = self.world.database
        try:
            await database.call(self.thread, lambda: database.leave(self.name), writes=True, timeout_s=BEAT_TIMEOUT_S)
        except OSError:
            self.world.seen.note("left_without_a_word")
        self.world.buried(self)

    async def _main(self) -> None:
        try:
            await self._start()
        except (LogFault, OSError):
            self.world.seen.note("start_refused")
            self.world.kill(self)

    async def _start(self) -> None:
        world, database, machine = self.world, self.world.database, self.machine
        kept = Kept(database, machine)
        pool: Any = ClockPool(database, machine)
        self.clock = DatabaseClock(pool, on_step=self._on_step, system=self.system)
        await self.clock.start(self.tasks)
        self.log = SimulatedLog(database, machine, self.clock, self.random, self.tasks, kept=world.options.generation)
        await self.log.start()
        self.dispatcher = Dispatcher(self.log, kept)
        registry = world.floor.registry(self)
        self.surroundings = InstanceSurroundings(
            instance=self.name,
            clock=self.clock,
            ids=world.ids,
            random=self.random,
            catalog=Catalog(registry),
            limits=Limits(
                min_period_s=60,
                runs_per_workspace=world.options.runs_at_once,
                runs_per_owner=world.options.runs_per_owner,
                alert_mails_per_hour=world.options.mails_per_hour,
            ),
        )
        self._build(registry, kept)
        self.thread.start(self._beat_for_ever(), f"beats {self.name}")
        self.run(self.supervisor.follow(self.log.known_head.position), "supervisor")
        self.run(self._project_for_ever(), "projector")
        self.run(self._keep_snapshots(), "snapshots")
        self.run(self.presence.keep(), "presence")
        self.run(self.ticker.tick_for_ever(), "ticker")
        self.run(self.rescuer.watch_for_ever(), "rescuer")
        if world.options.watched:  # where nobody is told anything they would only look
            self.run(self.alarms.run(), "alarms")
        if world.options.groups:
            self.run(self.reporter.run(), "reporter")
        if world.options.watched or world.options.groups:
            self.run(self.notifier.send_for_ever(), "notifier")
        self.is_up = True
        world.seen.note("instance_up")

    def _build(self, registry: Any, kept: Kept) -> None:
        nothing: Any = None
        reads, roster = Reads(self.world.database, self.machine), Roster(self.world.database, self.machine)
        watch = Watch()
        peers = Heirs(roster, watch, self.clock, self.name)
        places = Places(self.world.options.runs_per_instance)
        workbench = Workbench(
            clock=self.clock,
            installation="simulation",
            files=FileRoom(Path("nowhere")),
            tables=nothing,
            outbound=nothing,
            commands=CommandRules(),
            secrets=SecretStore(environment={}),
        )
        calm = Calm()
        station = Station(
            dispatcher=self.dispatcher,
            surroundings=self.surroundings,
            clock=self.clock,
            workshop=Workshop(
                registry=registry,
                workbench=workbench,
                lines=kept,
                random=self.random,
                callbacks=CallbackUrls(KEY, "http://simulation"),
            ),
            hub=Progress(),
            lease=self.lease,
            tasks=self.tasks,
            metrics=_METRICS,
            grace_s=GRACE_S,
            peers=peers,
            places=places,
            calm=calm,
        )
        answered = Answered(self.clock)
        self.supervisor = Supervisor(self.log, station, self.name, answered=answered)
        common = (self.surroundings, self.clock, self.lease)
        self.presence = Presence(self.log, self.dispatcher, *common, reads, zone_data=zones.zone_data())
        self.ticker = Ticker(
            self.dispatcher,
            reads,
            self.surroundings,
            self.clock,
            self.presence,
            self.tasks,
            _METRICS,
            peers=peers,
            places=places,
            answered=answered,
            calm=calm,
        )
        self.rescuer = Rescuer(
            self.dispatcher,
            *common,
            roster,
            reads,
            self.name,
            watch=watch,
            peers=peers,
            metrics=_METRICS,
            places=places,
        )
        self._build_telling(peers)

    def _build_telling(self, peers: Heirs) -> None:
        outbox = Outbox(self.world.database, self.machine)
        self.alarms = Alarms(
            self.log,
            self.dispatcher,
            self.surroundings,
            self.clock,
            self.presence,
            watched=outbox,
            mark=outbox,
            following=outbox,
            metrics=_METRICS,
            is_ours=partial(peers.goes_first, "alarms"),
        )
        self.reporter = Reporter(
            self.log,
            self.dispatcher,
            self.surroundings,
            self.clock,
            self.presence,
            mark=Outbox(self.world.database, self.machine, "reports"),
            is_ours=partial(peers.goes_first, "reports"),
        )
        self.notifier = Notifier(
            self.dispatcher,
            self.surroundings,
            self.clock,
            self.lease,
            self.tasks,
            metrics=_METRICS,
            outbox=outbox,
            channels=self.world.post.channels(self),
            peers=peers,
        )

    # -- the thread of the beats --------------------------------------------------------------------------------------

    async def _beat_for_ever(self) -> None:
        database, joined = self.world.database, False

        def join() -> int:
            database.beats.setdefault(self.name, 1)
            return 1

        while True:
            started, wait_s = self.system.monotonic(), BEAT_S
            if not joined or self._loop_answers():
                work = (lambda: database.beat(self.name)) if joined else join
                try:
                    beat = await database.call(self.thread, work, writes=True, timeout_s=BEAT_TIMEOUT_S)
                except OSError:
                    self.world.seen.note("beat_failed")
                    wait_s = RETRY_S
                else:
                    joined = beat is not None
                    if beat is None:
                        self.lease.lose()
                        self.world.seen.note("joined_anew")
                    else:
                        self.lease.beaten(started)
            await self.system.sleep(wait_s)

    def _loop_answers(self) -> bool:
        return self.blocked_at is None or self.world.loop.time() - self.blocked_at < STUCK_LOOP_S

    # -- what runs beside --------------------------------------------------------------------------------------------

    async def _project_for_ever(self) -> None:
        database, position = self.world.database, 1
        while True:
            try:
                if await self.log.wait_beyond(position, PROJECT_S) > position:
                    if database.links.view_lag_s:
                        await asyncio.sleep(database.links.view_lag_s * self.world.net.random())
                    batch = partial(database.project, position, self.log.known_head.position)
                    position = await database.call(self.machine, batch, writes=True)
                elif database.views.position != position:
                    position = await database.call(self.machine, lambda: database.views.position)
            except (LogFault, OSError):
                await asyncio.sleep(0.5)

    async def _keep_snapshots(self) -> None:
        while True:
            await self.clock.sleep(SNAPSHOTS_S)
            try:
                await self.dispatcher.states.save_snapshots()
            except OSError:
                self.world.seen.note("snapshots_not_saved")

    def _on_step(self, step: ClockStep) -> None:
        self.world.seen.note("clock_step_observed")
        self.world.database.step_seen(step.step_s)
        self.run(self._record_step(step), "clock-step")

    async def _record_step(self, step: ClockStep) -> None:
        if self.is_up and not await record_step(self.dispatcher, self.surroundings, self.clock, step):
            self.world.seen.note("clock_step_not_recorded")
