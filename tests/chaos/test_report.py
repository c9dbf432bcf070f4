"""RELIABILITY.md is what the figures say."""

import pytest

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
    assert PAGE.read_text("utf-8") == page(read(FIGURES)), "python -m tests.chaos.report > RELIABILITY.md"


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


def test_the_last_line_of_a_suite_counts() -> None:
    assert "99 faults" in page([LINE, LINE | {"faults": {"service killed": 99}}])
