"""
T1, the kill storm: instances, Postgres and single backends are killed again and again while clients go on.

Faults come in phases; after each, nothing more is broken until every open run has an owner that lives, and how long
that takes is measured. At the end the log is compared with what clients were told and what the counter saw.
"""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import asyncpg

from eventjobs.postgres.embedded import EmbeddedPostgres
from tests.chaos.figures import REPOSITORY, Figures, spread
from tests.chaos.fleet import Fleet, end, writes_accepted
from tests.chaos.scene import Scene, beside, busy
from tests.chaos.workload import judge
from tests.support.waiting import eventually

SERVICE_KILL_S: Final = (0.4, 1.6)
POSTGRES_KILL_S: Final = (1.5, 5.0)
FREEZE_S: Final = (0.1, 4.0)
FREEZE_EVERY_S: Final = (2.0, 6.0)
RECOVERED_S: Final = 60.0
RECOVERY_MAX_S: Final = 15.0
ACCEPTED_MAX_S: Final = 5.0
SETTLED_S: Final = 90.0
AUDITED_S: Final = 120.0


@dataclass(frozen=True, slots=True)
class Size:
    """How long the faults last in each phase, how many phases, and how much there is to break."""

    phases: int
    phase_s: float
    instances: int = 3
    schedules: int = 12
    pause_s: float = 0.15


SHORT: Final = Size(phases=1, phase_s=6.0, schedules=6)


def long(minutes: float) -> Size:
    """Return phases that take about that long, recoveries included."""
    return Size(phases=max(1, round(minutes * 60 / 32)), phase_s=20.0)


