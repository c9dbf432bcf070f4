"""
T7, zombies: instances are frozen for longer than their lease, and go on when others have taken over their runs.

What they then still say must be refused, every time; whatever they had begun outside is explained by its attempt.
"""

import asyncio
import signal
import time
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.figures import Figures
from tests.chaos.fleet import Serve
from tests.chaos.journal import Retrying
from tests.chaos.scene import Scene, beside, busy
from tests.chaos.storm import audits, compare, settle
from tests.chaos.workload import WORKSPACE
from tests.support.waiting import eventually

HOLD_MS: Final = 2_500
TAKEN_S: Final = 20.0
TAKEN_MAX_S: Final = 15.0
LONGER_S: Final = (0.0, 8.0)
REFUSED_S: Final = 4.0
NOTICED_S: Final = 10.0
SUPERSEDED: Final = "eventjobs_superseded_total"
LEASES_LOST: Final = "eventjobs_leases_lost_total"


@dataclass(frozen=True, slots=True)
class Size:
    """How often an instance is frozen, and how many runs it has in its hands then."""

    rounds: int
    runs: int
    instances: int = 3


SHORT: Final = Size(rounds=1, runs=12, instances=2)


def long(minutes: float) -> Size:
    """Half a minute each."""
    return Size(rounds=max(3, round(minutes * 60 / 60)), runs=30)


async def run(seed: int, size: Size, command: str) -> Figures:
    """Freeze, let the others take over, thaw, look."""
    figures, chance = Figures("T7 zombies", ("P6", "P12"), seed, command), Random(seed)
    began = time.monotonic()
    async with busy(size.instances, 2, chance) as scene:
        async with beside(scene.work.run_for_ever(0.5)):
            for number in range(size.rounds):
                await _round(figures, scene, chance, size, number)
        await settle(figures, scene)
        compare(figures, scene)
        if size is not SHORT:  # starting two more processes is most of a short form's time
            await audits(figures, scene.url, scene.folder)
        codes = await scene.fleet.stop()
        figures.expect(all(code == 0 for code in codes), f"exit codes {codes}")
    figures.figures["late writes accepted"] = scene.log.zombies_accepted
    slowest = max(figures.recovery_s)
    figures.expect(slowest <= TAKEN_MAX_S, f"a frozen instance's runs were taken over after {slowest:.1f} s")
    rare = figures.sometimes["late write refused"] + figures.sometimes["frozen instance found out by itself"]
    figures.expect(rare > 0, "no instance ever came back too late")
    figures.seconds = time.monotonic() - began
    return figures


async def _round(figures: Figures, scene: Scene, chance: Random, size: Size, number: int) -> None:
    victim = chance.choice(scene.fleet.members)
    who = await victim.identity(scene.session)
    assert who is not None, "the victim did not say who it is"
    await _give_it_runs(scene, victim, chance, size.runs, number)
    await scene.log.catch_up(scene.url)
    held = {run for run in scene.log.open if scene.log.runs[run].instance == who}
    assert held, "the victim had no runs in its hands"
    before, lost = [await victim.metric(scene.session, name) for name in (SUPERSEDED, LEASES_LOST)]
    assert before is not None, "the victim did not show its metrics"
    victim.signal(signal.SIGSTOP)
    figures.faults["service frozen beyond its lease"] += 1
    frozen = time.monotonic()

    async def taken() -> bool:
        await scene.log.catch_up(scene.url)
        return all(scene.log.runs[run].instance != who for run in scene.log.open)

    await eventually(taken, timeout_s=TAKEN_S, every_s=0.1)
    figures.recovery_s.append(time.monotonic() - frozen)
    figures.saw(*["run taken over from a frozen instance"] * len(held))
    await asyncio.sleep(chance.uniform(*LONGER_S) if number else 0)
    resumed = scene.log.resumed[who]
    victim.signal(signal.SIGCONT)
    victim.is_frozen = False

    async def refused() -> float:
        told = await victim.metric(scene.session, SUPERSEDED)
        assert told is not None, "it did not show its metrics"
        return max(0.0, told - before)

    async def found_out() -> bool:
        """It cut off what it had, or was told that it had been declared gone, before it said anything too late."""
        await scene.log.catch_up(scene.url)
        now = await victim.metric(scene.session, LEASES_LOST)
        return scene.log.resumed[who] > resumed or (now or 0.0) > (lost or 0.0)

    try:
        await eventually(refused, timeout_s=REFUSED_S)
    except AssertionError:
        await eventually(found_out, timeout_s=NOTICED_S)
        await victim.ready(scene.session, NOTICED_S)
        figures.saw("frozen instance found out by itself")
    else:
        await asyncio.sleep(1.0)  # the others of its late words are on their way
        figures.sometimes["late write refused"] += round(await refused())


async def _give_it_runs(scene: Scene, victim: Serve, chance: Random, runs: int, number: int) -> None:
    direct = Retrying(scene.session, lambda: [victim.url], scene.journal, Random(chance.random()))
    url = scene.counter.url("zombie", HOLD_MS)

    async def one(place: int) -> None:
        job = f"count-zombie-{number}-{place}"
        path = f"/v1/{WORKSPACE}/commands/"
        body = {"id": job, "handler": "http", "config": {"url": url}, "delivery": "at_least_once", "attempts": 5}
        await direct.do(
            f"add {job}".replace(" ", "-"), f"{path}AddService", "AddService", body, f"stream service:{job}"
        )
        owner = {"owner": {"kind": "service", "id": job}}
        await direct.do(f"run-{job}", f"{path}RunNow", "RunNow", owner, f"opened service:{job}")

    await asyncio.gather(*(one(place) for place in range(runs)))
