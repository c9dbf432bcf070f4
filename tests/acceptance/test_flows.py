"""A flow over HTTP against the real process, which is killed while the flow is suspended."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

from tests.acceptance.instance import Client, Instance, client_of
from tests.support.database import data_folder
from tests.support.waiting import eventually

NEVER = {"start_date": "2199-12-01", "start_time": "14:00", "time_zone": "UTC", "every": 1, "unit": "day"}


@asynccontextmanager
async def approvals(addresses: list[str], outputs: list[object]) -> AsyncIterator[int]:
    """A system that takes orders to be approved, and later those that were; gives its port."""

    async def ask(request: web.Request) -> web.Response:
        addresses.append(request.headers["Eventjobs-Callback"])
        return web.Response(status=202, headers={"Eventjobs-Suspended": "the buyer"})

    async def ship(request: web.Request) -> web.Response:
        outputs.append(request.headers["Eventjobs-Run"])
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/ask", ask), web.post("/ship", ship)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def _ask(client: Client, port: int) -> None:
    await client.post("/v1/workspaces", {"id": client.workspace, "time_zone": "UTC", "kind": "automation"})
    await client.do("AddFlow", {"id": "ask", "handler": "http", "config": {"url": f"http://127.0.0.1:{port}/ask"}})
    await client.do("AddService", {"id": "ship", "handler": "http", "config": {"url": f"http://127.0.0.1:{port}/ship"}})
    jobs = [{"job": {"kind": "flow", "id": "ask"}, "seq": 1}, {"job": {"kind": "service", "id": "ship"}, "seq": 2}]
    await client.do("CreateSchedule", {"id": "orders", "cadence": NEVER, "jobs": jobs})
    await client.do("RunNow", {"owner": {"kind": "schedule", "id": "orders"}, "id": "order-1"})

    async def is_suspended() -> bool:
        return bool((await client.get("/runs/order-1"))["stages"][0]["job_runs"][0]["state"] == "suspended")

    await eventually(is_suspended, timeout_s=30)


async def test_R43_a_suspended_flow_survives_kill_9_and_its_callback_ends_it() -> None:
    addresses: list[str] = []
    shipped: list[object] = []
    async with approvals(addresses, shipped) as port:
        with data_folder() as folder:
            async with Instance(folder, environment={"EVENTJOBS_OUTBOUND_ALLOW": f"127.0.0.1:{port}"}) as one:
                async with client_of(one, "shop") as client:
                    await _ask(client, port)
                await one.kill()
                await one.start()
                async with aiohttp.ClientSession() as anybody:
                    body = {"state": "succeeded", "output": {"approved": True}}
                    async with anybody.post(addresses[0], json=body) as answer:
                        assert answer.status == 201, await answer.text()
                    async with anybody.post(addresses[0], json=body) as answer:
                        assert (answer.status, (await answer.json())["events"]) == (200, [])
                    async with anybody.post(addresses[0], json={"state": "failed"}) as answer:
                        assert (answer.status, (await answer.json())["code"]) == (409, "callback_over")
                async with client_of(one, "shop") as client:
                    detail = await client.run_ended("order-1")
                    asked = detail["stages"][0]["job_runs"][0]
                    assert (detail["state"], detail["term"]) == ("succeeded", 2)
                    assert (len(asked["attempts"]), asked["output"]) == (1, {"approved": True})
                    assert asked["attempts"][0]["suspension"]["waits_for"] == "the buyer"
                assert (len(addresses), shipped) == (1, ["order-1"])
                assert await one.stop() == 0
