"""The jobs of each group, in the order in which they run; the rest of a group is in the view of slot owners."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.group import GroupCreated, GroupReordered, GroupSaved
from eventjobs.events.recorded import Recorded
from eventjobs.projections.temporal import Projection, Put, Table, Write, json_text

GROUPS: Final = Table(name="view_groups_1", key={"workspace": "text", "id": "text"}, columns={"members": "json"})


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a fact about a group's jobs writes."""
    yield Put(GROUPS, (recorded.workspace, recorded.stream.id), {"members": json_text(recorded.event.members)})


PROJECTION: Final = Projection(
    name="groups",
    version=1,
    tables=(GROUPS,),
    events=(GroupCreated, GroupSaved, GroupReordered),
    project=project,
)
