"""The group that each Connect job left last: an open run of it may still have the job."""

from collections.abc import Iterator
from typing import Any, Final

from eventjobs.events.job import JobUngrouped
from eventjobs.events.recorded import Recorded
from eventjobs.projections.temporal import Projection, Put, Table, Write

LEFT: Final = Table(
    name="view_left_groups_1",
    key={"workspace": "text", "id": "text"},
    columns={"left_group": "text"},
)


def project(recorded: Recorded[Any]) -> Iterator[Write]:
    """Return what a job that leaves its group writes."""
    yield Put(LEFT, (recorded.workspace, recorded.stream.id), {"left_group": recorded.event.group})


PROJECTION: Final = Projection(
    name="left_groups",
    version=1,
    tables=(LEFT,),
    events=(JobUngrouped,),
    project=project,
)
