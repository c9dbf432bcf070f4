"""What a decision may know about a workspace."""

from dataclasses import dataclass, replace

from eventjobs.events.workspace import WorkspaceCreated, WorkspaceEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """A tenant; `exists` is false until it was made."""

    exists: bool = False
    definition_version: int = 0
    time_zone: str = "UTC"
    kind: str = "automation"


INITIAL = Workspace()


def evolve(workspace: Workspace, event: WorkspaceEvent) -> Workspace:
    """Move the workspace by one fact."""
    match event:
        case WorkspaceCreated():
            return replace(workspace, exists=True, definition_version=1, time_zone=event.time_zone, kind=event.kind)
