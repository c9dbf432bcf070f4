"""The report of a group's run, from the real process to a real mail server and a real webhook, through a crash."""

import json
from typing import Any

from tests.acceptance.instance import Client, Instance, client_of
from tests.acceptance.test_alerts import OPS, calls, environment, rebuild
from tests.channels.sinks import HttpSink, MailSink
from tests.support.database import data_folder
from tests.support.waiting import eventually

BOSS = "boss@example.org"


async def furnish(client: Client, instance: Instance, hooks: HttpSink) -> None:
    """Make a group of two imports, whose first one has no file."""
    await client.post("/v1/workspaces", {"id": client.workspace, "time_zone": "Europe/Berlin", "kind": "automation"})
    secrets = instance.data_dir / "secrets" / client.workspace
    secrets.mkdir(parents=True)
    (secrets / "hook").write_text("a signing key")
    for name in ("contacts", "extension"):
        config = {"source": f"{name}.csv", "table": name, "mode": "replace"}
        fields = {"kind": "import", "name": name.title(), "handler": "csv.import", "config": config}
        await client.do("SaveJob", {"id": name, "expires_on": "never", **fields})
        await client.do("ActivateJob", {"id": name})
    told = {
        "mode": "failure",
        "recipients": [OPS],
        "failure_recipients": [BOSS],
        "webhook": [{"url": f"{hooks.url}/hook", "secret": "secret://hook"}],
    }
    jobs = ["contacts", "extension"]
    await client.do("CreateGroup", {"id": "lists", "name": "Nightly lists", "jobs": jobs, "notification": told})
    await client.do("ActivateGroup", {"id": "lists"})


async def deliveries(client: Client) -> dict[str, tuple[str, int]]:
    """Return what the run's detail shows of its report: by recipient its state and tries."""
    told = (await client.get("/runs/r"))["notifications"]
    return {one["recipient"]: (one["state"], one["attempts"]) for one in told}


def text_of(mail: Any) -> list[str]:
    part = mail.parsed.get_body(("plain",))
    assert part is not None
    return [line.rstrip() for line in part.get_content().splitlines()]


async def test_G65_G68_G71_a_group_that_failed_is_told_once_each_through_a_kill_and_a_rebuild() -> None:
    mail, hooks = await MailSink().open(), await HttpSink().open()
    mail.plans[OPS] = ["later"]
    url = f"{hooks.url}/hook"
    try:
        with data_folder() as folder:
            async with Instance(folder, environment=environment(mail, hooks)) as one, client_of(one, "acme") as client:
                await furnish(client, one, hooks)
                await client.do("RunNow", {"owner": {"kind": "group", "id": "lists"}, "id": "r"})
                ended = await client.run_ended("r")

                async def all_tried() -> bool:
                    told = await deliveries(client)
                    return told == {OPS: ("pending", 1), BOSS: ("sent", 1), url: ("sent", 1)}

                await eventually(all_tried, 20.0)
                await one.kill()
                assert [told.recipients for told in mail.mails] == [[BOSS]]
                await one.start()
                await eventually(lambda: len(mail.mails) == 2, 40.0)
                await rebuild(one)

                async def all_sent() -> bool:
                    return await deliveries(client) == {OPS: ("sent", 2), BOSS: ("sent", 1), url: ("sent", 1)}

                await eventually(all_sent, 20.0)
                assert (await client.get("/runs/r"))["state"] == ended["state"] == "failed"
        assert [told.recipients for told in mail.mails] == [[BOSS], [OPS]], "a start and a rebuild send nothing again"
    finally:
        await mail.close()
        await hooks.close()
    (post,) = calls(hooks, "/hook")
    body = json.loads(post.body)
    assert (body["type"], body["data"]["group"], body["data"]["run"]) == ("run.ended", "lists", "r")
    assert [(job["job"], job["state"]) for job in body["data"]["jobs"]] == [
        ("contacts", "failed"),
        ("extension", "skipped"),
    ]
    assert mail.mails[1].parsed["Subject"] == "[eventjobs] group lists failed (acme)"
    told = text_of(mail.mails[1])
    assert told[0] == "Group lists (Nightly lists) failed."
    assert "Started by: by hand, key:admin" in told
    assert any(line.startswith("Expires: ") and line.endswith(", 30 days left") for line in told)
    jobs = told[told.index("Jobs:") + 1 :]
    assert jobs[0].startswith("1. contacts (Contacts): failed, began ")
    assert jobs[1:4] == [
        "   error: the file contacts.csv is not there",
        "2. extension (Extension): skipped",
        "   previous job failed",
    ]
    assert "https://jobs.example.org/v1/acme/runs/r" in told
