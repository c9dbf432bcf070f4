"""
Every suite of faults that has a short form; `make chaos` runs the long ones.

Much of their time is waiting for a lease to run out, so two are under way at any time, beside one that waits for most
of its time for a minute to begin.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from random import SystemRandom

import pytest

from tests.chaos.figures import Figures
from tests.chaos.fleet import preloaded
from tests.chaos.suites import SHORT_FORMS, SUITES

SEED = int(os.environ.get("CHAOS_SEED", "0")) or SystemRandom().randrange(1, 10**6)
AT_A_TIME = 2
BESIDE = "T12"
IN_TURN = ("T1", "T12", "T2", "T7", "T3", "T8", "T5", "T15", "T25", "T27", "T28", "T29")


def test_every_suite_has_its_turn() -> None:
    assert sorted(IN_TURN) == sorted(SHORT_FORMS)


def _id(name: str) -> str:
    return f"{name}_"  # or -k T1 would choose T12, too


@pytest.fixture(scope="module")
async def under_way(request: pytest.FixtureRequest) -> AsyncIterator[Mapping[str, asyncio.Task[Figures]]]:
    """The suites that are asked for, each by its name."""
    turns = asyncio.Semaphore(AT_A_TIME)

    async def in_turn(name: str) -> Figures:
        async with nullcontext() if name == BESIDE else turns:
            with preloaded():
                return await SUITES[name].short(SEED, _command(name))

    asked = {item.name for item in request.session.items if item.path == request.path}
    wanted = [name for name in IN_TURN if f"{test_every_promise_holds_under_faults.__name__}[{_id(name)}]" in asked]
    started = {name: asyncio.create_task(in_turn(name)) for name in wanted}
    try:
        yield started
    finally:
        for suite in started.values():
            suite.cancel()
        await asyncio.gather(*started.values(), return_exceptions=True)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", IN_TURN, ids=_id)
async def test_every_promise_holds_under_faults(
    name: str, under_way: Mapping[str, asyncio.Task[Figures]], capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print(f"\n{_command(name)}", end=" ")  # noqa: T201
    found = await under_way[name]
    _keep(found)
    if found.not_run_reason is not None:  # a test that passes would hide it
        with capsys.disabled():
            print(f"{name} did not run: {found.not_run_reason}")  # noqa: T201
    assert found.held, found.as_line()


def _keep(found: Figures) -> None:
    if "CHAOS_FIGURES" in os.environ:
        with Path(os.environ["CHAOS_FIGURES"]).open("a", encoding="utf-8") as lines:
            lines.write(f"{found.as_line()}\n")


def _command(name: str) -> str:
    return f"CHAOS_SEED={SEED} make test ARGS='tests/chaos -k {_id(name)}'"
