"""
Keeps what was shown without breaking the real thing: `make simulate | python -m tests.chaos.proofs "make simulate"`.

The last line of what it reads is the proof's own account, a JSON object; it is kept with the command and the commit.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.chaos.figures import REPOSITORY, commit

PROOFS: Final = REPOSITORY / "tests/chaos/proofs.jsonl"
TITLES: Final[Mapping[str, str]] = {
    "simulate": "simulation",
    "sweep": "sweep of the zones",
    "mutants": "known-bad builds",
    "lateness": "lateness of starts",
}
SHOWN: Final[Mapping[str, Sequence[str]]] = {
    "simulate": (
        "part",
        "seeds",
        "hours",
        "positions",
        "occurrences",
        "runs",
        "commands",
        "instances",
        "take_overs",
        "recovery_max_s",
        "failed",
        "never_seen",
    ),
    "sweep": ("seed", "part", "zones", "changes", "shapes", "comparisons", "moments", "longest_next_ms", "mismatches"),
    "mutants": ("caught", "of", "survived"),
    "lateness": (
        "schedules_stored",
        "late_p99_ms_1000_a_minute",
        "late_p99_ms_1000_in_a_second",
        "started_s_5000_by_one",
        "started_s_5000_by_eight",
        "idle_share_of_a_core",
        "missed",
    ),
}
"""What the page shows of each; the rest is in the file."""


def proof_held(line: Mapping[str, Any]) -> bool:
    """Tell whether nothing was found, left out or let through."""
    return not any(line["figures"].get(name) for name in ("failed", "never_seen", "mismatches", "survived", "missed"))


def latest(lines: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """Return the last line of each proof, and of each of its parts."""
    found = {(line["figures"]["suite"], line["figures"].get("part")): line for line in lines}
    return list(found.values())


def proofs_section(lines: Sequence[Mapping[str, Any]]) -> str:
    """Return the page's section, or nothing where nothing was kept."""
    if not lines:
        return ""
    parts = ["## Without breaking the real thing\n"]
    for line in latest(lines):
        figures = line["figures"]
        told = [
            f"{name.replace('_', ' ')} {_shown(figures[name])}" for name in SHOWN[figures["suite"]] if name in figures
        ]
        verdict = "held" if proof_held(line) else "**broken**"
        parts.append(
            f"- **{TITLES[figures['suite']]}** {verdict}: {', '.join(told)} "
            f"(`{line['command']}`, commit {line['commit']}, {figures['seconds']:,.0f} s)"
        )
    return "\n".join(parts) + "\n"


def _shown(value: Any) -> str:
    match value:
        case list():
            return ", ".join(str(one) for one in value) or "none"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,g}" if value < 1000 else f"{value:,.0f}"
        case _:
            return str(value)


def keep(text: str, command: str, path: Path = PROOFS) -> None:
    """Append what a proof's last line says; raises `ValueError` where that is no account of a proof."""
    said = [line for line in text.splitlines() if line.strip()]
    figures = json.loads(said[-1]) if said else None
    if not isinstance(figures, dict) or figures.get("suite") not in SHOWN:
        raise ValueError("the last line is no account of a proof")
    line = {"command": command, "commit": commit(), "figures": figures}
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    read = sys.stdin.read()
    sys.stdout.write(read)
    keep(read, sys.argv[1])
