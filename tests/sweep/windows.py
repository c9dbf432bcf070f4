"""Which changes of offset are looked at: each once, whatever the names of the zones that have it."""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from tests.sweep.clocks import FIRST, LAST, Change, changes, clock, offset, same_clocks
from tests.sweep.minutes import DAY

# A cadence may have begun so long before the change that meets it, and is watched for some days after it.
BEFORE, AFTER = timedelta(days=400), timedelta(days=3)


@dataclass(frozen=True)
class Window:
    """A change of offset in a zone, and the other zones that go through the very same ones around it."""

    zone: str
    change: Change
    alike: tuple[str, ...] = ()


def distinct(groups: Iterable[list[str]], step: timedelta = DAY) -> list[Window]:
    """Return every change of the zones, once for all zones whose clocks agree from 400 days before it on."""
    found: dict[tuple[Change, ...], Window] = {}
    for names in groups:
        all_changes = list(changes(clock(names[0]), step, FIRST - BEFORE))
        for change in all_changes:
            if FIRST <= change.at < LAST:
                key = (change, *(one for one in all_changes if change.at - BEFORE < one.at < change.at + AFTER))
                known = found.get(key)
                first, others = (names[0], names[1:]) if known is None else (known.zone, [*known.alike, *names])
                found[key] = Window(first, change, tuple(others))
    return list(found.values())


@cache
def odd() -> tuple[Window, ...]:
    """Return one change of each odd kind: how far, and at what time of day the clock is put on or back."""
    found: dict[tuple[int, str], Window] = {}
    for names in same_clocks():
        for change in changes(clock(names[0]), timedelta(days=7)):
            if change.is_odd:
                kind = change.after - change.before, f"{change.old_wall:%H:%M}"
                found.setdefault(kind, Window(names[0], change))
    return tuple(found.values())


def at_random(count: int, seed: int) -> Iterator[Window]:
    """Return instants at which nothing need happen."""
    chance = random.Random(seed)
    zones = [names[0] for names in same_clocks()]
    minutes = (LAST - FIRST) // timedelta(minutes=1)
    for _ in range(count):
        zone, at = chance.choice(zones), FIRST + timedelta(minutes=chance.randrange(minutes))
        before = offset(clock(zone), at - timedelta(minutes=1))
        yield Window(zone, Change(at, before, offset(clock(zone), at)))
