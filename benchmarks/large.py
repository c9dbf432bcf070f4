"""
A workspace as large as is promised: 10,000 schedules, 1,000 groups, 100,000 runs.

What people would make is made by commands over HTTP. The runs are appended to the log as the runner would have written
them, so that they need not be waited for; the views are built from it as from any other.
"""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.groups import BATCH
from benchmarks.pages import KEY, get, post
from benchmarks.rebuild import opened_log, vacuum
from eventjobs.app import Service
from eventjobs.clock import SystemClock
from eventjobs.domain.occurrence import occurrence_id
from eventjobs.domain.streams import run_stream
from eventjobs.events.cadence import NextDue, TimingState
from eventjobs.events.group import GroupRunClosed, GroupRunOpened
from eventjobs.events.recorded import StreamId
from eventjobs.events.run import AttemptEnded, AttemptStarted, JobRunEnded, Ref, RunEnded, RunOpened
from eventjobs.events.schedule import JobRow, ScheduleRunClosed, ScheduleRunOpened
from eventjobs.log.port import Append
from eventjobs.log.postgres import PostgresEventLog
from eventjobs.postgres.embedded import EmbeddedPostgres
from eventjobs.postgres.migrate import APP_ROLE
from eventjobs.postgres.pool import open_pool
from eventjobs.runner.projector import Projector
from eventjobs.settings import load_settings
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.tasks import Tasks
from tests.support.facts import Facts, snapshot
from tests.support.views import BY