class Storm:
    """Breaks things in an order that the seed decides."""

    def __init__(self, fleet: Fleet, server: EmbeddedPostgres, chance: Random, figures: Figures) -> None:
        self._fleet = fleet
        self._server = server
        self._chance = chance
        self._figures = figures

    async def rage(self, seconds: float) -> None:
        """Kill and freeze for so long; when it returns, nothing is frozen."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as faults:
                faults.create_task(self._kill_services())
                faults.create_task(self._kill_postgres())
                faults.create_task(self._freeze())
        for member in self._fleet.members:
            if member.is_frozen:
                member.signal(signal.SIGCONT)
                member.is_frozen = False

    async def _kill_services(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*SERVICE_KILL_S))
            several = 1 if self._chance.random() < 0.85 else len(self._fleet.members)
            for member in self._chance.sample(self._fleet.members, several):
                self._figures.faults["service killed"] += await member.kill()

    async def _kill_postgres(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*POSTGRES_KILL_S))
            if self._chance.random() < 0.6:
                pid = self._server.pid
                if pid is not None:
                    os.kill(pid, signal.SIGKILL)
                    self._figures.faults["postmaster killed"] += 1
            else:
                self._figures.faults["backend killed"] += self._kill_backend()

    def _kill_backend(self) -> int:
        """Kill one process that serves a client; found as a child of the postmaster, never by a name alone."""
        postmaster = self._server.pid
        if postmaster is None:
            return 0
        try:
            children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text("utf-8").split()
            serving = [pid for pid in children if _title(pid).startswith("postgres: eventjobs")]
            os.kill(int(self._chance.choice(serving)), signal.SIGKILL)
        except (OSError, IndexError):
            return 0
        return 1

    async def _freeze(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*FREEZE_EVERY_S))
            member = self._chance.choice(self._fleet.members)
            if member.signal(signal.SIGSTOP):
                self._figures.faults["service frozen"] += 1
                await asyncio.sleep(self._chance.uniform(*FREEZE_S))
                if member.is_frozen:
                    member.signal(signal.SIGCONT)
                    member.is_frozen = False


def _title(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text("utf-8").strip("\0")
    except OSError:  # it has just ended
        return ""


async def recovery(scene: Scene) -> tuple[float, float]:
    """
    Return two spans in seconds, both after the last fault.

    From when Postgres took writes again and one instance lived, until a client's command was accepted, and until every
    open run had an owner that lives.
    """
    fleet, log = scene.fleet, scene.log
    await eventually(lambda: writes_accepted(scene.url), timeout_s=RECOVERED_S, every_s=0.05)

    async def one_lives() -> bool:
        return bool(await fleet.identities(scene.session))

    await eventually(one_lives, timeout_s=RECOVERED_S, every_s=0.05)
    usable = time.monotonic()

    async def all_owned() -> bool:
        living = await fleet.identities(scene.session)
        try:
            await log.catch_up(scene.url)
        except asyncpg.CannotConnectNowError as starting:  # it is still recovering from the last blow
            raise AssertionError("not up yet") from starting
        return log.owned_by(living)

    await eventually(all_owned, timeout_s=RECOVERED_S, every_s=0.1)
    owned = time.monotonic() - usable
    await eventually(lambda: scene.journal.accepted_after(usable), timeout_s=RECOVERED_S)
    return (scene.journal.accepted_after(usable) or usable) - usable, owned


async def run(seed: int, size: Size, command: str) -> Figures:
    """Storm, recover, compare."""
    figures = Figures("T1 kill storm", ("P1", "P2", "P3", "P5", "P6", "P7", "P12"), seed, command)
    began = time.monotonic()
    async with busy(size.instances, size.schedules, Random(seed)) as scene:
        await _rounds(figures, size, scene, Random(seed + 1))
        compare(figures, scene)
        figures.expect(max(figures.recovery_s) <= RECOVERY_MAX_S, f"a recovery took {max(figures.recovery_s):.1f} s")
        await audits(figures, scene.url, scene.folder)
        codes = await scene.fleet.stop()
        figures.expect(all(code == 0 for code in codes), f"exit codes {codes}")
    figures.seconds = time.monotonic() - began
    return figures


async def _rounds(figures: Figures, size: Size, scene: Scene, chance: Random) -> None:
    storm = Storm(scene.fleet, scene.server, chance, figures)
    until_writes: list[float] = []
    async with (
        beside(scene.fleet.keep()),
        beside(scene.work.run_for_ever(size.pause_s)) as clients,
    ):
        for _ in range(size.phases):
            await storm.rage(size.phase_s)
            writes, owned = await recovery(scene)
            until_writes.append(writes)
            figures.recovery_s.append(owned)
            if clients.done():
                clients.result()
        clients.cancel()
        await settle(figures, scene)
    figures.figures["seconds until commands are accepted"] = spread(until_writes)
    figures.expect(max(until_writes) <= ACCEPTED_MAX_S, f"no command was accepted for {max(until_writes):.1f} s")


async def settle(figures: Figures, scene: Scene) -> None:
    """With no faults any more, let everything come to its end: liveness, after safety."""
    log = scene.log
    for member in scene.fleet.members:
        await member.ready(scene.session)
    await scene.work.inactivate_all()
    began = time.monotonic()

    async def none_open() -> bool:
        await log.catch_up(scene.url)
        return not log.open

    try:
        await eventually(none_open, timeout_s=SETTLED_S, every_s=0.2)
    except AssertionError:
        stuck = [f"{run} of {log.runs[run].owner}, {log.runs[run]}" for run in sorted(log.open)[:5]]
        figures.wrong.append(f"{len(log.open)} runs never ended: {stuck}")
    figures.figures["seconds until every run had ended"] = round(time.monotonic() - began, 1)


def compare(figures: Figures, scene: Scene) -> None:
    """Hold the log against the journal, the counter and itself."""
    journal, log, calls = scene.journal, scene.log, scene.counter.calls()
    verdict = judge(journal, log)
    tries = journal.tries
    figures.commands.update(
        sent=tries["sent"], accepted=tries["accepted"], rejected=tries["rejected"], unknown=tries["unknown"]
    )
    figures.lost, figures.duplicated, figures.gaps = len(verdict.lost), len(verdict.duplicated), log.gaps
    figures.wrong += verdict.lost[:5] + verdict.duplicated[:5] + verdict.wrong[:5] + log.wrong[:10]
    due, unexplained = log.occurrences_wrong(scene.work.grid)
    doubled = log.doubled()
    effects = log.effects_wrong(calls)
    figures.wrong += unexplained[:5] + doubled[:5] + effects[:5]
    outcomes = [outcome for found in log.outcomes.values() for outcome in found]
    interrupted = sum(t.reason == "interrupted" for r in log.runs.values() for t in r.tries.values())
    figures.figures.update(
        {
            "events in the log": log.position,
            "commands acknowledged": sum(one.status in {200, 201} for one in journal.commands.values()),
            "occurrences walked on the grid": due,
            "occurrences unexplained": len(unexplained),
            "occurrences doubled": len(doubled),
            "occurrences ran": outcomes.count("ran"),
            "runs": len(log.runs),
            "barrier violations": log.barrier_violations,
            "effects counted outside": len(calls),
            "effects unexplained": len(effects),
            "take-overs": log.take_overs,
            "longest answer s": round(journal.longest_s, 1),
        }
    )
    figures.sometimes.update(journal.seen)
    figures.sometimes.update({"take-over": log.take_overs, "attempt interrupted": interrupted})
    figures.sometimes.update({"occurrence missed or skipped": len(outcomes) - outcomes.count("ran")})


async def audits(figures: Figures, url: str, folder: Path) -> None:
    """Let the service's own proofs look at the log as well."""
    for proof in ("verify", "occurrences"):
        code, said = await audit(url, folder, proof)
        figures.figures[f"audit {proof}"] = "clean" if code == 0 else said[-500:]
        figures.expect(code == 0, f"audit {proof} ended with {code}: {said[-500:]}")


async def audit(url: str, folder: Path, proof: str) -> tuple[int, str]:
    """Run `eventjobs audit …` as a user would; return its exit code and what it said."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("EVENTJOBS_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "eventjobs", "audit", proof, "--database-url", url),
        env=given | {"EVENTJOBS_DATA_DIR": str(folder / "audit")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=REPOSITORY,
    )
    try:
        async with asyncio.timeout(AUDITED_S):
            said, _ = await process.communicate()
    finally:
        await end(process)
    return process.returncode or 0, said.decode()
