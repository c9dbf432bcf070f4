"""Which workspaces there are."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.recorded import Recorded
from eventjobs.events.workspace import WorkspaceCreated
from eventjobs.projections.temporal import Projection, Put, Table, Write

WORKSPACES: Final = Table(
    name="view_workspaces_1",
    key={"workspace": "text"},
    columns={"version": "integer", "time_zone": "text", "kind": "text", "created_at": "timestamptz"},
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what the making of a workspace writes."""
    match recorded.event:
        case WorkspaceCreated() as event:
            made = {"version": 1, "time_zone": event.time_zone, "kind": event.kind, "created_at": recorded.at}
            yield Put(WORKSPACES, (recorded.workspace,), made)
        case _:
            pass  # not this view's business


PROJECTION: Final = Projection(
    name="workspaces", version=1, tables=(WORKSPACES,), events=(WorkspaceCreated,), project=project
)
