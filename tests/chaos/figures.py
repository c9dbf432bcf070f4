"""What a suite of faults found, as one line of JSON; nothing in it is anything but measured."""

import json
import os
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

REPOSITORY: Final = Path(__file__).parents[2]
KEPT: Final = ("tests/chaos/figures.jsonl", "tests/chaos/proofs.jsonl")


@dataclass
class Figures:
    """One run of one suite. `wrong` are the broken promises in words; empty means that every oracle agreed."""

    suite: str
    promise: Sequence[str]
    seed: int
    command: str
    seconds: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    duplicated: int = 0
    gaps: int = 0
    recovery_s: list[float] = field(default_factory=list)
    sometimes: Counter[str] = field(default_factory=Counter)
    figures: dict[str, Any] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    not_run_reason: str | None = None
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 1))
    """What the machine was busy with besides, when the suite began."""

    @property
    def held(self) -> bool:
        """Whether nothing was broken, lost, doubled or left out."""
        return held(vars(self))

    def expect(self, holds: bool, otherwise: str) -> None:
        """Note a broken promise where something does not hold."""
        if not holds:
            self.wrong.append(otherwise)

    def saw(self, *rare: str) -> None:
        """Count rare states that a suite has to have seen."""
        self.sometimes.update(rare)

    def as_line(self) -> str:
        """Return the line, with the commit at which it was measured."""
        document = {
            "suite": self.suite,
            "promise": list(self.promise),
            "commit": commit(),
            "seed": self.seed,
            "command": self.command,
            "seconds": round(self.seconds, 1),
            "faults": dict(self.faults),
            "commands": {name: self.commands[name] for name in ("sent", "accepted", "rejected", "unknown")},
            "lost": self.lost,
            "duplicated": self.duplicated,
            "gaps": self.gaps,
            "recovery": spread(self.recovery_s),
            "sometimes": dict(self.sometimes),
            "figures": self.figures,
            "machine": {"cores": os.cpu_count(), "load before": self.load},
            "wrong": self.wrong[:20],
            "not_run_reason": self.not_run_reason,
        }
        return json.dumps(document, ensure_ascii=False)


def held(line: Mapping[str, Any]) -> bool:
    """Tell the same of a line: a suite that did not run has broken nothing, and shown nothing."""
    return not line["wrong"] and (line["lost"], line["duplicated"], line["gaps"]) == (0, 0, 0)


def spread(seconds: Sequence[float]) -> Mapping[str, float]:
    """Return p50, p99 and max of what was measured; nothing where nothing was."""
    if not seconds:
        return {}
    ordered = sorted(seconds)
    return {
        "p50": round(ordered[len(ordered) // 2], 3),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        "max": round(ordered[-1], 3),
        "n": len(ordered),
    }


def commit() -> str:
    """Return the commit that is measured, with a mark where files differ from it."""
    head = _git("rev-parse", "--short", "HEAD")
    is_dirty = _git("status", "--porcelain", "--", "src", "sql", "tests", *(f":!{kept}" for kept in KEPT))
    return (head or "unknown") + ("+changes" if is_dirty else "")


def _git(*asked: str) -> str:
    done = subprocess.run(["git", "-C", str(REPOSITORY), *asked], capture_output=True, text=True, check=False)
    return done.stdout.strip()
