"""Alerts by mail and webhook, from the real process to real servers, through a crash and a rebuild."""

import asyncio
import sys
from typing import Any

from tests.acceptance.instance import Client, Instance, client_of
from tests.acceptance.test_instances import metric
from tests.channels.sinks import HttpSink, MailSink
from tests.support.database import data_folder
from tests.support.waiting import eventually

OPS = "ops@example.org"
LATER = {"start_date": "2199-01-01", "start_time": "14:00", "time_zone": "UTC", "every": 1, "unit": "month"}


def environment(mail: MailSink, hooks: HttpSink) -> dict[str, str]:
    return {
        "EVENTJOBS_SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
        "EVENTJOBS_MAIL_FROM": "jobs@example.org",
        "EVENTJOBS_OUTBOUND_ALLOW": "127.0.0.1",
        "EVENTJOBS_HEARTBEAT_URL": f"{hooks.url}/alive",
        "EVENTJOBS_PUBLIC_URL": "https://jobs.example.org/",
    }


async def furnish(client: Client, instance: Instance, hooks: HttpSink) -> None:
    await client.post("/v1/workspaces", {"id": client.workspace, "time_zone": "Europe/Berlin", "kind": "automation"})
    secrets = instance.data_dir / "secrets" / client.workspace
    secrets.mkdir(parents=True)
    (secrets / "hook").write_text("a signing key")
    await client.do("AddService", {"id": "call", "handler": "http", "config": {"url": f"{hooks.url}/job"}})
    alerts = {
        "failures_in_a_row": 2,
        "runs_longer_than": "PT1H",
        "email": [OPS],
        "webhook": [{"url": f"{hooks.url}/hook", "secret": "secret://hook"}],
        "heartbeat": f"{hooks.url}/beat",
    }
    jobs = [{"job": {"kind": "service", "id": "call"}, "seq": 1}]
    made = await client.do("CreateSchedule", {"id": "s", "cadence": LATER, "jobs": jobs, "alerts": alerts})
    assert made["warnings"] == []


async def run(client: Client, name: str) -> str:
    await client.do("RunNow", {"owner": {"kind": "schedule", "id": "s"}, "id": name})
    return str((await client.run_ended(name))["state"])


async def test_failures_are_told_by_mail_and_webhook_once_and_a_success_to_the_heartbeat() -> None:
    mail, hooks = await MailSink().open(), await HttpSink().open()
    mail.plans[OPS] = ["refuse"]
    hooks.plans["/hook"] = ["lie"]
    hooks.plans["/job"] = [500, 500]
    try:
        with data_folder() as folder:
            async with Instance(folder, environment=environment(mail, hooks)) as one, client_of(one, "acme") as client:
                await furnish(client, one, hooks)
                assert [await run(client, name) for name in ("f1", "f2")] == ["failed", "failed"]
                await eventually(lambda: mail.mails and len(calls(hooks, "/hook")) == 2, 40.0)
                shown = await client.get("/schedules/s")
                assert [one["alert"] for one in shown["incidents"]] == ["failures"]
                assert shown["alerts"]["runs_longer_than"] == "PT1H"

                messages = await eventually(lambda: all_sent(client), 20.0)
                assert {one["channel"]: (one["attempts"], one["ambiguous"]) for one in messages} == {
                    "email": (2, 0),
                    "webhook": (2, 1),
                }
                assert len({call.id for call in calls(hooks, "/hook")}) == 1
                assert "https://jobs.example.org/v1/acme/runs/f2" in mail.mails[0].raw.decode()
                assert await metric(one, "eventjobs_notification_attempts_total") == 4
                await eventually(lambda: calls(hooks, "/alive"), 20.0)

                await rebuild(one)
                assert await run(client, "good") == "succeeded"
                await eventually(lambda: calls(hooks, "/beat"), 20.0)
                await eventually(lambda: len(mail.mails) == 2, 20.0)
                assert len(await eventually(lambda: all_sent(client), 20.0)) == 5
                only = await client.get("/notifications?channel=email&state=sent&owner=schedule/s")
                assert [one["kind"] for one in only["items"]] == ["alert.recovered", "alert.raised"]

                await one.kill()
                alive = len(calls(hooks, "/alive"))
                await one.start()
                await eventually(lambda: len(calls(hooks, "/alive")) > alive, 20.0)
                assert await run(client, "better") == "succeeded"
                await eventually(lambda: len(calls(hooks, "/beat")) == 2, 20.0)
            assert len(mail.mails) == 2, "neither a rebuild nor a start sends anything again"
            assert len(calls(hooks, "/hook")) == 3
    finally:
        await mail.close()
        await hooks.close()


def calls(hooks: HttpSink, path: str) -> list[Any]:
    return [call for call in hooks.calls if call.path == path]


async def all_sent(client: Client) -> list[dict[str, Any]]:
    items = (await client.get("/notifications"))["items"]
    assert items
    assert all(one["state"] == "sent" for one in items), items
    return list(items)


async def rebuild(instance: Instance) -> None:
    """Build the views of alerts and messages again, beside the service."""
    arguments = ["rebuild", "alerts", "notifications", "--data-dir", str(instance.data_dir)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "eventjobs", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
