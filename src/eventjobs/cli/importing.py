"""`eventjobs import`: bring what another scheduler has."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from eventjobs.cli import exits
from eventjobs.cli.client import Client
from eventjobs.cli.crontab import Crontab, Job, read_crontab
from eventjobs.cli.files import read_text
from eventjobs.cli.importing_ics import ics
from eventjobs.cli.output import print_json, say
from eventjobs.cli.target import Where, find_target
from eventjobs.cli.view import NOW, Json
from eventjobs.domain.zones import is_zone
from eventjobs.errors import ServiceRefused, UsageWrong
from eventjobs.ids import SystemIds

importing: Final = App(name="import", help="Bring what another scheduler has.")
importing.command(ics)

NEXT_SHOWN: Final = 5
NEW, THERE, REFUSED = "new", "there", "refused"

Document = dict[str, Any]


@importing.command
async def crontab(
    file: str,
    /,
    *,
    time_zone: Annotated[
        str | None, Parameter(help="the zone of lines that no CRON_TZ names; else it is the workspace's")
    ] = None,
    system: Annotated[bool, Parameter(negative="", help="each line has a user, as in /etc/crontab")] = False,
    apply: Annotated[bool, Parameter(negative="", help="make them; else nothing is written")] = False,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """
    Show what each line of a crontab becomes: a schedule with a `command` job, or why not. --apply makes them.

    What is there already is left as it is, so the same file may be applied again.
    """
    found = read_crontab(read_text(file), system=system)
    if time_zone is not None and not is_zone(time_zone):
        raise UsageWrong(f"there is no time zone {time_zone}")
    async with Client(find_target(where)) as client:
        zone = time_zone or (await client.get(f"/v1/{client.target.need_workspace()}"))["time_zone"]
        lines = [await _carried(client, job, job.zone or zone, apply=apply) for job in found.jobs]
    if json:
        settings = [{"line": line, "detail": detail} for line, detail in found.settings]
        print_json({"applied": apply, "lines": lines, "settings": settings})
    else:
        _tell(found, lines, apply=apply)
    return exits.REFUSED if any(line["state"] == REFUSED for line in lines) else exits.OK


async def _carried(client: Client, job: Job, zone: str, *, apply: bool) -> Document:
    """Ask the service what it makes of a line, and with `apply` to do it."""
    shown: Document = {"line": job.line, "text": job.text, "notes": list(job.notes)}
    if job.refusal is not None:
        return {**shown, "state": REFUSED, "problem": {"detail": job.refusal}}
    service, schedule = job.service(), job.schedule(zone)
    shown |= {"schedule": schedule, "service": service}
    batch = [
        {"command": "AddService", "data": service, "key": SystemIds().new()},
        {"command": "CreateSchedule", "data": schedule, "key": SystemIds().new()},
    ]
    path = f"/v1/{client.target.need_workspace()}/commands"
    try:
        trial = (await client.post(path, batch, params={"atomic": True, "dry_run": True})).document
        if apply:
            await client.post(path, batch, params={"atomic": True})
    except ServiceRefused as refusal:
        return {**shown, "state": REFUSED, "problem": refusal.problem}
    made = any(event["type"] == "schedule.created" for event in trial["events"])
    return {
        **shown,
        "state": NEW if made else THERE,
        "warnings": trial["warnings"],
        "next": trial["next"][f"schedule/{schedule['id']}"][:NEXT_SHOWN],
    }


def _tell(found: Crontab, lines: list[Document], *, apply: bool) -> None:
    for number, detail in found.settings:
        say(f"line {number}: {detail}", "yellow")
    for line in lines:
        say(f"\nline {line['line']}: {line['text']}", "bold")
        for sentence in _sentences(line, apply=apply):
            say(f"  {sentence}")
    states = [line["state"] for line in lines]
    done = "made" if apply else "would be made"
    told = f"{states.count(NEW)} {done}, {states.count(THERE)} there already, {states.count(REFUSED)} refused."
    say(f"\n{told}" if apply else f"\n{told} Nothing was written; --apply makes them.")


def _sentences(line: Document, *, apply: bool) -> Iterator[str]:
    if line["state"] == REFUSED:
        yield from _refusal(line["problem"])
        return
    schedule = line["schedule"]
    made = {(NEW, True): "made", (NEW, False): "becomes", (THERE, True): "is there", (THERE, False): "is there"}
    cadence = schedule["cadence"]
    yield f"{made[line['state'], apply]}: schedule {schedule['id']}, {cadence['cron']} in {cadence['time_zone']}"
    coming = [f"{moment['local'].replace('T', ' ')[:16]}" for moment in line["next"]]
    yield f"next: {', '.join(coming) or 'never'}"
    yield from (f"note: {note}" for note in line["notes"])
    yield from (f"note: {warning['detail']}" for warning in line["warnings"])


def _refusal(problem: Mapping[str, Any]) -> Iterator[str]:
    details = [error["detail"] for error in problem.get("errors") or ()] or [problem.get("detail", "")]
    yield from (f"refused: {detail}" for detail in details)
    if any("EVENTJOBS_COMMANDS" in detail for detail in details):
        yield "to allow it, set EVENTJOBS_COMMANDS=/bin/sh for the service; then its jobs may run anything"
    if problem.get("code") == "id_taken":
        yield "it was carried over before, and changed or deleted since; it is left as it is"
