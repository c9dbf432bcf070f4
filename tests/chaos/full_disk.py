"""
T5, the full disk: the log's disk fills up under load, and is given room again.

Nothing that was not written is acknowledged, what was acknowledged is there, and the service goes on by itself.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

from tests.chaos.figures import Figures
from tests.chaos.scene import Scene, beside, busy
from tests.chaos.storm import audits, compare, settle
from tests.support.waiting import eventually

MEGABYTES: Final = 160
MORE: Final = 64
REFUSED_S: Final = 60.0
FULL_S: Final = 4.0
RESUMED_MAX_S: Final = 10.0
RESUMED_S: Final = 60.0
SETTINGS: Final = {"max_wal_size": "48MB", "min_wal_size": "32MB", "checkpoint_timeout": "30s"}


class CannotMountError(Exception):
    """A small disk cannot be had on this machine."""


@dataclass(frozen=True, slots=True)
class Size:
    """How often it fills up."""

    times: int


SHORT: Final = Size(times=1)


def long(minutes: float) -> Size:
    """About half a minute each."""
    return Size(times=max(3, round(minutes / 2)))


async def run(seed: int, size: Size, command: str) -> Figures:
    """Fill, look, make room, look."""
    figures, chance = Figures("T5 full disk", ("P1", "P2", "P14"), seed, command), Random(seed)
    if os.getuid() != 0:
        figures.not_run_reason = "mounting a small disk needs root"
        return figures
    began = time.monotonic()
    try:
        async with busy(2, 4, chance, disk=partial(_small_disk, figures), server_settings=SETTINGS) as scene:
            async with beside(scene.work.run_for_ever(0.02)):
                for number in range(size.times):
                    await _fill(figures, scene, number)
                waiting = set(scene.journal.undecided())
                await eventually(lambda: waiting.isdisjoint(scene.journal.undecided()), timeout_s=RESUMED_S)
            await settle(figures, scene)
            compare(figures, scene)
            if size is not SHORT:  # starting two more processes is most of a short form's time
                await audits(figures, scene.url, scene.folder)
            codes = await scene.fleet.stop()
            figures.expect(all(code == 0 for code in codes), f"exit codes {codes}")
            figures.expect(scene.fleet.starts == 0, "an instance had to be started again")
        figures.expect(scene.journal.seen["507"] > 0, "nothing was ever refused for a full disk")
    except CannotMountError as error:
        figures.not_run_reason = f"a small disk cannot be mounted here: {error}"
    figures.seconds = time.monotonic() - began
    return figures


async def _fill(figures: Figures, scene: Scene, number: int) -> None:
    disk, journal = scene.folder / "server", scene.journal
    refusals = journal.tries["not_taken"] + journal.tries["unknown"]
    ballast = disk / "ballast"
    await asyncio.to_thread(_take_all, ballast)
    figures.faults["disk filled"] += 1
    await eventually(
        lambda: journal.tries["not_taken"] + journal.tries["unknown"] > refusals, timeout_s=REFUSED_S, every_s=0.05
    )
    await asyncio.sleep(FULL_S)
    since = time.monotonic()
    await asyncio.sleep(FULL_S)
    figures.expect(not journal.accepted_after(since), "a command was accepted while the disk was full")
    figures.sometimes["refused for a full disk (507)"] = journal.seen["507"]
    ballast.unlink()
    _remount(disk, MEGABYTES + MORE * (number + 1))
    room = time.monotonic()
    await eventually(lambda: journal.accepted_after(room), timeout_s=RESUMED_S, every_s=0.05)
    took = (journal.accepted_after(room) or room) - room
    figures.recovery_s.append(took)
    figures.expect(took <= RESUMED_MAX_S, f"it took {took:.1f} s to resume")


def _take_all(ballast: Path) -> None:
    with ballast.open("ab", buffering=0) as file, suppress(OSError):
        for block in (1 << 20, 1 << 12):
            with suppress(OSError):
                while True:
                    file.write(bytes(block))


@contextmanager
def _small_disk(figures: Figures, folder: Path) -> Iterator[None]:
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=755", "none", folder], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotMountError(str(error)) from error
    try:
        yield
    finally:
        done = subprocess.run(["umount", "-l", folder], check=False, capture_output=True, text=True)
        figures.expect(done.returncode == 0, f"the small disk was left mounted: {done.stderr}")


def _remount(folder: Path, megabytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", folder], check=True)
