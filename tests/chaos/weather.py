"""
T3, proxy weather: the links between the instances and Postgres are slowed, swallowed, halved, reset and held up.

Meanwhile every call must come to its end within its time, and afterwards the connections are idle again and no more
than there may be.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import aiohttp
import asyncpg

from tests.acceptance.instance import ADMIN_KEY
from tests.chaos.figures import Figures
from tests.chaos.fleet import Counter, Serve, counting, postgres, scratch
from tests.chaos.journal import Journal, Retrying
from tests.chaos.oracle import LogReader
from tests.chaos.scene import beside
from tests.chaos.storm import audits
from tests.chaos.workload import Workload, environment, judge
from tests.support.waiting import eventually

SOCKET: Final = ".s.PGSQL.5432"
CHUNK: Final = 65_536
KINDS: Final = ("delay", "trickle", "black hole to us", "black hole to Postgres", "half open", "reset", "slow accept")
CONNECTIONS_EACH: Final = 26
"""What the pools of one instance may hold together, with the connections of its own."""
ANSWER_MAX_S: Final = 30.0
CALM_S: Final = 60.0
BUSY: Final = (
    "SELECT count(*) FILTER (WHERE state <> 'idle' AND now() - state_change > interval '5 s') AS stuck, count(*) AS all"
    " FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many spells of bad weather, and how long each lasts."""

    spells: int
    spell_s: float


SHORT: Final = Size(spells=3, spell_s=3.0)


def long(minutes: float) -> Size:
    """About twenty seconds each; each kind at least twice."""
    return Size(spells=max(14, round(minutes * 3)), spell_s=12.0)


@dataclass
class Weather:
    """A link to a server on a unix socket, and what happens on it now (`None`: nothing)."""

    upstream: Path
    chance: Random
    kind: str | None = None
    _clear: asyncio.Event = field(default_factory=asyncio.Event)
    _pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, kind: str) -> None:
        self.kind = kind
        self._clear.clear()
        for ours, server in tuple(self._pairs):
            if kind in {"reset", "half open"}:
                server.transport.abort()
            if kind == "reset":
                ours.transport.abort()

    def end(self) -> None:
        self.kind = None
        self._clear.set()

    async def close(self) -> None:
        self.end()
        for task in tuple(self._serving):
            task.cancel()
        if self._serving:
            await asyncio.wait(self._serving)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        server: asyncio.StreamWriter | None = None
        try:
            if self.kind == "slow accept":
                await self._clear.wait()
            answers, server = await asyncio.open_unix_connection(str(self.upstream))
            self._pairs.add((writer, server))
            ways = [
                asyncio.ensure_future(self._forward(reader, server, "black hole to Postgres")),
                asyncio.ensure_future(self._forward(answers, writer, "black hole to us")),
            ]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                while self.kind == "half open":  # the server is gone, and nobody tells us
                    await self._clear.wait()
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.wait(ways)
        except (OSError, asyncio.CancelledError):
            pass  # whoever cancels is the end of the suite; nothing follows here
        finally:
            for side in filter(None, (writer, server)):
                side.transport.abort()
            if server is not None:
                self._pairs.discard((writer, server))
            self._serving.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hole: str) -> None:
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                while self.kind == hole:
                    await self._clear.wait()
                if self.kind == "delay":
                    await asyncio.sleep(self.chance.uniform(0.0, 0.15))
                if self.kind == "trickle":
                    for begin in range(0, len(chunk), 256):
                        writer.write(chunk[begin : begin + 256])
                        await asyncio.sleep(0.005)
                    continue
                writer.write(chunk)
                await writer.drain()


@asynccontextmanager
async def weather(url: str, folder: Path, chance: Random) -> AsyncIterator[tuple[Weather, str]]:
    """A link with weather, and the URL that leads through it."""
    parts = urlsplit(url)
    folder.mkdir(mode=0o755)
    link = Weather(Path(parse_qs(parts.query)["host"][0]) / SOCKET, chance)
    server = await asyncio.start_unix_server(link.serve, folder / SOCKET)
    try:
        yield link, urlunsplit(parts._replace(query=urlencode({"host": str(folder), "port": 5432})))
    finally:
        server.close()
        await link.close()


