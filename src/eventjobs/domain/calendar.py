"""What a decision may know about a blackout calendar: what it says now, and what it said before."""

from dataclasses import dataclass, replace
from typing import Final

from eventjobs.events.calendar import CalendarEvent, CalendarSaved

KEPT: Final = 20
"""How many contents are remembered, the newest; a moment from before the oldest of them is answered as free."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """
    A named set of times in which nothing starts; without any it lets everything start.

    `saved` are its contents, the newest last: each is in force until the next one, so that a moment that is answered
    late is answered by what was in force at its instant.
    """

    definition_version: int = 0
    saved: tuple[CalendarSaved, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether it was ever saved."""
        return bool(self.saved)


INITIAL = Calendar()


def evolve(calendar: Calendar, event: CalendarEvent) -> Calendar:
    """Move the calendar by one fact."""
    return replace(
        calendar,
        definition_version=calendar.definition_version + 1,
        saved=(*calendar.saved, event)[-KEPT:],
    )
