"""What an audit keeps: each owner as its facts tell it, and the holds and calendars that concern it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from eventjobs.audit.rule import Subject
from eventjobs.domain import calendar, workspace
from eventjobs.domain.calendar import Calendar
from eventjobs.domain.owner import Owner
from eventjobs.domain.workspace import Workspace
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.events.service import Turn
from eventjobs.ids import EVERYWHERE


@dataclass(slots=True)
class Kept:
    """
    An owner as its facts tell it, and the last of its moments that has an answer.

    Of a Connect job also the `group` that it is in, and the job run that has it now.
    """

    state: Owner
    last: datetime | None = None
    group: str | None = None
    holder: Turn | None = None

    @property
    def awaits(self) -> datetime | None:
        """From when on a moment waits for its answer: one that an edit put into the past, from the edit on."""
        if not self.state.active or self.state.next is None:
            return None
        due, pending = self.state.next.due, self.state.timing.pending_at
        return due if pending is None else max(due, pending)


@dataclass(slots=True)
class Owners:
    """All owners of all workspaces, who holds starts, and the calendars of each workspace."""

    known: dict[StreamId, Kept] = field(default_factory=dict)
    workspaces: dict[str, Workspace] = field(default_factory=dict)
    calendars: dict[str, dict[str, Calendar]] = field(default_factory=dict)

    def take(self, fact: Recorded[Any]) -> None:
        """Take a fact of a workspace or of a calendar."""
        if fact.stream.kind == "calendar":
            known = self.calendars.setdefault(fact.workspace, {})
            known[fact.stream.id] = calendar.evolve(known.get(fact.stream.id, calendar.INITIAL), fact.event)
            return
        before = self.workspaces.get(fact.workspace, workspace.INITIAL)
        self.workspaces[fact.workspace] = workspace.evolve(before, fact.event)

    def subject(self, stream: StreamId) -> Subject:
        """Return who it is, with the calendars of its workspace, and the holds of it and of the deployment."""
        own, everywhere = self.workspaces.get(stream.workspace), self.workspaces.get(EVERYWHERE)
        return Subject(
            stream,
            (*(() if own is None else own.holds), *(() if everywhere is None else everywhere.holds)),
            self.calendars.get(stream.workspace, {}),
            "UTC" if own is None else own.time_zone,
        )
