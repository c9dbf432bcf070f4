"""
Time zones: which names are known, and what a local time means in one of them.

The zone data is the PyPI package `tzdata` alone, never the machine's own files, so that every instance reads the same
rules from the same version.
"""

import zoneinfo
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from tzdata import IANA_VERSION  # type: ignore[import-untyped]

zoneinfo.reset_tzpath(())  # must happen before the first zone is read, or the machine's files would win
ZoneInfo.clear_cache()

# Present in the data but not places: the machine's own setting, POSIX's default rules, "not set".
_NOT_PLACES: Final = frozenset({"localtime", "posixrules", "Factory"})

# Nothing is due later: local times and UTC must both fit a datetime.
HORIZON: Final = datetime(9999, 12, 29, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Instant:
    """
    One moment as a zone shows it.

    `utc` is whole seconds; `local` and `fold` are the wall clock there; `asked` is the local time that was wanted,
    where a gap shifted it (R21).
    """

    utc: datetime
    local: datetime
    fold: int
    asked: datetime | None = None


def zone_data() -> str:
    """Return the version of the zone data, such as `2026f`; a later one is greater as text."""
    return str(IANA_VERSION)


@cache
def zone_names() -> frozenset[str]:
    """Return every name that may be used, aliases included, in exact case."""
    return frozenset(zoneinfo.available_timezones()) - _NOT_PLACES


def is_zone(name: str) -> bool:
    """Say whether a name is one of ours; no file is looked for."""
    return name in zone_names()


@cache
def _zone(name: str) -> ZoneInfo:
    if not is_zone(name):
        raise KeyError(name)
    return ZoneInfo(name)


def shown_in(name: str, utc: datetime) -> Instant:
    """Return an instant as a zone's wall clock shows it."""
    local = utc.astimezone(_zone(name))
    return Instant(utc.astimezone(UTC), local.replace(tzinfo=None, fold=0), local.fold)


def is_repeated(name: str, local: datetime) -> bool:
    """Say whether a local time occurs twice in a zone."""
    first, second = _offsets(name, local)
    return first > second


def _offsets(name: str, local: datetime) -> tuple[timedelta, timedelta]:
    zone = _zone(name)
    first = local.replace(tzinfo=zone, fold=0).utcoffset()
    second = local.replace(tzinfo=zone, fold=1).utcoffset()
    assert first is not None  # noqa: S101 a zone always has an offset
    assert second is not None  # noqa: S101 same
    return first, second


def instants_of(name: str, local: datetime) -> tuple[Instant, ...]:
    """
    Return the instants at which a zone's clock shows a local time, earliest first: one or two.

    In a gap there is none; then the one returned is later by the length of the gap and carries `asked` (R21).
    """
    first, second = _offsets(name, local)
    early = Instant((local - first).replace(tzinfo=UTC), local, 0)
    if first == second:
        return (early,)
    if first > second:
        return early, Instant((local - second).replace(tzinfo=UTC), local, 1)
    shifted = shown_in(name, early.utc)
    return (Instant(shifted.utc, shifted.local, shifted.fold, asked=local),)


def bounds_of(name: str, local: datetime) -> tuple[datetime, datetime]:
    """
    Return the first and the last instant at which a zone's clock comes to a local time: two where it occurs twice.

    In a gap both are the change itself, where the clock goes past it.
    """
    first, second = _offsets(name, local)
    early, late = (local - max(first, second)).replace(tzinfo=UTC), (local - min(first, second)).replace(tzinfo=UTC)
    if first >= second:
        return early, late
    while late - early > _SECOND:
        middle = early + (late - early) // (2 * _SECOND) * _SECOND
        early, late = (middle, late) if shown_in(name, middle).local < local else (early, middle)
    return late, late


def quiet_offset(name: str, day: datetime) -> timedelta | None:
    """Return the offset of a local day, its midnight given; `None` if on it or a day beside it the clock is changed."""
    return _quiet_offset(name, day, zone_data())


@lru_cache(maxsize=4_096)
def _quiet_offset(name: str, day: datetime, _version: str) -> timedelta | None:
    ends = (day + timedelta(days=ahead) for ahead in (-1, 0, 1, 2))
    offsets = {offset for end in ends for offset in _offsets(name, end)}
    return offsets.pop() if len(offsets) == 1 else None


def wall_text(local: datetime) -> str:
    """Write a local time as `YYYY-MM-DDTHH:MM:SS`."""
    return local.isoformat(timespec="seconds")
