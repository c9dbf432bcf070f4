"""The service behind a real PgBouncer in transaction mode, where one is installed."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from eventjobs.log.setup import set_up
from tests.acceptance.instance import Client, Instance, client_of, free_port
from tests.support.database import data_folder, embedded_server
from tests.support.waiting import eventually

BOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")


@asynccontextmanager
async def bouncer(server_url: str, folder: Path) -> AsyncIterator[str]:
    """Yield the URL of a pooler before a server on a socket; it runs as the account that owns the socket's folder."""
    parts, port = urlsplit(server_url), free_port()
    socket_dir = Path(parse_qs(parts.query)["host"][0])
    folder.mkdir(mode=0o755)
    users, settings = folder / "users", folder / "pgbouncer.ini"
    users.write_text(f'"{parts.username}" ""\n')
    settings.write_text(
        "[databases]\n"
        f"* = host={socket_dir} port={parse_qs(parts.query)['port'][0]} user={parts.username}\n"
        "[pgbouncer]\n"
        f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\nauth_file = {users}\npool_mode = transaction\nmax_client_conn = 200\n"
    )
    account = ["-u", socket_dir.owner()] if Path.home().owner() == "root" else []
    assert BOUNCER is not None
    pooler = await asyncio.create_subprocess_exec(
        BOUNCER, *account, str(settings), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        await eventually(lambda: _listens(port))
        yield f"postgresql://{parts.username}@127.0.0.1:{port}{parts.path}"
    finally:
        if pooler.returncode is None:
            pooler.terminate()
        await pooler.wait()


async def _listens(port: int) -> bool:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return True


async def _furnish(client: Client) -> None:
    await client.post("/v1/workspaces", {"id": "acme"})
    rows = [{"job": {"kind": "service", "id": "load"}, "seq": 1}, {"job": {"kind": "service", "id": "rest"}, "seq": 2}]
    past = datetime.now(UTC) - timedelta(days=1)
    cadence = {"start_date": f"{past:%F}", "start_time": f"{past:%R}", "time_zone": "UTC", "every": 1, "unit": "hour"}
    load = {"source": "people.csv", "table": "people"}
    await client.do("AddService", {"id": "load", "handler": "csv.import", "config": load})
    await client.do("AddService", {"id": "rest", "handler": "sleep", "config": {"seconds": 0}})
    await client.do("CreateSchedule", {"id": "hourly", "cadence": cadence, "jobs": rows, "active": True})


async def _answered(client: Client) -> dict[str, Any]:
    found: dict[str, Any] = await client.get("/why?owner=schedule/hourly")
    assert found["verdict"] == "ran"
    return found


@pytest.mark.timeout(200)
@pytest.mark.skipif(BOUNCER is None, reason="pgbouncer is not installed: apt-get install pgbouncer")
async def test_all_works_behind_a_pooler_in_transaction_mode() -> None:
    async with embedded_server() as server_url:
        await set_up(server_url, pooler=True)
        with data_folder() as folder:
            async with bouncer(server_url, folder.parent / "bouncer") as url:
                through = {
                    "EVENTJOBS_DATABASE_URL": url,
                    "EVENTJOBS_DIRECT_URL": server_url,
                    "EVENTJOBS_UNSAFE": "true",
                }
                files = folder / "files" / "acme"
                files.mkdir(parents=True)
                (files / "people.csv").write_text("id,name\n1,Ada\n2,Grace\n")
                async with Instance(folder, environment=through) as instance, client_of(instance, "acme") as client:
                    await _furnish(client)
                    assert (await eventually(lambda: _answered(client)))["run"].startswith("schedule.hourly.1.")
                    owner = {"owner": {"kind": "schedule", "id": "hourly"}, "id": "by-hand"}
                    first = await client.do("RunNow", owner, Idempotency_Key="once")
                    again = await client.do("RunNow", owner, Idempotency_Key="once")
                    assert first["position"] == again["position"]
                    run = await client.run_ended("by-hand")
                    assert (run["state"], run["stages"][0]["job_runs"][0]["counts"]["added"]) == ("succeeded", 2)
                    many = [{"command": "AddService", "data": {"handler": "sleep", "config": {"seconds": 0}}}] * 300
                    answers = await client.post("/v1/acme/commands", many)
                    assert {answer["status"] for answer in answers} == {201}
                    assert await instance.stop() == 0
