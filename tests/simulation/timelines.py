"""Timelines as people write them, and `eventjobs simulate` on them."""

import gc
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from eventjobs.audit.occurrences import audit_facts
from eventjobs.cli import simulate as simulating
from eventjobs.cli.main import run
from eventjobs.simulation.play import Played

NOW = "2026-03-01T00:00:00Z"


def at(instant: str, command: str, /, **data: Any) -> dict[str, Any]:
    """A step that sends a command."""
    return {"at": instant, "command": command, "data": data}


def service(instant: str, name: str = "load", **fields: Any) -> dict[str, Any]:
    """A step that adds a service."""
    defined = {"id": name, "name": name, "handler": "sleep", "config": {"seconds": 1}}
    return at(instant, "AddService", **{**defined, **fields})


def cadence(start: str, every: int, unit: str, zone: str = "UTC") -> dict[str, Any]:
    """A cadence from a local start, `2026-03-06T14:00`."""
    day, _, time = start.partition("T")
    return {"start_date": day, "start_time": time, "time_zone": zone, "every": every, "unit": unit}


def schedule(instant: str, name: str = "nightly", *, jobs: Sequence[Any] = (), **fields: Any) -> dict[str, Any]:
    """A step that creates a schedule; without `jobs` of the service `load`."""
    rows = jobs or [{"job": {"kind": "service", "id": "load"}, "seq": 1}]
    return at(instant, "CreateSchedule", id=name, jobs=rows, **fields)


def timeline(until: str, *steps: Mapping[str, Any], now: str = NOW, **fields: Any) -> dict[str, Any]:
    """A document with the service `load` in it."""
    return {"now": now, "until": until, "steps": [service(now), *steps], **fields}


@dataclass
class Told:
    """What the command line answered."""

    code: int
    out: str
    err: str
    played: Played | None = None
    document: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.out.startswith("{"):
            self.document = orjson.loads(self.out)

    def occurrences(self, *names: str) -> list[Any]:
        """Return one or several fields of every occurrence, in order."""
        return [pick(one, names) for one in self.document["occurrences"]]

    def runs(self, *names: str) -> list[Any]:
        """Return one or several fields of every run, in order."""
        return [pick(one, names) for one in self.document["runs"]]


def pick(one: Mapping[str, Any], names: Sequence[str]) -> Any:
    values = tuple(one[name] for name in names)
    return values[0] if len(values) == 1 else values


class Simulate:
    """Runs `eventjobs simulate` in this process, as its entry point does, and audits the history that it made."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], played: list[Played]) -> None:
        self._file = folder / "what-if.json"
        self._capsys = capsys
        self._played = played

    def __call__(self, document: Any, *, as_json: bool = True) -> Told:
        text = document if isinstance(document, bytes) else orjson.dumps(document)
        self._file.write_bytes(text)
        self._capsys.readouterr()
        self._played.clear()
        code = run(["simulate", str(self._file), *(["--json"] if as_json else [])])
        out, err = self._capsys.readouterr()
        played = self._played[0] if self._played else None
        if played is not None:
            assert audit_facts(played.facts).findings == ()
        return Told(code, out, err, played)


@pytest.fixture
def simulate(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulate]:
    """The command, with the process's collector as it was afterwards."""
    played: list[Played] = []
    really = simulating.play

    def noted(*arguments: Any) -> Played:
        played.append(really(*arguments))
        return played[0]

    monkeypatch.setattr(simulating, "play", noted)
    thresholds = gc.get_threshold()
    yield Simulate(tmp_path, capsys, played)
    gc.set_threshold(*thresholds)
