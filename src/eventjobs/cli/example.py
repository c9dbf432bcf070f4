"""The example that the wheel carries: its files, and the commands that make its workspace."""

import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import orjson

from eventjobs.cli.client import Answer, Client
from eventjobs.domain.slot_owner import Activity
from eventjobs.errors import ServiceRefused

FIRST_RUN: Final = "first-load"
"""The id of the schedule's run that the demonstration starts; a fixed id cannot run twice."""

NOT_FOUND: Final = 404
_READYZ: Final = "/readyz"

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What the example's workspace holds, as the fields of commands."""

    workspace: Fields
    services: Sequence[Fields]
    schedule: Fields
    jobs: Sequence[Fields]
    groups: Sequence[Fields]

    @property
    def loads(self) -> Mapping[str, Fields]:
        """The configurations of the schedule's imports, by service."""
        return {service["id"]: service["config"] for service in self.services if service["handler"] == "csv.import"}

    def totals(self, rows: Mapping[str, int]) -> Mapping[str, int]:
        """Return the rows that each import will find, with those of each file given."""
        loads = {**self.loads, **{job["id"]: job["config"] for job in self.jobs}}
        return {job: rows[config["source"]] for job, config in loads.items()}

    def tables(self, rows: Mapping[str, int]) -> Sequence[Mapping[str, object]]:
        """Return which file goes into which table, with the file's rows."""
        return [
            {"table": config["table"], "file": config["source"], "rows": rows[config["source"]]}
            for config in self.loads.values()
        ]


def read_example(url: str) -> Example:
    """Return the example for a service at `url`."""
    text = (example_root() / "workspace.json").read_text("utf-8")
    return Example(**orjson.loads(text.replace("{url}", url)))


def make_example_files(folder: Path) -> Mapping[str, int]:
    """Write the files that are not there yet, and return the rows of each."""
    with resources.as_file(example_root() / "make_files.py") as script:
        rows: Mapping[str, int] = runpy.run_path(str(script))["make_files"](folder)
    return rows


async def make_workspace(client: Client, example: Example) -> None:
    """
    Make what is not there yet; done again, also after half of it, it makes nothing twice.

    What somebody changed or deleted since then stays as it is, but the address of this service, which may have moved.
    """
    where = f"/v1/{example.workspace['id']}"
    await _once(client, "/v1/workspaces", example.workspace, "workspace")
    for service in example.services:
        present = await _find(client, f"{where}/services/{service['id']}")
        if present is None:
            await _once(client, f"{where}/commands/AddService", service, f"service-{service['id']}")
        elif _has_moved(present, service):
            await client.post(f"{where}/commands/ConfigureService", service)
    if await _find(client, f"{where}/schedules/{example.schedule['id']}") is None:
        await _once(client, f"{where}/commands/CreateSchedule", example.schedule, "schedule")
    for group in example.groups:
        present = await _find(client, f"{where}/groups/{group['id']}")
        if present is None or present["state"] == Activity.DRAFT:
            await _make_group(client, where, example, group)


async def _make_group(client: Client, where: str, example: Example, group: Fields) -> None:
    """Make a group with its jobs, all of them active."""
    for job in (job for job in example.jobs if job["id"] in group["jobs"]):
        await _once(client, f"{where}/commands/SaveJob", job, f"job-{job['id']}")
        await _once(client, f"{where}/commands/ActivateJob", {"id": job["id"]}, f"active-job-{job['id']}")
    await _once(client, f"{where}/commands/CreateGroup", group, f"group-{group['id']}")
    await _once(client, f"{where}/commands/ActivateGroup", {"id": group["id"]}, f"active-group-{group['id']}")


async def start_first_run(client: Client, example: Example) -> Answer:
    """Open the schedule's run if it was never opened; the answer's `events` tell whether this call did."""
    body = {"owner": {"kind": "schedule", "id": example.schedule["id"]}, "id": FIRST_RUN}
    return await _run_now(client, example, body, "first-run")


async def start_group_run(client: Client, example: Example, group: Fields) -> Answer:
    """The same for the run of a group."""
    body = {"owner": {"kind": "group", "id": group["id"]}, "id": f"first-{group['id']}"}
    return await _run_now(client, example, body, f"first-{group['id']}")


def example_root() -> Traversable:
    """Return the packaged copy; in a source checkout the folder at the root of the repository."""
    packaged = resources.files("eventjobs") / "examples"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "examples"


async def _run_now(client: Client, example: Example, body: Fields, step: str) -> Answer:
    path = f"/v1/{example.workspace['id']}/commands/RunNow"
    return await client.post(path, body, headers={"Idempotency-Key": f"example-{step}"})


async def _once(client: Client, path: str, body: Fields, step: str) -> None:
    try:
        await client.post(path, body, headers={"Idempotency-Key": f"example-{step}"})
    except ServiceRefused as refusal:
        if refusal.problem.get("code") not in ("id_taken", "idempotency_key_reused"):
            raise


async def _find(client: Client, path: str) -> Any:
    try:
        return await client.get(path)
    except ServiceRefused as refusal:
        if refusal.problem.get("status") != NOT_FOUND:
            raise
        return None


def _has_moved(present: Fields, service: Fields) -> bool:
    old, new = (str(thing.get("config", {}).get("url", "")) for thing in (present, service))
    return old != new and old.startswith("http://127.0.0.1:") and old.endswith(_READYZ)