WORKSPACE = "acme"
SCHEDULES = 10_000
SERVICES = 500
FEATURES = {"active": ("active",), "onboarding": ("onboarding",), "maintenance": ("active", "maintenance")}
"""Each names the status of one feature, which has so many of the schedules, and how it comes to be that."""
PER_FEATURE = 1_000
GROUPS = 1_000
PER_GROUP = 3
RUNS = 100_000
OF_GROUPS = 10
"""One run in so many is a group's."""
APPENDED = 250
"""How many runs are appended at once."""
UNHURRIED = {"statement_timeout": "300s"}
_FULL = "large-workspace.full"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom the runs are of: a schedule or a group with its jobs, and where its cadence stands."""

    stream: StreamId
    version: int
    jobs: tuple[JobRow, ...]
    timing: TimingState
    next: NextDue
    cadence_version: int

    @property
    def ref(self) -> Ref:
        return Ref(kind=self.stream.kind, id=self.stream.id)


@asynccontextmanager
async def data_folder(kept: Path | None, prefix: str) -> AsyncIterator[Path]:
    """A folder with the workspace in it: one that was kept, and is filled the first time, or one for this time."""
    if kept is not None:
        await _fill_once(kept)
        yield kept
        return
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        await _fill_once(Path(folder))
        yield Path(folder)


async def _fill_once(folder: Path) -> None:
    if (folder / _FULL).exists():
        return
    settings = load_settings({"data_dir": folder, "port": 0, "admin_key": KEY, "log_level": "error"})
    service = await Service.start(settings)
    try:
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
        async with aiohttp.ClientSession(service.url, headers=headers) as session:
            await _define(session)
    finally:
        await service.stop()
    server = EmbeddedPostgres(folder)
    try:
        url = await server.start()
        async with opened_log(url) as log:
            await _run_all(log)
            await _build_views(url, log)
        await vacuum(url)
    finally:
        await server.stop()
    (folder / _FULL).touch()


async def _build_views(url: str, log: PostgresEventLog) -> None:
    async with await open_pool(url, role=APP_ROLE, min_size=1, max_size=2, settings=UNHURRIED) as pool:
        projector = Projector(log, pool, SystemClock(), Tasks(), Metrics())
        while await projector.step():
            pass


async def _define(session: aiohttp.ClientSession) -> None:
    await post(session, "/v1/workspaces", {"id": "builder"})
    await post(session, "/v1/workspaces", {"id": WORKSPACE, "time_zone": "Europe/Berlin"})
    services = [{"id": f"service-{n}", "handler": "sleep", "config": {"seconds": 0}} for n in range(SERVICES)]
    await _send(session, "AddService", services)
    for feature, statuses in FEATURES.items():
        await post(session, "/v1/builder/commands/PublishDefinition", _definition(feature))
        registered = {"definition": f"builder/of-{feature}", "features": [feature]}
        await post(session, f"/v1/{WORKSPACE}/commands/RegisterIntegration", registered)
        for status in statuses:
            chosen = {"integration": f"of-{feature}", "feature": feature, "status": status}
            await post(session, f"/v1/{WORKSPACE}/commands/SetFeatureStatus", chosen)
    await _send(session, "CreateSchedule", [_schedule(n) for n in range(SCHEDULES - len(FEATURES) * PER_FEATURE)])
    await _send(session, "SaveJob", [_job_body(n) for n in range(GROUPS * PER_GROUP)])
    await _send(session, "ActivateJob", [{"id": _job(n)} for n in range(GROUPS * PER_GROUP)])
    await _send(session, "CreateGroup", [_group_body(n) for n in range(GROUPS)])
    head = await _send(session, "ActivateGroup", [{"id": f"group-{n:04}"} for n in range(GROUPS)])
    await get(session, f"/v1/{WORKSPACE}/schedules?limit=1&wait_for={head}")


async def _send(session: aiohttp.ClientSession, command: str, bodies: Sequence[Any]) -> int:
    position = 0
    for begin in range(0, len(bodies), BATCH):
        batch = [{"command": command, "data": data} for data in bodies[begin : begin + BATCH]]
        answers = await post(session, f"/v1/{WORKSPACE}/commands", batch)
        refused = [one for one in answers if one["status"] != 201]
        if refused:
            raise RuntimeError(str(refused[0]))
        position = answers[-1]["position"]
    return int(position)


def _cadence(number: int) -> dict[str, Any]:
    """Every day from the day after tomorrow on, so that nothing is due while something is measured."""
    first = (datetime.now(UTC) + timedelta(days=2)).date()
    at = f"{number % 24:02}:{number % 60:02}"
    return {"start_date": str(first), "start_time": at, "time_zone": "Europe/Berlin", "every": 1, "unit": "day"}


def _schedule(number: int) -> dict[str, Any]:
    jobs = [{"job": {"kind": "service", "id": f"service-{number % SERVICES}"}, "seq": 1}]
    return {"id": f"schedule-{number:05}", "description": f"Load {number}", "cadence": _cadence(number), "jobs": jobs}


def _definition(feature: str) -> dict[str, Any]:
    jobs = [{"job": {"kind": "service", "id": "nap"}}]
    schedules = [
        {"id": f"s-{n:04}", "description": f"{feature.capitalize()} {n}", "cadence": _cadence(n), "jobs": jobs}
        for n in range(PER_FEATURE)
    ]
    service = {"id": "nap", "handler": "sleep", "config": {"seconds": 0}}
    return {"id": f"of-{feature}", "services": [service], "features": [{"id": feature, "schedules": schedules}]}


def _job(number: int) -> str:
    return f"job-{number:04}"


def _job_body(number: int) -> dict[str, Any]:
    config = {"source": f"{number}.csv", "table": f"table_{number}", "mode": "replace"}
    return {"id": _job(number), "kind": "import", "handler": "csv.import", "config": config, "expires_on": "never"}


def _group_body(number: int) -> dict[str, Any]:
    jobs = [_job(PER_GROUP * number + place) for place in range(PER_GROUP)]
    first = (datetime.now(UTC) + timedelta(days=2)).date()
    schedule = {"type": "daily", "hour": number % 24, "slot": ("00-14", "15-29", "30-44", "45-59")[number % 4]}
    return {
        "id": f"group-{number:04}",
        "name": f"Group {number}",
        "jobs": jobs,
        "schedule": {**schedule, "from": str(first)},
    }


async def _run_all(log: PostgresEventLog) -> None:
    owners = await _owners(log)
    known = log.known_head.position
    schedules, groups = ([one for one in owners if one.stream.kind == kind] for kind in ("schedule", "group"))
    begun: dict[StreamId, int] = {}
    for begin in range(0, RUNS, APPENDED):
        facts: Facts = []
        expected: dict[StreamId, int] = {}
        for number in range(begin, begin + APPENDED):
            of, place = (groups, number // OF_GROUPS) if number % OF_GROUPS == 0 else (schedules, number)
            owner = of[place % len(of)]
            turn = begun[owner.stream] = begun.get(owner.stream, -1) + 1
            facts += _run(owner, turn, number)
            expected.setdefault(owner.stream, owner.version + 2 * turn)
        expected |= {stream: 0 for stream, _ in facts if stream.kind == "run"}
        read_at = dict.fromkeys(expected, known)
        await log.append(Append(events=facts, expected=expected, provenance=BY, read_at=read_at))


async def _owners(log: PostgresEventLog) -> Sequence[Owner]:
    """Return the schedules and groups as the log has them."""
    rows: dict[StreamId, tuple[JobRow, ...]] = {}
    stands: dict[StreamId, Any] = {}
    cadences: dict[StreamId, int] = {}
    versions: dict[StreamId, int] = {}
    after = 0
    while facts := await log.read(after, 5_000):
        after = facts[-1].position
        for fact in facts:
            versions[fact.stream] = fact.stream_version
            if fact.stream.kind not in ("schedule", "group"):
                continue
            if (jobs := _rows(fact.event)) is not None:
                rows[fact.stream] = jobs
            cadences[fact.stream] = getattr(fact.event, "cadence_version", cadences.get(fact.stream, 1))
            if getattr(fact.event, "next", None) is not None:
                stands[fact.stream] = fact.event
    return [
        Owner(stream, versions[stream], rows[stream], event.timing, event.next, cadences[stream])
        for stream, event in stands.items()
    ]


def _rows(event: Any) -> tuple[JobRow, ...] | None:
    if hasattr(event, "members"):
        return tuple(JobRow(row=n, job=one.job, seq=n) for n, one in enumerate(event.members, 1))
    return getattr(event, "jobs", None)


_FACTS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "schedule": (ScheduleRunOpened, ScheduleRunClosed),
    "group": (GroupRunOpened, GroupRunClosed),
}


def _run(owner: Owner, turn: int, number: int) -> Iterator[tuple[StreamId, Any]]:
    """The facts of a run of which the last job may have failed, for a moment of the past."""
    opened, closed = _FACTS[owner.stream.kind]
    due = owner.next.due - timedelta(days=3 + turn)
    run_id = occurrence_id(owner.stream.kind, owner.stream.id, owner.cadence_version, due)
    stream = run_stream(WORKSPACE, run_id)
    state, reason = ("failed", "error") if number % 12 == 0 else ("succeeded", None)
    stands = {"timing": owner.timing, "next": owner.next}
    yield (
        stream,
        RunOpened(
            owner=owner.ref,
            cause="scheduled",
            due=due,
            term=1,
            instance="one",
            on_failure="continue",
            jobs=tuple(snapshot(row) for row in owner.jobs),
            cadence_version=owner.cadence_version,
        ),
    )
    yield owner.stream, opened(run=run_id, cause="scheduled", due=due, **stands)
    for row in owner.jobs:
        ended = {"state": state if row is owner.jobs[-1] else "succeeded", "counts": {"processed": number}}
        yield stream, AttemptStarted(row=row.row, attempt=1, term=1)
        yield stream, AttemptEnded(row=row.row, attempt=1, term=1, **ended)
        yield stream, JobRunEnded(row=row.row, **ended)
    yield stream, RunEnded(state=state, reason=reason, counts={state: len(owner.jobs)})
    yield owner.stream, closed(run=run_id, state=state, reason=reason)
