"""The judge's own reading of slot schedules: day by day, by the wall clock, and from the stored JSON alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.support.zone_data import ELSEWHERE

_DAY: Final = timedelta(days=1)
_SLOT: Final = timedelta(minutes=15)
_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AHEAD: Final = 70
"""Within how many days the next moment of each type lies, if there is one."""
_BESIDE: Final = 3
"""By how many days a zone and a change of its clock may move a moment."""

Label = tuple[str, int]
"""What a clock showed: the local time, and which of two passes of it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The last moment that was answered, and the latest that a clock had shown by then."""

    at: datetime
    label: Label


def zone_of(name: str, *, is_old: bool) -> ZoneInfo:
    """Return a zone as one of the two versions has it."""
    return ZoneInfo(ELSEWHERE if is_old and name == "Europe/Berlin" else name)


def midnight(zone: ZoneInfo, day: date) -> datetime:
    """Return when a local day begins."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Reckoning:
    """A drawn schedule, how it is read where the clocks change, and when its owner expires."""

    schedule: Mapping[str, Any]
    gap: str
    repeat: str
    end: datetime | None

    def first(self, after: datetime, answered: Answered | None, *, is_old: bool) -> datetime | None:
        """Return the first moment after an instant, and after what was answered; `None` where none comes."""
        zone = zone_of(self.schedule["time_zone"], is_old=is_old)
        if answered is not None:
            after = max(after, answered.at)
        labels = answered is not None and shown(zone, answered.at) != answered.label
        for at in self._moments(after, zone):
            if self.end is not None and at >= self.end:
                return None
            if not labels or (answered is not None and shown(zone, at) > answered.label):
                return at
        return None

    def label(self, at: datetime, *, is_old: bool) -> Label:
        """Return what the clock shows at an instant."""
        return shown(zone_of(self.schedule["time_zone"], is_old=is_old), at)

    def slot_end(self, now: datetime, *, is_old: bool) -> datetime | None:
        """Return when the slot of its own that an instant lies in is over, `None` outside of one."""
        starts = {**self.schedule, "minute": (self.schedule["slot"] or 0) * 15}
        begin = Reckoning(starts, self.gap, self.repeat, None).first(now - _SLOT, None, is_old=is_old)
        return None if begin is None or begin > now else begin + _SLOT

    def _moments(self, after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
        """Yield the moments after an instant; where the clocks change their order is not that of the local times."""
        if self.schedule["type"] == "on_demand":
            return
        begin = max(after.astimezone(zone).date(), date.fromisoformat(self._first_day()))
        coming: list[datetime] = []
        for ahead in range(-_BESIDE, _AHEAD + _BESIDE):
            day = begin + ahead * _DAY
            settled = midnight(zone, day - _BESIDE * _DAY)
            while coming and coming[0] < settled:
                yield coming.pop(0)
            if self._counts(day):
                found = {at for clock in self._times() for at in self._at(zone, datetime.combine(day, clock))}
                coming = sorted({*coming, *(at for at in found if at > after)})
        yield from coming

    def _first_day(self) -> str:
        return self.schedule["date"] or self.schedule["from_date"] or "1970-01-01"

    def _counts(self, day: date) -> bool:
        """Tell whether it is due on a local day."""
        said = self.schedule
        first, last = said["from_date"] or "", said["until_date"] or "9999"
        if not first <= day.isoformat() <= last:
            return False
        match said["type"]:
            case "once":
                return bool(day.isoformat() == said["date"])
            case "weekly":
                return _NAMES[day.weekday()] in said["days"]
            case "monthly":
                is_last = (day + _DAY).day == 1
                return is_last if said["day"] == "last" else bool(day.day == said["day"])
            case _:
                return True

    def _times(self) -> list[time]:
        said = self.schedule
        hours = range(0, 24, said["every"]) if said["type"] == "hourly" else [said["hour"]]
        return [time(hour, said["minute"]) for hour in hours]

    def _at(self, zone: ZoneInfo, local: datetime) -> list[datetime]:
        """Return the instants at which the clock shows a local time, or that stand for one which it leaves out."""
        passes = [local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        real = [at for at in passes if at.astimezone(zone).replace(tzinfo=None) == local]
        if not real:
            return [] if self.gap == "skip" else passes[:1]
        repeat = "first" if self.schedule["type"] == "once" and self.repeat == "both" else self.repeat
        return {"first": real[:1], "second": real[-1:], "both": real}[repeat]


def shown(zone: ZoneInfo, at: datetime) -> Label:
    """Return what a zone's clock shows at an instant."""
    local = at.astimezone(zone)
    return local.replace(tzinfo=None, fold=0).isoformat(timespec="seconds"), local.fold
