"""
The coming occurrences as a calendar, for programs that subscribe to one by its address.

Such programs send no header of ours, so here alone a key stands in the address: one for calendars, which opens nothing
else, may be revoked and ends by itself. No address is ever logged.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final

from aiohttp import web
from icalendar import Calendar, Event
from pydantic import Field

from eventjobs.api.answers import headers_for
from eventjobs.api.moment import Moment, ReadQuery, now_of, view_moment
from eventjobs.api.reads import Owner, parse_owner
from eventjobs.api.registry import Call

MEDIA: Final = "text/calendar"
AHEAD: Final = timedelta(days=31)
MOMENTS_MAX: Final = 1_000
REFRESH: Final = timedelta(hours=1)
_NOTES: Final = {
    "blackout": "It is skipped: a blackout.",
    "dst_gap": "That local time does not exist on that day; it is later by the gap.",
    "dst_repeat": "That local time comes twice on that day.",
    "minute_not_drawn": "Its minute is drawn when the moment before it was answered.",
    "drifted_from_label": "It is not at the start time of the schedule any more.",
}


class FeedQuery(ReadQuery):
    """The key, and whose occurrences: all where nothing is said."""

    token: Annotated[str, Field(max_length=512, description="A key with the role `calendar`")]
    owner: Owner | None = None


async def calendar_feed(call: Call) -> web.StreamResponse:
    """Answer with what comes in the next 31 days, at most 1,000 occurrences."""
    moment = await view_moment(call)
    begin = now_of(call, moment)
    owner = None if call.query.owner is None else parse_owner(call.query.owner)
    wanted = {"owner": owner, "since": begin, "until": begin + AHEAD, "outcome": "coming", "limit": MOMENTS_MAX}
    coming = await call.deps.views.occurrences(call.workspace, position=moment.read_at, **wanted)
    calendar = _calendar(call.workspace)
    for occurrence in coming["items"]:
        calendar.add_component(_event(call.workspace, occurrence, moment))
    headers = headers_for(call.request_id, Content_Type=f"{MEDIA}; charset=utf-8")
    return web.Response(body=calendar.to_ical(), headers=headers)


def _calendar(workspace: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//eventjobs//calendar//EN")
    calendar.add("version", "2.0")
    calendar.calendar_name = workspace
    calendar.refresh_interval = REFRESH
    return calendar


def _event(workspace: str, occurrence: Mapping[str, Any], moment: Moment) -> Event:
    """Return an occurrence as an event without an end, which takes no time from anybody."""
    event, owner = Event(), occurrence["owner"]
    local = f"{occurrence['local']} {occurrence['zone']}"
    event.add("uid", f"{occurrence['id']}@{workspace}")
    event.add("dtstamp", moment.at)
    event.add("dtstart", occurrence["due"])
    event.add("summary", owner["id"])
    event.add("description", "\n".join([f"{owner['kind']}/{owner['id']}, {local}", *_said(occurrence["notes"])]))
    event.add("transp", "TRANSPARENT")
    return event


def _said(notes: list[str]) -> list[str]:
    return [_NOTES.get(note, note) for note in notes]
