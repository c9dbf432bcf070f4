"""Sentences about workspaces and their calendars."""

from collections.abc import Mapping
from typing import Final

from eventjobs.audit.sentences.words import Data, Teller, listed, many, note, until


def _place(workspace: str) -> str:
    return "everywhere" if workspace == "*" else f"in workspace {workspace}"


def _calendar(calendar: str, data: Data) -> str:
    kinds = (("dates", "day"), ("ranges", "range"), ("weekly", "weekly time"), ("yearly", "yearly span"))
    entries = [many(len(data[name]), word) for name, word in kinds if data.get(name)]
    return (
        f"Calendar {calendar}, “{data['name']}”, was saved: {listed(entries) if entries else 'it blacks nothing out'}."
    )


TELLERS: Final[Mapping[str, Teller]] = {
    "calendar.saved": _calendar,
    "workspace.created": lambda name, data: f"Workspace {name} was made, with the time zone {data['time_zone']}.",
    "workspace.starts_held": lambda name, data: (
        f"All starts {_place(name)} are held by {data['by']}{until(data)}{note(data)}."
    ),
    "workspace.starts_released": lambda name, data: f"Starts {_place(name)} were released{note(data)}.",
}
