"""The judge's own reading of blackout calendars, by the wall clock and from the stored JSON alone."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.zone_data import ELSEWHERE

_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOURS = timedelta(hours=3)


class Calendars:
    """What each calendar said, in the order in which it was said."""

    def __init__(self) -> None:
        self._saved: dict[tuple[str, str], list[Mapping[str, Any]]] = {}

    def save(self, workspace: str, calendar: str, content: Mapping[str, Any]) -> None:
        """Take a content."""
        self._saved.setdefault((workspace, calendar), []).append(content)

    def covers(self, workspace: str, names: Sequence[str], at: datetime, is_old: bool) -> bool:
        """Tell whether one of the calendars says that nothing starts at an instant, as one of the versions reads it."""
        return any(_shows(content, at, _zone(content, is_old)) for content in self._in_force(workspace, names, at))

    def may_cover(self, workspace: str, names: Sequence[str], at: datetime, is_old: bool) -> bool:
        """The same, and where the clocks change within hours: an edge that the clock shows twice is read widely."""
        for content in self._in_force(workspace, names, at):
            zone = _zone(content, is_old)
            if _shows(content, at, zone) or _changes(zone, at):
                return True
        return False

    def _in_force(self, workspace: str, names: Sequence[str], at: datetime) -> Sequence[Mapping[str, Any]]:
        found = []
        for name in names:
            contents = self._saved.get((workspace, name), [])
            ends = [datetime.fromisoformat(content["since"]) for content in contents[1:]]
            for content, end in zip(contents, [*ends, None], strict=True):
                if datetime.fromisoformat(content["since"]) <= at and (end is None or at < end):
                    found.append(content)
        return found


def _zone(content: Mapping[str, Any], is_old: bool) -> ZoneInfo:
    name = content["time_zone"]
    return ZoneInfo(ELSEWHERE if is_old and name == "Europe/Berlin" else name)


def _shows(content: Mapping[str, Any], at: datetime, zone: ZoneInfo) -> bool:
    shown = at.astimezone(zone).replace(tzinfo=None)
    if any(one["start"] <= shown.isoformat() < one["end"] for one in content["ranges"]):
        return True
    for one in content["weekly"]:
        today = shown.weekday()
        clock, over = f"{shown:%H:%M}", one["end"] <= one["start"]
        if _NAMES[today] in one["days"] and one["start"] <= clock and (over or clock < one["end"]):
            return True
        if over and _NAMES[today - 1] in one["days"] and clock < one["end"]:
            return True
    return False


def _changes(zone: ZoneInfo, at: datetime) -> bool:
    return (at - _HOURS).astimezone(zone).utcoffset() != (at + _HOURS).astimezone(zone).utcoffset()
