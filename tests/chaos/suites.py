"""Every suite by its name: a short form for each run of the tests, where there is one, and a long one."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.chaos import (
    clocks,
    crowd,
    cuts,
    embedded_cases,
    full_disk,
    imports,
    rebuilds,
    slots,
    stops,
    storm,
    syncs,
    weather,
    zombies,
)
from tests.chaos.figures import Figures


@dataclass(frozen=True, slots=True)
class Suite:
    """
    How one is run in two sizes; `run` takes the seed, the size and the command that repeats it.

    One without a `short_size` is not among the tests: what it waits for takes its time.
    """

    run: Callable[[int, Any, str], Awaitable[Figures]]
    short_size: Any
    long_size: Callable[[float], Any]

    async def short(self, seed: int, command: str) -> Figures:
        return await self.run(seed, self.short_size, command)

    async def long(self, seed: int, minutes: float, command: str) -> Figures:
        return await self.run(seed, self.long_size(minutes), command)


SUITES: Final[Mapping[str, Suite]] = {
    "T1": Suite(storm.run, storm.SHORT, storm.long),
    "T2": Suite(cuts.run, cuts.SHORT, cuts.long),
    "T3": Suite(weather.run, weather.SHORT, weather.long),
    "T5": Suite(full_disk.run, full_disk.SHORT, full_disk.long),
    "T7": Suite(zombies.run, zombies.SHORT, zombies.long),
    "T8": Suite(clocks.run, clocks.SHORT, clocks.long),
    "T12": Suite(crowd.run, crowd.SHORT, crowd.long),
    "T15": Suite(rebuilds.run, rebuilds.SHORT, rebuilds.long),
    "T25": Suite(stops.run, stops.SHORT, stops.long),
    "T27": Suite(embedded_cases.run, embedded_cases.SHORT, embedded_cases.long),
    "T28": Suite(syncs.run, syncs.SHORT, syncs.long),
    "T29": Suite(imports.run, imports.SHORT, imports.long),
    "T30": Suite(slots.run, None, slots.long),
}
SHORT_FORMS: Final = tuple(name for name, suite in SUITES.items() if suite.short_size is not None)
