"""
T29, the import cut off: a group's import of a large file is stopped, or its service killed, when half of it is read.

The table keeps its former rows to the last one, the file stays where it is, and the job that would have followed has
not begun. The same file, loaded afterwards, is there once. What is half is what a client sees in the live stream; the
tables are compared with what the database's own COPY makes of the files.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tests.chaos.figures import Figures, spread
from tests.chaos.loading import COLUMNS, MAIL, House, open_house, write
from tests.chaos.storm import RECOVERY_MAX_S, audits
from tests.support.waiting import eventually

FORMER: Final = 1_000
HALF: Final = 0.45
"""What a load tells when half of its file is read: a tenth is left for what comes after the last byte."""
SEEN_S: Final = 60.0
ENDED_S: Final = 180.0
STOPPED_MAX_S: Final = 10.0

Cut = Literal["stop", "kill", "stop, then kill"]
Where = Literal["folder", "SFTP"]

STOPPED: Final = [("aborted", "stopped"), ("aborted", "stopped"), ("skipped", "group_stopped")]
"""How a stopped run ends, and its two jobs."""


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows the files have, and which imports are cut off: how, from where, in which mode."""

    rows: int
    cuts: tuple[tuple[Cut, Where, str], ...]


SHORT: Final = Size(rows=50_000, cuts=(("stop", "folder", "replace"), ("kill", "folder", "append")))
CUTS: Final[tuple[tuple[Cut, Where, str], ...]] = (
    ("stop", "folder", "replace"),
    ("stop", "folder", "append"),
    ("stop", "folder", "merge"),
    ("kill", "folder", "replace"),
    ("kill", "folder", "append"),
    ("stop, then kill", "folder", "replace"),
    ("stop", "SFTP", "replace"),
    ("kill", "SFTP", "append"),
)


def long(minutes: float) -> Size:
    """A million rows; all of the cuts, about three minutes, as often as they fit."""
    return Size(rows=1_000_000, cuts=CUTS * max(1, round(minutes / 4)))


