"""The report of a group's run, from the real process to a real mail server and a real webhook, through a crash."""

import json
from typing import Any

from tests.acceptance.instance import Client, Instance, client_of
from tests.acceptance.test_alerts import OPS, calls, environment, rebuild
from tests.channels.sinks import HttpSink, MailSink
from tests.support.database import data_folder
from tests.support.waiting import eventually

BOSS = "boss@example.org"
KEEPER = "keeper@example.org"


async def furnish(client: Client, instance: Instance, hooks: HttpSink) -> None:
    """Make a group of two imports, whose first one has no file, and one that calls when it is done."""
    await client.post("/v1/workspaces", {"id": client.workspace, "time_zone": "Europe/Berlin", "kind": "automation"})
    secrets = instance.data_dir / "secrets" / client.workspace
    secrets.mkdir(parents=True)
    (secrets / "hook").write_text("a signing key")
    for name in ("contacts", "extension"):
        config = {"source": f"{name}.csv", "table": name, "mode": "replace"}
        fields: dict[str, Any] = {"kind": "import", "name": name.title(), "handler": "csv.import", "config": config}
        fields["notification"] = {"mode": "failure", "recipients": [KEEPER]}
        await client.do("SaveJob", {"id": name, "expires_on": "never", **fields})
        await client.do("ActivateJob", {"id": name})
    told = {
        "mode": "failure",
        "recipients": [OPS],
        "failure_recipients": [BOSS],
        "webhook": [{"url": f"{hooks.url}/hook", "secret": "secret://hook"}],
        "also_send_job_mails": True,
    }
    jobs = ["contacts", "extension"]
    await client.do("CreateGroup", {"id": "lists", "name": "Nightly lists", "jobs": jobs, "notification": told})
    await client.do("ActivateGroup", {"id": "lists"})
    for name in ("feed", "second"):
        fields = {"kind": "import", "name": name.title(), "handler": "sleep", "config": {"seconds": 0.01}}
        await client.do("SaveJob", {"id": name, "expires_on": "never", **fields})
        await client.do("ActivateJob", {"id": name})
    launch = {"on_success": [{"url": f"{hooks.url}/launch", "secret": "secret://hook"}]}
    await client.do(
        "CreateGroup", {"id": "after", "name": "Afterwards", "jobs": ["feed", "second"], "notification": launch}
    )
    await client.do("ActivateGroup", {"id": "after"})


async def deliveries(client: Client, run: str = "r") -> dict[str, tuple[str, int]]:
    """Return what a run's detail shows of its report: by recipient its state and tries."""
    told = (await client.get(f"/runs/{run}"))["notifications"]
    return {one["recipient"]: (one["state"], one["attempts"]) for one in told}


def text_of(mail: Any) -> list[str]:
    part = mail.parsed.get_body(("plain",))
    assert part is not None
    return [line.rstrip() for line in part.get_content().splitlines()]


def check_webhooks(hooks: HttpSink) -> None:
    (post,) = calls(hooks, "/hook")
    body = json.loads(post.body)
    assert (body["type"], body["data"]["group"], body["data"]["run"]) == ("run.ended", "lists", "r")
    assert [(job["job"], job["state"]) for job in body["data"]["jobs"]] == [
        ("contacts", "failed"),
        ("extension", "skipped"),
    ]
    (launch,) = calls(hooks, "/launch")
    assert json.loads(launch.body)["data"]["group"] == "after"


def check_report(mail: Any) -> None:
    assert mail.parsed["Subject"] == "[eventjobs] group lists failed (acme)"
    told = text_of(mail)
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


async def test_G52_G65_G66_G68_G71_a_group_that_failed_is_told_once_each_through_a_kill_and_a_rebuild() -> None:
    mail, hooks = await MailSink().open(), await HttpSink().open()
    mail.plans[OPS] = ["later"]
    at_once = (BOSS, KEEPER, f"{hooks.url}/hook")
    try:
        with data_folder() as folder:
            async with Instance(folder, environment=environment(mail, hooks)) as one, client_of(one, "acme") as client:
                await furnish(client, one, hooks)
                await client.do("RunNow", {"owner": {"kind": "group", "id": "lists"}, "id": "r"})
                ended = await client.run_ended("r")

                await client.do("RunNow", {"owner": {"kind": "group", "id": "after"}, "id": "next"})

                async def all_tried() -> bool:
                    own = await deliveries(client)
                    called = await deliveries(client, "next") == {f"{hooks.url}/launch": ("sent", 1)}
                    return called and own == {OPS: ("pending", 1), **dict.fromkeys(at_once, ("sent", 1))}

                await eventually(all_tried, 20.0)
                await one.kill()
                assert sorted(told.recipients for told in mail.mails) == [[BOSS], [KEEPER]]
                await one.start()
                await eventually(lambda: len(mail.mails) == 3, 40.0)
                await rebuild(one)

                async def all_sent() -> bool:
                    return await deliveries(client) == {OPS: ("sent", 2), **dict.fromkeys(at_once, ("sent", 1))}

                await eventually(all_sent, 20.0)
                assert (await client.get("/runs/r"))["state"] == ended["state"] == "failed"
        assert [told.recipients for told in mail.mails[2:]] == [[OPS]], "a start and a rebuild send nothing again"
    finally:
        await mail.close()
        await hooks.close()
    check_webhooks(hooks)
    (kept,) = (told for told in mail.mails if told.recipients == [KEEPER])
    assert kept.parsed["Subject"] == "[eventjobs] import contacts failed (acme)"
    assert "In the run of group: lists" in text_of(kept)
    check_report(mail.mails[2])
