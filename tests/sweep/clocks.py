"""Every zone of the data package, read from its files, and every change of offset in it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from io import BytesIO
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)
FIRST = datetime(1970, 1, 1, tzinfo=UTC)
LAST = datetime(2051, 1, 1, tzinfo=UTC)

# Listed in the package, but no place on earth.
NOT_PLACES = frozenset({"Factory"})


@dataclass(frozen=True, order=True)
class Change:
    """The first second of a new offset; both offsets are in seconds."""

    at: datetime
    before: int
    after: int

    @property
    def old_wall(self) -> datetime:
        """What the clock would show had it not been changed."""
        return (self.at + timedelta(seconds=self.before)).replace(tzinfo=None)

    @property
    def new_wall(self) -> datetime:
        return (self.at + timedelta(seconds=self.after)).replace(tzinfo=None)

    @property
    def edges(self) -> tuple[datetime, datetime]:
        """The local times that are left out, or shown twice: from the first, up to and without the second."""
        low, high = sorted((self.old_wall, self.new_wall))
        return low, high

    @property
    def is_odd(self) -> bool:
        """Not the usual hour, or at a midnight that does not exist."""
        low, high = self.edges
        midnight = high.replace(hour=0, minute=0, second=0)
        no_midnight = self.after > self.before and low <= midnight < high
        return abs(self.after - self.before) != 3600 or no_midnight


def zone_names() -> list[str]:
    listed = (resources.files("tzdata") / "zones").read_text("utf-8").split()
    return sorted(set(listed) - NOT_PLACES)


@cache
def clock(name: str) -> ZoneInfo:
    return ZoneInfo.from_file(BytesIO(_content(name)), name)


def offset(zone: ZoneInfo, at: datetime) -> int:
    found = at.astimezone(zone).utcoffset()
    assert found is not None
    return int(found.total_seconds())


def same_clocks() -> list[list[str]]:
    """Return the names, those with the same file together."""
    by_content: dict[bytes, list[str]] = defaultdict(list)
    for name in zone_names():
        by_content[_content(name)].append(name)
    return list(by_content.values())


def _content(name: str) -> bytes:
    return (resources.files("tzdata") / "zoneinfo").joinpath(*name.split("/")).read_bytes()


def changes(zone: ZoneInfo, step: timedelta, begin: datetime = FIRST, end: datetime = LAST) -> Iterator[Change]:
    """Find the changes of offset by looking once in a while; one that is undone within `step` would not be seen."""
    at, known = begin, begin.astimezone(zone).utcoffset()
    while at < end:
        then = (at + step).astimezone(zone).utcoffset()
        if then != known:
            yield _between(zone, at, at + step, offset(zone, at))
        at, known = at + step, then


def _between(zone: ZoneInfo, low: datetime, high: datetime, known: int) -> Change:
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        low, high = (middle, high) if offset(zone, middle) == known else (low, middle)
    return Change(high, known, offset(zone, high))
