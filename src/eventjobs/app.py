"""
The composition root: the only place that builds objects.

`Service.start` brings a whole instance up, from the database to the open port; `stop` takes it down in the order in
which nothing is lost: no new requests or starts, running jobs get their grace, the rest is left for whoever takes over.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import structlog
from aiohttp import web

from eventjobs.api.app import build_app, make_runner
from eventjobs.api.connections import ConnectionLimits, room_for
from eventjobs.api.deps import ApiDeps
from eventjobs.api.readiness import LogReadiness
from eventjobs.audit.keeping import ledger_version
from eventjobs.audit.last_found import LastFound
from eventjobs.audit.watch import LedgerWatch
from eventjobs.auth.callbacks import CallbackUrls, read_callback_key
from eventjobs.auth.first_key import ensure_first_key
from eventjobs.auth.keyring import Keyring
from eventjobs.auth.oidc.installed import client_secret, provider_of
from eventjobs.auth.people import People
from eventjobs.auth.sessions import PostgresSessions
from eventjobs.auth.viewed_keys import ViewedKeys
from eventjobs.auth.viewed_people import ViewedPeople
from eventjobs.channels.installed import channels_of, mail_password
from eventjobs.clock import SystemClock
from eventjobs.commands.context import Limits, Reach
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.commands.snapshots import code_version
from eventjobs.domain.zones import zone_data
from eventjobs.errors import LogFault, SettingsInvalid
from eventjobs.events import EVENT_TYPES
from eventjobs.handlers.files import FileRoom
from eventjobs.handlers.ports import CommandRules
from eventjobs.handlers.registry import Registry
from eventjobs.handlers.workbench import Workbench
from eventjobs.ids import SystemIds, SystemRandom
from eventjobs.log.clock import ClockStep, DatabaseClock
from eventjobs.log.codec import Codec
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.log.postgres_storage import SESSION
from eventjobs.log.setup import set_up
from eventjobs.log.upcasts import UPCASTS
from eventjobs.outbound.addresses import OutboundRules
from eventjobs.outbound.guarded import GuardedOutbound
from eventjobs.outbound.secrets import SecretStore
from eventjobs.postgres.beats import BeatThread, PostgresBeats
from eventjobs.postgres.data_roles import DataRoles
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.faults import DATABASE_FAULTS
from eventjobs.postgres.growth import measure_growth
from eventjobs.postgres.ledger import PostgresLedger
from eventjobs.postgres.line_writer import LineWriter
from eventjobs.postgres.lines import PostgresLines
from eventjobs.postgres.loads import DataTables
from eventjobs.postgres.marks import PostgresMark
from eventjobs.postgres.pool import ACQUIRE_S, Connection, TimedPool, connect, open_pool
from eventjobs.postgres.probe import audit, probe_capabilities
from eventjobs.postgres.snapshots import PostgresSnapshots
from eventjobs.projections.counted import ViewedCounts
from eventjobs.projections.outbox import Outbox
from eventjobs.projections.upcoming import Upcoming
from eventjobs.projections.views import Views
from eventjobs.runner.alarms import Alarms
from eventjobs.runner.answered import Answered
from eventjobs.runner.calm import Calm
from eventjobs.runner.catalog import Catalog
from eventjobs.runner.clock_steps import record_step
from eventjobs.runner.heartbeat import Heartbeat
from eventjobs.runner.heirs import Heirs
from eventjobs.runner.history import RunHistory
from eventjobs.runner.leases import BEAT_S, STUCK_LOOP_S, Trust, Watch
from eventjobs.runner.notifier import Notifier
from eventjobs.runner.places import Places
from eventjobs.runner.presence import Presence
from eventjobs.runner.projector import Projector
from eventjobs.runner.reporter import Reporter
from eventjobs.runner.rescuer import Rescuer
from eventjobs.runner.supervisor import Supervisor
from eventjobs.runner.surroundings import InstanceSurroundings
from eventjobs.runner.ticker import Ticker
from eventjobs.runner.worker import Station
from eventjobs.runner.workshop import Workshop
from eventjobs.settings import Settings
from eventjobs.telemetry.garbage import keep_collections_short
from eventjobs.telemetry.logging import configure_logging
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.progress import Progress
from eventjobs.telemetry.redaction import KnownSecrets
from eventjobs.telemetry.tasks import Tasks
from eventjobs.web.pages import load_pages

CLOSE_S: Final = 5.0
POOL_CLOSE_S: Final = 1.0
STOP_S: Final = 4.0
"""What is kept of the grace, a quarter at most, for handlers to clean up and for the rest to be taken down."""
DIAL_S: Final = 2.0
"""How long a write waits for a connection."""
READ_ACQUIRE_S: Final = 1.4
READ_LOCK: Final = "1200ms"
SNAPSHOTS_S: Final = 5.0
LINES_KEPT: Final = timedelta(days=90)
PRUNE_S: Final = 3600.0
PRUNE_PAUSE_S: Final = 0.5
GROWTH_S: Final = 60.0
LAG_S: Final = 1.0

_log: Final = structlog.get_logger("eventjobs.app")


class Service:
    """One running instance. Its parts are attributes, for the command line and for tests."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.tasks = Tasks()
        self.ids = SystemIds()
        self.random = SystemRandom()
        self.instance = self.ids.new()
        self.secrets = KnownSecrets(settings.secrets)
        self.progress = Progress()
        self.draining = asyncio.Event()
        self.closing = asyncio.Event()
        self.stopping = asyncio.Event()
        self.admin_key: str | None = None
        self.url = ""
        self._loop_answered = 0.0
        self._exit = AsyncExitStack()

    @classmethod
    async def start(cls, settings: Settings) -> "Service":
        """Bring an instance up; it serves when this returns. What was begun is undone if a step fails."""
        service = cls(settings)
        configure_logging(service.secrets, level=settings.log_level, log_format=settings.log_format)
        try:
            await service._start()
        except BaseException:
            await service._exit.aclose()
            raise
        return service

    async def run_until_stopped(self) -> None:
        """Serve until SIGINT or SIGTERM, or until `stopping` is set; then stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stopping.set)
        try:
            await self.stopping.wait()
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Drain and take everything down, within the grace."""
        _log.info("stopping", open_runs=self.supervisor.open_runs)
        self.draining.set()
        self.ticker.drain()
        self.rescuer.drain()
        grace_s = self.settings.grace.total_seconds()
        kept_s = min(STOP_S, grace_s / 4)
        await self.supervisor.drain(grace_s - kept_s, clean_up_s=kept_s / 2, answering=lambda: self.ticker.answering)
        await self.notifier.drain()
        self.closing.set()
        await self._exit.aclose()
        _log.info("stopped")

    async def _start(self) -> None:
        settings = self.settings
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if not settings.unsafe:
            check_private(settings.data_dir / "admin.key", settings.data_dir / "demo.json")
        url, direct = await self._database()
        self.log_id = await set_up(direct, app_role=settings.app_role)
        found = await audit(url, accept_unsafe=settings.unsafe)
        _log.info("database", level=found.level, version=found.version, notes=list(found.notes))
        await self._open_log(url, direct)
        await self._open_views(url)
        await self._build_commands()
        await self._open_keys()
        await self._build_runner(direct)
        self._start_beats(direct)
        self._start_loops()
        await self._listen()
        keep_collections_short()

    async def _database(self) -> tuple[str, str]:
        """Return the URL for everyday work and the server's own; without settings, of the embedded server."""
        settings = self.settings
        if settings.database_url is not None:
            return settings.database_url.get_secret_value(), settings.server_url or ""
        self.postgres = EmbeddedPostgres(settings.data_dir, pg_bin=settings.pg_bin)
        url = await self.postgres.start()
        self._exit.push_async_callback(self.postgres.stop)
        return url, url

    async def _pool(
        self,
        name: str,
        url: str,
        max_size: int,
        settings: Mapping[str, str] | None = None,
        acquire_s: float = ACQUIRE_S,
    ) -> TimedPool:
        pool = await open_pool(
            url,
            role=self.settings.app_role,
            min_size=1,
            max_size=max_size,
            settings=settings,
            pooler=self.settings.is_pooled,
            acquire_s=acquire_s,
            on_wait=self.metrics.pool_wait_s.labels(name).observe,
        )
        self._exit.push_async_callback(_close, pool)
        return pool

    async def _open_log(self, url: str, direct: str) -> None:
        self.pool = await self._pool("work", url, 8)
        reading = await self._pool("log", url, 4, SESSION)

        async def dial(settings: Mapping[str, str]) -> Connection:
            return await connect(
                url,
                role=self.settings.app_role,
                timeout=DIAL_S,
                settings=settings,
                pooler=self.settings.is_pooled,
            )

        async def listen_dial(settings: Mapping[str, str]) -> Connection:
            return await connect(direct, role=self.settings.app_role, settings=settings)

        probe = await dial({})
        can = await probe_capabilities(probe)
        await probe.close(timeout=CLOSE_S)
        self.clock = DatabaseClock(self.pool, on_step=self._on_clock_step)
        await self.clock.start(self.tasks)
        self.log = PostgresEventLog(
            pool=reading,
            dial=dial,
            listen_dial=listen_dial if can.listen else None,
            codec=Codec(EVENT_TYPES, UPCASTS),
            clock=self.clock,
            random=self.random,
            tasks=self.tasks,
            copy=can.copy and not self.settings.is_pooled,
        )
        await self.log.start()
        self._exit.push_async_callback(self.log.stop)

    async def _open_views(self, url: str) -> None:
        # Who reads is told within three seconds that it cannot be done now: the two waits together are shorter.
        reading = {**SESSION, "lock_timeout": READ_LOCK}
        self.views = Views(await self._pool("views", url, 8, reading, acquire_s=READ_ACQUIRE_S))
        self.roster, self.watch = PostgresBeats(self.pool), Watch()
        self.peers = Heirs(self.roster, self.watch, self.clock, self.instance)
        projecting = await self._pool("projector", url, 2)
        turn = partial(self.peers.turn, "views")
        self.projector = Projector(self.log, projecting, self.clock, self.tasks, self.metrics, turn=turn)
        self._keep(self.projector.run, "projector")

    async def _build_commands(self) -> None:
        settings = self.settings
        self.outbound = OutboundRules.parse(settings.outbound_allow)
        self.registry = Registry.load({"outbound": self.outbound, "commands": settings.commands})
        self.catalog = Catalog(self.registry)
        self.limits = Limits(
            min_period_s=int(settings.min_period.total_seconds()),
            jobs_per_schedule=settings.jobs_per_schedule,
            schedules_per_workspace=settings.schedules_per_workspace,
            runs_per_owner=settings.runs_per_owner,
            runs_per_workspace=settings.runs_per_workspace,
            recipients=settings.recipients,
            groups_per_workspace=settings.groups_per_workspace,
            connect_jobs_per_workspace=settings.connect_jobs_per_workspace,
            jobs_per_group=settings.jobs_per_group,
            group_kinds=settings.group_kinds,
            expiry_days=settings.expiry_days,
            alert_mails_per_hour=settings.alert_mails_per_hour,
        )
        snapshots = PostgresSnapshots(self.pool, code_version())
        await snapshots.start()
        self.reach = Reach(mail=settings.smtp_url is not None, rules=self.outbound)
        self.dispatcher = Dispatcher(self.log, snapshots, ViewedCounts(self.pool))
        self.surroundings = InstanceSurroundings(
            instance=self.instance,
            clock=self.clock,
            ids=self.ids,
            random=self.random,
            catalog=self.catalog,
            limits=self.limits,
        )

    async def _open_keys(self) -> None:
        self.keyring = Keyring(self.log, self.clock.now, ViewedKeys(self.pool))
        await self.keyring.load()
        self.people = People(self.log, ViewedPeople(self.pool))
        await self.people.load()
        self.provider = provider_of(self.settings, self.clock.monotonic)
        secret = client_secret(self.settings)
        if secret is not None:
            self.secrets.add(secret)
        given = self.settings.admin_key
        first = await ensure_first_key(
            self.log, self.keyring, self.ids, self.random, None if given is None else given.get_secret_value()
        )
        if first is not None and not first.given:
            self.admin_key = first.text
            self.secrets.add(first.text)
            write_private(self.settings.data_dir / "admin.key", first.text + "\n")

    async def _build_runner(self, direct: str) -> None:
        settings = self.settings
        self.lines = PostgresLines(self.pool)
        folders = [settings.secrets_dir] if settings.secrets_dir else []
        secrets = self.secret_store = SecretStore([settings.data_dir / "secrets", *folders], dict(os.environ))
        workbench = Workbench(
            clock=self.clock,
            installation=self.log_id,
            files=FileRoom(settings.data_dir / "files"),
            tables=DataTables(direct, DataRoles(self.pool, direct, self.log_id)),
            outbound=GuardedOutbound(self.outbound),
            commands=CommandRules(programs=settings.commands),
            secrets=secrets,
            history=RunHistory(self.log, self.dispatcher.states),
        )
        self.callbacks = CallbackUrls(await read_callback_key(self.pool), settings.address(settings.port))
        self.lease = Trust(SystemClock().monotonic)
        calm = Calm()
        places = Places(settings.runs_per_instance, self.metrics.runs_in_line.set)
        station = Station(
            dispatcher=self.dispatcher,
            surroundings=self.surroundings,
            clock=self.clock,
            workshop=Workshop(
                registry=self.registry,
                workbench=workbench,
                lines=LineWriter(self.lines, self.tasks),
                random=self.random,
                callbacks=self.callbacks,
            ),
            hub=self.progress,
            lease=self.lease,
            tasks=self.tasks,
            metrics=self.metrics,
            grace_s=settings.grace.total_seconds(),
            peers=self.peers,
            places=places,
            calm=calm,
        )
        answered = Answered(self.clock, calm.answered)
        self.supervisor = Supervisor(self.log, station, self.instance, answered=answered)
        upcoming = Upcoming(self.pool)
        self.presence = Presence(
            self.log,
            self.dispatcher,
            self.surroundings,
            self.clock,
            self.lease,
            upcoming,
            zone_data=zone_data(),
        )
        keeper = PostgresLedger(self.pool, ledger_version())
        is_ours = partial(self.peers.goes_first, "ledger")
        self.ledger = LedgerWatch(self.log, self.clock, self.metrics, self.presence.trusted, keeper, is_ours=is_ours)
        self.found = LastFound(self.ledger, keeper.find_state)
        self.ticker = Ticker(
            self.dispatcher,
            upcoming,
            self.surroundings,
            self.clock,
            self.presence,
            self.tasks,
            self.metrics,
            peers=self.peers,
            places=places,
            answered=answered,
            calm=calm,
        )
        self.rescuer = Rescuer(
            self.dispatcher,
            self.surroundings,
            self.clock,
            self.lease,
            self.roster,
            upcoming,
            self.instance,
            watch=self.watch,
            peers=self.peers,
            metrics=self.metrics,
            places=places,
        )
        self._build_telling(secrets)

    def _build_telling(self, secrets: SecretStore) -> None:
        """What watches the schedules, and what sends the messages that are wanted."""
        settings, calls, outbox = self.settings, GuardedOutbound(self.outbound), Outbox(self.pool)
        password = mail_password(settings)
        if password is not None:
            self.secrets.add(password)
        self.alarms = Alarms(
            self.log,
            self.dispatcher,
            self.surroundings,
            self.clock,
            self.presence,
            watched=outbox,
            mark=PostgresMark(self.pool, "alarms"),
            following=self.projector,
            metrics=self.metrics,
            is_ours=partial(self.peers.goes_first, "alarms"),
        )
        self.reporter = Reporter(
            self.log,
            self.dispatcher,
            self.surroundings,
            self.clock,
            self.presence,
            mark=PostgresMark(self.pool, "reports"),
            is_ours=partial(self.peers.goes_first, "reports"),
        )
        self.notifier = Notifier(
            self.dispatcher,
            self.surroundings,
            self.clock,
            self.lease,
            self.tasks,
            metrics=self.metrics,
            outbox=outbox,
            channels=channels_of(settings, calls, secrets, self.clock, self.log_id, password),
            peers=self.peers,
            secrets=self.secrets,
            public_url=settings.public_url,
        )
        checks = [self._lease_problem, self.projector.trouble, self.presence.trouble]
        self.readiness = LogReadiness(self.log, self.projector, self.clock, checks)
        self.heartbeat = None
        if settings.heartbeat_url is not None:
            url, ours = settings.heartbeat_url.get_secret_value(), partial(self.peers.goes_first, "heartbeat")
            self.heartbeat = Heartbeat(url, calls, self.clock, self.readiness.problems, is_ours=ours)

    def _start_beats(self, direct: str) -> None:
        monotonic = SystemClock().monotonic
        self._loop_answered = monotonic()

        async def dial() -> Connection:
            return await connect(direct, role=self.settings.app_role)

        self._beats = BeatThread(
            connect=dial,
            instance=self.instance,
            zone_data=zone_data(),
            period_s=BEAT_S,
            monotonic=monotonic,
            alive=lambda: monotonic() - self._loop_answered < STUCK_LOOP_S,
            on_beat=self.lease.beaten,
            on_lost=self.lease.lose,
        )
        self._beats.start()
        self._exit.push_async_callback(asyncio.to_thread, self._beats.stop)

    def _start_loops(self) -> None:
        position = self.log.known_head.position
        self._keep(partial(self.supervisor.follow, position), "supervisor")
        self._keep(self._keep_snapshots, "snapshots")
        self._keep(self._measure_lag, "loop-lag")
        self._keep(self._prune_lines, "log-lines")
        self._keep(self._measure_growth, "growth")
        self._keep(self.presence.keep, "presence")
        self._keep(self.ledger.run, "ledger")
        self._keep(self.ticker.tick_for_ever, "ticker")
        self._keep(self.rescuer.watch_for_ever, "rescuer")
        self._keep(self.alarms.run, "alarms")
        self._keep(self.reporter.run, "reporter")
        self._keep(self.notifier.send_for_ever, "notifier")
        if self.heartbeat is not None:
            self._keep(self.heartbeat.beat_for_ever, "heartbeat")
        self._exit.push_async_callback(self.tasks.cancel_all)

    def _keep(self, loop: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        _ = self.tasks.keep(loop, name=name, sleep=self.clock.sleep)

    async def _listen(self) -> None:
        deps = ApiDeps(
            dispatcher=self.dispatcher,
            log=self.log,
            views=self.views,
            following=self.projector,
            readiness=self.readiness,
            log_lines=self.lines,
            keyring=self.keyring,
            people=self.people,
            sessions=PostgresSessions(self.pool),
            provider=self.provider,
            clock=self.clock,
            ids=self.ids,
            random=self.random,
            catalog=self.catalog,
            callbacks=self.callbacks.key,
            secrets=self.secret_store,
            limits=self.limits,
            reach=self.reach,
            instance=self.instance,
            metrics=self.metrics,
            tasks=self.tasks,
            progress=self.progress,
            version=metadata.version("eventjobs"),
            hosts=self.settings.known_hosts,
            live_streams_per_key=self.settings.live_streams_per_key,
            requests_per_second=self.settings.requests_per_second,
            connections=ConnectionLimits(
                per_address=self.settings.connections_per_address, in_all=room_for(self.settings.connections)
            ),
            draining=self.draining,
            closing=self.closing,
            ledger=self.ledger.summary,
            found=self.found,
            read_stored=self.log.read_stored,
            pages=load_pages(),
        )
        runner = make_runner(build_app(deps))
        await runner.setup()
        self._exit.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, self.settings.bind, self.settings.port)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://{self.settings.bind}:{port}"
        self.callbacks.base = self.settings.address(port)
        _log.info("serving", url=self.url, instance=self.instance)

    def _lease_problem(self) -> str | None:
        return None if self.lease.trusted() else "lease_untrusted"

    def _on_clock_step(self, step: ClockStep) -> None:
        recording = record_step(self.dispatcher, self.surroundings, self.clock, step)
        _ = self.tasks.start(recording, name="clock-step")

    async def _keep_snapshots(self) -> None:
        while True:
            await self.clock.sleep(SNAPSHOTS_S)
            try:
                await self.dispatcher.states.save_snapshots()
            except DATABASE_FAULTS as fault:
                _log.warning("snapshots_not_saved", fault=type(fault).__name__)

    async def _prune_lines(self) -> None:
        """Let go of log lines after 90 days, a few at a time."""
        while True:
            try:
                while await self.lines.prune(self.clock.now() - LINES_KEPT):
                    await self.clock.sleep(PRUNE_PAUSE_S)
            except (LogFault, *DATABASE_FAULTS) as fault:
                _log.warning("log_lines_not_pruned", fault=type(fault).__name__)
            await self.clock.sleep(PRUNE_S)

    async def _measure_growth(self) -> None:
        while True:
            try:
                for part, weight in (await measure_growth(self.pool)).items():
                    self.metrics.storage_bytes.labels(part).set(weight)
            except DATABASE_FAULTS as fault:
                _log.info("growth_not_measured", fault=type(fault).__name__)
            await self.clock.sleep(GROWTH_S)

    async def _measure_lag(self) -> None:
        """See how late the event loop answers; the beats go by it, and it is a metric."""
        monotonic, counted = self.clock.monotonic, 0
        while True:
            asked = monotonic()
            await self.clock.sleep(LAG_S)
            self._loop_answered = SystemClock().monotonic()
            self.metrics.loop_lag_s.observe(max(0.0, monotonic() - asked - LAG_S))
            self.metrics.lease_trust_s.set(self.lease.left_s())
            self.metrics.head.set(self.log.known_head.position)
            self.metrics.lost_races.inc(self.log.lost_races - counted)
            counted = self.log.lost_races


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    part = path.with_name(path.name + ".part")
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:  # noqa: PTH123 the mode
        file.write(text)
    part.replace(path)


def check_private(*paths: Path) -> None:
    """Raise `SettingsInvalid` where a file with a key can be read by others than its owner."""
    for path in paths:
        if path.exists() and path.stat().st_mode & 0o077:
            raise SettingsInvalid(
                f"others can read {path}, which holds a key: chmod 600 {path}, or start with --unsafe"
            )


async def _close(pool: Any) -> None:
    try:
        async with asyncio.timeout(POOL_CLOSE_S):
            await pool.close()
    except TimeoutError:
        pool.terminate()
