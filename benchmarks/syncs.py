"""
How long a sync of 1,000 registrations takes: 10,000 schedules of which each gets another cadence, over HTTP.

The service is one process beside its database, so on two cores each has one. `--registrations` makes it smaller.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import uvloop

from eventjobs.app import Service
from eventjobs.settings import load_settings

REGISTRATIONS = 1_000
SCHEDULES = 10
KEY = "a-key-for-the-benchmark"
PUBLISHER = "builder"
TIMEOUT_S = 600


def _definition(every: int) -> dict[str, Any]:
    cadence = {"start_date": "2100-01-01", "start_time": "02:00", "time_zone": "Europe/Berlin", "every": every}
    jobs = [{"job": {"kind": "service", "id": "nap"}}]
    schedules = [
        {"id": f"schedule-{number}", "cadence": {**cadence, "unit": "day"}, "jobs": jobs} for number in range(SCHEDULES)
    ]
    service = {"id": "nap", "handler": "sleep", "config": {"seconds": 0}}
    return {"id": "crm", "services": [service], "features": [{"id": "one", "schedules": schedules}]}


async def _post(session: aiohttp.ClientSession, path: str, body: Any) -> Any:
    async with session.post(path, data=orjson.dumps(body)) as answer:
        assert answer.status in (200, 201), await answer.text()
        return await answer.json()


async def measure(registrations: int = REGISTRATIONS) -> dict[str, Any]:
    """Return the seconds that a bulk sync takes, and one more that finds nothing to do."""
    with tempfile.TemporaryDirectory(prefix="eventjobs-syncs-") as folder:
        service = await Service.start(
            load_settings({"data_dir": Path(folder), "port": 0, "admin_key": KEY, "log_level": "error"})
        )
        try:
            headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
            async with aiohttp.ClientSession(service.url, headers=headers, timeout=timeout) as session:
                return await _measured(session, registrations)
        finally:
            await service.stop()


async def _measured(session: aiohttp.ClientSession, registrations: int) -> dict[str, Any]:
    commands = f"/v1/{PUBLISHER}/commands"
    await _post(session, "/v1/workspaces", {"id": PUBLISHER})
    await _post(session, f"{commands}/PublishDefinition", _definition(1))
    for number in range(registrations):
        shop = f"shop-{number:04}"
        await _post(session, "/v1/workspaces", {"id": shop, "kind": "customer"})
        registered = {"definition": f"{PUBLISHER}/crm", "features": ["one"]}
        await _post(session, f"/v1/{shop}/commands/RegisterIntegration", registered)
        status = {"integration": "crm", "feature": "one", "status": "active"}
        await _post(session, f"/v1/{shop}/commands/SetFeatureStatus", status)
    await _post(session, f"{commands}/PublishDefinition", _definition(2))
    taken = [await _synced(session, commands, status) for status in (201, 200)]
    raw = {"registrations": registrations, "schedules": registrations * SCHEDULES, "sync_s": taken[0]}
    return {"figures": {}, "raw": {"syncs": {**raw, "sync_again_s": taken[1]}}}


async def _synced(session: aiohttp.ClientSession, commands: str, status: int) -> float:
    begun = time.perf_counter()
    answer = await _post(session, f"{commands}/SyncRegistration", {"id": "crm", "targets": "all"})
    assert {one["status"] for one in answer["results"]} == {status}
    return round(time.perf_counter() - begun, 2)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--registrations", type=int, default=REGISTRATIONS)
    print(json.dumps(uvloop.run(measure(parser.parse_args().registrations)), indent=2))
