"""Eight processes that append to one log at the same time, each with as many callers as the one beside them."""

import asyncio
import json
import multiprocessing
import os
import statistics
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.appends import database, opened_log
from eventjobs.postgres.embedded import EmbeddedPostgres

ROUNDS = 5
CALLERS = 64
WRITERS = 8


async def _write(url: str, callers: int, pipe: Connection) -> None:
    async with opened_log(url) as log:
        log.name = f"{os.getpid()}-"
        await log.appends(callers, 1)
        pipe.send("ready")
        while (await asyncio.to_thread(pipe.recv)) == "go":
            pipe.send(await log.appends(callers, 1))


def _child(url: str, callers: int, pipe: Connection) -> None:
    uvloop.run(_write(url, callers, pipe))


class Writers:
    """Processes that append for a second whenever they are told to."""

    def __init__(self, url: str, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_child, args=(url, CALLERS, theirs), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)
        for pipe in self._pipes:
            pipe.recv()

    def second(self) -> float:
        """Append for a second; return events a second, of all together."""
        for pipe in self._pipes:
            pipe.send("go")
        return sum(pipe.recv() for pipe in self._pipes)

    def end(self) -> None:
        """Let the processes end."""
        for pipe in self._pipes:
            pipe.send("end")
        for process in self._processes:
            process.join()


async def measure(url: str) -> dict[str, Any]:
    """Return `append_eight_writers_vs_one` with the events a second of both; `url` is an owner's."""
    async with database(url, "bench_writers") as log_url:
        one = await asyncio.to_thread(Writers, log_url, 1)
        eight = await asyncio.to_thread(Writers, log_url, WRITERS)
        ones: list[float] = []
        eights: list[float] = []
        try:
            for _ in range(ROUNDS):
                ones.append(await asyncio.to_thread(one.second))
                eights.append(await asyncio.to_thread(eight.second))
        finally:
            one.end()
            eight.end()
    ratio = statistics.median(b / a for a, b in zip(ones, eights, strict=True))
    return {
        "figures": {"append_eight_writers_vs_one": round(ratio, 3)},
        "raw": {
            "append_one_writer": round(statistics.median(ones)),
            "append_eight_writers": round(statistics.median(eights)),
        },
    }


async def _main() -> None:
    with tempfile.TemporaryDirectory(prefix="eventjobs-bench-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101 once, before anything runs
        postgres = EmbeddedPostgres(Path(folder) / "data")
        try:
            print(json.dumps(await measure(await postgres.start()), indent=2))
        finally:
            await postgres.stop()


if __name__ == "__main__":
    uvloop.run(_main())
