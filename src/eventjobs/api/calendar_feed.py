"""
Coming occurrences and what became of the last ones as a calendar, for programs that subscribe to one by its address.

Such programs send no header of ours, so here alone a key stands in the address: one for calendars, which opens nothing
else, may be revoked and ends by itself. No address is ever logged.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
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
BACK: Final = timedelta(days=7)
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
    """Answer with what comes in 31 days and what became of the last seven, at most 1,000 occurrences of each."""
    moment = await view_moment(call)
    begin = now_of(call, moment)
    owner = None if call.query.owner is None else parse_owner(call.query.owner)
    wanted = {"owner": owner, "since": begin, "until": begin + AHEAD, "outcome": "coming", "limit": MOMENTS_MAX}
    coming = await call.deps.views.occurrences(call.workspace, position=moment.read_at, **wanted)
    past = {"owner": owner, "since": begin - BACK, "until": begin, "limit": MOMENTS_MAX}
    outcomes = await call.deps.views.newest_outcomes(call.workspace, position=moment.read_at, **past)
    calendar = _calendar(call.workspace)
    for occurrence in coming["items"]:
        calendar.add_component(_event(call.workspace, occurrence, moment))
    for outcome in outcomes:
        calendar.add_component(_past_event(call.workspace, outcome, moment))
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
    local = f"{occurrence['local']} {occurrence['zone']}"
    said = [f"{_name(occurrence)}, {local}", *(_NOTES.get(note, note) for note in occurrence["notes"])]
    return _made(workspace, occurrence, moment, occurrence["owner"]["id"], said)


def _past_event(workspace: str, outcome: Mapping[str, Any], moment: Moment) -> Event:
    """Return an outcome in the place of the occurrence that it has answered: it has the same UID."""
    word = str(outcome["outcome"])
    became = f"{word}, {_plain(outcome['reason'])}" if outcome["reason"] else word
    said = [f"{_name(outcome)}: {became}"]
    if outcome["started_at"] is not None:
        said.append(f"It started at {_time(outcome['started_at'])} UTC.")
    if outcome["ended_at"] is not None:
        said.append(f"It ended at {_time(outcome['ended_at'])} UTC.")
    if outcome["count"] > 1:
        said.append(f"This stands for {outcome['count']} moments, the last at {_time(outcome['last'])} UTC.")
    return _made(workspace, outcome, moment, f"{outcome['owner']['id']}: {word}", said)


def _made(workspace: str, occurrence: Mapping[str, Any], moment: Moment, summary: str, said: Sequence[str]) -> Event:
    event = Event()
    event.add("uid", f"{occurrence['id']}@{workspace}")
    event.add("dtstamp", moment.at)
    event.add("dtstart", occurrence["due"])
    event.add("summary", summary)
    event.add("description", "\n".join(said))
    event.add("transp", "TRANSPARENT")
    return event


def _name(occurrence: Mapping[str, Any]) -> str:
    return f"{occurrence['owner']['kind']}/{occurrence['owner']['id']}"


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
