"""
Compare the rules of time with a look at every minute, over every zone and every change of offset from 1970 to 2050.

The last line is JSON. Exit 0 without a mismatch, 1 with one, 2 usage.
"""

import argparse
import json
import multiprocessing
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from rich.console import Console
from rich.progress import track

from tests.sweep.clocks import SECOND, Change, clock, offset, same_clocks, zone_names
from tests.sweep.compare import Tally, compared
from tests.sweep.shapes import BY_NAME, SHAPES
from tests.sweep.windows import Window, at_random, distinct

SHOWN_AT_MOST = 20


def main() -> int:
    options = _options()
    begin = monotonic()
    windows = _windows(options)
    tally = Tally()
    for part in track(_compared(windows, options), "minutes", total=len(windows), console=Console(stderr=True)):
        tally.add(part)
    for mismatch in tally.mismatches[:SHOWN_AT_MOST]:
        sys.stdout.write(f"{mismatch}\n")
    sys.stdout.write(json.dumps(_figures(options, windows, tally, monotonic() - begin)) + "\n")
    return 1 if tally.mismatches else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make sweep", description=__doc__)
    parser.add_argument("--zone", help="only this zone, with --at")
    parser.add_argument("--at", help="only the change at this UTC instant, such as 2026-03-29T01:00:00")
    parser.add_argument("--shape", choices=BY_NAME, help="only this cadence")
    parser.add_argument("--part", default="1/1", help="only this part of the changes, such as 1/3")
    parser.add_argument("--random", type=int, default=300, help="windows at random instants besides")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    return parser.parse_args()


def _windows(options: argparse.Namespace) -> list[Window]:
    if options.zone and options.at:
        at = datetime.fromisoformat(options.at).replace(tzinfo=UTC)
        zone = clock(options.zone)
        return [Window(options.zone, Change(at, offset(zone, at - SECOND), offset(zone, at)))]
    part, parts = (int(number) for number in options.part.split("/"))
    return [*distinct(same_clocks())[part - 1 :: parts], *at_random(options.random, options.seed)]


def _compared(windows: list[Window], options: argparse.Namespace) -> Iterator[Tally]:
    tasks = [(window, options.shape) for window in windows]
    if len(tasks) == 1:
        yield compared(tasks[0])
        return
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        yield from pool.imap_unordered(compared, tasks, chunksize=10)


def _figures(options: argparse.Namespace, windows: list[Window], tally: Tally, seconds: float) -> dict[str, Any]:
    return {
        "suite": "sweep",
        "promises": ["P10"],
        "part": options.part,
        "seed": options.seed,
        "seconds": round(seconds, 1),
        "zones": len(zone_names()),
        "changes": sum(1 + len(window.alike) for window in windows if window.change.before != window.change.after),
        "distinct_changes": sum(window.change.before != window.change.after for window in windows),
        "shapes": len(SHAPES),
        "comparisons": tally.comparisons,
        "moments": tally.moments,
        "shifted": tally.shifted,
        "second_passes": tally.second_passes,
        "longest_next_ms": round(tally.longest_ns / 1e6, 3),
        "mismatches": len(tally.mismatches),
    }


if __name__ == "__main__":
    sys.exit(main())
