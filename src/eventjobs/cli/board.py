"""
How far the jobs of one run are, from its events and its progress.

A board only knows; `watch` shows it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ROWS: Final = "processed"
WAITING: Final = "waiting"
RUNNING: Final = "running"
SKIPPED: Final = "skipped"


@dataclass(slots=True)
class Line:
    """One job: how many rows of how many, what state, and the share that is done where it is known."""

    job: str
    total: int | None
    state: str = WAITING
    rows: int = 0
    fraction: float | None = None
    text: str = ""

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1."""
        if self.state == SKIPPED:
            return 0.0
        if self.state not in (WAITING, RUNNING):
            return 1.0
        if self.fraction is not None:
            return self.fraction
        return min(1.0, self.rows / self.total) if self.total else 0.0


@dataclass(slots=True)
class Board:
    """The jobs of one run; `totals` are the rows that each will have, where that is known beforehand."""

    run: str
    totals: Mapping[str, int]
    lines: dict[int, Line] = field(default_factory=dict)
    state: str | None = None
    position: int = 0

    @property
    def is_over(self) -> bool:
        """Whether the run ended."""
        return self.state is not None

    def happened(self, events: Sequence[Mapping[str, Any]]) -> Sequence[Line]:
        """Take events of the run's stream in; return the lines that changed their state."""
        changed = []
        for event in events:
            self.position = event["position"]
            line = self._happened(event["type"], event["data"])
            if line is not None:
                changed.append(line)
        return changed

    def progressed(self, frame: Mapping[str, Any]) -> Line | None:
        """Take progress in; return the line that it is about, unless it is another run's."""
        line = self.lines.get(frame.get("row", 0))
        if frame.get("run") != self.run or line is None or line.state != RUNNING:
            return None
        line.fraction = frame.get("fraction")
        rows = frame.get("counts", {}).get(ROWS, line.rows)
        # While a file is read its lines are counted, and a row may have several.
        line.rows = rows if line.total is None else min(rows, line.total)
        line.text = frame.get("text") or ""
        return line

    def _happened(self, kind: str, data: Mapping[str, Any]) -> Line | None:
        if kind == "run.opened":
            for job in data["jobs"]:
                name = job["job"]["id"]
                self.lines[job["row"]] = Line(name, self.totals.get(name))
        elif kind == "run.ended":
            self.state = data["state"]
        line = self.lines.get(data.get("row", 0))
        if line is None:
            return None
        if kind == "attempt.started":
            line.state = RUNNING
        elif kind in ("attempt.progressed", "job_run.ended"):
            line.rows = data["counts"].get(ROWS, line.rows)
        if kind == "job_run.ended":
            line.state = data["state"]
        return line if kind in ("attempt.started", "job_run.ended") else None
