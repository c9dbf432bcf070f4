"""How a slot schedule is read: as a cron that counts between two local days, and is over at an instant."""

from dataclasses import dataclass
from datetime import datetime

from eventjobs.domain.cron_days import Bounds, CronDays
from eventjobs.domain.moments import Answered
from eventjobs.events.cadence import Cadence, Repeat, TimingPolicies


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotCadence(Cadence):
    """
    A cadence by the wall clock that no fact holds: `cadence_of` in `slots.py` makes it of what they do hold.

    `first` and `last` are local midnights, both included; nothing is due at `end` or later. `once`: of a day that has
    the time twice only one counts.
    """

    first: datetime | None = None
    last: datetime | None = None
    end: datetime | None = None
    once: bool = False


def slot_days(cadence: SlotCadence, policies: TimingPolicies, answered: Answered | None) -> CronDays:
    """Return the moments of a slot schedule."""
    repeat = repeat_of(cadence, policies)
    bounds = Bounds(cadence.first, cadence.last, cadence.end)
    return CronDays(cadence, policies.gap, repeat, answered, bounds)


def repeat_of(cadence: SlotCadence, policies: TimingPolicies) -> Repeat:
    """Return which pass counts: with `once` never both."""
    return Repeat.FIRST if cadence.once and policies.repeat is Repeat.BOTH else policies.repeat
