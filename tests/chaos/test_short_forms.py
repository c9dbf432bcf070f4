"""Every suite of faults in its short form; `make chaos` runs the long ones."""

import os
from random import SystemRandom

import pytest

from tests.chaos.suites import SUITES

SEED = int(os.environ.get("CHAOS_SEED", "0")) or SystemRandom().randrange(1, 10**6)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SUITES)
async def test_every_promise_holds_under_faults(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command = f"CHAOS_SEED={SEED} make test ARGS='tests/chaos -k {name}'"
    with capsys.disabled():
        print(f"\n{command}", end=" ")  # noqa: T201
    found = await SUITES[name].short(SEED, command)
    if found.not_run_reason is not None:
        pytest.skip(found.not_run_reason)
    assert not found.wrong, found.as_line()
    assert (found.lost, found.duplicated, found.gaps) == (0, 0, 0)
