"""What an audit keeps: each owner as its facts tell it, and the holds that concern it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from eventjobs.audit.rule import Subject
from eventjobs.domain import workspace
from eventjobs.domain.schedule import INITIAL, Schedule
from eventjobs.domain.workspace import Workspace
from eventjobs.events.recorded import Recorded, StreamId
from eventjobs.ids import EVERYWHERE


@dataclass(slots=True)
class Owner:
    """A schedule as its facts tell it, and the last of its moments that has an answer."""

    state: Schedule = INITIAL
    last: datetime | None = None

    @property
    def awaits(self) -> datetime | None:
        """From when on a moment waits for its answer: one that an edit put into the past, from the edit on."""
        if not self.state.active or self.state.next is None:
            return None
        due, pending = self.state.next.due, self.state.timing.pending_at
        return due if pending is None else max(due, pending)


@dataclass(slots=True)
class Owners:
    """All owners of all workspaces, and who holds starts."""

    known: dict[StreamId, Owner] = field(default_factory=dict)
    workspaces: dict[str, Workspace] = field(default_factory=dict)

    def take(self, fact: Recorded[Any]) -> None:
        """Take a fact of a workspace."""
        before = self.workspaces.get(fact.workspace, workspace.INITIAL)
        self.workspaces[fact.workspace] = workspace.evolve(before, fact.event)

    def subject(self, stream: StreamId) -> Subject:
        """Return who it is, with the holds of its workspace and of the deployment."""
        own, everywhere = self.workspaces.get(stream.workspace), self.workspaces.get(EVERYWHERE)
        return Subject(
            stream.id,
            (*(() if own is None else own.holds), *(() if everywhere is None else everywhere.holds)),
        )
