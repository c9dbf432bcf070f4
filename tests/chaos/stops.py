"""
T25, the graceful stop: SIGTERM at any instant under load.

No command that was written loses its answer, the instance is gone within thirty seconds and with exit code 0, and at
most two seconds later what it had open belongs to another one.
"""

import asyncio
import signal
import time
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.figures import Figures, spread
from tests.chaos.scene import Scene, beside, busy
from tests.chaos.storm import audits, compare, settle
from tests.support.waiting import eventually

EXIT_MAX_S: Final = 30.0
HAND_OVER_MAX_S: Final = 2.0
OWNED_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Size:
    """How often one is stopped."""

    stops: int
    instances: int = 3


SHORT: Final = Size(stops=2, instances=2)


def long(minutes: float) -> Size:
    """About four seconds each."""
    return Size(stops=max(10, round(minutes * 5)))


async def run(seed: int, size: Size, command: str) -> Figures:
    """Stop one after the other and start it again."""
    figures, chance = Figures("T25 graceful stop", ("P2", "P12"), seed, command), Random(seed)
    began = time.monotonic()
    exits: list[float] = []
    async with busy(size.instances, 6, chance) as scene:
        async with beside(scene.work.run_for_ever(0.1)):
            for _ in range(size.stops):
                await asyncio.sleep(chance.uniform(0.3, 2.0))
                await _stop(figures, scene, chance, exits)
        await settle(figures, scene)
        compare(figures, scene)
        if size is not SHORT:  # starting two more processes is most of a short form's time
            await audits(figures, scene.url, scene.folder)
        codes = await scene.fleet.stop()
        figures.expect(all(code == 0 for code in codes), f"exit codes {codes}")
    figures.figures["seconds from SIGTERM to the exit"] = spread(exits)
    cut = scene.journal.seen["commit hidden by an error"]
    figures.figures["accepted commands that lost their answer"] = cut
    figures.expect(not cut, f"{cut} accepted commands lost their answer")
    if size is not SHORT:
        figures.expect(figures.figures["runs handed over"] > 0, "no stopped instance had anything to hand over")
    slowest = max(figures.recovery_s, default=0.0)
    figures.expect(slowest <= HAND_OVER_MAX_S, f"a hand-over took {slowest:.2f} s after the exit")
    figures.expect(max(exits) <= EXIT_MAX_S, f"an exit took {max(exits):.1f} s")
    figures.seconds = time.monotonic() - began
    return figures


async def _stop(figures: Figures, scene: Scene, chance: Random, exits: list[float]) -> None:
    member = chance.choice(scene.fleet.members)
    who = await member.identity(scene.session)
    assert who is not None, "the instance did not say who it is"
    await scene.log.catch_up(scene.url)
    before = scene.log.take_overs
    began = time.monotonic()
    member.signal(signal.SIGTERM)
    figures.faults["service stopped"] += 1
    assert member.process is not None
    async with asyncio.timeout(EXIT_MAX_S):
        code = await member.process.wait()
    gone = time.monotonic()
    exits.append(gone - began)
    figures.expect(code == 0, f"exit code {code}: {member.log_file.read_text()[-500:]}")

    async def handed_over() -> bool:
        await scene.log.catch_up(scene.url)
        return all(scene.log.runs[run].instance != who for run in scene.log.open)

    await eventually(handed_over, timeout_s=OWNED_S, every_s=0.02)
    figures.recovery_s.append(time.monotonic() - gone)
    handed = figures.figures.get("runs handed over", 0) + scene.log.take_overs - before
    figures.figures["runs handed over"] = handed
    await member.spawn()
    await member.ready(scene.session)
