"""The proof's format: what the documentation says is what the code does, and anyone can check it without the code."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from eventjobs.audit.verify import Verified, verify_export
from eventjobs.log.chain import before_at, instant, leaf_of, link

PAGE = (Path(__file__).parents[2] / "docs" / "log-format.md").read_text("utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def fields(**changed: Any) -> dict[str, Any]:
    return {
        "workspace": "acme",
        "stream": "workspace:acme",
        "stream_version": 1,
        "type": "workspace.created",
        "schema": 1,
        "actor": "key:admin",
        "command_id": "0192f0c1-1b58-7000-8000-000000000002",
        "causation": None,
        "correlation": "0192f0c1-1b58-7000-8000-000000000003",
        "data": '{"time_zone":"Europe/Berlin","kind":"automation"}',
        **changed,
    }


def test_the_documented_canonical_form_is_the_one_that_is_hashed() -> None:
    at = instant(datetime(2026, 12, 1, 20, 0, 7, 250_000, tzinfo=UTC))
    assert before_at(**fields()).decode() + at == block("text").rstrip("\n")


def test_the_documented_example_verifies() -> None:
    outcome = verify_export(block("json").encode().splitlines())
    assert isinstance(outcome, Verified)
    assert outcome.positions == 2
    assert f'"chain":"{outcome.chain.hex()}"' in block("json")


def run_documented_program(export: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", block("python")],
        input=export,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_documented_program_verifies_the_example() -> None:
    ran = run_documented_program(block("json"))
    assert (ran.returncode, ran.stderr) == (0, "")
    position, chain = ran.stdout.split()
    assert (position, f'"chain":"{chain}"' in block("json")) == ("2", True)


def test_the_documented_program_finds_a_changed_byte() -> None:
    ran = run_documented_program(block("json").replace("automation", "Automation"))
    assert ran.stderr.strip() == "broken at position 2"


@pytest.mark.parametrize(
    "changed",
    [
        {"workspace": "acmf"},
        {"stream": "workspace:acmf"},
        {"stream_version": 2},
        {"type": "workspace.made"},
        {"schema": 2},
        {"actor": "key:other"},
        {"command_id": "x"},
        {"causation": "1"},
        {"correlation": None},
        {"causation": "0192f0c1-1b58-7000-8000-000000000003", "correlation": None},
        {"data": '{"time_zone":"Europe/Berlin","kind": "automation"}'},
    ],
)
def test_every_field_is_covered(changed: dict[str, Any]) -> None:
    assert leaf_of(before_at(**fields(**changed)), b"at") != leaf_of(before_at(**fields()), b"at")


def test_the_time_is_covered_to_the_microsecond() -> None:
    at = datetime(2026, 12, 1, 20, tzinfo=UTC)
    assert instant(at) == "2026-12-01T20:00:00.000000Z"
    assert instant(at.replace(microsecond=1)) == "2026-12-01T20:00:00.000001Z"


def test_the_position_is_covered_by_the_chain() -> None:
    assert link(bytes(32), 1, bytes(32)) != link(bytes(32), 2, bytes(32))


@pytest.mark.parametrize(
    "name", ["workspace", "stream", "type", "actor", "command_id", "causation", "correlation", "data"]
)
@pytest.mark.parametrize("odd", ["a\nb", "\n", "a\0"])
def test_a_line_feed_in_a_field_is_refused(name: str, odd: str) -> None:
    with pytest.raises(ValueError, match="line feed"):
        before_at(**fields(**{name: odd}))
