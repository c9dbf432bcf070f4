"""
Files of others, read for what would be made of them; nothing is written.

The answer holds the commands that would make it, and whoever sends them does so as with any other commands.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field

from eventjobs.api.answers import json_answer
from eventjobs.api.batch import preview_all, turn
from eventjobs.api.body import read_body
from eventjobs.api.definition_text import Unreadable, read_definition_text
from eventjobs.api.field_errors import validated
from eventjobs.api.ics_text import NoCalendar, ZoneUnknown, read_ics
from eventjobs.api.json_text import read_json
from eventjobs.api.problems import problem_of
from eventjobs.api.registry import Call
from eventjobs.commands import add_service, create_schedule, publish_definition, save_calendar
from eventjobs.commands.spec import CommandSpec
from eventjobs.domain.crontab import Job, read_crontab
from eventjobs.domain.streams import workspace_stream
from eventjobs.domain.zones import is_zone
from eventjobs.errors import Invalid, Rejected

TEXT_CHARS_MAX: Final = 200_000
LINES_MAX: Final = 500
NEXT_SHOWN: Final = 5
TURN_S_MAX: Final = 5.0

M = TypeVar("M", bound=BaseModel)


class CrontabText(BaseModel):
    """
    A crontab as it is written.

    `time_zone` is for the lines that no `CRON_TZ` names one for, else the workspace's is; in a `system` crontab a user
    stands before each command.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    text: Annotated[str, Field(max_length=TEXT_CHARS_MAX)]
    time_zone: Annotated[str, Field(max_length=64)] | None = None
    system: bool = False


class DefinitionSource(BaseModel):
    """An integration's definition as a YAML or JSON file has it."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    text: Annotated[str, Field(max_length=TEXT_CHARS_MAX)]


class CalendarText(BaseModel):
    """
    An iCalendar (.ics) file as it is written.

    `time_zone` is the blackout calendar's, else the file names it.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    text: Annotated[str, Field(max_length=TEXT_CHARS_MAX)]
    time_zone: Annotated[str, Field(max_length=64)] | None = None


async def plan_crontab(call: Call) -> web.StreamResponse:
    """Answer with what each line of a crontab would become, or why not."""
    await _require(call, add_service.SPEC, create_schedule.SPEC)
    given = await _body(call, CrontabText)
    _check_zone(given.time_zone)
    async with call.deps.plan_places.take(1, TURN_S_MAX):
        found = await asyncio.to_thread(read_crontab, given.text, system=given.system)
    if len(found.jobs) > LINES_MAX:
        raise Invalid.at("text", "too_many", f"at most {LINES_MAX} jobs are read at a time; send a part of them")
    zone = given.time_zone or await _zone(call)
    async with turn(call.deps, len(found.jobs) * 2):
        lines = [await _planned(call, job, job.zone or zone) for job in found.jobs]
    settings = [{"line": line, "detail": detail} for line, detail in found.settings]
    return json_answer(call.request_id, {"time_zone": zone, "lines": lines, "settings": settings})


async def plan_definition(call: Call) -> web.StreamResponse:
    """Answer with the fields of `PublishDefinition`, and the line of each part."""
    await _require(call, publish_definition.SPEC)
    given = await _body(call, DefinitionSource)
    async with call.deps.plan_places.take(1, TURN_S_MAX):
        try:
            read = await asyncio.to_thread(read_definition_text, given.text)
        except Unreadable as error:
            place = "" if error.line is None else f"line {error.line}: "
            raise Invalid.at("text", "not_a_definition", f"{place}{error}") from None
    return json_answer(call.request_id, {"content": read.content, "lines": read.lines})


async def plan_calendar(call: Call) -> web.StreamResponse:
    """Answer with the content of a `SaveCalendar`, and with the events that it cannot say."""
    await _require(call, save_calendar.SPEC)
    given = await _body(call, CalendarText)
    _check_zone(given.time_zone)
    async with call.deps.plan_places.take(1, TURN_S_MAX):
        try:
            found = await asyncio.to_thread(read_ics, given.text, time_zone=given.time_zone)
        except NoCalendar as error:
            raise Invalid.at("text", "not_a_calendar", str(error)) from None
        except ZoneUnknown as error:
            raise Invalid.at("time_zone", "missing", str(error)) from None
    content = {"name": found.name, "time_zone": found.time_zone, **found.entries}
    refused = [{"event": event, "detail": detail} for event, detail in found.refused]
    return json_answer(call.request_id, {"content": content, "refused": refused, "notes": list(found.notes)})


def _check_zone(zone: str | None) -> None:
    if zone is not None and not is_zone(zone):
        raise Invalid.at("time_zone", "time_zone_unknown", f"there is no time zone {zone!r}")


async def _require(call: Call, *specs: CommandSpec[Any]) -> None:
    for spec in specs:
        await call.deps.dispatcher.authorise(spec, call.context(call.workspace), record=False)


async def _body(call: Call, model: type[M]) -> M:
    body = await read_body(call.request, call.deps.body_timeout_s)
    _ = read_json(body)
    return validated(model, body)


async def _zone(call: Call) -> str:
    stream = workspace_stream(call.workspace)
    zone: str = (await call.deps.dispatcher.states.load([stream]))[stream].state.time_zone
    return zone


async def _planned(call: Call, job: Job, zone: str) -> Mapping[str, Any]:
    shown = {"line": job.line, "text": job.text, "notes": list(job.notes)}
    await asyncio.sleep(0)  # runs come first
    try:
        if job.refusal is not None:
            raise Invalid("not_carried_over", job.refusal)
        service, schedule = job.service(), job.schedule(zone)
        shown |= {"service": service, "schedule": schedule}
        trial = await preview_all(
            call, [{"command": "AddService", "data": service}, {"command": "CreateSchedule", "data": schedule}]
        )
    except Rejected as refusal:
        return {**_NOTHING, **shown, "state": "refused", "problem": problem_of(refusal).document(call.request_id)}
    return {
        **_NOTHING,
        **shown,
        "state": "new" if any(event["type"] == "schedule.created" for event in trial["events"]) else "there",
        "warnings": trial["warnings"],
        "next": trial["next"][f"schedule/{schedule['id']}"][:NEXT_SHOWN],
    }


_NOTHING: Final[Mapping[str, Any]] = {"service": None, "schedule": None, "problem": None, "warnings": [], "next": []}