async def run(seed: int, size: Size, command: str) -> Figures:
    """One spell after the other, over one link or both."""
    figures, chance = Figures("T3 proxy weather", ("P2", "P3"), seed, command), Random(seed)
    began = time.monotonic()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(scratch())
        journal = stack.enter_context(Journal(folder / "journal.jsonl"))
        server = await stack.enter_async_context(postgres(folder))
        counter = await stack.enter_async_context(counting(folder))
        headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
        session = await stack.enter_async_context(aiohttp.ClientSession(headers=headers))
        members, links = [], []
        for number in (1, 2):
            link, through = await stack.enter_async_context(weather(server.url, folder / f"link-{number}", chance))
            links.append(link)
            members.append(Serve(folder, number, environment(through, counter)))
            stack.push_async_callback(members[-1].kill)
            await members[-1].spawn()
        for member in members:
            await member.ready(session)
        client = Retrying(session, lambda: [member.url for member in members], journal, chance, answer_s=ANSWER_MAX_S)
        work = Workload(client, journal, counter, chance)
        await work.set_up(4)
        log = LogReader()
        async with beside(work.run_for_ever(0.1)):
            for number in range(size.spells):
                await _spell(figures, size, chance, links, number)
                after = time.monotonic()
                await eventually(lambda since=after: journal.accepted_after(since), timeout_s=CALM_S)  # type: ignore[misc]
                figures.recovery_s.append((journal.accepted_after(after) or after) - after)
        await _settled(figures, server.url, session, members, work, log)
        _compare(figures, journal, log, counter)
        if size is not SHORT:  # starting two more processes is most of a short form's time
            await audits(figures, server.url, folder)
    figures.seconds = time.monotonic() - began
    return figures


async def _spell(figures: Figures, size: Size, chance: Random, links: list[Weather], number: int) -> None:
    await asyncio.sleep(chance.uniform(0.2, 1.0))
    kind = KINDS[number % len(KINDS)] if size.spells >= len(KINDS) else chance.choice(KINDS)
    hit = links if chance.random() < 0.3 else [chance.choice(links)]
    for link in hit:
        link.begin(kind)
    figures.faults[kind] += 1
    await asyncio.sleep(size.spell_s)
    for link in hit:
        link.end()


async def _settled(
    figures: Figures, url: str, session: aiohttp.ClientSession, members: list[Serve], work: Workload, log: LogReader
) -> None:
    for member in members:
        await member.ready(session)
    await work.inactivate_all()

    async def quiet() -> bool:
        await log.catch_up(url)
        return not log.open

    await eventually(quiet, timeout_s=CALM_S, every_s=0.3)

    async def idle() -> bool:
        connection = await asyncpg.connect(url, timeout=5)
        try:
            row = await connection.fetchrow(BUSY, timeout=5)
        finally:
            await connection.close(timeout=5)
        assert row is not None
        figures.figures["connections stuck"] = row["stuck"]
        figures.figures["connections leaked"] = max(0, row["all"] - CONNECTIONS_EACH * len(members))
        return not row["stuck"] and not figures.figures["connections leaked"]

    try:
        await eventually(idle, timeout_s=CALM_S, every_s=0.5)
    except AssertionError:
        figures.wrong.append("connections were left busy, or more than the pools may hold")


def _compare(figures: Figures, journal: Journal, log: LogReader, counter: Counter) -> None:
    verdict = judge(journal, log)
    tries = journal.tries
    figures.commands.update(
        sent=tries["sent"], accepted=tries["accepted"], rejected=tries["rejected"], unknown=tries["unknown"]
    )
    figures.lost, figures.duplicated, figures.gaps = len(verdict.lost), len(verdict.duplicated), log.gaps
    doubled, effects = log.doubled(), log.effects_wrong(counter.calls())
    figures.wrong += verdict.lost[:5] + verdict.duplicated[:5] + verdict.wrong[:5] + log.wrong[:5]
    figures.wrong += doubled[:5] + effects[:5]
    figures.sometimes.update(journal.seen)
    figures.sometimes.update({"take-over": log.take_overs})
    late = journal.seen["no answer in time"]
    figures.expect(not late, f"{late} calls had no answer within {ANSWER_MAX_S} s")
    figures.figures.update({"longest answer s": round(journal.longest_s, 1), "effects unexplained": len(effects)})
