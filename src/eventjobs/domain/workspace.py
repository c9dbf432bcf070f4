"""What a decision may know about a workspace, and of the deployment as the workspace `*`."""

from dataclasses import dataclass, replace
from typing import assert_never

from eventjobs.domain.halts import HELD, KEPT, Halt
from eventjobs.events.workspace import (
    WorkspaceCreated,
    WorkspaceEvent,
    WorkspaceStartsHeld,
    WorkspaceStartsReleased,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """
    A tenant; `exists` is false until it was made.

    `holds` are the times in which nothing starts, past ones included: a moment that fell due in one of them and is
    answered later was held nevertheless.
    """

    exists: bool = False
    definition_version: int = 0
    time_zone: str = "UTC"
    kind: str = "automation"
    holds: tuple[Halt, ...] = ()


INITIAL = Workspace()


def evolve(workspace: Workspace, event: WorkspaceEvent) -> Workspace:
    """Move the workspace by one fact."""
    match event:
        case WorkspaceCreated():
            return replace(workspace, exists=True, definition_version=1, time_zone=event.time_zone, kind=event.kind)
        case WorkspaceStartsHeld():
            hold = Halt(reason=HELD, since=event.since, until=event.until, note=event.note, by=event.by)
            before = tuple(one.cut_at(event.since) for one in workspace.holds)
            return replace(workspace, holds=(*before, hold)[-KEPT:])
        case WorkspaceStartsReleased():
            return replace(workspace, holds=tuple(one.cut_at(event.since) for one in workspace.holds))
        case _:
            assert_never(event)
