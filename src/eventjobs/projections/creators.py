"""Who made each group and Connect job (G88)."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.group import GroupCreated
from eventjobs.events.job import JobCreated
from eventjobs.events.recorded import Recorded
from eventjobs.projections.temporal import Keeps, Projection, Put, Table, Write

CREATORS: Final = Table(
    name="view_creators_1",
    key={"workspace": "text", "kind": "text", "id": "text"},
    columns={"created_by": "text"},
    keeps=Keeps.FIRST,
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return the row of what came to be; `kind` is that of its stream."""
    key = (recorded.workspace, recorded.stream.kind, recorded.stream.id)
    yield Put(CREATORS, key, {"created_by": recorded.actor}, new=True)


PROJECTION: Final = Projection(
    name="creators",
    version=1,
    tables=(CREATORS,),
    events=(GroupCreated, JobCreated),
    project=project,
)