@dataclass
class Trial:
    """One group of two imports; `number` tells it from the others."""

    number: int
    rows: int
    cut: Cut
    where: Where
    mode: str
    house: House

    @property
    def group(self) -> str:
        return f"lists-{self.number}"

    @property
    def table(self) -> str:
        return f"contacts_{self.number}"

    @property
    def folder(self) -> Path:
        """Where the large file lies; the small one is always in the workspace's folder."""
        return self.house.sftp.root if self.where == "SFTP" else self.house.files

    @property
    def source(self) -> Path:
        return self.folder / f"contacts-{self.number}.csv"

    @property
    def next_source(self) -> Path:
        return self.house.files / f"extension-{self.number}.csv"

    async def furnish(self) -> None:
        """Make the group, and let it load a first file."""
        place: dict[str, Any] = {"source": self.source.name}
        if self.where == "SFTP":
            place = {"source": self.house.sftp.url(f"/{self.source.name}"), "sftp": self.house.login}
        keys = {"keys": ["id"]} if self.mode == "merge" else {}
        large = {**place, "table": self.table, "mode": self.mode, "columns": COLUMNS, **keys}
        small = {"source": self.next_source.name, "table": f"extension_{self.number}", "columns": COLUMNS}
        jobs = {f"contacts-{self.number}": large, f"extension-{self.number}": small}
        client = self.house.client
        for name, config in jobs.items():
            given = {"kind": "import", "handler": "csv.import", "config": {**config, "after": {}}}
            await client.do("SaveJob", {"id": name, "expires_on": "never", **given})
            await client.do("ActivateJob", {"id": name})
        told = {"mode": "always", "recipients": [MAIL]}
        body = {"id": self.group, "name": self.group, "jobs": list(jobs), "notification": told}
        await client.do("CreateGroup", body)
        await client.do("ActivateGroup", {"id": self.group})
        write(self.source, 1, FORMER)
        write(self.next_source, 1, 1)
        ended = await self.run("former")
        assert ended["state"] == "succeeded", ended
        if self.number == 1:
            await self.house.enter(self.table)
        await self.house.linger(self.table, self.rows)

    async def run(self, name: str) -> dict[str, Any]:
        """Run the group to its end."""
        await self.begin(name)
        return await self.house.client.run_ended(self.run_id(name), ENDED_S)

    async def begin(self, name: str) -> None:
        body = {"owner": {"kind": "group", "id": self.group}, "id": self.run_id(name)}
        await self.house.client.do("RunNow", body)
        self.house.figures.commands.update(("sent", "accepted"))

    def run_id(self, name: str) -> str:
        return f"{name}-{self.number}"

    async def play(self) -> None:
        """Cut an import off at half, look at what is left, and load the file after all."""
        await self.furnish()
        house, before = self.house, await self.house.rows_of(self.table)
        first = FORMER // 2 if self.mode == "merge" else FORMER + 1
        write(self.source, first, self.rows)
        write(self.next_source, 2, 1)
        facts = self.facts()
        async with house.gate_shut():
            async with asyncio.timeout(SEEN_S), house.progress(self.run_id("cut")) as shares:
                await self.begin("cut")
                share = await anext(one async for one in shares if one >= HALF)
            house.shares.append(share)
            self.expect(await house.rows_of(self.table) == before, "who reads meanwhile does not see the former rows")
            await self.cut_off()
        await house.until_nobody_loads()
        self.expect(await house.rows_of(self.table) == before, "the table is not as it was")
        self.expect(self.facts() == facts, "the files are not as they were")
        if self.cut != "stop" and not await self.revive():
            return
        if self.cut != "kill":
            await self.judge_stopped()
            self.expect(await house.rows_of(self.table) == before, "the table is not as it was in the end")
            self.expect(self.facts() == facts, "the files are not as they were in the end")
        await self.judge_loaded("cut" if self.cut == "kill" else "again", first)

    async def cut_off(self) -> None:
        house = self.house
        if self.cut != "kill":
            began = time.monotonic()
            await house.client.do("StopRun", {"run": self.run_id("cut"), "mode": "now"})
            house.figures.commands.update(("sent", "accepted"))
            house.figures.faults["import stopped at half"] += 1
            if self.cut == "stop":
                await house.client.run_ended(self.run_id("cut"), SEEN_S)
                house.stopped_s.append(time.monotonic() - began)
        if self.cut != "stop":
            await house.serve.kill()
            house.figures.faults["service killed at half of an import"] += 1

    async def revive(self) -> bool:
        """Start the service again, but in the short form: whose run it was is known only after its lease."""
        if self.rows == SHORT.rows:
            return False
        house = self.house
        await house.serve.spawn()
        await house.serve.ready(house.session)
        began = time.monotonic()
        await eventually(self.is_taken_over, SEEN_S)
        house.figures.recovery_s.append(time.monotonic() - began)
        ended = await house.client.run_ended(self.run_id("cut"), ENDED_S)
        tries = [one["reason"] for one in jobs_of(ended)[0]["attempts"]]
        if self.cut == "kill":
            self.expect(tries == ["interrupted", None], f"its attempts ended {tries}")
        return True

    async def is_taken_over(self) -> bool:
        """Tell whether somebody else has the run, or nobody needs to: a stop may have been carried out in time."""
        run = await self.house.client.get(f"/runs/{self.run_id('cut')}")
        return run["term"] > 1 or run["ended_at"] is not None

    async def judge_stopped(self) -> None:
        """Expect the run to be stopped, its second job skipped, nothing noted as loaded, and the report to say so."""
        run = await self.house.client.get(f"/runs/{self.run_id('cut')}")
        ends = [(run["state"], run["reason"]), *((job["state"], job["reason"]) for job in jobs_of(run))]
        self.expect(ends == STOPPED, f"the run and its jobs ended {ends}")
        self.expect(await self.loads() == 1, "a load is noted")
        self.expect(
            await self.report("cut") == f"Group {self.group} ({self.group}) was stopped.", "no report of the stop"
        )

    async def judge_loaded(self, name: str, first: int) -> None:
        """Expect the file, loaded by another run or by another attempt of the same, to be there once, and archived."""
        run = await (self.house.client.run_ended(self.run_id(name)) if name == "cut" else self.run(name))
        added = self.rows - (FORMER - first + 1 if self.mode == "merge" else 0)
        counts = jobs_of(run)[0]["counts"]
        self.expect(run["state"] == "succeeded", f"the load ended {run['state']}, {run['reason']}")
        self.expect((counts.get("processed"), counts.get("added")) == (self.rows, added), f"it counts {counts}")
        archived = self.archived(name)
        self.expect(archived.exists() and not self.source.exists(), "the file was not archived")
        if not archived.exists():
            return
        self.expect(not self.next_source.exists(), "the next job's file was not archived")
        self.expect(await self.loads() == 2, "not each file is noted as loaded once")
        former = None if self.mode == "replace" else self.archived("former")
        expected = await self.house.copied(archived, former, below=first)
        self.expect(await self.house.rows_of(self.table) == expected, "the rows are not those of the file")
        self.expect(await self.report(name) == f"Group {self.group} ({self.group}) succeeded.", "no report of the load")
        archived.unlink(missing_ok=True)
        await self.house.drop(self.table)

    def archived(self, name: str) -> Path:
        """Return where a run puts the large file away."""
        return self.folder / "archive" / f"{self.run_id(name)}-1" / self.source.name

    async def report(self, name: str) -> str:
        """Return the first line of the mail about a run, of which there is one."""

        def mails() -> list[list[str]]:
            texts = [mail.parsed.get_body(("plain",)).get_content() for mail in self.house.mail.mails]
            return [text.splitlines() for text in texts if f"Run: {self.run_id(name)}\n" in text.replace("\r", "")]

        found = await eventually(mails, SEEN_S)
        self.expect(len(found) == 1, f"{len(found)} reports of {self.run_id(name)}")
        return found[0][0].strip()

    async def loads(self) -> int:
        """Return how many loads of the large file's job are noted."""
        job = f"import/contacts-{self.number}"
        return int(await self.house.connection.fetchval("SELECT count(*) FROM eventjobs_loads WHERE job = $1", job))

    def facts(self) -> Mapping[Path, tuple[int, int]]:
        """Return size and time of change of all files, also of those that were put away."""
        found = {path: path.stat() for path in {*self.folder.rglob("*.csv"), *self.house.files.rglob("*.csv")}}
        return {path: (one.st_size, one.st_mtime_ns) for path, one in found.items()}

    def expect(self, holds: bool, otherwise: str) -> None:
        told = f"{self.cut} of {self.mode} from {self.where}"
        self.house.figures.expect(holds, f"{self.number}, {told}: {otherwise}")


async def run(seed: int, size: Size, command: str) -> Figures:
    """Cut one import off after the other."""
    figures = Figures("T29 import cut off", ("P1", "P6", "P7", "P12"), seed, command)
    began = time.monotonic()
    async with open_house(figures) as house:
        for number, (cut, where, mode) in enumerate(size.cuts, 1):
            await Trial(number, size.rows, cut, where, mode, house).play()
        if size is not SHORT:
            await audits(figures, house.url, house.folder)
    slowest = max(house.stopped_s)
    figures.expect(slowest <= STOPPED_MAX_S, f"a stop took {slowest:.1f} s")
    slowest = max(figures.recovery_s, default=0.0)
    figures.expect(slowest <= RECOVERY_MAX_S, f"a take-over took {slowest:.1f} s")
    figures.figures["rows of a file"] = size.rows
    figures.figures["share of the file that was read"] = spread(house.shares)
    figures.figures["seconds from the stop to the end of the run"] = spread(house.stopped_s)
    figures.seconds = time.monotonic() - began
    return figures


def jobs_of(run: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a run's jobs in their order."""
    return [job for stage in run["stages"] for job in stage["job_runs"]]
