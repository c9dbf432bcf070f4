"""
T30, a full slot: 500 groups are due in one quarter of an hour, and two instances answer.

Each group's run opens in the minute that was drawn and recorded when it was activated, once, by one of the two. The
quarter is lived through minute by minute: the database's clock, by which all go, is set forward to some seconds before
each minute under libfaketime, or, in a long run, is left alone. Calls are counted outside, by this machine's own clock.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.acceptance.instance import Client
from tests.chaos import fleet
from tests.chaos.clocks import LIBRARIES, NO_LIBRARY, FakeClock, clocked_postgres, fake_clock
from tests.chaos.figures import Figures, spread
from tests.chaos.fleet import counting, sailing, scratch
from tests.chaos.oracle import LogReader
from tests.chaos.storm import audits
from tests.chaos.workload import environment
from tests.support.waiting import eventually

WORKSPACE: Final = "quarter"
MINUTES: Final = 15
SLOT: Final = {"type": "daily", "hour": 3, "slot": "00-14", "time_zone": "UTC"}
FURNISHED: Final = timedelta(hours=2)
"""The time of the day at which the groups are made, an hour before the quarter begins."""
EARLY_MAX_S: Final = 0.25
"""How much an instance may be mistaken about the database's clock: half of what a reading may take."""
LATE_MAX_S: Final = 5.0
SHARE_MIN: Final = 0.1
"""What each instance opens at least of all runs."""
ENDED_S: Final = 30.0
AT_ONCE: Final = 16
NOT_RUN: Final = ("group.occurrences_missed", "group.occurrences_skipped", "run.taken_over")


@dataclass(frozen=True, slots=True)
class Size:
    """How many groups there are, and how many seconds before each minute the clock is set to."""

    groups: int
    lead_s: float


def long(minutes: float) -> Size:
    """All of the groups; a reading of the clock is taken every ten seconds, and from 20 minutes on none is left out."""
    return Size(groups=500, lead_s=12.0 if minutes < 20 else 60.0)


