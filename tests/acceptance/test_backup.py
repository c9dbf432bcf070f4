"""A backup of a running service, restored into an empty folder, as its operator sees it."""

import json
from pathlib import Path

from eventjobs.log.setup import set_up
from eventjobs.postgres.embedded import EmbeddedPostgres
from tests.acceptance.instance import ADMIN_KEY, Client, Instance, client_of
from tests.support.database import data_folder, execute
from tests.support.program import eventjobs_beside
from tests.support.waiting import eventually


async def _in_use(client: Client, folder: Path) -> tuple[str, str]:
    """Make a workspace with a loaded table and a run that is under way; return the two runs."""
    await client.post("/v1/workspaces", {"id": "acme", "time_zone": "Europe/Berlin", "kind": "automation"})
    files = folder / "files" / "acme"
    files.mkdir(parents=True, exist_ok=True)
    (files / "contacts.csv").write_text("id,name\n1,Ada\n2,Grace\n3,Edsger\n")
    table = {"source": "contacts.csv", "table": "contacts", "mode": "merge", "keys": ["id"]}
    await client.do("AddService", {"id": "load", "handler": "csv.import", "config": table})
    await client.do("AddService", {"id": "long", "handler": "sleep", "config": {"seconds": 600}})
    loaded = await client.do("RunNow", {"owner": {"kind": "service", "id": "load"}})
    await client.run_ended(loaded["run"])
    long = await client.do("RunNow", {"owner": {"kind": "service", "id": "long"}})

    async def begun() -> bool:
        return (await client.get(f"/runs/{long['run']}"))["started_at"] is not None

    await eventually(begun)
    return loaded["run"], long["run"]


async def test_what_is_restored_is_whole_held_and_does_nothing_by_itself() -> None:
    with data_folder() as first, data_folder() as second:
        copy = first.parent / "copy"
        async with Instance(first) as running, client_of(running, "acme") as client:
            loaded, long = await _in_use(client, first)
            made = await eventjobs_beside("backup", str(copy), "--data-dir", str(first), "--json")
            assert made.code == 0, made.err
            after = await client.do("AddService", {"id": "later", "handler": "sleep", "config": {"seconds": 0}})
        described = json.loads(made.out)
        assert described["position"] < after["position"]
        assert described["bytes"] == copy.stat().st_size
        assert copy.stat().st_mode & 0o777 == 0o600

        restored = await eventjobs_beside("restore", str(copy), "--data-dir", str(second), "--json")
        assert restored.code == 0, restored.err
        told = json.loads(restored.out)
        assert (told["copied_to"], told["held"]) == (described["position"], True)
        assert told["stopping"] == [f"acme/{long}"]

        async with Instance(second) as again, client_of(again, "acme") as client:
            assert (await client.get(f"/runs/{loaded}"))["state"] == "succeeded"
            assert (await client.run_ended(long, timeout_s=8))["state"] == "aborted"
            await client.get("/services/later", expect=404)
            refused = await client.do("RunNow", {"owner": {"kind": "service", "id": "load"}}, expect=409)
            assert refused["code"] == "held"
            released = await eventjobs_beside(
                *("do", "ReleaseStarts", "--everywhere", "-w", "*", "--url", again.url, "--key", ADMIN_KEY)
            )
            assert released.code == 0, released.err
            (second / "files" / "acme").mkdir(parents=True)
            (second / "files" / "acme" / "contacts.csv").write_text("id,name\n3,Edsger Wybe\n4,Barbara\n")
            merged = await client.run_ended(
                (await client.do("RunNow", {"owner": {"kind": "service", "id": "load"}}))["run"]
            )
            counts = merged["stages"][0]["job_runs"][0]["counts"]
            assert (counts["added"], counts["updated"]) == (1, 1)
            verified = await eventjobs_beside("audit", "verify", "--data-dir", str(second))
            assert verified.code == 0, verified.out


async def test_no_instance_starts_on_what_a_restore_left_half_done() -> None:
    with data_folder() as folder:
        postgres = EmbeddedPostgres(folder)
        url = await postgres.start()
        try:
            await set_up(url)
            await execute(url, "CREATE TABLE public.eventjobs_restoring ()")
        finally:
            await postgres.stop()
        refused = await eventjobs_beside("serve", "--data-dir", str(folder), "--port", "0")
        assert (refused.code, "did not come to its end" in refused.err) == (3, True), refused.err


async def test_nothing_is_overwritten_and_no_other_file_is_taken_for_a_backup(tmp_path: Path) -> None:
    some = tmp_path / "some"
    some.write_text("not a copy")
    there = await eventjobs_beside("backup", str(some), "--data-dir", str(tmp_path))
    assert (there.code, "overwrites nothing" in there.err) == (2, True)
    nothing = await eventjobs_beside("backup", str(tmp_path / "new"), "--data-dir", str(tmp_path / "empty"))
    assert (nothing.code, "no database" in nothing.err) == (2, True)
    absent = await eventjobs_beside("restore", str(tmp_path / "absent"), "--data-dir", str(tmp_path / "empty"))
    assert (absent.code, "no file" in absent.err) == (2, True)
    with data_folder() as folder:
        wrong = await eventjobs_beside("restore", str(some), "--data-dir", str(folder))
        assert (wrong.code, "pg_restore failed" in wrong.err) == (1, True)
