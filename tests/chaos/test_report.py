"""RELIABILITY.md is what the figures say."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.proofs import PROOFS, keep
from tests.chaos.report import FIGURES, PAGE, page, read
from tests.chaos.suites import SUITES

LINE = {
    "suite": "T1 kill storm",
    "promise": ["P1"],
    "commit": "abc",
    "seed": 7,
    "command": "make chaos SUITES=T1",
    "seconds": 60.0,
    "faults": {"service killed": 30},
    "commands": {"sent": 120, "accepted": 100, "rejected": 1, "unknown": 2},
    "lost": 0,
    "duplicated": 0,
    "gaps": 0,
    "recovery": {"p50": 10.0, "p99": 11.0, "max": 11.0, "n": 2},
    "sometimes": {"take-over": 3, "never": 0},
    "figures": {"runs": 1234},
    "wrong": [],
    "not_run_reason": None,
}


def test_the_page_is_made_from_the_figures() -> None:
    assert PAGE.read_text("utf-8") == page(read(FIGURES), read(PROOFS)), "python -m tests.chaos.report > RELIABILITY.md"


def test_the_figures_are_those_of_suites_that_exist() -> None:
    assert {line["suite"].split()[0] for line in read(FIGURES)} <= set(SUITES)


def test_a_figure_is_printed_with_the_command_that_repeats_it() -> None:
    made = page([LINE])
    assert "30 faults, 100 commands acknowledged: 0 lost, 0 duplicated, 0 gaps" in made
    assert "`make chaos SUITES=T1`" in made
    assert "runs: 1,234" in made
    assert "never" not in made.split("rare states seen")[1].splitlines()[0]


@pytest.mark.parametrize("wrong", ["a run ended twice"])
def test_a_broken_promise_is_said_first(wrong: str) -> None:
    made = page([LINE | {"wrong": [wrong]}])
    assert "**Broken: T1 kill storm**" in made
    assert f"**broken**: {wrong}" in made
    assert "Held in T1" not in made


def test_what_did_not_run_proves_nothing() -> None:
    made = page([LINE | {"not_run_reason": "no root"}])
    assert "T1 kill storm did not run: no root." in made
    assert "1,234" not in made


@pytest.mark.parametrize("name", ["lost", "duplicated", "gaps"])
def test_what_is_lost_doubled_or_missing_is_broken_without_words(name: str) -> None:
    made = page([LINE | {name: 2}])
    assert "**Broken: T1 kill storm**" in made
    assert f"- **{name}**: 2" in made
    assert "| **no** |" in made


LONG, HALF, SHORT = (f"make chaos SUITES=T1 {size}" for size in ("MINUTES=8", "MINUTES=4", "ARGS=--short"))


@pytest.mark.parametrize(
    ("broken", "later", "is_answered"),
    [
        (LONG, LONG, True),
        (LONG, HALF, False),
        (LONG, SHORT, False),
        (LONG, "CHAOS_SEED=1 make test ARGS='tests/chaos -k T1_'", False),
        (SHORT, HALF, True),
        (HALF, LONG, True),
    ],
)
def test_a_broken_line_stands_until_at_least_as_much_has_held(broken: str, later: str, is_answered: bool) -> None:
    made = page([LINE | {"command": broken, "wrong": ["it was late"]}, LINE | {"command": later}])
    assert ("it was late" not in made) == is_answered
    unrun = LINE | {"command": later, "not_run_reason": "no root"}
    assert "it was late" in page([LINE | {"command": broken, "wrong": ["it was late"]}, unrun])


def test_a_later_break_replaces_one_of_at_most_its_size() -> None:
    first, second, small = (
        LINE | {"command": command, "wrong": [text]}
        for text, command in (("first", LONG), ("second", LONG), ("small", SHORT))
    )
    assert "**broken**: second" in page([first, second])
    assert "**broken**: first" in page([first, small, LINE | {"command": SHORT}])


def test_the_form_of_a_suite_is_said() -> None:
    assert "| T1 kill storm | short |" in page([LINE | {"command": SHORT}])
    assert "Held in T1 kill storm (short form)." in page([LINE | {"command": SHORT}])
    assert "| T1 kill storm | long |" in page([LINE | {"command": LONG}])


def test_no_occurrence_walked_is_not_a_figure() -> None:
    line = LINE | {"figures": {"occurrences walked on the grid": 0}}
    assert "- occurrences walked on the grid: not walked" in page([line])


def test_the_last_line_of_a_suite_counts() -> None:
    assert "99 faults" in page([LINE, LINE | {"faults": {"service killed": 99}}])


def proof(command: str, tmp_path: Path, **figures: Any) -> list[Any]:
    path = tmp_path / "proofs.jsonl"
    keep(f"seed 1 ok\n{json.dumps(figures)}\n", command, path)
    return read(path)


def test_a_proof_beside_the_suites_is_kept_and_shown(tmp_path: Path) -> None:
    figures = {"suite": "simulate", "promises": ["P1"], "seeds": 200, "seconds": 9.0, "failed": [], "never_seen": []}
    lines = proof("make simulate SEEDS=200", tmp_path, **figures)

    made = page([LINE], lines)

    assert "**simulation** held: seeds 200, failed none, never seen none (`make simulate SEEDS=200`" in made
    assert "Held in T1 kill storm, the simulation." in made
    again = proof("make simulate SEEDS=20", tmp_path, **{**figures, "failed": [3]})
    assert "**simulation** **broken**: seeds 200, failed 3" in page([LINE], again)
    assert "**Broken in the simulation.**" in page([LINE], again)


def test_what_is_no_proof_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no account"):
        proof("make nothing", tmp_path, suite="nothing")