@dataclass
class Quarter:
    """One run of the suite; by group what is `due`, and by minute how far the clock was set forward."""

    figures: Figures
    size: Size
    url: str
    client: Client
    clock: FakeClock
    counter: fleet.Counter
    log: LogReader = field(default_factory=LogReader)
    due: dict[str, datetime] = field(default_factory=dict)
    ahead_s: dict[datetime, float] = field(default_factory=dict)

    async def furnish(self) -> None:
        """Make the groups, an hour before their quarter, and note in which minute each is due."""
        await self.client.post("/v1/workspaces", {"id": WORKSPACE, "time_zone": "UTC", "kind": "automation"})
        free = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(self.group(number, free) for number in range(self.size.groups)))
        outside = [name for name, due in self.due.items() if (due.hour, due.minute // MINUTES) != (SLOT["hour"], 0)]
        self.figures.expect(not outside, f"due outside of the quarter: {outside[:5]}")

    async def group(self, number: int, free: asyncio.Semaphore) -> None:
        """Make a group of two quick jobs."""
        name, jobs = f"group-{number}", [f"count-{number}-{place}" for place in (1, 2)]
        async with free:
            for job in jobs:
                given = {"kind": "import", "handler": "http", "config": {"url": self.counter.url(job)}}
                await self.do("SaveJob", {"id": job, "expires_on": "never", **given})
                await self.do("ActivateJob", {"id": job})
            await self.do("CreateGroup", {"id": name, "name": name, "jobs": jobs, "schedule": SLOT})
            position = await self.do("ActivateGroup", {"id": name})
            shown = await self.client.get(f"/groups/{name}?wait_for={position}")
        self.due[name] = datetime.fromisoformat(shown["next_run"]["due"])
        self.figures.expect(self.due[name].minute == shown["schedule"]["minute"], f"{name} has two minutes")

    async def do(self, command: str, body: Mapping[str, Any]) -> int:
        answer = await self.client.do(command, body)
        self.figures.commands.update(("sent", "accepted"))
        return int(answer["position"])

    def forward(self, until: datetime, lead_s: float) -> None:
        """Set the database's clock to so long before a moment, unless it is there already."""
        ahead_s = (until - datetime.now(UTC)).total_seconds() - self.clock.offset_s - lead_s
        if ahead_s >= 1.0:
            self.clock.step(int(ahead_s))
            self.figures.faults["step of the database's clock"] += 1

    async def live(self) -> None:
        """Live through the quarter, minute by minute."""
        for minute in sorted(set(self.due.values())):
            self.forward(minute, self.size.lead_s)
            self.ahead_s[minute] = self.clock.offset_s
            of_minute = [name for name, due in self.due.items() if due == minute]

            async def all_ended(of_minute: Sequence[str] = of_minute) -> bool:
                await self.log.catch_up(self.url)
                ended = {run.owner for run in self.log.runs.values() if run.state is not None}
                return all(f"group:{name}" in ended for name in of_minute)

            try:
                await eventually(all_ended, self.size.lead_s + ENDED_S, every_s=0.2)
            except AssertionError:
                self.figures.wrong.append(f"not all that was due at {minute:%H:%M} has ended {ENDED_S:g} s later")

    def judge(self) -> None:
        """Expect of each group one run, opened in its minute, and of each job one call."""
        figures, log = self.figures, self.log
        runs = {name: [run for run in log.runs.values() if run.owner == f"group:{name}"] for name in self.due}
        figures.lost = sum(not found for found in runs.values())
        figures.duplicated = sum(len(found) > 1 for found in runs.values())
        figures.gaps = log.gaps
        for name, found in runs.items():
            told = [(run.due, run.state) for run in found]
            figures.expect(told == [(self.due[name], "succeeded")], f"{name}, due {self.due[name]}, has {told}")
        opened = [run for found in runs.values() for run in found]
        late = [(run.opened_at - self.due[name]).total_seconds() for name, found in runs.items() for run in found]
        figures.expect(min(late) >= 0.0, f"a run opened {-min(late):.2f} s early")
        figures.expect(max(late) <= LATE_MAX_S, f"a run opened {max(late):.1f} s late")
        answered = Counter(run.instance for run in opened)
        figures.expect(len(answered) == 2, f"of two instances {len(answered)} opened runs")
        figures.expect(min(answered.values()) >= SHARE_MIN * len(runs), f"they opened {dict(answered)}")
        figures.figures["seconds from the minute to the opening"] = spread(late)
        figures.figures["runs opened by each instance"] = sorted(answered.values())
        self.judge_minutes()
        self.judge_calls()

    def judge_minutes(self) -> None:
        """Expect the drawn minutes to be spread over the quarter."""
        drawn = Counter(due.minute for due in self.due.values())
        mean = len(self.due) / MINUTES
        figures = self.figures
        figures.expect(len(drawn) == MINUTES, f"only {len(drawn)} of {MINUTES} minutes were drawn")
        figures.expect(max(drawn.values()) <= 2 * mean, f"a minute was drawn {max(drawn.values())} times")
        figures.figures["groups due in each minute"] = [drawn[minute] for minute in range(MINUTES)]

    def judge_calls(self) -> None:
        """Expect each job to have been called once, and not before its minute, by the clock outside."""
        calls, late = self.counter.calls(), list[float]()
        wrong = self.log.effects_wrong(calls)
        self.figures.wrong += wrong[:5] + self.log.wrong[:5]
        times = Counter(call["path"] for call in calls)
        self.figures.expect(
            (len(times), set(times.values())) == (2 * len(self.due), {1}), f"{len(calls)} calls of {len(times)} jobs"
        )
        for call in calls:
            _, number, place = call["path"].rsplit("-", 2)
            due = self.due[f"group-{number}"]
            if place == "1":
                late.append(call["at"] + self.ahead_s[due] - due.timestamp())
        self.figures.expect(min(late) >= -EARLY_MAX_S, f"a job was called {-min(late):.2f} s early")
        self.figures.figures["seconds from the minute to the first call, by the clock outside"] = spread(late)
        missed = {name: self.log.types[name] for name in NOT_RUN if self.log.types[name]}
        self.figures.expect(not missed, f"there are {missed}")


async def run(seed: int, size: Size, command: str) -> Figures:
    """Live through a quarter of an hour."""
    figures = Figures("T30 full slot", ("P5", "P10"), seed, command)
    library = next((one for one in LIBRARIES if one.exists()), None)
    if library is None:
        figures.not_run_reason = NO_LIBRARY
        return figures
    began = time.monotonic()
    with scratch() as folder:
        clock = fake_clock(library, folder, "postgres")
        clock.step(int((next_midnight() + FURNISHED - datetime.now(UTC)).total_seconds()))
        async with (
            clocked_postgres(folder, clock) as url,
            counting(folder) as counter,
            sailing(folder, 2, environment(url, counter)) as (ships, session),
        ):
            quarter = Quarter(figures, size, url, Client(session, ships.members[0].url, WORKSPACE), clock, counter)
            await quarter.furnish()
            await quarter.live()
            quarter.judge()
            await audits(figures, url, folder)
            codes = await ships.stop()
            figures.expect(all(code == 0 for code in codes), f"exit codes {codes}")
    figures.figures["groups"] = size.groups
    figures.seconds = time.monotonic() - began
    return figures


def next_midnight() -> datetime:
    """Return when the next day begins, UTC."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
