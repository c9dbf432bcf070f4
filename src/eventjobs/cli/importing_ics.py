"""`eventjobs import ics`: bring a calendar's events as blackouts."""

from typing import Annotated, Any

from cyclopts import Parameter

from eventjobs.api.ics_text import Found, NoCalendar, ZoneUnknown, read_ics
from eventjobs.cli import exits
from eventjobs.cli.client import Client
from eventjobs.cli.files import read_text
from eventjobs.cli.output import print_json, say
from eventjobs.cli.target import Where, find_target
from eventjobs.cli.view import NOW, Json
from eventjobs.domain.zones import is_zone
from eventjobs.errors import UsageWrong
from eventjobs.ids import SystemIds


async def ics(
    file: str,
    /,
    *,
    calendar: Annotated[str, Parameter(help="the id of the calendar, which is replaced if it is there")],
    name: Annotated[str | None, Parameter(help="its name; else the file's, else the id")] = None,
    time_zone: Annotated[str | None, Parameter(help="its zone; else the one that the file names")] = None,
    leave_out: Annotated[bool, Parameter(negative="", help="apply it without the events that are refused")] = False,
    apply: Annotated[bool, Parameter(negative="", help="save it; else nothing is written")] = False,
    where: Where = NOW,
    json: Json = False,
) -> int:
    """
    Show what the events of an .ics file become as blackouts, or why one cannot be said. --apply saves the calendar.

    With an event that cannot be said nothing is saved, unless --leave-out says that it may be left out.
    """
    if time_zone is not None and not is_zone(time_zone):
        raise UsageWrong(f"there is no time zone {time_zone}")
    found = _read(file, time_zone)
    body = {"id": calendar, "name": name or found.name or calendar, "time_zone": found.time_zone, **found.entries}
    saves = apply and (leave_out or not found.refused)
    async with Client(find_target(where)) as client:
        path = f"/v1/{client.target.need_workspace()}/commands/SaveCalendar"
        headers = {"Idempotency-Key": SystemIds().new()}
        params = None if saves else {"dry_run": True}
        answer = (await client.post(path, body, params=params, headers=headers)).document
    if json:
        refused = [{"event": what, "detail": why} for what, why in found.refused]
        print_json({"applied": saves, "calendar": body, "refused": refused, "notes": found.notes})
    else:
        _tell(body, found, changes=bool(answer["events"]), saved=saves)
    return exits.REFUSED if found.refused and not leave_out else exits.OK


def _read(file: str, time_zone: str | None) -> Found:
    try:
        return read_ics(read_text(file), time_zone=time_zone)
    except NoCalendar as error:
        raise UsageWrong(str(error)) from None
    except ZoneUnknown as error:
        raise UsageWrong(f"{error}; give --time-zone") from None


def _tell(body: dict[str, Any], found: Found, *, changes: bool, saved: bool) -> None:
    say(f"Calendar {body['id']}, “{body['name']}”, in {body['time_zone']}:", "bold")
    for kind, entries in found.entries.items():
        for entry in entries:
            said = ", ".join(str(value) for field, value in entry.items() if field != "note")
            say(f"  {kind}: {said}" + (f" ({entry['note']})" if entry["note"] else ""))
    for note in found.notes:
        say(f"  note: {note}", "yellow")
    for what, why in found.refused:
        say(f"  refused: {what}: {why}", "yellow")
    if not changes:
        say("It says so already.")
    elif saved:
        say("It is saved.")
    else:
        say("Nothing was written; --apply saves it.")
