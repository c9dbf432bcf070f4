"""Imports and exports over HTTPS: a real handshake with a certificate that is trusted, and with one that is not."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.acceptance.instance import Client, Instance, client_of
from tests.channels.sinks import certificate
from tests.support.database import data_folder

LIST = "id,name\n" + "".join(f"{number},name {number}\n" for number in range(2_000))


@asynccontextmanager
async def https_site(folder: Path, taken: list[bytes]) -> AsyncIterator[tuple[str, Path]]:
    """Serve the list and take files; yields the URL, and the file with the certificate."""
    folder.mkdir()
    context, trusted = certificate(folder)

    async def give(_: web.Request) -> web.Response:
        return web.Response(text=LIST)

    async def take(request: web.Request) -> web.Response:
        taken.append(await request.read())
        return web.Response(status=201)

    app = web.Application()
    app.router.add_get("/people.csv", give)
    app.router.add_put("/people.csv", take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"https://localhost:{runner.addresses[0][1]}/people.csv", trusted
    finally:
        await runner.cleanup()


async def played(client: Client, job: str, kind: str, config: dict[str, Any]) -> dict[str, Any]:
    fields = {"kind": kind, "name": job, "handler": f"csv.{kind}", "config": config, "expires_on": "never"}
    await client.do("SaveJob", {"id": job, **fields})
    await client.do("ActivateJob", {"id": job})
    await client.do("RunNow", {"owner": {"kind": kind, "id": job}, "id": f"run-{job}"})
    return await client.run_ended(f"run-{job}")


async def test_lists_come_and_go_over_https_from_hosts_that_are_who_they_say(tmp_path: Path) -> None:
    taken: list[bytes] = []
    with data_folder() as folder:
        async with https_site(tmp_path / "ours", taken) as (ours, trusted), https_site(tmp_path / "x", taken) as (x, _):
            environment = {"SSL_CERT_FILE": str(trusted), "EVENTJOBS_OUTBOUND_ALLOW": "127.0.0.1"}
            async with Instance(folder, environment=environment) as instance, client_of(instance, "acme") as client:
                await client.post("/v1/workspaces", {"id": "acme", "time_zone": "UTC", "kind": "automation"})
                table = {"table": "people", "mode": "replace", "columns": {"id": "integer", "name": "text"}}
                loaded = await played(client, "fetch", "import", {"source": ours, **table})
                sent = await played(client, "send", "export", {"table": "people", "target": ours})
                strange = await played(client, "strange", "import", {"source": x, **table})
                told = await played(client, "tell", "export", {"table": "people", "target": x})

    assert [one["state"] for one in (loaded, sent, strange, told)] == ["succeeded", "succeeded", "failed", "failed"]
    assert taken == [LIST.encode()]
    assert "certificate" in str(strange)
