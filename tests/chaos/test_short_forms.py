"""
Every suite of faults that has a short form; `make chaos` runs the long ones.

Much of their time is waiting for a lease to run out or a minute to begin, so two run at the same time.
"""

import asyncio
import os
import traceback
from collections.abc import Sequence
from pathlib import Path
from random import SystemRandom

import pytest

from tests.chaos.figures import Figures
from tests.chaos.suites import SHORT_FORMS, SUITES

SEED = int(os.environ.get("CHAOS_SEED", "0")) or SystemRandom().randrange(1, 10**6)
TOGETHER = (("T1", "T12"), ("T2", "T7"), ("T3", "T8"), ("T5", "T15"), ("T25", "T27"), ("T28", "T29"))


def test_every_suite_has_its_turn() -> None:
    assert sorted(name for names in TOGETHER for name in names) == sorted(SHORT_FORMS)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("names", TOGETHER, ids="-".join)
async def test_every_promise_holds_under_faults(names: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    command = f"CHAOS_SEED={SEED} make test ARGS='tests/chaos -k {'-'.join(names)}'"
    with capsys.disabled():
        print(f"\n{command}", end=" ")  # noqa: T201
    running = (SUITES[name].short(SEED, command) for name in names)
    all_found = await asyncio.gather(*running, return_exceptions=True)
    _keep([found for found in all_found if isinstance(found, Figures)])
    broken = [text for name, found in zip(names, all_found, strict=True) if (text := _objection(name, found))]
    unrun = [text for name, found in zip(names, all_found, strict=True) if (text := _unrun(name, found))]
    with capsys.disabled():
        print(*unrun, *broken, sep="\n")  # noqa: T201
    assert not broken


def _keep(all_found: Sequence[Figures]) -> None:
    if "CHAOS_FIGURES" in os.environ:
        with Path(os.environ["CHAOS_FIGURES"]).open("a", encoding="utf-8") as lines:
            lines.writelines(found.as_line() + "\n" for found in all_found)


def _objection(name: str, found: Figures | BaseException) -> str | None:
    if isinstance(found, BaseException):
        return f"{name}: {''.join(traceback.format_exception(found))}"
    return None if found.held else found.as_line()


def _unrun(name: str, found: Figures | BaseException) -> str | None:
    """What a suite did not show says so on the screen: a test that passes would hide it."""
    reason = None if isinstance(found, BaseException) else found.not_run_reason
    return None if reason is None else f"{name} did not run: {reason}"
