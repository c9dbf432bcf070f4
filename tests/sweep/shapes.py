"""Forty cadences, placed so that a change of offset meets them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from tests.sweep.clocks import Change
from tests.sweep.minutes import DAY, MINUTE, Rule

GAPS, REPEATS = ("shift", "skip"), ("first", "second", "both")

# Where the cadence's time of day lies, seen from the local times that are left out or shown twice.
PLACES = ("before", "first", "inside", "last", "after", "midnight", "noon")


@dataclass(frozen=True)
class Shape:
    """Every so many units, at a place beside the change, started so many periods before it."""

    every: int
    unit: str
    place: str
    back: int = 0
    end_of_month: bool = False

    @property
    def name(self) -> str:
        return f"{self.every}-{self.unit}-{self.place}-{self.back}{'-end' if self.end_of_month else ''}"

    def rules(self, change: Change) -> Iterator[Rule]:
        """Return the cadence with each timing, gap and repeat policy that it can have."""
        start = self._start(label_of(change, self.place))
        yield Rule(start, self.every, self.unit, "elapsed")
        if self.unit == "once":
            return
        yield Rule(start, self.every, self.unit, "grid")
        # Policies of local time mean nothing to the others.
        yield Rule(start, self.every, self.unit, "grid", "skip", "second")
        if self.unit in ("day", "month"):
            for gap, repeat in product(GAPS, REPEATS):
                yield Rule(start, self.every, self.unit, "wall_clock", gap, repeat)

    def _start(self, label: datetime) -> datetime:
        if self.unit == "month":
            return self._months_before(label)
        period = {"minute": MINUTE, "hour": 60 * MINUTE, "day": DAY, "once": DAY}[self.unit]
        return label - self.back * self.every * period

    def _months_before(self, label: datetime) -> datetime:
        months = label.year * 12 + label.month - 1 - self.back * self.every
        first = label.replace(year=months // 12, month=months % 12 + 1, day=1)
        last = first + 31 * DAY
        last = last.replace(day=1) - DAY
        return last if self.end_of_month else min(first.replace(day=1) + (label.day - 1) * DAY, last)


def label_of(change: Change, place: str) -> datetime:
    low, high = change.edges
    label = {
        "before": low - MINUTE,
        "first": low,
        "inside": low + (high - low) / 2,
        "last": high - MINUTE,
        "after": high,
        "midnight": high.replace(hour=0, minute=0),
        "noon": low.replace(hour=12, minute=0),
    }[place]
    return label.replace(second=0, microsecond=0)


SHAPES = (
    *(Shape(1, "day", place, back=40) for place in PLACES),
    Shape(1, "day", "inside"),
    Shape(1, "day", "first"),
    Shape(1, "day", "midnight"),
    Shape(2, "day", "inside", back=1),
    Shape(2, "day", "midnight", back=5),
    Shape(3, "day", "last", back=4),
    Shape(7, "day", "inside", back=3),
    Shape(28, "day", "midnight", back=2),
    Shape(365, "day", "inside", back=1),
    Shape(1, "month", "inside", back=1),
    Shape(1, "month", "midnight", back=2),
    Shape(1, "month", "first", back=0),
    Shape(1, "month", "inside", back=1, end_of_month=True),
    Shape(2, "month", "last", back=1, end_of_month=True),
    Shape(3, "month", "inside", back=2),
    Shape(12, "month", "inside", back=1),
    Shape(12, "month", "midnight", back=1),
    Shape(1, "hour", "inside", back=3),
    Shape(2, "hour", "first", back=5),
    Shape(6, "hour", "midnight", back=7),
    Shape(12, "hour", "inside"),
    Shape(24, "hour", "inside", back=1),
    Shape(25, "hour", "last", back=2),
    Shape(15, "minute", "first", back=4),
    Shape(20, "minute", "inside"),
    Shape(45, "minute", "before", back=9),
    Shape(90, "minute", "midnight", back=3),
    Shape(1440, "minute", "inside", back=1),
    Shape(1, "once", "inside"),
    Shape(1, "once", "first"),
    Shape(1, "once", "after"),
    Shape(1, "once", "midnight"),
    Shape(1, "once", "noon"),
)
BY_NAME = {shape.name: shape for shape in SHAPES}
