"""
All measurements in one run: `python -m benchmarks [--json FILE] [--only NAME …]`.

Each compares with the machine's own limit in the same run; quote the ratios, for absolute figures swing with the
machine.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import uvloop

from benchmarks import (
    appends,
    dashboard,
    groups,
    imports,
    lateness,
    layers,
    over_http,
    pages,
    rebuild,
    runs,
    syncs,
    writers,
)
from eventjobs.postgres.embedded import EmbeddedPostgres

Figures = dict[str, Any]
REBUILD_EVENTS = 40_000
REBUILD_ROUNDS = 5


async def _on_own_server(measured: Callable[[str, Path], Awaitable[Figures]]) -> Figures:
    """Measure on a throw-away embedded server with its durable settings."""
    with tempfile.TemporaryDirectory(prefix="eventjobs-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 once, before anything runs
        server = EmbeddedPostgres(Path(folder) / "data")
        try:
            return await measured(await server.start(), server.binaries.program("psql"))
        finally:
            await server.stop()


async def _appends() -> Figures:
    return await _on_own_server(lambda url, _: appends.measure(url))


async def _writers() -> Figures:
    return await _on_own_server(lambda url, _: writers.measure(url))


async def _rebuild() -> Figures:
    raw = await _on_own_server(lambda url, _: rebuild.measure(url, REBUILD_EVENTS, REBUILD_ROUNDS))
    return {"figures": {name: raw[name] for name in ("rebuild_vs_loop", "rebuild_events_per_s")}, "raw": raw}


async def _imports() -> Figures:
    found = await _on_own_server(imports.measure)
    return {"figures": {"import_vs_copy": found["import_vs_copy"]}, "raw": {"imports": found["raw"]}}


async def _layers() -> Figures:
    return {"figures": {}, "raw": {"cpu_us_per_command": await layers.measure()}}


ALL: dict[str, Callable[[], Awaitable[Figures]]] = {
    "appends": _appends,
    "writers": _writers,
    "http": over_http.measure,
    "runs": runs.measure,
    "rebuild": _rebuild,
    "imports": _imports,
    "layers": _layers,
    "lateness": lateness.measure,
    "pages": pages.measure,
    "groups": groups.measure,
    "syncs": syncs.measure,
    "dashboard": dashboard.measure,
}


async def _main(names: list[str]) -> str:
    found: Figures = {"figures": {}, "raw": {}}
    for name in names:
        print(f"measuring {name} …", flush=True)
        part = await ALL[name]()
        found["figures"].update(part["figures"])
        found["raw"].update(part["raw"])
        print(json.dumps(part["figures"] or part["raw"], indent=2), flush=True)
    text = json.dumps(found, indent=2)
    print(text)
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure eventjobs beside the machine's own limits.")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--only", nargs="+", choices=list(ALL), default=list(ALL))
    options = parser.parse_args()
    text = uvloop.run(_main(options.only))
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
