"""
T28, the bulk sync: two instances, and the one that syncs many registrations is killed in the middle of it.

Each registration is of the old version or of the new one, with all that it manages, and never half; the same command
does the rest. In the end all of them are synced once more by nobody disturbed, and that is timed.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeVar

import aiohttp

from eventjobs.postgres.pool import connect
from tests.acceptance.instance import Client
from tests.chaos.figures import Figures
from tests.chaos.fleet import Fleet, postgres, sailing, scratch
from tests.support.waiting import eventually

BUILDER: Final = "builder"
EVERYWHERE: Final = {"id": "crm", "targets": "all"}
SYNC_MAX_S: Final = 60.0
"""What a bulk sync of 1,000 registrations with 10,000 schedules takes at most."""
AT_ONCE: Final = 16
BEGUN_S: Final = 120.0
SYNCED: Final = "SELECT count(*) FROM events WHERE type = 'integration.synced'"
HEAD: Final = "SELECT max(position) FROM events"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Size:
    """How many registrations with how many schedules each, and in how many syncs the instance is killed."""

    registrations: int
    schedules: int
    kills: int


SHORT: Final = Size(registrations=45, schedules=3, kills=1)


def long(minutes: float) -> Size:
    """All of them, however long it may take; a kill for every two minutes."""
    return Size(registrations=1_000, schedules=10, kills=max(2, round(minutes / 2)))


@dataclass
class Trial:
    """One run of the suite: the instances, and what it counts."""

    size: Size
    url: str
    figures: Figures
    chance: Random
    fleet: Fleet
    session: aiohttp.ClientSession
    version: int = 1
    synced_at_kills: list[int] = field(default_factory=list)

    def client(self, member: int, workspace: str = BUILDER) -> Client:
        return Client(self.session, self.fleet.members[member].url, workspace)

    def definition(self) -> dict[str, Any]:
        """Return the definition; its version stands in every part of it."""
        cadence = {"start_date": "2099-12-01", "start_time": "14:00", "time_zone": "UTC", "unit": "day"}
        jobs = [{"job": {"kind": "service", "id": "nap"}}]
        schedules = [
            {"id": f"s{number}", "cadence": {**cadence, "every": self.version}, "jobs": jobs}
            for number in range(self.size.schedules)
        ]
        naps = {"id": "nap", "handler": "sleep", "config": {"seconds": self.version}}
        return {"id": "crm", "services": [naps], "features": [{"id": "one", "schedules": schedules}]}

    async def furnish(self) -> None:
        """A builder's workspace with a definition, and many that have it registered."""
        await self.client(0).post("/v1/workspaces", {"id": BUILDER, "kind": "integration"})
        await self.client(0).do("PublishDefinition", self.definition())
        for number in range(self.size.registrations):
            shop = self.client(0, f"shop-{number}")
            await shop.post("/v1/workspaces", {"id": shop.workspace, "kind": "customer"})
            await shop.do("RegisterIntegration", {"definition": f"{BUILDER}/crm", "features": ["one"]})

    async def publish(self) -> None:
        """Publish the next version, and wait until the other instance shows it."""
        self.version += 1
        published = await self.client(0).do("PublishDefinition", self.definition())
        self.figures.commands.update(("sent", "accepted"))
        await self.client(1).get(f"/definitions/crm?wait_for={published['position']}")

    async def kill_in_a_sync(self) -> None:
        """Kill the instance that syncs once some registrations are synced, and let the other one do the rest."""
        await self.publish()
        enough = self.chance.randint(1, self.size.registrations // 2)
        syncing = asyncio.create_task(self.client(0).do("SyncRegistration", EVERYWHERE))
        self.figures.commands["sent"] += 1
        await self.until(enough)
        await self.fleet.members[0].kill()
        self.figures.faults["service killed"] += 1
        with suppress(aiohttp.ClientError):
            await syncing
        self.figures.commands["accepted" if syncing.exception() is None else "unknown"] += 1
        await self.judge()
        await self.sync(self.client(1))
        await self.fleet.members[0].spawn()
        await self.fleet.members[0].ready(self.session)

    async def until(self, enough: int) -> None:
        """Wait until the log, which is ahead of every instance, says that so many registrations are synced."""
        connection = await connect(self.url, role=None)
        try:
            before = await connection.fetchval(SYNCED)

            async def reached() -> bool:
                return int(await connection.fetchval(SYNCED)) - before >= enough

            await eventually(reached, timeout_s=BEGUN_S, every_s=0.002)
        finally:
            await connection.close()

    async def moment(self) -> str:
        """Return the end of the log as a moment to read: a view may be ahead of what an instance knows of it."""
        connection = await connect(self.url, role=None)
        try:
            return f"?as_of={await connection.fetchval(HEAD)}"
        finally:
            await connection.close()

    async def versions(self, moment: str = "") -> dict[str, int]:
        """Return the version that each registration says that it is of."""
        found = (await self.client(1).get(f"/definitions/crm{moment}"))["registrations"]
        return {one["workspace"]: one["sync"]["version"] for one in found}

    async def judge(self) -> None:
        """
        Expect all that each registration manages to be of the version that it says.

        All is read as of one moment: what a killed process had sent off may still be taken by the database afterwards.
        """
        moment = await self.moment()
        synced = await self.versions(moment)
        done = list(synced.values()).count(self.version)
        self.synced_at_kills.append(done)
        if 0 < done < len(synced):
            self.figures.saw("killed with some synced and some not")

        async def compare(shop: str) -> None:
            there = self.client(1, shop)
            items = (await there.get(f"/schedules{moment}"))["items"]
            naps = await there.get(f"/services/crm.nap{moment}")
            parts = [*(item["cadence"]["every"] for item in items), naps["config"]["seconds"]]
            whole = parts == [synced[shop]] * (self.size.schedules + 1)
            known = synced[shop] in (self.version - 1, self.version)
            self.figures.expect(whole and known, f"{shop} is of version {synced[shop]}, and its parts of {parts}")

        await _each(compare, synced)

    async def sync(self, client: Client) -> float:
        """Sync all that are not, and return how long it took."""
        began = time.monotonic()
        answer = await client.do("SyncRegistration", EVERYWHERE)
        took = time.monotonic() - began
        self.figures.commands.update(("sent", "accepted"))
        statuses = Counter(one["status"] for one in answer["results"])
        self.figures.expect(set(statuses) <= {200, 201}, f"the sync answered {dict(statuses)}")
        await self.client(1).get(f"/definitions/crm?wait_for={answer['position']}")
        left = [shop for shop, version in (await self.versions()).items() if version != self.version]
        self.figures.expect(not left, f"{len(left)} registrations are not synced")
        return took


async def run(seed: int, size: Size, command: str) -> Figures:
    """Kill syncs, and time one."""
    figures, chance = Figures("T28 bulk sync", ("P2",), seed, command), Random(seed)
    began = time.monotonic()
    with scratch() as folder:
        async with (
            postgres(folder) as server,
            sailing(folder, 2, {"EVENTJOBS_DATABASE_URL": server.url}) as (fleet, asking),
            # a connection that waited for a long sync may be closed at the instant in which it is used again
            aiohttp.ClientSession(headers=asking.headers, connector=aiohttp.TCPConnector(force_close=True)) as session,
        ):
            trial = Trial(size, server.url, figures, chance, fleet, session)
            await trial.furnish()
            for _ in range(size.kills):
                await trial.kill_in_a_sync()
            await trial.publish()
            took = await trial.sync(trial.client(0))
            await trial.judge()
    if size is not SHORT:  # few registrations may be synced before the signal arrives
        figures.expect(figures.sometimes["killed with some synced and some not"] > 0, "no sync was killed half way")
    figures.expect(took <= SYNC_MAX_S, f"a bulk sync took {took:.1f} s")
    figures.figures["registrations"] = size.registrations
    figures.figures["schedules"] = size.registrations * size.schedules
    figures.figures["synced when killed"] = trial.synced_at_kills[: size.kills]
    figures.figures["seconds for a bulk sync of all"] = round(took, 2)
    figures.seconds = time.monotonic() - began
    return figures


async def _each(work: Callable[[T], Awaitable[None]], things: Iterable[T]) -> None:
    """Do it for each of them, some at a time."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(thing: T) -> None:
        async with free:
            await work(thing)

    await asyncio.gather(*(one(thing) for thing in things))
