"""The tests can fail: for each promise a known-bad build, which the tests that own the promise must catch."""

import shutil
from pathlib import Path

import pytest

from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import Mutant
from tests.mutants.proving import ROOT, proof

FAST = [mutant for mutant in MUTANTS if not mutant.slow]


@pytest.mark.timeout(300)
def test_every_mutant_is_caught_by_the_tests_that_own_its_promise(capsys: pytest.CaptureFixture[str]) -> None:
    with proof() as made:
        wrong = made.clean(FAST)
        assert wrong is None, wrong
        verdicts = list(made.verdicts(FAST))

    with capsys.disabled():
        print(f"\nmutants caught {sum(verdict.caught for verdict in verdicts)}/{len(verdicts)}")  # noqa: T201
    survived = {verdict.mutant.name: verdict.said[-2000:] for verdict in verdicts if not verdict.caught}
    assert survived == {}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_still_fits_the_source(mutant: Mutant, tmp_path: Path) -> None:
    (tmp_path / mutant.path).parent.mkdir(parents=True)
    shutil.copy(ROOT / mutant.path, tmp_path / mutant.path)
    before = (tmp_path / mutant.path).read_text("utf-8")

    mutant.apply(tmp_path)

    assert (tmp_path / mutant.path).read_text("utf-8") != before


def test_names_are_their_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)
