"""The part of the bare loop that is about services and flows, of which much is the same."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from benchmarks.bare_values import Row, closed, held, raised, text
from eventjobs.projections import flows, managed, services, turns

USES = {"service": services.USES, "flow": flows.USES}
RUNS = {"service": services.RUNS, "flow": flows.RUNS}


def derive(row: Any, key: Any, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    kind, _, what = row["type"].partition(".")
    job = (key[0], kind, key[1])
    if what in ("attached", "detached"):
        yield USES[kind], (*key, data["schedule"]), {"attached": what == "attached"}
    elif what in ("claimed", "released"):
        yield from turn(job, what, data["turn"], present)
    elif what == "run_opened":
        yield RUNS[kind], key, {"open_run": data["run"]}
    elif what == "run_closed":
        yield closed(RUNS[kind], key, row["at"], data, present)
    elif what in ("added", "configured", "edited"):
        yield from defined(kind, key, row["at"], data, present)
        if (origin := data["origin"]) is not None:
            values = {"managed": True, "integration": origin["integration"], "features": text(origin["features"]),
                      "definition_version": origin["definition_version"]}  # fmt: skip
            yield managed.MANAGED, job, values


def turn(job: Any, what: str, taken: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    if what == "claimed":
        yield turns.TURNS, job, {"run": taken["run"], "row": taken["row"]}
        return
    holder = [held(present, turns.TURNS, job, name) for name in ("run", "row")]
    if holder == [taken["run"], taken["row"]]:
        yield turns.TURNS, job, {"run": None, "row": None}


def defined(kind: str, key: Any, at: datetime, data: dict[str, Any], present: Mapping[Any, Any]) -> Iterator[Row]:
    table = services.SERVICES if kind == "service" else flows.FLOWS
    is_new = (table, key) not in present
    values = {**raised(present, table, key), "name": data["name"], "handler": data["handler"],
              "config": text(data["config"]), "policy": text(data["policy"])}  # fmt: skip
    if kind == "flow":
        values |= {name: data[name] for name in ("trigger", "exclusive", "active")}
    elif not is_new or data["type"] is not None:
        yield services.TYPES, key, {"type": data["type"]}
    yield table, key, {**values, "created_at": at} if is_new else values
