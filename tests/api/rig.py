"""A real server on loopback over the log in memory, and a client that holds its first key."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from aiohttp import web

from eventjobs.api.app import build_app, make_runner
from eventjobs.api.deps import ApiDeps
from eventjobs.auth.callbacks import CallbackKey
from eventjobs.auth.first_key import ensure_first_key
from eventjobs.auth.keyring import Keyring
from eventjobs.auth.people import People
from eventjobs.clock import SystemClock
from eventjobs.commands.context import Limits
from eventjobs.commands.dispatch import Dispatcher
from eventjobs.events import EVENT_TYPES
from eventjobs.events.recorded import Recorded
from eventjobs.ids import SystemIds, SystemRandom
from eventjobs.log.codec import Codec
from eventjobs.log.memory import Faults, MemoryEventLog
from eventjobs.log.port import EventLog
from eventjobs.telemetry.metrics import Metrics
from eventjobs.telemetry.progress import Progress
from eventjobs.telemetry.tasks import Tasks
from tests.support.ports import FakeCatalog
from tests.support.sessions import MemorySessions

DAILY = {"start_date": "2100-12-01", "start_time": "20:00", "time_zone": "UTC", "every": 1, "unit": "day"}


class ShiftedClock(SystemClock):
    """The machine's clock, moved by as much as a test says."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class NoViews:
    """Views that no test here may ask."""


class AtHead:
    """Views that are always as far as the log."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def position(self) -> int:
        return self._log.known_head.position

    async def wait_for(self, position: int, timeout_s: float) -> bool:
        return await self._log.wait_beyond(position - 1, timeout_s) >= position


class Ready:
    """What `/readyz` is told."""

    def __init__(self) -> None:
        self.found: list[str] = []

    async def problems(self) -> Sequence[str]:
        return self.found


class Answered:
    """An answer that was read to its end."""

    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = body

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str:
        return self.json["code"]


class Rig:
    """The server with its parts, and calls to it."""

    def __init__(self, deps: ApiDeps, key: str) -> None:
        self.deps = deps
        self.key = key
        self.runner = make_runner(build_app(deps), shutdown_timeout_s=2.0)
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.session.close()
        await self.runner.cleanup()
        await self.deps.tasks.cancel_all()

    @property
    def port(self) -> int:
        return self.runner.addresses[0][1]

    @property
    def log(self) -> EventLog:
        return self.deps.log

    async def call(self, method: str, path: str, *, key: str | None = "", **more: Any) -> Answered:
        """Send a request with the first key, with another (`key`) or with none (`key=None`)."""
        headers = dict(more.pop("headers", {}))
        if key is not None:
            headers.setdefault("Authorization", f"Bearer {key or self.key}")
        async with self.session.request(method, f"{self.url}{path}", headers=headers, **more) as response:
            return Answered(response, await response.read())

    async def get(self, path: str, **more: Any) -> Answered:
        return await self.call("GET", path, **more)

    async def post(self, path: str, body: Any, **more: Any) -> Answered:
        headers = {"Content-Type": "application/json", **more.pop("headers", {})}
        data = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.call("POST", path, data=data, headers=headers, **more)

    async def sign_in(self, key: str = "", **headers: str) -> Answered:
        """Sign in as one of our own pages does, with the first key or another; the cookie is not kept."""
        own = {"Origin": self.url, "Sec-Fetch-Site": "same-origin", **headers}
        return await self.post("/v1/me/session", {"key": key or self.key}, key=None, headers=own)

    async def command(self, name: str, body: Any, *, workspace: str = "acme", query: str = "", **more: Any) -> Answered:
        return await self.post(f"/v1/{workspace}/commands/{name}{query}", body, **more)

    async def issue(self, *roles: str, workspaces: Sequence[str] = ("acme",), **fields: Any) -> str:
        """Issue a key with these roles and return its text."""
        where = fields.pop("where", "*")
        body = {"roles": list(roles), "workspaces": list(workspaces), **fields}
        answered = await self.command("IssueKey", body, workspace=where)
        assert answered.status == 201, answered.body
        return answered.json["secret"]

    async def facts(self, after: int = 0) -> Sequence[Recorded[Any]]:
        return await self.log.read(after, 10_000)


async def with_workspace(rig: Rig) -> None:
    """Make the workspace `acme` with the service `load`."""
    made = await rig.post("/v1/workspaces", {"id": "acme", "time_zone": "Europe/Berlin"})
    assert made.status == 201, made.body
    added = await rig.command("AddService", {"id": "load", "handler": "noop"})
    assert added.status == 201, added.body


def schedule(schedule_id: str = "nightly", **fields: Any) -> dict[str, Any]:
    return {"id": schedule_id, "cadence": DAILY, "jobs": [{"job": {"kind": "service", "id": "load"}}], **fields}


@asynccontextmanager
async def started(*, faults: Faults | None = None, log: EventLog | None = None, **changed: Any) -> AsyncIterator[Rig]:
    """Start a server; `changed` are parts to take instead of the usual ones."""
    clock, ids, random = ShiftedClock(), SystemIds(), SystemRandom()
    the_log: EventLog = log or MemoryEventLog(Codec(EVENT_TYPES), clock, faults=faults)
    keyring = Keyring(the_log, clock.now)
    await keyring.load()
    people = People(the_log)
    await people.load()
    first = await ensure_first_key(the_log, keyring, ids, random)
    assert first is not None
    deps = ApiDeps(
        dispatcher=Dispatcher(the_log),
        log=the_log,
        views=NoViews(),  # type: ignore[arg-type]
        following=AtHead(the_log),
        readiness=Ready(),
        log_lines=NoViews(),  # type: ignore[arg-type]
        keyring=keyring,
        people=people,
        sessions=MemorySessions(),
        clock=clock,
        ids=ids,
        random=random,
        catalog=FakeCatalog(),
        callbacks=CallbackKey(b"the tests' own"),
        limits=Limits(),
        instance="instance-1",
        metrics=Metrics(),
        tasks=Tasks(),
        progress=Progress(),
        version="0.0.0",
        draining=asyncio.Event(),
        closing=asyncio.Event(),
    )
    async with Rig(replace(deps, **changed), first.text) as rig:
        yield rig


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
