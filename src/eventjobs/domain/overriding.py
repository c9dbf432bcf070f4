"""
Which parts of a managed schedule's cadence are the workspace's own.

A cadence has two bundles, *start* (date, time, zone) and *period* (number and unit): a merge by single fields could
make an instant that nobody chose (R74).
"""

from dataclasses import replace
from typing import Final

from eventjobs.domain.cadence import goes_with, timing_with
from eventjobs.events.cadence import Cadence, Timing, Unit

START: Final = "start"
PERIOD: Final = "period"
BUNDLES: Final = (PERIOD, START)


def edited_bundles(before: Cadence, after: Cadence) -> tuple[str, ...]:
    """Return the bundles in which two cadences differ; a cron is both in one."""
    if before != after and Unit.CRON in (before.unit, after.unit):
        return BUNDLES
    return tuple(name for name in BUNDLES if _bundle(before, name) != _bundle(after, name))


def merged(own: Cadence, defined: Cadence, overrides: tuple[str, ...]) -> Cadence:
    """Return the cadence in force: the overridden bundles are the workspace's own, the others the definition's."""
    whole = Unit.CRON in (own.unit, defined.unit) or len(overrides) == len(BUNDLES)
    if overrides and whole:
        return own
    if START in overrides:
        return replace(defined, start_date=own.start_date, start_time=own.start_time, time_zone=own.time_zone)
    if PERIOD in overrides:
        return replace(defined, every=own.every, unit=own.unit)
    return defined


def timing_in_force(cadence: Cadence, defined: Timing | None, before: Cadence, timing: Timing) -> Timing:
    """
    Return how a schedule that had `before` reads a cadence: as the definition does, where the cadence can be read so.

    Else, and where no definition says it, with the `timing` that it had, unless a cron comes or goes.
    """
    if defined is not None and goes_with(defined, cadence.unit):
        return defined
    return timing_with(cadence, before, timing)


def _bundle(cadence: Cadence, name: str) -> tuple[object, ...]:
    if name == START:
        return cadence.start_date, cadence.start_time, cadence.time_zone
    return cadence.every, cadence.unit
