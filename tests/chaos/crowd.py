"""
T12, the crowd: eight instances and thousands of occurrences in the same second.

Each must run once, whoever answers it, and how late its first job starts is read from the log.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

import aiohttp
import asyncpg

from tests.chaos.figures import Figures, spread
from tests.chaos.fleet import counting, postgres, sailing, scratch
from tests.chaos.oracle import LogReader
from tests.chaos.storm import audits
from tests.chaos.workload import WORKSPACE, environment
from tests.support.waiting import eventually

BATCH: Final = 500
ENDED_S: Final = 120.0
SPARE_S: Final = 3.0
STATISTICS: Final = "SELECT deadlocks, xact_rollback FROM pg_stat_database WHERE datname = current_database()"


@dataclass(frozen=True, slots=True)
class Size:
    """How many occurrences are due in one second, on how many instances; what setting them up may take."""

    occurrences: int
    instances: int
    set_up_s: float
    all_started_max_s: float


SHORT: Final = Size(occurrences=200, instances=2, set_up_s=20.0, all_started_max_s=20.0)


def long(_minutes: float) -> Size:
    """What the product is asked for."""
    return Size(occurrences=5_000, instances=8, set_up_s=75.0, all_started_max_s=8.0)


async def run(seed: int, size: Size, command: str) -> Figures:
    """Let everything be due at once, and wait until it has run."""
    figures = Figures("T12 crowd", ("P5",), seed, command)
    began, log = time.monotonic(), LogReader()
    with scratch() as folder:
        async with (
            counting(folder) as counter,
            postgres(folder, {"max_connections": "300"}) as server,
            sailing(folder, size.instances, environment(server.url, counter)) as (fleet, session),
        ):
            chance = Random(seed)
            due = _due(size.set_up_s)
            urls = [member.url for member in fleet.members]
            await _set_up(figures, session, urls, due, size.occurrences, counter.url("crowd"), chance)
            assert datetime.now(UTC) < due, "setting up took too long; the machine is too busy"

            async def all_ended() -> bool:
                await log.catch_up(server.url)
                assert len(log.outcomes) >= size.occurrences, f"{len(log.outcomes)} outcomes"
                assert not log.open, f"open: {sorted(log.open)[:5]}"
                return True

            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            await eventually(all_ended, timeout_s=ENDED_S, every_s=0.5)
            await _compare(figures, size, log, due, server.url, counter.calls())
            races = [await member.metric(session, "eventjobs_log_lost_races_total") for member in fleet.members]
            figures.expect(None not in races, "an instance did not show its metrics")
            figures.figures["races lost and decided again"] = round(sum(one for one in races if one is not None))
            await audits(figures, server.url, folder)
            codes = await fleet.stop()
            figures.expect(all(code == 0 for code in codes), f"exit codes {codes}")
    if size is not SHORT and figures.held:  # the short form's limit says nothing of a second
        figures.promise = (*figures.promise, "P13")
    figures.seconds = time.monotonic() - began
    return figures


def _due(set_up_s: float) -> datetime:
    earliest = datetime.now(UTC) + timedelta(seconds=set_up_s + SPARE_S)
    return earliest.replace(second=0, microsecond=0) + timedelta(minutes=1)


async def _set_up(
    figures: Figures,
    session: aiohttp.ClientSession,
    urls: Sequence[str],
    due: datetime,
    number: int,
    url: str,
    chance: Random,
) -> None:
    async with session.post(f"{urls[0]}/v1/workspaces", json={"id": WORKSPACE, "time_zone": "UTC"}) as answer:
        assert answer.status == 201, await answer.text()
    figures.commands.update(sent=1, accepted=1)
    cadence = {"start_date": f"{due:%Y-%m-%d}", "start_time": f"{due:%H:%M}", "time_zone": "UTC"}
    cadence |= {"every": 1, "unit": "hour"}  # type: ignore[dict-item]
    for first in range(0, number, BATCH):
        commands: list[dict[str, Any]] = []
        for place in range(first, min(number, first + BATCH)):
            service = {"id": f"count-{place}", "handler": "http", "config": {"url": url}}
            jobs = [{"job": {"kind": "service", "id": f"count-{place}"}, "seq": 1}]
            schedule = {"id": f"s{place}", "active": True, "cadence": cadence, "jobs": jobs}
            schedule["policies"] = {"timing": "grid"}
            commands += [{"command": "AddService", "data": service}, {"command": "CreateSchedule", "data": schedule}]
        for half in filter(None, (commands[:BATCH], commands[BATCH:])):
            path = f"{chance.choice(urls)}/v1/{WORKSPACE}/commands"
            async with session.post(path, json=half, timeout=aiohttp.ClientTimeout(total=60)) as answer:
                told = await answer.text()
                assert answer.status == 200, told
                assert all(one["status"] == 201 for one in json.loads(told)), told[:500]
            figures.commands.update(sent=len(half), accepted=len(half))


async def _compare(figures: Figures, size: Size, log: LogReader, due: datetime, url: str, calls: Sequence[Any]) -> None:
    ran = [found for found in log.outcomes.values() if found == ["ran"]]
    doubled, effects = log.doubled(), log.effects_wrong(calls)
    late = [(one.first_started - due).total_seconds() for one in log.runs.values() if one.first_started]
    connection = await asyncpg.connect(url, timeout=5)
    try:
        statistics = await connection.fetchrow(STATISTICS, timeout=5)
    finally:
        await connection.close(timeout=5)
    assert statistics is not None
    figures.gaps = log.gaps
    figures.lost, figures.duplicated = size.occurrences - len(ran), len(doubled)
    figures.wrong += doubled[:5] + effects[:5] + log.wrong[:5]
    figures.expect(len(ran) == size.occurrences, f"{len(ran)} of {size.occurrences} ran")
    figures.expect(min(late) >= 0, "something started early")
    figures.figures.update(
        {
            "occurrences in one second": size.occurrences,
            "instances": size.instances,
            "occurrences doubled": len(doubled),
            "barrier violations": log.barrier_violations,
            "effects counted outside": len(calls),
            "effects unexplained": len(effects),
            "seconds from due to first job": spread(late),
            "deadlocks": statistics["deadlocks"],
        }
    )
    figures.expect(
        max(late) <= size.all_started_max_s, f"all had started after {max(late):.1f} s, not {size.all_started_max_s} s"
    )
