"""A workspace that is busy: schedules that come due often, and clients that give commands all the time."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any, Final

from tests.chaos.fleet import Counter
from tests.chaos.journal import Journal, Retrying
from tests.chaos.oracle import LogReader

WORKSPACE: Final = "storm"
MINUTE: Final = timedelta(minutes=1)
START: Final = {"start_date": "2026-01-01", "start_time": "00:00", "time_zone": "UTC", "every": 1, "unit": "minute"}
HOLD_MS: Final = (0, 20, 100, 400, 1500)
CHANNELS: Final = 4
ANSWERED_S: Final = 60.0
"""Within this every command has a definite answer, whatever is broken meanwhile."""


def environment(url: str | None, counter: Counter) -> dict[str, str]:
    """Return the settings of instances whose jobs may call the counter."""
    given = {"EVENTJOBS_MIN_PERIOD": "PT1S", "EVENTJOBS_OUTBOUND_ALLOW": f"127.0.0.1:{counter.port}"}
    return given | ({} if url is None else {"EVENTJOBS_DATABASE_URL": url})


@dataclass
class Workload:
    """What was set up, and the numbers that make every command's mark its own."""

    client: Retrying
    journal: Journal
    counter: Counter
    chance: Random
    schedules: list[str] = field(default_factory=list)
    grid: dict[str, timedelta] = field(default_factory=dict)
    numbers: int = 0
    keys: str = "k"

    async def do(self, command: str, body: Mapping[str, Any], mark: str) -> int | None:
        """Give one command of the workspace, and return its definite status."""
        self.numbers += 1
        path = f"/v1/{WORKSPACE}/commands/{command}"
        return (await self.client.do(f"{self.keys}{self.numbers}", path, command, body, mark)).status

    async def set_up(self, schedules: int) -> None:
        """Make the workspace and its schedules: half on the grid of minutes, half with elapsed time."""
        await self.client.do(
            "workspace", "/v1/workspaces", "CreateWorkspace", {"id": WORKSPACE, "time_zone": "UTC"}, "stream workspace"
        )
        for number in range(schedules):
            await self._schedule(f"s{number}", timing="grid" if number % 2 == 0 else "elapsed")

    async def _schedule(self, name: str, timing: str) -> None:
        rows = []
        for place, (seq, delivery) in enumerate(((1, "at_least_once"), (1, "at_most_once"), (2, "at_least_once"))):
            job = f"count-{name}-{place}"
            await self._service(job, delivery)
            rows.append({"job": {"kind": "service", "id": job}, "seq": seq})
        body = {
            "id": name,
            "active": True,
            "cadence": START,
            "jobs": rows,
            "policies": {"timing": timing},
        }
        status = await self.do("CreateSchedule", body, f"stream schedule:{name}")
        assert status == 201, status
        self.schedules.append(name)
        if timing == "grid":
            self.grid[name] = MINUTE

    async def _service(self, job: str, delivery: str) -> int | None:
        config = {"url": self.counter.url(job, self.chance.choice(HOLD_MS))}
        policy = {"delivery": delivery, "attempts": 5 if delivery == "at_least_once" else 1}
        body = {"id": job, "handler": "http", "config": config, **policy}
        return await self.do("AddService", body, f"stream service:{job}")

    async def run_for_ever(self, pause_s: float) -> None:
        """Let several clients give commands, each waiting for its answer before the next."""
        await asyncio.gather(*(self._channel(pause_s) for _ in range(CHANNELS)))

    async def _channel(self, pause_s: float) -> None:
        while True:
            await self._something()
            await asyncio.sleep(pause_s * self.chance.random() * 2)

    async def _something(self) -> None:
        number = self.numbers
        kind = self.chance.random()
        if kind < 0.35:
            text = f"text-{number}-{self.chance.random()}"
            await self.do(
                "DescribeSchedule",
                {"id": self.chance.choice(self.schedules), "description": text},
                f"text {text}",
            )
        elif kind < 0.5:
            owner = self.chance.choice(self.schedules)
            run = f"by-hand-{number}-{self.chance.randrange(10**9)}"
            await self.do("RunNow", {"owner": {"kind": "schedule", "id": owner}, "id": run}, f"run {run}")
        else:
            job = f"count-m{number}-{self.chance.randrange(10**9)}"
            if await self._service(job, self.chance.choice(("at_least_once", "at_most_once"))) == 201:
                await self.do("RunNow", {"owner": {"kind": "service", "id": job}}, f"opened service:{job}")

    async def inactivate_all(self) -> None:
        """Let nothing be due any more."""
        for name in self.schedules:
            status = await self.do("InactivateSchedule", {"id": name}, f"inactive {name}")
            assert status in {200, 201}, f"{name} was not inactivated: {status}"


@dataclass
class Verdict:
    """What became of the commands, by the journal and the log."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


UNMARKED: Final = frozenset({"CreateWorkspace", "InactivateSchedule"})


def judge(journal: Journal, log: LogReader) -> Verdict:
    """Compare each command's answer with how often, and where, the log has it."""
    verdict = Verdict(wrong=list(journal.wrong))
    for sent in journal.commands.values():
        tried_s = sent.last_known - sent.first_sent
        if sent.status is None and tried_s > ANSWERED_S:
            verdict.wrong.append(f"{sent.key} {sent.command} had no answer in {tried_s:.0f} s")
        if sent.command in UNMARKED:
            continue
        found = log.marks.get(sent.mark, [])
        if sent.status in {200, 201} and not found:
            verdict.lost.append(f"{sent.key} {sent.command} {sent.mark}")
        elif len(found) > 1:
            verdict.duplicated.append(f"{sent.key} {sent.command} {sent.mark} at {found}")
        elif sent.status is not None and sent.status >= 400 and found:
            verdict.wrong.append(f"{sent.key} was refused with {sent.status} and is at {found}")
        elif sent.status in {200, 201} and found[0] > sent.answer["position"]:
            verdict.wrong.append(f"{sent.key} was answered with {sent.answer['position']} and is at {found}")
    verdict.wrong += out_of_order(journal)
    return verdict


def out_of_order(journal: Journal) -> list[str]:
    """Return each command that was sent after another's answer and stands before it."""
    accepted = [one for one in journal.commands.values() if one.status == 201]
    moments = [(one.answered or 0.0, 0, one) for one in accepted] + [(one.first_sent, 1, one) for one in accepted]
    highest, floor, wrong = 0, dict[str, int](), list[str]()
    for _, kind, one in sorted(moments, key=lambda moment: moment[:2]):
        if kind == 1:
            floor[one.key] = highest
        else:
            highest = max(highest, one.answer["position"])
    wrong += [
        f"{one.key} is at {one.answer['position']}, but {floor[one.key]} was acknowledged before it was sent"
        for one in accepted
        if one.answer["position"] <= floor[one.key]
    ]
    return wrong
