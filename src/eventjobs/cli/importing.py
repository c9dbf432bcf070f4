"""`eventjobs import`: bring what another scheduler has."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from cyclopts import App, Parameter

from eventjobs.cli import exits
from eventjobs.cli.client import Client
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
    text = read_text(file)
    if time_zone is not None and not is_zone(time_zone):
        raise UsageWrong(f"there is no time zone {time_zone}")
    async with Client(find_target(where)) as client:
        path = f"/v1/{client.target.need_workspace()}/plans/crontab"
        plan = (await client.post(path, {"text": text, "time_zone": time_zone, "system": system})).document
        lines = [await _made(client, line) if apply else line for line in plan["lines"]]
    if json:
        print_json({"applied": apply, "lines": lines, "settings": plan["settings"]})
    else:
        _tell(plan["settings"], lines, apply=apply)
    return exits.REFUSED if any(line["state"] == REFUSED for line in lines) else exits.OK


async def _made(client: Client, line: Document) -> Document:
    """Make what a line becomes, in one append."""
    if line["state"] == REFUSED:
        return line
    batch = [
        {"command": "AddService", "data": line["service"], "key": SystemIds().new()},
        {"command": "CreateSchedule", "data": line["schedule"], "key": SystemIds().new()},
    ]
    try:
        await client.post(f"/v1/{client.target.need_workspace()}/commands", batch, params={"atomic": True})
    except ServiceRefused as refusal:
        return {**line, "state": REFUSED, "problem": refusal.problem}
    return line


def _tell(settings: list[Document], lines: list[Document], *, apply: bool) -> None:
    for setting in settings:
        say(f"line {setting['line']}: {setting['detail']}", "yellow")
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
