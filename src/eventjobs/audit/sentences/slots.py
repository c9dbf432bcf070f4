"""Sentences about groups and Connect jobs: what is due by slots, and expires."""

from collections.abc import Mapping
from typing import Final

from eventjobs.audit.sentences import due
from eventjobs.audit.sentences.words import Data, Teller, at, coming, listed, many, turn
from eventjobs.domain.slots import SLOTS
from eventjobs.events.slots import Redraw


def _schedule(schedule: Data) -> str:
    """Return a slot schedule in words, with the minute that was drawn."""
    if schedule["type"] == "on_demand":
        return "on demand"
    day = {"once": schedule.get("date"), "weekly": listed(schedule.get("days") or ()), "monthly": schedule.get("day")}
    every = f" every {many(schedule['every'], 'hour')}" if schedule.get("every") else ""
    hour = "" if schedule.get("hour") is None else f"{schedule['hour']:02}:"
    slots = dict(enumerate(SLOTS))
    slot = "" if schedule.get("slot") is None else f" in the slot {hour}{slots.get(schedule['slot'], '?')}"
    anew = ", and is anew for each run" if schedule.get("redraw") == Redraw.PER_OCCURRENCE else ""
    drawn = "" if schedule.get("minute") is None else f" (minute {schedule['minute']} was drawn{anew})"
    when = f" {day[schedule['type']]}" if day.get(schedule["type"]) else ""
    return f"{schedule['type']}{when}{every}{slot} {schedule['time_zone']}{drawn}"


def _expiry(data: Data) -> str:
    return f"expires after {data['expires_on']}" if data.get("expires_on") else "never expires"


def _members(data: Data) -> str:
    return listed([member["job"]["id"] for member in data["members"]]) or "no jobs"


def _alike(stream: str, owner: str) -> Mapping[str, Teller]:
    whose = owner.capitalize()

    def scheduled(verb: str) -> Teller:
        return lambda subject, data: f"{whose} {subject} {verb}, {_schedule(data['schedule'])}{coming(data)}."

    return {
        **due.tellers(stream, owner),
        f"{stream}.activated": scheduled("was activated"),
        f"{stream}.scheduled": scheduled("is due otherwise"),
        f"{stream}.minute_drawn": lambda subject, data: (
            f"Minute {data['schedule']['minute']} was drawn for what is next of {owner} {subject}{coming(data)}."
        ),
        f"{stream}.deactivated": lambda subject, _: f"{whose} {subject} was deactivated.",
        f"{stream}.deleted": lambda subject, _: f"{whose} {subject} was deleted.",
        f"{stream}.expiration_set": lambda subject, data: f"{whose} {subject} {_expiry(data)}{coming(data)}.",
        f"{stream}.expiry_warned": lambda subject, data: (
            f"{whose} {subject} expires in {many(data['days_left'], 'day')}, at {at(data['expires_at'])}."
        ),
        f"{stream}.expiry_deferred": lambda subject, data: (
            f"{whose} {subject} has expired, and goes when run {data['run']} has ended."
        ),
        f"{stream}.expired": lambda subject, data: (
            f"{whose} {subject} expired and was {'deleted' if data['on_expiry'] == 'delete' else 'deactivated'}."
        ),
    }


TELLERS: Final[Mapping[str, Teller]] = {
    **_alike("group", "group"),
    **_alike("job", "job"),
    "group.created": lambda group, data: (
        f"Group {group} was created as “{data['name']}” with {_members(data)}, "
        f"{_schedule(data['schedule'])}; it {_expiry(data)}."
    ),
    "group.saved": lambda group, data: (
        f"Group {group} was saved as “{data['name']}” with {_members(data)}, {_schedule(data['schedule'])}."
    ),
    "group.reordered": lambda group, data: f"Group {group} runs {_members(data)}, in this order.",
    "groups.named": lambda _, data: f"Group {data['group']} is called “{data['name']}”.",
    "groups.unnamed": lambda _, data: f"The name of group {data['group']} is free.",
    "job.created": lambda job, data: (
        f"The {data['kind']} {job} was created as “{data['name']}” for {data['handler']}, "
        f"{_schedule(data['schedule'])}; it {_expiry(data)}."
    ),
    "job.saved": lambda job, data: (
        f"Job {job} was saved as “{data['name']}” for {data['handler']}, {_schedule(data['schedule'])}."
    ),
    "job.grouped": lambda job, data: f"Job {job} is a member of group {data['group']}.",
    "job.ungrouped": lambda job, data: f"Job {job} is a member of group {data['group']} no more.",
    "job.claimed": turn("Job {job} is {run}'s now."),
    "job.awaited": turn("Job {job} is busy; {run} is next, until {deadline}."),
    "job.joined": turn("Job {job} is busy; {run} takes the result of {other}, until {deadline}."),
    "job.released": turn("Job {job} is {run}'s no more."),
}
